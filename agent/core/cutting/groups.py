"""Hunks of one file that are decided together, before they are a draft of a chunk."""

from __future__ import annotations

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
