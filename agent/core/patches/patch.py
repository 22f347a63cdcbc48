"""A patch as values: files, hunks with their context, binary pieces, and where a text was no patch.

Shared by `unified` and `begin_patch` (parsers), `patch_print` and `patch_apply`. Contents are bytes; paths follow
`text.name_from_bytes`.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class LineKind(StrEnum):
    CONTEXT = " "
    OLD = "-"
    NEW = "+"


class PatchLine(msgspec.Struct, frozen=True):
    """`data` carries its line ending; none means `\\ No newline at end of file`."""

    kind: LineKind
    data: bytes


class PatchHunk(msgspec.Struct, frozen=True):
    """`old_start` and `new_start` are as in the header, 1-based; None when its numbers are missing or wrong.

    `section` is what stands behind the second `@@`; several anchors are joined by newlines. `at_end`: the hunk
    must touch the end of the file.
    """

    lines: tuple[PatchLine, ...]
    old_start: int | None = None
    new_start: int | None = None
    section: bytes = b""
    at_end: bool = False

    @property
    def old(self) -> tuple[bytes, ...]:
        return tuple(line.data for line in self.lines if line.kind is not LineKind.NEW)

    @property
    def new(self) -> tuple[bytes, ...]:
        return tuple(line.data for line in self.lines if line.kind is not LineKind.OLD)


class BinaryPiece(msgspec.Struct, frozen=True):
    """One direction of a binary patch, inflated: the whole content, or a delta over the other side."""

    data: bytes
    delta: bool = False


class BinaryPatch(msgspec.Struct, frozen=True):
    """`forward` is None when the patch only says that binary files differ."""

    forward: BinaryPiece | None = None
    backward: BinaryPiece | None = None


class FilePatch(msgspec.Struct, frozen=True):
    """What a patch does to one file. A path is None where the file is absent (`/dev/null`).

    `git` is true with a `diff --git` header: such a file must fit exactly. `old_blob` and `new_blob` are the object
    names of the index line, perhaps abbreviated.
    """

    old_path: str | None
    new_path: str | None
    hunks: tuple[PatchHunk, ...] = ()
    old_mode: int | None = None
    new_mode: int | None = None
    rename: bool = False
    copy: bool = False
    similarity: int | None = None
    old_blob: str = ""
    new_blob: str = ""
    binary: BinaryPatch | None = None
    git: bool = False

    @property
    def path(self) -> str:
        return self.new_path or self.old_path or ""


class Patch(msgspec.Struct, frozen=True):
    files: tuple[FilePatch, ...]


class PatchError(msgspec.Struct, frozen=True):
    """Not a patch: the 1-based line, what stands there, and what was expected."""

    line: int
    found: str
    expected: str

    @property
    def message(self) -> str:
        return f"line {self.line} of the patch: expected {self.expected}, found {self.found}"
