"""The file that opens a large difference: its first card must not wait until the last file is read and cut.

Of many files it depends on the names and on the contents of a few which one it is, so that it is the same whether the
rest is read yet or not, and the order of the stack is the same on every run. Few files with many hunks are read first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, islice, pairwise, takewhile

import msgspec

from agent.core.code.symbols import outline
from agent.core.cutting.cut import sound_renames
from agent.core.cutting.risk import assess, folded_reason, is_document
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Mode
from agent.core.lines.place import changes_between, file_lines
from agent.core.lines.splice import MAX_SLIDE, diff, splice
from agent.core.outcome import States
from agent.core.text import sniff
from agent.review.source import LeftOut, Source

LARGE = 30
"""A difference of so many files is large."""

LOOKED_AT = 1_000
"""Names of so many files are compared to find one that should come first."""

TRIES = 8
"""So many files are read to find one that is soon cut."""

MANY_HUNKS = 300
"""A difference of fewer files with so many hunks is large too."""

MAX_HUNKS = 120
MAX_BYTES = 60_000
"""A file that opens a difference is no larger; of a huge one its upper part does."""

MAX_UPPER = 60
"""So many hunks of a huge file open a difference at most."""

First = Callable[[Source], None]
"""Called with the file that opens a large difference as a source of its own, before the rest is read."""

Sides = tuple[FileState | None, FileState | None]
"""A file before and after."""


class Opening(msgspec.Struct, frozen=True):
    """The file that opens a difference, with both its sides; of a huge one only what is above line `end` does."""

    path: str
    old: FileState
    new: FileState
    end: int = 0
    hunks: tuple[Hunk, ...] = ()
    """Those above `end`."""

    @property
    def begun(self) -> FileState:
        """The file with nothing but what opens the difference."""
        if not self.end:
            return self.new
        return FileState(self.old.mode, b"".join(splice(file_lines(self.old), self.hunks)))

    def stands_alone(self) -> bool:
        """True when the upper part alone is told by the same hunks: what stays below can change what is matched."""
        seen = file_lines(self.old)[: self.end + MAX_SLIDE + 1]
        return diff(seen, splice(seen, self.hunks)) == self.hunks

    def alone(self, source: Source) -> Source:
        """`source` with nothing but what opens it."""
        return msgspec.structs.replace(
            source,
            before={self.path: self.old},
            after={self.path: self.begun},
            opening=self.path,
            opening_end=self.end,
        )


def filled(
    source: Source,
    opening: Opening | None,
    before: States,
    after: States,
    renames: dict[str, str],
    left_out: Sequence[LeftOut],
) -> Source:
    """`source` with its files, all of which are read, behind what opens it."""
    return msgspec.structs.replace(
        source,
        before=before,
        after=after,
        renames=renames,
        left_out=tuple(left_out),
        opening=opening.path if opening else "",
        opening_end=opening.end if opening else 0,
    )


def begin(
    modified: Iterable[str],
    count: int,
    read: Callable[[str], Sides | str],
    source: Source,
    first: First | None,
) -> Opening | None:
    """Choose the file that opens a difference of `count` files, and tell `first`; None when it is not large.

    `modified` are the files that are there before and after; `read` gives both sides of one, or why it is left
    out. `source` says what the difference is, and has no files yet.
    """
    opening = _choose(modified, read, {}) if count >= LARGE else None
    if opening is not None and first is not None:
        first(opening.alone(source))
    return opening


def _choose(
    modified: Iterable[str], read: Callable[[str], Sides | str], known: Mapping[str, Sequence[Hunk]]
) -> Opening | None:
    """A file that is soon cut, else the upper part of a huge one. `known` are hunks of those that were compared before."""
    huge: Opening | None = None
    for path in sorted(islice(modified, LOOKED_AT), key=_rank)[:TRIES]:
        found = read(path)
        if isinstance(found, str) or not _is_plain(path, *found):
            continue
        old, new = found
        if old is None or new is None:
            continue
        hunks = known[path] if path in known else diff(file_lines(old), file_lines(new))
        if max(len(old.data), len(new.data)) <= MAX_BYTES and len(hunks) <= MAX_HUNKS:
            return Opening(path, old, new)
        if huge is None and (end := upper_end(path, old, hunks)):
            upper = Opening(path, old, new, end, tuple([hunk for hunk in hunks if hunk.start < end]))
            huge = upper if upper.stands_alone() else None
    return huge


def opened(source: Source, first: First | None) -> Source:
    """`source`, which is read, with what opens it if it has few files and many hunks."""
    if source.opening or len(source.after) >= LARGE:
        return source
    renames = sound_renames(source.before, source.after, source.renames)
    changes = changes_between(source.before, source.after, renames)
    known: dict[str, list[FileChange]] = {}
    for change in changes:
        if change.path not in renames:
            known.setdefault(change.path, []).append(change)
    source = msgspec.structs.replace(source, known=known)
    if sum(len(change.hunks) for change in changes) < MANY_HUNKS:
        return source
    linked = {*source.needed, *(path for paths in source.needed.values() for path in paths)}
    modified = {
        change.path: change.hunks
        for change in changes
        if change.kind is ChangeKind.MODIFY and change.path not in linked
    }
    opening = _choose(modified, lambda path: (source.before[path], source.after.get(path)), modified)
    if opening is None:
        return source
    if first is not None:
        nothing = msgspec.structs.replace(source, renames={}, left_out=(), known={})
        first(opening.alone(nothing))
    return msgspec.structs.replace(source, opening=opening.path, opening_end=opening.end)


def upper_end(path: str, old: FileState, hunks: Sequence[Hunk]) -> int:
    """The line of a huge file above which it is soon cut, and where something begins at the margin; 0: there is none.

    Neither it nor the line above it changes, so that each half can be read without the other.
    """
    encoding = sniff(old.data)
    if encoding is None or encoding.newline != b"\n":
        return 0
    lines = file_lines(old)
    sizes = accumulate(map(len, lines))
    limit = sum(1 for _ in takewhile(lambda size: size <= MAX_BYTES, sizes))
    if len(hunks) > MAX_UPPER:
        limit = min(limit, hunks[MAX_UPPER].start + 1)
    found = outline(path, lines[:limit])
    starts = [item.start for item in found.body.items] if found.grammar else list(range(limit))
    added = 0
    end = 0
    for hunk, following in pairwise(hunks[: MAX_UPPER + 1]):
        added += sum(map(len, hunk.new))
        if following.start >= limit or added > MAX_BYTES:
            break
        # The first line that begins something, and is not the first after the change.
        at = bisect_right(starts, hunk.end)
        if at < len(starts) and starts[at] < following.start:
            end = starts[at]
    return end


def _rank(path: str) -> tuple[int, bool]:
    """The riskiest first, as everywhere: then code, then its tests, then texts."""
    return -assess((FileChange(path, ChangeKind.MODIFY),)).level, is_document(path)


def _is_plain(path: str, old: FileState | None, new: FileState | None) -> bool:
    """Whether lines of a file change, and nothing else, and somebody reads them."""
    if old is None or new is None or old.mode != new.mode or old.data == new.data:
        return False
    return old.mode in (Mode.FILE, Mode.EXECUTABLE) and not folded_reason(path, old, new)
