"""The entries of a difference as git tells them: `--raw -z` output of `git diff` and `git diff-tree`."""

from __future__ import annotations

import msgspec

from agent.core.text import name_from_bytes


class Pair(msgspec.Struct, frozen=True):
    """One entry of `git diff-tree --raw`: modes, object ids and names on both sides."""

    old_mode: int
    new_mode: int
    old_oid: str
    new_oid: str
    status: str
    old_path: str
    new_path: str


def raw_pairs(output: bytes) -> list[Pair]:
    """Entries of `--raw -z` output: `:MODE MODE OID OID STATUS\\0PATH\\0` and a second path for renames."""
    fields = output.split(b"\0")
    pairs, at = [], 0
    while at < len(fields) and fields[at].startswith(b":"):
        old_mode, new_mode, old_oid, new_oid, status = fields[at][1:].decode().split(" ")
        old_path = name_from_bytes(fields[at + 1])
        moved = status[0] in "RC"
        new_path = name_from_bytes(fields[at + 2]) if moved else old_path
        pairs.append(
            Pair(int(old_mode, 8), int(new_mode, 8), old_oid, new_oid, status[0], old_path, new_path)
        )
        at += 3 if moved else 2
    return pairs
