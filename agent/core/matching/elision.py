"""Lines that stand for lines left out: `...` in a quotation, and "rest unchanged" where whole text was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MARK = r"(?:#|//|--|;|%|/\*+|<!--|\{/\*|\*)"
_DOTS = r"(?:\.\.\.|\u2026)"
_END = r"\s*(?:\*/\}?|-->)?\s*"
_ELISION = re.compile(rf"\s*(?:{_MARK}\s*)?{_DOTS}(?:\s+[\w '()-]{{0,60}}{_DOTS}?)?{_END}")
_REST = re.compile(
    rf"\s*(?:{_MARK}\s*)?(?:{_DOTS}\s*)?[(\[]?\s*(?:the\s+)?"
    r"(?:rest|remaining|remainder|existing|previous|other|same|unchanged|keep)\b[\w ',-]{0,60}"
    rf"[)\]]?\s*{_DOTS}?{_END}",
    re.I,
)
_TOLD = re.compile(r"\b(?:unchanged|remains?|stays?|existing|rest of|same as|as before|previous)\b", re.I)
MAX_LINE = 200
"""Characters; a longer line is none of these."""


def is_elision(line: str) -> bool:
    """True for `...`, `# ...`, `// ... existing code ...` and the like."""
    return len(line) <= MAX_LINE and _ELISION.fullmatch(line) is not None


def left_out(new: Iterable[str], known: Iterable[str]) -> str | None:
    """A line of `new`, and not of `known`, that says in words or as a comment that something was left out.

    A bare `...` is code in Python and does not count.
    """
    there = {line.strip() for line in known}
    for line in new:
        text = line.strip()
        if not text or len(text) > MAX_LINE or text in there:
            continue
        commented = re.match(_MARK, text) is not None
        dotted = text.endswith(("...", "\u2026")) or re.match(rf"{_MARK}?\s*{_DOTS}", text) is not None
        if is_elision(text) and (commented or _TOLD.search(text)):
            return line
        if (commented or dotted) and _REST.fullmatch(text) and (dotted or _TOLD.search(text)):
            return line
    return None


def pieces(lines: Sequence[str]) -> list[list[str]]:
    """`lines` cut at the lines that stand for others."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if is_elision(line):
            parts.append([])
        else:
            parts[-1].append(line)
    return parts
