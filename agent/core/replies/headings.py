"""The headings of the text protocol: `Title: ...`, `Why: ...`, `Because: ...` and so on, also as Markdown headings.

Reads one heading with the lines that belong to it, and the lines that ask to look at something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent.core.replies.fences import path_in

NAMES = (
    "title",
    "why it matters",
    "why",
    "because",
    "assumes",
    "assumptions",
    "risks",
    "quotes",
    "serves",
    "question",
    "options",
    "default",
    "looked at",
)
MAX_LINE = 1000
"""Characters that are looked at."""

_HEADING = re.compile(
    r"\s{0,3}(#{1,6}\s*)?[*_]{0,2}(" + "|".join(NAMES) + r")[*_]{0,2}\s*(:)?[*_]{0,2}(?:\s+(.*)|)$", re.I
)
_BULLET = re.compile(r"\s*(?:[-*+]|\(?\d{1,2}[.):])\s+(.*)")
_LOOK = re.compile(r"\s*(?:[-*]\s+)?`?(READ|SEARCH|OUTLINE|DOCS|CHECK)\s+(.+?)`?\s*$")
_DELETE = re.compile(r"\s*`?DELETE\s+(.+?)`?\s*$")
_RENAME = re.compile(r"\s*`?RENAME\s+(.+?)`?\s+(?:->|=>|to)\s+`?(.+?)`?\s*$")
_NOTHING = frozenset({"", "none", "nothing", "n/a", "-", "no", "none."})


def heading(line: str) -> tuple[str, str] | None:
    """Name (lower case) and text of a heading; None for any other line."""
    match = _HEADING.match(line)
    if match is None or not (match[1] or match[3]):
        return None
    name = "assumes" if match[2].lower() == "assumptions" else match[2].lower()
    return name, (match[4] or "").strip()


def body(
    lines: Sequence[str], at: int, first: str, stops: Callable[[str], bool], *, paragraphs: bool = False
) -> tuple[list[str], int]:
    """The lines that belong to a heading, from `first` and `lines[at]` on, and where they end.

    They end at a blank line, unless nothing was said yet, and at whatever `stops`.
    """
    said = [first] if first else []
    while at < len(lines) and not stops(lines[at]):
        line = lines[at].strip()
        if not line and said and not paragraphs:
            break
        if line:
            said.append(line)
        at += 1
    return said, at


def items(said: Sequence[str]) -> tuple[str, ...]:
    """The points of a list; a text without bullets is one point."""
    points: list[str] = []
    for line in said:
        match = _BULLET.match(line)
        if match or not points:
            points.append(match[1].strip() if match else line.strip())
        else:
            points[-1] += " " + line.strip()
    return tuple(point for point in points if point.lower() not in _NOTHING)


def look(line: str) -> tuple[str, str] | None:
    """`READ path`, `SEARCH text`, `OUTLINE path`, `DOCS name` or `CHECK name`, as (tool, argument)."""
    match = _LOOK.match(line[:MAX_LINE])
    if match is None or (match[1] != "SEARCH" and " " in match[2].strip()):
        return None
    return match[1].lower(), match[2].strip()


def deleted(line: str) -> str | None:
    """The path of a `DELETE path` line."""
    match = _DELETE.match(line[:MAX_LINE])
    return match[1] if match and path_in(match[1]) else None


def renamed(line: str) -> tuple[str, str] | None:
    """Both paths of a `RENAME old -> new` line."""
    match = _RENAME.match(line[:MAX_LINE])
    return (match[1], match[2]) if match and path_in(match[1]) and path_in(match[2]) else None
