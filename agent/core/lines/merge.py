"""A change that does not fit the file as it is: both texts where they meet, between marks, for a person to choose.

Promise: outside of the marks the file is the person's, byte for byte, and so it is with the first part of each in the
place of all of it; the last mark has no line end where the file has none. Nothing is decided here: also what would fit
stands between marks beside what does not. The parts are those of diff3: the lines of the file, those that the change
was made for where they are others, those of the change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from agent.core.hunk import FileState, Hunk
from agent.core.lines.nearby import Spots
from agent.core.lines.place import common_encoding
from agent.core.lines.splice import carried, diff, splice, transplant
from agent.core.outcome import Clash
from agent.core.text import UTF8, Encoding, Lines, sniff, split_lines

OURS, BEFORE, MIDDLE, THEIRS = "<<<<<<< your file", "||||||| before the chunk", "=======", ">>>>>>> the chunk"


def has_marks(data: bytes) -> bool:
    """True when marks of `merge` are left in a text."""
    encoding = sniff(data) or UTF8
    text = data.removeprefix(encoding.bom).decode(encoding.codec, "replace")
    lines = {line.rstrip("\r") for line in text.split("\n")}
    return not lines.isdisjoint((OURS, BEFORE, THEIRS))


def merge_states(
    base: FileState | None, target: FileState | None, current: FileState | None
) -> FileState | None:
    """`current` with the change where it fits, else after `merge`.

    None where one of them has no lines, or they are encoded differently.
    """
    states = [state for state in (base, target, current) if state is not None]
    encoding = common_encoding(states)
    if len(states) < 3 or encoding is None:
        return None
    marked = all(state.data.startswith(encoding.bom) for state in states if state.data)
    bom = encoding.bom if marked else b""
    before, after, now = (split_lines(state.data.removeprefix(bom), encoding) for state in states)
    placed = transplant(before, after, now, newline=encoding.newline)
    merged = merge(before, after, now, encoding) if isinstance(placed, Clash) else placed
    return FileState(states[-1].mode, bom + b"".join(merged))


class _Region(msgspec.Struct, frozen=True):
    """Hunks that go between one pair of marks: the lines of the base, and of the file, that stand there.

    `lead` is a line of the file that is in all parts.
    """

    hunks: tuple[Hunk, ...]
    start: int
    end: int
    lead: Lines = ()

    @property
    def first(self) -> int:
        return self.hunks[0].start

    @property
    def last(self) -> int:
        return self.hunks[-1].end


def merge(base: Lines, target: Lines, current: Lines, encoding: Encoding = UTF8) -> Lines:
    """`current` with marks around each place where `base` to `target` changes something that is not there already."""
    newline = encoding.newline
    drift, own = diff(base, current), diff(base, target)
    missing = [hunk for hunk, _ in carried(base, own, drift, newline)]
    dos = "\r\n".encode(encoding.codec)
    ends = dos if any(line.endswith(dos) for line in current) else newline
    edits: list[Hunk] = []
    for number, region in enumerate(_regions(missing, Spots(drift, encoding), base, current, newline)):
        before = base[region.first : region.last]
        moved = [Hunk(h.start - region.first, h.old, h.new, h.seq) for h in region.hunks]
        ours = current[region.start : region.end]
        sides = (ours, region.lead + before, region.lead + splice(before, moved))
        marked = _marked(*sides, ends, encoding)
        if region.end == len(current) and ours and not ours[-1].endswith(newline):
            marked = (*marked[:-1], marked[-1].removesuffix(ends))
        edits.append(Hunk(region.start, ours, marked, number))
    return splice(current, edits)


def _regions(
    hunks: Sequence[Hunk], spots: Spots, base: Lines, current: Lines, newline: bytes
) -> Iterator[_Region]:
    """Where `hunks` go between marks, in order; what comes last in a file without an end takes its last line along."""
    open_end = len(current) if current and not current[-1].endswith(newline) else -1
    held: _Region | None = None
    for hunk in hunks:
        start, end = spots.of(hunk)
        if hunk.new and hunk.end == len(base) and not hunk.new[-1].endswith(newline):
            end = len(current)
        start = max(start, held.end if held else 0)
        end = max(start, end)
        if held and start == open_end:
            held = _Region((*held.hunks, hunk), held.start, end, held.lead)
            continue
        if held:
            yield held
        lead = current[start - 1 : start] if start == open_end else ()
        held = _Region((hunk,), start - len(lead), end, lead)
    if held:
        yield held


def _marked(ours: Lines, before: Lines, theirs: Lines, ends: bytes, encoding: Encoding) -> Lines:
    """The parts between marks on lines of their own, which end with `ends`."""

    def whole(lines: Lines) -> Lines:
        return tuple(line if line.endswith(encoding.newline) else line + ends for line in lines)

    first, second, middle, last = (
        mark.encode(encoding.codec) + ends for mark in (OURS, BEFORE, MIDDLE, THEIRS)
    )
    base = () if before == ours else (second, *whole(before))
    return (first, *whole(ours), *base, middle, *whole(theirs), last)
