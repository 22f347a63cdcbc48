"""A change that does not fit the file as it is: both texts where they meet, between marks, for a person to choose.

Nothing is decided here. Where the change fits without a guess it is made; elsewhere the lines of the file come first,
then those of the change, as git marks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.core.hunk import FileState, Hunk
from agent.core.lines.place import common_encoding
from agent.core.lines.splice import carried, diff, position, splice
from agent.core.outcome import Clash
from agent.core.text import UTF8, Encoding, Lines, sniff, split_lines

OURS, MIDDLE, THEIRS = "<<<<<<< your file", "=======", ">>>>>>> the chunk"


def has_marks(data: bytes) -> bool:
    """True when marks of `merge` are left in a text."""
    encoding = sniff(data) or UTF8
    text = data.removeprefix(encoding.bom).decode(encoding.codec, "replace")
    lines = {line.rstrip("\r") for line in text.split("\n")}
    return OURS in lines or THEIRS in lines


def merge_states(
    base: FileState | None, target: FileState | None, current: FileState | None
) -> FileState | None:
    """`current` after `merge`; None where one of them has no lines, or they are encoded differently."""
    states = [state for state in (base, target, current) if state is not None]
    encoding = common_encoding(states)
    if len(states) < 3 or encoding is None:
        return None
    marked = all(state.data.startswith(encoding.bom) for state in states if state.data)
    bom = encoding.bom if marked else b""
    before, after, now = (split_lines(state.data.removeprefix(bom), encoding) for state in states)
    return FileState(states[-1].mode, bom + b"".join(merge(before, after, now, encoding)))


def merge(base: Lines, target: Lines, current: Lines, encoding: Encoding = UTF8) -> Lines:
    """`current` with what `base` to `target` changes, and marks where that would be a guess."""
    drift, own = diff(base, current), diff(base, target)
    newline = encoding.newline
    bad = {hunk for hunk, place in carried(base, own, drift, newline) if isinstance(place, Clash)}
    dos = "\r\n".encode(encoding.codec)
    ends = dos if any(line.endswith(dos) for line in current) else newline
    edits: list[Hunk] = []
    for sides in _meetings(drift, own):
        both = [hunk for side in sides for hunk in side]
        if bad.isdisjoint(sides[1]):
            edits += dict.fromkeys(both)
            continue
        start, end = min(hunk.start for hunk in both), max(hunk.end for hunk in both)
        ours, theirs = (
            splice(base[start:end], [Hunk(hunk.start - start, hunk.old, hunk.new, hunk.seq) for hunk in side])
            for side in sides
        )
        edits.append(Hunk(start, base[start:end], _marked(ours, theirs, ends, encoding)))
    return splice(base, edits)


def _meetings(drift: Sequence[Hunk], own: Sequence[Hunk]) -> Iterator[tuple[list[Hunk], list[Hunk]]]:
    """The hunks of both sides, in order; those that overlap or touch, if only by way of others, together."""
    ours: list[Hunk] = []
    theirs: list[Hunk] = []
    end = -1
    for hunk, is_own in sorted(
        [(hunk, False) for hunk in drift] + [(hunk, True) for hunk in own], key=_place
    ):
        if hunk.start > end and (ours or theirs):
            yield ours, theirs
            ours, theirs = [], []
        (theirs if is_own else ours).append(hunk)
        end = max(end, hunk.end)
    if ours or theirs:
        yield ours, theirs


def _place(found: tuple[Hunk, bool]) -> tuple[int, bool, int]:
    return position(found[0])


def _marked(ours: Lines, theirs: Lines, ends: bytes, encoding: Encoding) -> Lines:
    """Both between marks on lines of their own, which end with `ends`."""

    def whole(lines: Lines) -> Lines:
        return tuple(line if line.endswith(encoding.newline) else line + ends for line in lines)

    first, middle, last = (mark.encode(encoding.codec) + ends for mark in (OURS, MIDDLE, THEIRS))
    return (first, *whole(ours), middle, *whole(theirs), last)
