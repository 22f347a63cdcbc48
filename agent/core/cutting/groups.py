"""Hunks of one file that are decided together, before they are a draft of a chunk."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from agent.core.hunk import Hunk


class Group(msgspec.Struct):
    """Hunks of one file that are decided together. `needs` are indexes of other groups."""

    hunks: tuple[Hunk, ...]
    symbols: tuple[str, ...]
    needs: set[int]
    is_piece: bool = False
    defines: frozenset[bytes] = frozenset()
    """Names of the definitions that begin in the added lines."""

    @property
    def changed(self) -> int:
        return sum([len(hunk.old) + len(hunk.new) for hunk in self.hunks])

    @property
    def start(self) -> int:
        return self.hunks[0].start


def last_names(symbols: Iterable[str]) -> frozenset[bytes]:
    """What others call these definitions by: the last part of each, if it is a name and not a very short one."""
    names = {symbol.rpartition(".")[2] for symbol in symbols}
    return frozenset(name.encode() for name in names if len(name) > 2 and name.isidentifier())
