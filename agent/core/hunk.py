"""Changes as values: what a file is, what is to be written, and hunks over one base.

All hunks of one proposal stand over ONE base, so any order of approval is one splice and any order of undo
restores the base. Hunks carry no context lines. Paths are those of the base; see `text.name_from_bytes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum

import msgspec

from agent.core.text import Lines, digest


class Mode(IntEnum):
    """File modes as git stores them."""

    FILE = 0o100644
    EXECUTABLE = 0o100755
    SYMLINK = 0o120000
    SUBMODULE = 0o160000


class FileState(msgspec.Struct, frozen=True):
    """One file at one moment: git mode and whole content (the target, for a symlink)."""

    mode: int
    data: bytes

    @property
    def digest(self) -> str:
        return digest(b"%o\0" % self.mode + self.data)


class Write(msgspec.Struct, frozen=True):
    """One path from exactly `old` to exactly `new`; None is an absent file.

    This is what a card shows, an approval binds and the writer does. A rename is two writes.
    """

    path: str
    old: FileState | None
    new: FileState | None


def writes_digest(writes: Iterable[Write]) -> str:
    """What an Approval and an Evidence bind: every path with its old and new mode and bytes, in path order."""
    parts = []
    for write in sorted(writes, key=lambda w: w.path):
        old = write.old.digest if write.old else "-"
        new = write.new.digest if write.new else "-"
        parts.append(f"{write.path}\0{old}\0{new}\0")
    return digest("".join(parts).encode("utf-8", "surrogateescape"))


class Hunk(msgspec.Struct, frozen=True):
    """Replace the lines `old` at index `start` (0-based) of the base by `new`.

    `old` is empty for an insertion before line `start`; `seq` orders insertions at one place.
    """

    start: int
    old: Lines
    new: Lines
    seq: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.old)

    @property
    def changed(self) -> int:
        """Changed lines as `git diff --stat` counts them: removed plus added."""
        return len(self.old) + len(self.new)


class ChangeKind(StrEnum):
    MODIFY = "modify"
    CREATE = "create"
    DELETE = "delete"
    RENAME = "rename"
    MODE = "mode"
    SYMLINK = "symlink"
    BINARY = "binary"


class FileChange(msgspec.Struct, frozen=True):
    """A part of what happens to one file of the base.

    MODIFY, CREATE, DELETE carry hunks over the base's lines (an absent base has none). RENAME moves `path` to
    `new_path` and has no hunks: hunks of the same proposal are still named by the base path. MODE sets `mode`.
    SYMLINK and BINARY replace the whole content: one hunk at 0 whose single line is everything (empty tuple:
    absent), with `mode`.
    """

    path: str
    kind: ChangeKind
    hunks: tuple[Hunk, ...] = ()
    mode: int | None = None
    new_path: str | None = None
    base_digest: str | None = None
    """`FileState.digest` of the base; None when the base is absent."""
