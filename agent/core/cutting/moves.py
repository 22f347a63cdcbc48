"""Lines that only change their place: what one draft takes out and others bring in.

A reader of the one wants to know of the other. Told by the lines alone, without their indentation, and only of runs of
lines that have no counterpart in the draft itself: what is changed where it stands does not move.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from agent.core.cutting.drafts import Draft

LEAST = 4
"""Fewer lines may be alike by chance."""

SHARE = 0.8
"""So large a part of the lines has to be on the other side."""

MAX_PLACES = 3
"""A line that more drafts have on the other side tells nothing."""

_TELLING = re.compile(rb"\w{3}")
"""What a line has that can be told from others: no bracket, no blank one."""


class Move(msgspec.Struct, frozen=True):
    """Most lines of a draft, or all, are on the other side in `others`: indexes, the one with the most first."""

    others: tuple[int, ...]
    is_whole: bool


def moves(drafts: Sequence[Draft]) -> tuple[dict[int, Move], dict[int, Move]]:
    """Which drafts take out lines that others bring in, and which bring in lines that others take out; by index."""
    gone = {index: lines for index, draft in enumerate(drafts) if (lines := _moving(draft, new=False))}
    come = {index: lines for index, draft in enumerate(drafts) if (lines := _moving(draft, new=True))}
    if not (gone and come):
        return {}, {}
    return _matched(gone, come), _matched(come, gone)


def _moving(draft: Draft, *, new: bool) -> frozenset[bytes]:
    """The lines of pure insertions (`new`) or deletions, if they are enough to be told again."""
    if draft.folded:
        return frozenset()
    sides = [
        hunk.new if new else hunk.old
        for change in draft.changes
        for hunk in change.hunks
        if not (hunk.old if new else hunk.new)
    ]
    if sum(map(len, sides)) < LEAST:
        return frozenset()
    lines = frozenset(line.strip() for side in sides for line in side if _TELLING.search(line))
    return lines if len(lines) >= LEAST else frozenset()


def _matched(ones: dict[int, frozenset[bytes]], others: dict[int, frozenset[bytes]]) -> dict[int, Move]:
    places: dict[bytes, list[int]] = {}
    for index, lines in others.items():
        for line in lines:
            places.setdefault(line, []).append(index)
    found = {}
    for index, lines in ones.items():
        there = {line: at for line in lines if len(at := places.get(line, ())) <= MAX_PLACES and at}
        votes = Counter(other for at in there.values() for other in at if other != index)
        best = [other for other, count in votes.most_common() if count >= LEAST]
        count = sum(not set(at).isdisjoint(best) for at in there.values())
        if best and count >= SHARE * len(lines):
            found[index] = Move(tuple(best), count == len(lines))
    return found
