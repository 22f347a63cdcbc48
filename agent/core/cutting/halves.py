"""One file as two, parted at a line that stays: the first half of a huge one is reviewed while the second is cut.

Each half is cut as if it were a file of its own, which costs as much as it is long; `moved` brings what was found
back to the lines of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent.core.hunk import FileChange, FileState, Hunk
from agent.core.lines.place import file_lines
from agent.core.lines.splice import splice


class Half(msgspec.Struct, frozen=True):
    """What happens to some lines of a file. `first` is the line of the whole old file that they begin with."""

    change: FileChange
    old: FileState
    new: FileState
    first: int


def halves(change: FileChange, old: FileState, new: FileState, end: int) -> tuple[Half, Half]:
    """The halves of a change of the lines of `old` to `new`. No hunk touches line `end`, with which the second begins."""
    lines = file_lines(old)[:end]
    upper = [hunk for hunk in change.hunks if hunk.start < end]
    lower = [hunk for hunk in change.hunks if hunk.start > end]
    before, after = b"".join(lines), b"".join(splice(lines, upper))
    above = _half(change, upper, FileState(old.mode, before), FileState(new.mode, after), 0)
    rest = FileState(old.mode, old.data[len(before) :]), FileState(new.mode, new.data[len(after) :])
    return above, _half(change, lower, *rest, end)


def _half(change: FileChange, hunks: Sequence[Hunk], old: FileState, new: FileState, first: int) -> Half:
    return Half(msgspec.structs.replace(change, hunks=moved(hunks, -first)), old, new, first)


def moved(hunks: Sequence[Hunk], by: int) -> tuple[Hunk, ...]:
    """The same hunks so many lines further down."""
    return tuple([Hunk(hunk.start + by, hunk.old, hunk.new, hunk.seq) for hunk in hunks])
