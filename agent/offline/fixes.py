"""Turns a fix of ruff into exact edits `{path, old, new}`: whole lines, each occurring once in the file.

Pure: text in, edits out. Bytes outside the edited lines are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from agent.offline.ruff import Finding, FixEdit, Position

BOM = "\ufeff"

_ROW = re.compile(r"\r\n|\r|\n")


class Replacement(msgspec.Struct, frozen=True):
    """`old` occurs exactly once in the text and consists of whole lines; `new` takes its place."""

    old: str
    new: str


def fixed(text: str, edits: Sequence[FixEdit]) -> str | None:
    """`text` with all edits of one fix; None when they do not fit."""
    spans = _spans(text, edits)
    if spans is None:
        return None
    for start, end, content in reversed(spans):
        text = text[:start] + content + text[end:]
    return text


def replacements(text: str, edits: Sequence[FixEdit]) -> tuple[Replacement, ...] | None:
    """The fix as replacements of whole lines; None when it does not fit the text."""
    spans = _spans(text, edits)
    if not spans:
        return None
    blocks: list[tuple[int, int]] = []
    for start, end, content in spans:
        _add(blocks, _lines_of(text, start, end, content))
    blocks = _unique(text, blocks)
    made = []
    for first, last in blocks:
        new = text[first:last]
        for start, end, content in reversed(spans):
            if first <= start and end <= last:
                new = new[: start - first] + content + new[end - first :]
        # The mark at the start of the file belongs to no line: it is not quoted.
        made.append(Replacement(text[first:last].removeprefix(BOM), new.removeprefix(BOM)))
    whole = text
    for change in made:
        whole = whole.replace(change.old, change.new, 1)
    return tuple(made) if whole == fixed(text, edits) and all(r.old for r in made) else None


def silenced(text: str, finding: Finding) -> Replacement | None:
    """The line of the finding with a `# noqa` for its rule."""
    starts = _row_starts(text)
    row = finding.noqa_row or finding.location.row
    if row >= len(starts) or finding.code is None or finding.broken:
        return None
    line = text[starts[row - 1] : starts[row]]
    body = line.rstrip("\r\n")
    known = re.search(r"#\s*noqa:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*", body)
    if known:
        marked = f"{body[: known.end()]}, {finding.code}{body[known.end() :]}"
    else:
        marked = f"{body.rstrip()}  # noqa: {finding.code}"
    first, last = _unique(text, [(starts[row - 1], starts[row])])[0]
    old = text[first:last]
    at = starts[row - 1] - first
    return Replacement(old, old[:at] + marked + line[len(body) :] + old[at + len(line) :])


def _row_starts(text: str) -> list[int]:
    """Where each row of ruff starts (it ends rows at LF, CR LF and CR), and the end of the text."""
    starts = [len(BOM) if text.startswith(BOM) else 0]
    starts += [match.end() for match in _ROW.finditer(text)]
    return starts if starts[-1] == len(text) else [*starts, len(text)]


def _offset(text: str, starts: Sequence[int], position: Position) -> int | None:
    if not 1 <= position.row <= len(starts):
        return None
    offset = starts[position.row - 1] + position.column - 1
    return offset if offset <= len(text) else None


def _spans(text: str, edits: Sequence[FixEdit]) -> list[tuple[int, int, str]] | None:
    """Edits as (start, end, content) in the order of the text; None when one is outside or two overlap."""
    starts = _row_starts(text)
    spans: list[tuple[int, int, str]] = []
    for edit in edits:
        start = _offset(text, starts, edit.location)
        end = _offset(text, starts, edit.end_location)
        if start is None or end is None or end < start:
            return None
        spans.append((start, end, edit.content))
    spans.sort(key=lambda span: span[:2])
    if any(after[0] < before[1] for before, after in pairwise(spans)):
        return None
    return spans


def _lines_of(text: str, start: int, end: int, content: str) -> tuple[int, int]:
    """The whole lines that an edit touches. Where it only inserts or deletes lines, these and no more."""
    first = text.rfind("\n", 0, start) + 1
    whole = (
        first == start and end > start and text[end - 1] == "\n" and (not content or content.endswith("\n"))
    )
    if whole:
        return first, end
    if start == end == len(text) and first == len(text):
        first = text.rfind("\n", 0, max(len(text) - 1, 0)) + 1
    line_end = text.find("\n", end)
    return first, len(text) if line_end < 0 else line_end + 1


def _add(blocks: list[tuple[int, int]], block: tuple[int, int]) -> None:
    """Join a block with the one before when they share a line or touch."""
    if blocks and block[0] <= blocks[-1][1]:
        blocks[-1] = (blocks[-1][0], max(blocks[-1][1], block[1]))
    else:
        blocks.append(block)


def _unique(text: str, blocks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Widen each block by the lines around it until its text occurs once, then join what met."""
    wide: list[tuple[int, int]] = []
    for first, last in blocks:
        while not _once(text, text[first:last]):
            if first == 0 and last == len(text):
                break
            first = text.rfind("\n", 0, max(first - 1, 0)) + 1 if first else 0
            if last < len(text):
                line_end = text.find("\n", last)
                last = len(text) if line_end < 0 else line_end + 1
        _add(wide, (first, last))
    return wide


def _once(text: str, part: str) -> bool:
    if not part:
        return False
    at = text.find(part)
    # A part that starts inside a line elsewhere would be found there as well.
    return text.find(part, at + 1) < 0
