"""Whether a file still parses with some of its hunks, and an order of them in which it always does.

Only the definitions around the hunks are parsed, and only so much in all; what cannot be known counts as sound.
A file that does not parse before or after the whole change is left alone.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from agent.core.grammar import parses
from agent.core.hunk import Hunk
from agent.core.pieces import Sheet
from agent.core.splice import splice
from agent.core.symbols import Body, Item

MAX_PARSED = 20_000_000
"""Bytes parsed for one difference at most."""


def position(hunk: Hunk) -> tuple[int, bool, int]:
    """Sorts hunks as `splice` does."""
    return (hunk.start, bool(hunk.old), hunk.seq)


def closure(indexes: Iterable[int], edges: Sequence[set[int]]) -> set[int]:
    """`indexes` and everything that they need."""
    found: set[int] = set()
    pending = list(indexes)
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            pending += edges[index]
    return found


class Allowance:
    """Bytes that may still be parsed, shared by all files of one difference."""

    def __init__(self, size: int) -> None:
        self.left = size


class Region(msgspec.Struct, frozen=True):
    """Whole items of one body of the old file, and the indentation of that body."""

    low: int
    high: int
    indent: bytes = b""


class Checker:
    """Parses one file with some of the hunks that lead from `old` to `new`."""

    def __init__(self, old: Sheet, new: Sheet, allowance: Allowance) -> None:
        self.old = old
        self.grammar = new.outline.grammar if allowance.left > 0 else None
        self.allowance = allowance
        self.whole = Region(0, len(old.lines))
        self.known: dict[tuple[Region, tuple[Hunk, ...]], bool] = {}
        self.usable = self.grammar is not None and all(
            self._parses(b"".join(sheet.lines)) for sheet in (old, new)
        )

    def _parses(self, data: bytes) -> bool:
        self.allowance.left -= len(data)
        return self.grammar is not None and self.allowance.left > 0 and parses(self.grammar, data)

    def sound(self, hunks: Iterable[Hunk], around: Sequence[Hunk] = ()) -> bool:
        """True when the old file with `hunks` parses around those of `around` (all, when there are none).

        Also true when finding out would take too long.
        """
        key = tuple(sorted(hunks, key=position))
        if not key or self.allowance.left <= 0:
            return True
        first = min(hunk.start for hunk in around or key)
        last = max(hunk.end for hunk in around or key)
        for region in self._regions(first, last):
            if self._parses_in(region, key):
                return True
        return self.allowance.left <= 0

    def _regions(self, first: int, last: int) -> list[Region]:
        """Regions around some lines, from the innermost to the whole file."""
        found = [self.whole]
        body = self.old.outline.body
        indent = b""
        while True:
            items = body.items
            low_at = bisect_left(items, first, key=lambda item: item.start) - 1
            high_at = bisect_right(items, last, key=lambda item: item.end)
            low = items[low_at].start if low_at >= 0 else body.start
            high = items[high_at].end if high_at < len(items) else body.end
            found.append(Region(low, high, indent))
            inner = self._inner(items[low_at], first, last) if low_at >= 0 and low_at == high_at else None
            if inner is None:
                return found[::-1]
            body = inner
            line = self.old.lines[body.items[0].start]
            indent = line[: len(line) - len(line.lstrip())]

    def _inner(self, item: Item, first: int, last: int) -> Body | None:
        """The indented body of `item` that some lines lie well inside of, where a body can be parsed alone."""
        if self.grammar is None or self.grammar.name != "python":
            return None
        for body in item.bodies:
            if body.kind == "block" and body.start < first and last < body.end and len(body.items) > 1:
                return body
        return None

    def _parses_in(self, region: Region, hunks: tuple[Hunk, ...]) -> bool:
        inside = tuple(hunk for hunk in hunks if hunk.end >= region.low and hunk.start <= region.high)
        whole = region == self.whole
        if not whole and any(hunk.start < region.low or hunk.end > region.high for hunk in inside):
            return False
        key = (region, inside)
        if key not in self.known:
            moved = [Hunk(hunk.start - region.low, hunk.old, hunk.new, hunk.seq) for hunk in inside]
            text = b"".join(splice(self.old.lines[region.low : region.high], moved))
            if region.indent:
                # What follows the region must still be inside of the same body; `def` lets no `else` follow it.
                text = b"def f():\n%spass\n%s\n%spass\n" % (region.indent, text, region.indent)
            self.known[key] = self._parses(text)
        return self.known[key]


MAX_WINDOW = 8
"""So many neighbours are taken together when none of them alone leaves the file parseable."""


class Settling:
    """Puts the changes of one file into an order in which the file parses after each of them.

    `hunks`, `needs` and `sizes` are found by member. Members that only parse together come out together.
    """

    def __init__(
        self,
        hunks: Sequence[tuple[Hunk, ...]],
        needs: Sequence[set[int]],
        checker: Checker,
        hard_lines: int,
    ) -> None:
        self.hunks = hunks
        self.needs = needs
        self.checker = checker
        self.hard_lines = hard_lines
        self.forced: list[int] = []
        """Members after which the file does not parse, for want of a better order."""

    def order(self, wanted: Sequence[int]) -> list[tuple[int, ...]]:
        """All of `wanted`, in this order as far as can be; `needs` are obeyed."""
        waiting = list(wanted)
        members = frozenset(wanted)
        found: list[tuple[int, ...]] = []
        applied: list[Hunk] = []
        done: set[int] = set()
        while waiting:
            free = [member for member in waiting if self.needs[member] & members <= done]
            chosen = self._one(free, applied) or self._several(waiting, applied, members - done)
            if not chosen:
                chosen = (min(free, key=lambda member: position(self.hunks[member][0])),)
                self.forced += chosen
            found.append(chosen)
            done.update(chosen)
            waiting = [member for member in waiting if member not in done]
            applied += [hunk for member in chosen for hunk in self.hunks[member]]
        return found

    def _one(self, free: Sequence[int], applied: Sequence[Hunk]) -> tuple[int, ...]:
        for member in free:
            if self.checker.sound([*applied, *self.hunks[member]], self.hunks[member]):
                return (member,)
        return ()

    def _several(
        self, waiting: Sequence[int], applied: Sequence[Hunk], open_members: frozenset[int]
    ) -> tuple[int, ...]:
        """Neighbours in the file after which together it parses, within the hard limit; else none."""
        ordered = sorted(waiting, key=lambda member: position(self.hunks[member][0]))
        for width in range(2, MAX_WINDOW + 1):
            for start in range(len(ordered) - width + 1):
                window = ordered[start : start + width]
                hunks = [hunk for member in window for hunk in self.hunks[member]]
                if sum(hunk.changed for hunk in hunks) > self.hard_lines:
                    continue
                if any(self.needs[member] & open_members - set(window) for member in window):
                    continue
                if self.checker.sound([*applied, *hunks], hunks):
                    return tuple(window)
        return ()
