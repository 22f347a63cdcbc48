"""The file that opens a large difference: its first card must not wait until the last file is read and cut.

Of many files it depends on the names and on the contents of a few which one it is, so that it is the same whether the
rest is read yet or not, and the order of the stack is the same on every run. Few files with many hunks are read first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import msgspec

from agent.core.cutting.risk import assess, folded_reason, is_document
from agent.core.hunk import ChangeKind, FileChange, FileState, Mode
from agent.core.lines.place import changes_between
from agent.review.source import Source

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
"""A file that opens a difference is no larger."""

First = Callable[[Source], None]
"""Called with the file that opens a large difference as a source of its own, before the rest is read."""

Sides = tuple[FileState | None, FileState | None]
"""A file before and after."""


class Opening(msgspec.Struct, frozen=True):
    """The file that opens a difference, with both its sides."""

    path: str
    old: FileState
    new: FileState


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
    for path in sorted(islice(modified, LOOKED_AT), key=_rank)[:TRIES] if count >= LARGE else ():
        found = read(path)
        if isinstance(found, str):
            continue
        old, new = found
        if old is None or new is None or not _is_soon_cut(path, old, new):
            continue
        if first is not None:
            first(msgspec.structs.replace(source, before={path: old}, after={path: new}, opening=path))
        return Opening(path, old, new)
    return None


def opened(source: Source, first: First | None) -> Source:
    """`source`, which is read, with the file that opens it if it has few files and many hunks."""
    if source.opening or len(source.after) >= LARGE:
        return source
    changes = changes_between(source.before, source.after, source.renames)
    if sum(len(change.hunks) for change in changes) < MANY_HUNKS:
        return source
    modified = [
        change.path
        for change in changes
        if change.kind is ChangeKind.MODIFY and len(change.hunks) <= MAX_HUNKS
    ]
    nothing = msgspec.structs.replace(source, before={}, after={}, renames={}, left_out=())
    opening = begin(
        modified, LARGE, lambda path: (source.before[path], source.after.get(path)), nothing, first
    )
    return msgspec.structs.replace(source, opening=opening.path if opening else "")


def _rank(path: str) -> tuple[int, bool]:
    """The riskiest first, as everywhere: then code, then its tests, then texts."""
    return -assess((FileChange(path, ChangeKind.MODIFY),)).level, is_document(path)


def _is_soon_cut(path: str, old: FileState, new: FileState) -> bool:
    plain = old.mode == new.mode and old.mode in (Mode.FILE, Mode.EXECUTABLE) and old.data != new.data
    return plain and max(len(old.data), len(new.data)) <= MAX_BYTES and not folded_reason(path, old, new)
