"""Whether a file still parses with some of its hunks, and an order of them in which it always does.

Only the definitions around the hunks are parsed, and only so much in all; what cannot be known counts as sound.
A file that does not parse before or after the whole change is left alone.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from agent.core.brackets import Balance
from agent.core.grammar import parses
from agent.core.hunk import Hunk
from agent.core.partition import Range
from agent.core.sheet import Sheet
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
    """Whole items of one body of the old file, and what must stand around them so that they parse alone."""

    low: int
    high: int
    before: bytes = b""
    behind: bytes = b""
    indent: bytes = b""
    """Where it matters: no line within is indented less."""
    frames: tuple[Range, ...] = ()
    """The lines of all that it lies in but for their bodies: headers, closing brackets, other bodies."""


class Checker:
    """Parses one file with some of the hunks that lead from `old` to `new`."""

    def __init__(self, old: Sheet, new: Sheet, allowance: Allowance) -> None:
        self.old = old
        self.grammar = new.outline.grammar if allowance.left > 0 else None
        self.allowance = allowance
        self.whole = Region(0, len(old.lines))
        self.neutral: dict[Hunk, bool] = {}
        self.known: dict[tuple[Region, tuple[Hunk, ...]], bool | None] = {}
        self.usable = self.grammar is not None and all(
            self._parses(b"".join(sheet.lines)) for sheet in (old, new)
        )
        python = self.grammar is not None and self.grammar.name == "python"
        told = self.usable and not python  # Python's compiler ends at the first error: it is quick itself
        self.balance = Balance([(sheet.lines, sheet.words) for sheet in (old, new) if told])

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
            told = self._told(region, key)
            if told is not None:
                return told
        return self.allowance.left <= 0

    def _regions(self, first: int, last: int) -> list[Region]:
        """Regions around some lines, from the innermost to the whole file."""
        found = [self.whole]
        body = self.old.outline.body
        around: tuple[bytes, bytes, bytes] | None = (b"", b"", b"")
        frames: tuple[Range, ...] = ()
        while True:
            items = body.items
            low_at = bisect_left(items, first, key=lambda item: item.start) - 1
            high_at = bisect_right(items, last, key=lambda item: item.end)
            if around is not None:
                low = items[low_at].start if low_at >= 0 else body.start
                high = items[high_at].end if high_at < len(items) else body.end
                found.append(Region(low, high, *around, frames))
            inner = self._inner(items[low_at], first, last) if low_at >= 0 and low_at == high_at else None
            if inner is None:
                return found[::-1]
            frames += ((items[low_at].start, inner.start), (inner.end, items[low_at].end))
            body = inner
            around = self._around(body)

    def _inner(self, item: Item, first: int, last: int) -> Body | None:
        """The body of `item` that some lines lie inside of, well inside where indentation ends it."""
        for body in item.bodies:
            if body.items and body.start + body.loose <= first and last <= body.end - body.loose:
                return body
        return None

    def _around(self, body: Body) -> tuple[bytes, bytes, bytes] | None:
        if self.grammar is None or self.grammar.name != "python":
            found = self.grammar.around(body.kind) if self.grammar is not None else None
            return (*found, b"") if found is not None else None
        if body.kind != "block":
            return None
        line = self.old.lines[body.items[0].start]
        indent = line[: len(line) - len(line.lstrip())]
        # What follows the region must still be inside of the same body; `def` lets no `else` follow it.
        return b"def f():\n%spass\n" % indent, b"\n%spass\n" % indent, indent

    def _told(self, region: Region, hunks: tuple[Hunk, ...]) -> bool | None:
        """Whether it parses, as far as can be told from this region; None where only a larger one tells."""
        inside = tuple(hunk for hunk in hunks if hunk.end >= region.low and hunk.start <= region.high)
        whole = region == self.whole
        if not whole and any(hunk.start < region.low or hunk.end > region.high for hunk in inside):
            return None
        if any(_falls_out(line, region.indent) for hunk in inside for line in hunk.new):
            return None
        if not whole and any(self._matters(region, hunk) for hunk in hunks if hunk not in inside):
            return None
        key = (region, inside)
        if key not in self.known:
            moved = [Hunk(hunk.start - region.low, hunk.old, hunk.new, hunk.seq) for hunk in inside]
            lines = splice(self.old.lines[region.low : region.high], moved)
            self.allowance.left -= len(lines)
            balanced = self.balance.holds(lines)
            parsed = balanced and self._parses(b"".join((region.before, *lines, region.behind)))
            final = whole or (balanced and self.balance.usable and self._stands_alone(region))
            self.known[key] = parsed or (False if final else None)
        return self.known[key]

    def _matters(self, region: Region, hunk: Hunk) -> bool:
        """True when a hunk outside of a region changes what the region lies in."""
        if any(hunk.start < end and hunk.end > start for start, end in region.frames):
            return True
        if hunk not in self.neutral:
            self.neutral[hunk] = self.balance.same(hunk.old, hunk.new)
        return not self.neutral[hunk]

    def _stands_alone(self, region: Region) -> bool:
        """True when this region of the old file parses by itself, which shows that it can be judged so."""
        key: tuple[Region, tuple[Hunk, ...]] = (region, ())
        if key not in self.known:
            text = b"".join((region.before, *self.old.lines[region.low : region.high], region.behind))
            self.known[key] = self._parses(text)
        return bool(self.known[key])


def _falls_out(line: bytes, indent: bytes) -> bool:
    return bool(indent) and not line.startswith(indent) and bool(line.strip())


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
        """All of `wanted`, in this order as far as can be; `needs` are obeyed.

        An order that leads nowhere is given up for that of the members' numbers, by which they were made.
        """
        found = self._order(wanted)
        if self.forced and list(wanted) != sorted(wanted):
            forced, self.forced = self.forced, []
            again = self._order(sorted(wanted))
            if len(self.forced) < len(forced):
                return again
            self.forced = forced
        return found

    def _order(self, wanted: Sequence[int]) -> list[tuple[int, ...]]:
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
