"""Arguments of tool calls as values: `propose` and `ask`, and the str_replace commands of other tools.

Forgives what costs nothing to forgive (a list given as a text, empty fields of the other forms); everything else
is a short message to the model that says what to do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from agent.core.chunk import Budget, Quote
from agent.core.replies.edits import FormatError, ModelEdit, ProposeArgs
from agent.core.review import Question

WHY_CHARS = Budget().why_chars

QUOTES = 5
QUOTE_CHARS = 400

_FORMS = "`old` and `new`, `content`, `delete`, or `rename_to`"

_QUOTED = re.compile(r"`?([\w.-]+?)(?:\(\))?`?: +(.+)", re.DOTALL)
_AROUND = ' \n"“”'


def load(text: str) -> Any:
    """JSON, control characters in texts forgiven; a FormatError when it is none."""
    try:
        return json.loads(text or "{}", strict=False)
    except ValueError as error:
        return FormatError(f"the arguments are not JSON ({error}); send the call again, complete")
    except RecursionError:
        return FormatError("the arguments are nested too deeply; send the call again as its schema says")


def load_all(text: str) -> list[Any]:
    """All JSON values that stand one after the other in `text`; none when any of it is something else."""
    decoder = json.JSONDecoder(strict=False)
    values: list[Any] = []
    at = 0
    try:
        while at < len(text):
            if text[at] in " \t\r\n,":
                at += 1
                continue
            value, at = decoder.raw_decode(text, at)
            values.append(value)
    except (ValueError, RecursionError):
        return []
    return values


def parse_propose(args_json: str) -> ProposeArgs | FormatError:
    """The arguments of `propose`: every edit in one form and with its `because`, `why` within its length."""
    data = load(args_json)
    if isinstance(data, FormatError):
        return data
    if not isinstance(data, dict):
        return FormatError("the arguments must be an object with `why`, `title` and `edits`")
    if errors := _texts(data.get("errors")):
        return FormatError("nothing was proposed: " + "; ".join(errors))
    why = _text(data.get("why")).strip()
    if not why:
        return FormatError("`why` is missing: say what is wrong and why this fixes it")
    if len(why) > WHY_CHARS:
        return FormatError(f"`why` has {len(why)} characters, at most {WHY_CHARS} are shown; say it shorter")
    quotes = _texts(data.get("quotes"))
    if len(quotes) > QUOTES or any(len(quote) > QUOTE_CHARS for quote in quotes):
        return FormatError(f"give at most {QUOTES} `quotes` of at most {QUOTE_CHARS} characters each")
    edits = _edits(data.get("edits"))
    if isinstance(edits, FormatError):
        return edits
    return ProposeArgs(
        why=why,
        title=_text(data.get("title")).strip() or why[:60],
        edits=edits,
        assumes=_texts(data.get("assumes")),
        risks=_texts(data.get("risks")),
        quotes=tuple(map(_quote, quotes)),
        serves=_text(data.get("serves")).strip(),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(text.strip() for text in listed if isinstance(text, str) and text.strip())


def _quote(said: str) -> Quote:
    """`json.loads: its words`; without a name in front there is no telling whose words they are."""
    match = _QUOTED.fullmatch(said)
    return Quote(match[1], match[2].strip(_AROUND)) if match else Quote("", said)


def _edits(value: object) -> tuple[ModelEdit, ...] | FormatError:
    if isinstance(value, str):
        value = load(value)
        if isinstance(value, FormatError):
            return value
    listed = [value] if isinstance(value, dict) else value
    if not isinstance(listed, list) or not listed:
        return FormatError("`edits` must be a list with at least one edit")
    edits: list[ModelEdit] = []
    for number, item in enumerate(listed, 1):
        edit = _edit(item) if isinstance(item, dict) else f"it must be an object with {_FORMS}"
        if isinstance(edit, str):
            return FormatError(f"edit {number}: {edit}")
        edits.append(edit)
    return tuple(edits)


def _edit(item: Mapping[str, object]) -> ModelEdit | str:
    because, path = _text(item.get("because")).strip(), _text(item.get("path"))
    if not because:
        return "`because` is missing; say why this edit is needed"
    if patch := _text(item.get("patch")):
        return ModelEdit(because, path, patch=patch)
    if not path.strip():
        return "`path` is missing"
    old, new, content = (item.get(name) for name in ("old", "new", "content"))
    rename_to = _text(item.get("rename_to")).strip()
    forms = [isinstance(old, str) and bool(old), isinstance(content, str) and bool(content)]
    forms += [item.get("delete") is True, bool(rename_to)]
    if sum(forms) > 1:
        return f"it has several forms at once; use one of {_FORMS} and leave the others null"
    if item.get("delete") is True:
        return ModelEdit(because, path, delete=True)
    if rename_to:
        return ModelEdit(because, path, rename_to=rename_to)
    # All forms empty, as schemas of plain strings have it: nothing is overwritten, an absent file is created.
    empty = content == "" and old == ""
    if isinstance(content, str) and not empty and not (isinstance(old, str) and old):
        return ModelEdit(because, path, content=content or _text(new))
    if not isinstance(old, str):
        return f"it has none of {_FORMS}"
    if not isinstance(new, str):
        return '`new` is missing; to remove the old text give ""'
    literal, after = item.get("literal") is True, item.get("insert_after")
    return ModelEdit(
        because, path, old, new, literal=literal, insert_after=after if isinstance(after, int) else None
    )


def parse_ask(args_json: str) -> Question | FormatError:
    """The arguments of `ask`: 2 to 4 options; a default that is none of them becomes the first."""
    data = load(args_json)
    if isinstance(data, FormatError):
        return data
    if not isinstance(data, dict):
        return FormatError("the arguments must be an object with `text` and `options`")
    text, options = _text(data.get("text")).strip(), _texts(data.get("options"))
    if not text:
        return FormatError("`text` is missing: ask one question")
    if not 2 <= len(options) <= 4 or len(set(options)) < len(options):
        return FormatError(f"give 2 to 4 distinct `options`, not {len(options)}")
    default = data.get("default")
    known = isinstance(default, int) and not isinstance(default, bool) and 0 <= default < len(options)
    return Question(
        text=text,
        why_it_matters=_text(data.get("why_it_matters")).strip(),
        options=options,
        default=default if known and isinstance(default, int) else 0,
        looked_at=_texts(data.get("looked_at")),
    )


_OLD = ("old_str", "old_string", "old_text", "oldText", "oldString", "old", "search", "find")
_NEW = ("new_str", "new_string", "new_text", "newText", "newString", "new", "replace", "replacement")
_PATH = ("path", "file_path", "filePath", "filename", "file", "target_file")
_CONTENT = ("file_text", "content", "contents")


def parse_str_replace(data: object, path: str = "") -> tuple[ModelEdit, ...] | FormatError:
    """The str_replace, create and insert commands of editor tools, one or several, from decoded JSON."""
    if isinstance(data, list):
        found: list[ModelEdit] = []
        for item in data:
            edits = parse_str_replace(item, path) if isinstance(item, dict) else FormatError("not an object")
            if isinstance(edits, FormatError):
                return edits
            found += edits
        return tuple(found) or FormatError("no edit")
    if not isinstance(data, dict):
        return FormatError("not an object with `old_str` and `new_str`")
    path = _first(data, _PATH) or path
    for name in ("input", "arguments", "parameters", "args"):
        inner = data.get(name)
        inner = load(inner) if isinstance(inner, str) else inner
        if isinstance(inner, dict):
            return parse_str_replace({**inner}, path)
    if isinstance(data.get("edits"), list):
        return parse_str_replace([item for item in data["edits"] if isinstance(item, dict)], path)
    return _command(data, path)


def _first(data: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := data.get(name), str)), None)


def _command(data: Mapping[str, object], path: str) -> tuple[ModelEdit, ...] | FormatError:
    old, new, content = _first(data, _OLD), _first(data, _NEW), _first(data, _CONTENT)
    line = data.get("insert_line")
    if isinstance(line, int) and not isinstance(line, bool):
        text = new if new is not None else _first(data, ("insert_text", "text"))
        return (ModelEdit("", path, new=text or "", insert_after=line),)
    if old is not None:
        if data.get("replace_all") is True:
            return FormatError("`replace_all` is not done here; quote each place with its neighbours")
        return (ModelEdit("", path, old, new or "", literal=True),)
    if content is not None:
        return (ModelEdit("", path, content=content),)
    return FormatError("no `old_str` and `new_str`")
