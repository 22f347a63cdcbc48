"""The reply of a model becomes edits, and edits become file states: both protocols end here.

Tool calls come through `parse_propose` and `parse_ask`, replies in text through `text_calls`, which makes the same
calls of them; `resolve` sets edits against the files. `apply_edit` does all of it for one file, to be measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from agent.core.dialog import ToolCall
from agent.core.hunk import FileState, Mode
from agent.core.replies.arguments import load_all, parse_ask, parse_propose, parse_str_replace
from agent.core.replies.edits import EditProblem, FormatError, ModelEdit, ProposeArgs, Resolved
from agent.core.replies.fences import fence_open
from agent.core.replies.paths import locate
from agent.core.replies.resolve import resolve, resolve_patch
from agent.core.replies.text_reply import TextReply, parse_text

__all__ = [
    "EditProblem",
    "FormatError",
    "ModelEdit",
    "ProposeArgs",
    "Resolved",
    "TextReply",
    "apply_edit",
    "parse_ask",
    "parse_propose",
    "parse_text",
    "resolve",
    "resolve_patch",
    "text_calls",
]

_PARAMETER = re.compile(r"<parameter(?: name=\"|=)(\w+)\"?>\n?(.*?)\n?</parameter>", re.S)
_JSON_FENCE = re.compile(r"\s*```\w*\n(.*)\n```\s*", re.S)


def text_calls(text: str, id_prefix: str, *, always: bool) -> tuple[ToolCall, ...]:
    """The calls that a reply in text stands for; none when it only talks.

    `always`: the text protocol is spoken. Otherwise only edits that are marked as such count, not requests to
    look, questions, or a fence that could be an example.
    """
    reply = parse_text(text)
    if reply.edits or reply.errors:
        stated = always and bool(reply.why or any(edit.because for edit in reply.edits))
        if reply.marked or stated:
            return (_call(id_prefix, 0, "propose", _proposal(reply)),)
        return ()
    if not always:
        return ()
    if reply.question is not None:
        asked = reply.question
        arguments: dict[str, Any] = {
            "text": asked.text,
            "why_it_matters": asked.why_it_matters,
            "options": list(asked.options),
            "default": asked.default,
            "looked_at": [],
        }
        return (_call(id_prefix, 0, "ask", arguments),)
    return tuple(
        _call(id_prefix, number, tool, _looked(tool, said)) for number, (tool, said) in enumerate(reply.reads)
    )


def _looked(tool: str, said: str) -> dict[str, Any]:
    """The arguments of a tool that is asked for in a line of text."""
    match tool:
        case "search":
            return {"text": said, "path": ""}
        case "docs" | "check":
            return {"name": said}
        case _:
            return {"path": said}


def _call(prefix: str, number: int, name: str, arguments: dict[str, Any]) -> ToolCall:
    return ToolCall(f"{prefix}-{number}" if number else prefix, name, json.dumps(arguments))


def _proposal(reply: TextReply) -> dict[str, Any]:
    why = reply.why or next((edit.because for edit in reply.edits if edit.because), "")
    if reply.errors:
        return {"why": why, "title": reply.title, "errors": list(reply.errors), "edits": []}
    return {
        "why": why,
        "title": reply.title,
        "assumes": list(reply.assumes),
        "risks": list(reply.risks),
        "quotes": list(reply.quotes),
        "serves": reply.serves,
        "edits": [_edit(edit, why if len(reply.edits) == 1 else "") for edit in reply.edits],
    }


def _edit(edit: ModelEdit, why: str) -> dict[str, Any]:
    return {
        "because": edit.because or why,
        "path": edit.path,
        "old": edit.old,
        "new": edit.new,
        "content": edit.content,
        "delete": edit.delete or None,
        "rename_to": edit.rename_to,
        "patch": edit.patch,
    }


def apply_edit(
    edit_text: str, fmt: str, path: str, before: str | bytes | None
) -> bytes | tuple[EditProblem, ...] | None:  # fmt: skip
    """What a reply in the format `fmt` makes of a repository whose only file is `path`: its new content (None when
    it is deleted), or why it does not fit. Formats: search_replace, whole, str_replace, apply_patch, unified.
    """
    edits = _edits_of(edit_text, fmt, path)
    if isinstance(edits, FormatError):
        return (EditProblem(0, path, edits.message),)
    data = before.encode("utf-8", "surrogatepass") if isinstance(before, str) else before
    base = None if data is None else FileState(Mode.FILE, data)
    resolved = resolve(
        _only(edits, path), lambda name: base if name == path else None, lambda: [path] if base else []
    )
    if not isinstance(resolved, Resolved):
        return resolved
    state = resolved.after.get(resolved.renames.get(path, path), base)
    return state.data if state else None


def _only(edits: Sequence[ModelEdit], path: str) -> list[ModelEdit]:
    """The edits of `path`, and those that name no file; all of them when there is none."""
    own = [
        msgspec.structs.replace(edit, path=path)
        for edit in edits
        if edit.patch is None and (not edit.path or locate(edit.path, [path]) == path)
    ]
    patches = [edit for edit in edits if edit.patch is not None]
    return [*own, *patches] if own or patches else list(edits)


def _edits_of(text: str, fmt: str, path: str) -> tuple[ModelEdit, ...] | FormatError:
    match fmt:
        case "search_replace" | "whole":
            return _text_edits(text, path, whole=fmt == "whole")
        case "str_replace":
            return _str_replace_edits(text, path)
        case "apply_patch" | "unified":
            text = _unwrapped(text)
            found = parse_text(text)
            if found.edits and not found.errors and any(edit.patch is not None for edit in found.edits):
                return found.edits
            return (ModelEdit("", path, patch=text),)
        case _:
            return FormatError(f"unknown format {fmt}")


def _text_edits(text: str, path: str, *, whole: bool) -> tuple[ModelEdit, ...] | FormatError:
    if whole and fence_open(text.lstrip("\n").partition("\n")[0]):
        text = f"{path}\n{text}"
    reply = parse_text(text, whole=whole)
    if reply.errors:
        return FormatError("; ".join(reply.errors))
    if reply.edits:
        return reply.edits
    if whole:
        again = parse_text(f"{path}\n{text}", whole=True)
        if again.edits and not again.errors:
            return again.edits
        if "```" not in text:
            return (ModelEdit("", path, content=text),)
    return FormatError("no edit was found in the reply")


def _unwrapped(text: str) -> str:
    """A patch that came inside the arguments of a tool call."""
    values = load_all(text) if text.lstrip().startswith(("{", "[")) else []
    while values:
        value = values.pop(0)
        if isinstance(value, str) and ("*** Begin Patch" in value or "\n+++ " in value):
            return value
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        values += inner
    return text


def _str_replace_edits(text: str, path: str) -> tuple[ModelEdit, ...] | FormatError:
    fenced = _JSON_FENCE.fullmatch(text)
    body = fenced[1] if fenced else text
    if body.lstrip().startswith(("{", "[")):
        values = load_all(body)
        if not values:
            return FormatError("the arguments are not JSON; send the call again, complete")
        return parse_str_replace(values if len(values) > 1 else values[0], path)
    parameters = dict(_PARAMETER.findall(text))
    if parameters:
        return parse_str_replace(parameters, path)
    return _text_edits(text, path, whole=False)
