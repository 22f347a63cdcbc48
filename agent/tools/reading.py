"""Shows a file or a range of it: verbatim text under one line that says what it is, capped.

Used by the `read` tool and for the `@file` mentions of the person.
"""

from __future__ import annotations

import re

from agent.ports import ToolOutput
from agent.tools.source import MISSING, Page, Unseen, View, normal, shown

LINES = 500
CHARS = 24_000
LINE_CHARS = 2_000

_RANGE = re.compile(r"(.+?):([0-9]{1,9})(?:(-)([0-9]{1,9})?)?")


def split_range(text: str) -> tuple[str, int | None, int | None]:
    """`path:10-40` as path, first and last line (from 1); None where not given."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        return text, None, None
    first = int(match[2])
    last = int(match[4]) if match[4] else (None if match[3] else first)
    return match[1], first, last


def read(view: View, wanted: str) -> ToolOutput:
    """The file, or the lines of it, that `wanted` names."""
    whole = normal(wanted, view.source.root)
    if whole and whole in view:
        return show(view, whole)
    named, first, last = split_range(wanted)
    path = normal(named, view.source.root)
    if not path:
        return ToolOutput(f"{shown(wanted)} is not a file inside the repository.", f"{wanted}: refused", True)
    return show(view, path, first, last)


def show(
    view: View, path: str, first: int | None = None, last: int | None = None, chars: int = CHARS
) -> ToolOutput:
    """Lines `first` to `last` of `path` as a model sees them, at most `chars` characters."""
    match view.page(path):
        case Unseen(reason=reason, withheld=True):
            return ToolOutput(f"[withheld: {shown(path)}: {reason}]", f"{path}: withheld", True, withheld=1)
        case Unseen(reason=reason):
            return ToolOutput(
                f"{shown(path)}: {reason}.{_advice(view, path, reason)}", f"{path}: {reason}", True
            )
        case Page() as page:
            return _range(page, first, last, chars)


def _advice(view: View, path: str, reason: str) -> str:
    if view.is_folder(path):
        return " It is a folder: use outline."
    others = ", ".join(map(shown, view.near(path))) if reason == MISSING else ""
    return f" Did you mean {others}?" if others else ""


def _range(page: Page, first: int | None, last: int | None, chars: int) -> ToolOutput:
    total = len(page.lines)
    start = max(first or 1, 1)
    stop = min(last or total, total)
    name = shown(page.path)
    if start > max(stop, 1):
        return ToolOutput(
            f"{name} has {total} lines; {start}-{last or total} is no range of it.",
            f"{name}: no such lines",
            True,
        )
    kept: list[str] = []
    used = 0
    for line in page.lines[start - 1 : min(stop, start - 1 + LINES)]:
        text = (
            line
            if len(line) <= LINE_CHARS
            else f"{line[:LINE_CHARS]}[left out: {len(line) - LINE_CHARS} characters of this line]"
        )
        used += len(text) + 1
        if used > chars and kept:
            break
        kept.append(text)
    end = start - 1 + len(kept)
    what = f"all {total} lines" if (start, end) == (1, total) else f"lines {start}-{end} of {total}"
    notes = f", {page.secrets} withheld as secret" if page.secrets else ""
    notes += ", CRLF line ends" if page.crlf else ""
    body = "\n".join([f"{name}, {what}{notes}:", *kept])
    if end < stop:
        body += f"\n[left out: lines {end + 1}-{stop}; read {name}:{end + 1}-{stop}]"
    return ToolOutput(
        body, f"read {name}, {what}{notes}", read={page.path: page.digest}, withheld=page.secrets
    )
