"""A change that does not fit the file as it is: both texts where they meet, between marks, for a person to choose.

Nothing is decided here. Where the change fits without a guess it is made; elsewhere the lines of the file come first,
then those of the change, as git marks them.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.hunk import Hunk
from agent.core.lines.splice import diff, position, splice, transplant
from agent.core.outcome import Clash
from agent.core.text import Lines

OURS, MIDDLE, THEIRS = b"<<<<<<< your file", b"=======", b">>>>>>> the chunk"


def has_marks(data: bytes) -> bool:
    """True when marks of `merge` are left in a text."""
    lines = {line.rstrip(b"\r") for line in data.split(b"\n")}
    return OURS in lines or THEIRS in lines


def merge(base: Lines, target: Lines, current: Lines) -> Lines:
    """`current` with what `base` to `target` changes, and marks where that would be a guess."""
    drift, own = diff(base, current), diff(base, target)
    bad = [hunk for hunk in own if isinstance(transplant(base, splice(base, [hunk]), current), Clash)]
    ends = b"\r\n" if any(line.endswith(b"\r\n") for line in current) else b"\n"
    regions = _regions(bad or own, (*drift, *own))
    edits: list[Hunk] = []
    for start, end in regions:
        ours, theirs = (
            splice(base[start:end], [_within(hunk, start) for hunk in side if _meets(hunk, start, end)])
            for side in (drift, own)
        )
        edits.append(Hunk(start, base[start:end], ours if ours == theirs else _marked(ours, theirs, ends)))
    free = [
        hunk
        for hunk in dict.fromkeys((*drift, *own))
        if not any(_meets(hunk, start, end) for start, end in regions)
    ]
    return splice(base, sorted((*edits, *free), key=position))


def _meets(hunk: Hunk, start: int, end: int) -> bool:
    """True when `hunk` overlaps these lines or touches them."""
    return hunk.start <= end and hunk.end >= start


def _within(hunk: Hunk, start: int) -> Hunk:
    return Hunk(hunk.start - start, hunk.old, hunk.new, hunk.seq)


def _regions(bad: Sequence[Hunk], hunks: Sequence[Hunk]) -> list[tuple[int, int]]:
    """Lines of the base around each bad hunk with all that meets them, in order and apart."""
    found: list[tuple[int, int]] = []
    for hunk in sorted(bad, key=position):
        start, end = hunk.start, hunk.end
        grown = True
        while grown:
            near = [other for other in hunks if _meets(other, start, end)]
            wider = min(start, *(other.start for other in near)), max(end, *(other.end for other in near))
            grown = wider != (start, end)
            start, end = wider
        if found and start <= found[-1][1]:
            found[-1] = (min(start, found[-1][0]), max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _marked(ours: Lines, theirs: Lines, ends: bytes) -> Lines:
    """Both between marks on lines of their own, which end with `ends`."""

    def whole(lines: Lines) -> Lines:
        return tuple(line if line.endswith(b"\n") else line + ends for line in lines)

    return (OURS + ends, *whole(ours), MIDDLE + ends, *whole(theirs), THEIRS + ends)
