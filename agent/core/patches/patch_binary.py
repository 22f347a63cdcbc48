"""Read the binary part of a git diff: `GIT binary patch` with one or two pieces, or only the remark."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from agent.core.patches.binary import decode_line, inflate
from agent.core.patches.patch import BinaryPatch, BinaryPiece, PatchError

_PIECE = re.compile(rb"(literal|delta) (\d{1,12})\s*")


class Read(msgspec.Struct, frozen=True):
    """`next` is the index of the line behind the binary part."""

    patch: BinaryPatch
    next: int


def read_binary(lines: Sequence[bytes], at: int) -> Read | PatchError:
    """The binary part that starts at index `at`."""
    if lines[at].startswith(b"Binary files "):
        return Read(BinaryPatch(), at + 1)
    pieces: list[BinaryPiece] = []
    at += 1
    while len(pieces) < 2 and at < len(lines) and (match := _PIECE.fullmatch(lines[at])):
        packed: list[bytes] = []
        start = at
        at += 1
        while at < len(lines) and lines[at].strip():
            data = decode_line(lines[at].rstrip(b"\r\n"))
            if data is None:
                return PatchError(at + 1, ascii(lines[at][:40])[1:], "a line of base 85 with its length")
            packed.append(data)
            at += 1
        size = int(match[2])
        whole = inflate(b"".join(packed), size)
        if whole is None:
            return PatchError(start + 1, "data of another size, or damaged", f"{size} bytes")
        pieces.append(BinaryPiece(whole, match[1] == b"delta"))
        at += at < len(lines)
    if not pieces:
        return PatchError(at + 1, "something else", "`literal SIZE` or `delta SIZE`")
    return Read(BinaryPatch(pieces[0], pieces[1] if len(pieces) > 1 else None), at)
