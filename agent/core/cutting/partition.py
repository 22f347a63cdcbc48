"""Cut lines that only come, or only go, at their natural borders, so that what is between still parses.

A definition that is itself too large becomes its frame (header and closing bracket) and its contents, which need
the frame. Where the language shows no border, brackets do: lines come with those that close what they open. What
has none of all this is cut at lines only beyond the hard limit. Together the pieces are always exactly the hunk.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from agent.core.chunk import Budget
from agent.core.code.brackets import first_lines
from agent.core.code.sheet import Sheet
from agent.core.code.structure import Item
from agent.core.hunk import Hunk
from agent.core.text import indentation

Range = tuple[int, int]
"""Lines `start` to `end` of a file, half-open."""
FEW_LINES = 6
"""A comment of no more lines is no part of its own: what follows it goes with it."""

MAX_TAILS = 3
"""So many beginnings of the last item of something are tried."""

MAX_TRIES = 24
"""So many ends of a part are tried where only the brackets show them."""
Sound = Callable[[Sequence[Hunk], Sequence[Hunk]], bool]
"""Tells whether the old file with some hunks parses around the others of them, or around all when none are named."""


class Piece(msgspec.Struct, frozen=True):
    """A part of one hunk. `needs` are indexes of other pieces in the same list.

    `at` is the line of its first new line in the new text, or of its first old line when it adds nothing.
    """

    hunks: tuple[Hunk, ...]
    at: int
    needs: tuple[int, ...] = ()

    @property
    def changed(self) -> int:
        return sum([hunk.changed for hunk in self.hunks])

    @property
    def adds(self) -> bool:
        return any(hunk.new for hunk in self.hunks)


class Part(msgspec.Struct):
    """Ranges of one side of a hunk; `parent` is the part that must be there for this one to make sense."""

    ranges: list[Range]
    parent: int | None = None

    @property
    def size(self) -> int:
        return sum(end - start for start, end in self.ranges)


def anything(_: Sequence[Hunk], __: Sequence[Hunk] = ()) -> bool:
    """The `Sound` of those who cannot ask."""
    return True


def strain(size: int, budget: Budget) -> int:
    """How far a part of this size is from what the budget wants; over it is worse than under it."""
    return budget.lines - size if size <= budget.lines else budget.hard_lines + size


def insertions(hunk: Hunk, new: Sheet, at: int, budget: Budget, sound: Sound = anything) -> list[Piece]:
    """Pieces of lines that come, whose first stands at line `at` of `new`."""

    known: dict[Range, Hunk] = {}

    def one(both: Range) -> Hunk:
        """The same one again, so that a text with some of them is read on from where it had the others."""
        if both not in known:
            known[both] = Hunk(hunk.start, (), new.lines[slice(*both)], hunk.seq + both[0] - at)
        return known[both]

    def added(ranges: Sequence[Range]) -> tuple[Hunk, ...]:
        return tuple(map(one, ranges))

    parts = _Partition(new, budget, lambda ranges: sound(added(ranges), ())).of(at, at + len(hunk.new))
    return [
        Piece(added(part.ranges), part.ranges[0][0], () if part.parent is None else (part.parent,))
        for part in parts
    ]


def deletions(hunk: Hunk, old: Sheet, budget: Budget, sound: Sound = anything) -> list[Piece]:
    """Contents go before their frame, which needs them gone."""

    def removed(ranges: Sequence[Range]) -> tuple[Hunk, ...]:
        return tuple(Hunk(start, old.lines[start:end], (), hunk.seq) for start, end in ranges)

    def stays(ranges: Sequence[Range]) -> bool:
        edges = [hunk.start, *(edge for both in sorted(ranges) for edge in both), hunk.end]
        return sound(removed([(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]), ())

    parts = _Partition(old, budget, stays).of(hunk.start, hunk.end)
    children: dict[int | None, list[int]] = {}
    for index, part in enumerate(parts):
        children.setdefault(part.parent, []).append(index)
    order: list[int] = []
    pending = [(index, False) for index in reversed(children.get(None, []))]
    while pending:
        index, seen = pending.pop()
        if seen:
            order.append(index)
        else:
            pending.append((index, True))
            pending += [(child, False) for child in reversed(children.get(index, []))]
    place = {index: at for at, index in enumerate(order)}
    pieces = []
    for index in order:
        needs = tuple(place[child] for child in children.get(index, []))
        pieces.append(Piece(removed(parts[index].ranges), parts[index].ranges[0][0], needs))
    return pieces


class _Partition:
    """Cuts lines of one sheet into parts."""

    def __init__(self, sheet: Sheet, budget: Budget, reads: Callable[[Sequence[Range]], bool]) -> None:
        self.sheet = sheet
        self.budget = budget
        self.reads = reads
        self.parts: list[Part] = []

    def of(self, start: int, end: int) -> list[Part]:
        self._pack(self._units(start, end), None)
        return self.parts

    def _units(self, start: int, end: int) -> list[Range]:
        """What lies between borders of the same context as `start`."""
        sheet, context = self.sheet, self.sheet.borders[start]
        if context is None:
            return [(start, end)]
        grammar = sheet.outline.grammar
        outward = grammar is not None and grammar.name == "python"
        cuts = [start]
        for line in range(start + 1, end):
            found = sheet.borders[line]
            if (
                found is None
                or not sheet.opens(line)
                or not any(map(bytes.strip, sheet.lines[cuts[-1] : line]))
                or (line - cuts[-1] <= FEW_LINES and sheet.only_comments(cuts[-1], line))
            ):
                continue
            if found == context or (outward and found == context[: len(found)]):
                cuts.append(line)
                context = found
        return list(zip(cuts, [*cuts[1:], end], strict=True))

    def _pack(self, units: Sequence[Range], parent: int | None, first: Part | None = None) -> Part | None:
        """Units in order into parts, as many in one as the budget allows; the first ones into `first`.

        The part that still has room, if what follows may go on with it.
        """
        current = first
        enough = self._enough(units, first)
        header = first.size if first is not None else 0
        # A header is not left alone for a few lines, where only indentation tells what it holds.
        few = 0 if self.sheet.is_code or first is None else FEW_LINES
        most = min(self.budget.lines + few, self.budget.hard_lines)
        rest = sum(end - start for start, end in units)
        for start, end in units:
            size = end - start
            if size > self.budget.lines:
                bare = current is not None and self._is_bare(current, first, header)
                current = self._expand(start, end, parent, current, bare=bare)
                rest -= size
                continue
            wanted = rest if current is not None and current.size >= enough else size
            rest -= size
            if current is None or current.size + wanted > (most if current is first else self.budget.lines):
                current = Part([], parent)
                self.parts.append(current)
            _extend(current.ranges, (start, end))
        return current

    def _enough(self, units: Sequence[Range], first: Part | None) -> int:
        """Lines of a part when those that are needed are of one size: no full one is followed by a tiny one."""
        total = sum(end - start for start, end in units) + (first.size if first is not None else 0)
        return -(-total // max(1, -(-total // self.budget.lines)))

    def _is_bare(self, current: Part, first: Part | None, header: int) -> bool:
        """True when there is nothing yet but the header of what is around, or the few lines that open a file."""
        if first is not None:
            return current is first and first.size == header
        return len(self.parts) == 1 and current.size <= FEW_LINES

    def _expand(
        self, start: int, end: int, parent: int | None, current: Part | None, *, bare: bool
    ) -> Part | None:
        """One unit that is too large: its frame and contents, or lines. What is part of a definition goes on
        with `current`, and what follows it with its last part; a definition begins and ends its own, but that it
        begins with a `bare` header."""
        contents = [found for item in self._items(start, end) for found in self._contents(item, end)]
        contents = [(low, high) for low, high in contents if start <= low < high <= end]
        if not contents:
            self._by_lines(start, end, parent)
            return None
        frame = Part([], parent)
        at = start
        for low, high in [*contents, (end, end)]:
            if at < low:
                _extend(frame.ranges, (at, low))
            at = max(at, high)
        if not frame.ranges:
            self._pack(contents, parent)
            return None
        if frame.size > self.budget.hard_lines:
            self._by_lines(start, end, parent)
            return None
        alone = self._defines(start)
        if current is not None and (bare or not alone) and current.size + frame.size <= self.budget.lines:
            for both in frame.ranges:
                _extend(current.ranges, both)
            frame = current
        else:
            self.parts.append(frame)
        last = self._pack(contents, self._index(frame), frame)
        return None if alone else last

    def _contents(self, item: Item, limit: int) -> list[Range]:
        """What can be taken out of `item` so that its frame still parses, blank lines behind each included.

        A text or a comment that fits is not taken apart.
        """
        small, grammar = self.budget.lines, self.sheet.outline.grammar
        found: list[Range] = []
        for body in item.bodies:
            items = body.items
            if grammar is not None and body.kind in grammar.texts and len(items) <= small:
                continue
            if body.loose and items:
                if items[0].end - items[0].start > small // 2:
                    found += self._contents(items[0], limit)
                items = items[1:]
            if not items:
                continue
            start = items[0].start
            for child, after in zip(items, [*items[1:], None], strict=True):
                end = after.start if after is not None else max(child.end, min(body.end, limit))
                if after is not None and child.is_lead and end - start <= FEW_LINES:
                    continue
                found.append((start, end))
                start = end
        return sorted(found)

    def _defines(self, line: int) -> bool:
        """True when a definition begins at this line, or the file has none that could."""
        symbol = self.sheet.symbol(line)
        return symbol is None or symbol.start == line

    def _index(self, part: Part) -> int:
        return next(at for at in reversed(range(len(self.parts))) if self.parts[at] is part)

    def _items(self, start: int, end: int) -> list[Item]:
        """The items that lie within these lines, of the outermost body that has such."""
        body = self.sheet.outline.body
        while True:
            inside = [item for item in body.items if item.start < end and item.end > start]
            whole = [item for item in inside if start <= item.start and item.end <= end]
            if whole or len(inside) != 1:
                return whole
            inner = [b for b in inside[0].bodies if b.start <= start and end <= b.end]
            if not inner:
                return []
            body = inner[0]

    def _by_lines(self, start: int, end: int, parent: int | None) -> None:
        """Without a natural border: whole up to the hard limit in code, else at blank lines or anywhere."""
        sheet, budget = self.sheet, self.budget
        if sheet.is_code and end - start <= budget.hard_lines:
            self.parts.append(Part([(start, end)], parent))
            return
        if sheet.is_code:
            start, parent = self._by_brackets(start, end, parent)
        while start < end:
            stop = min(end, start + budget.lines)
            if stop < end:
                stop = self._good_stop(start + max(1, budget.lines // 2), stop)
            self.parts.append(Part([(start, stop)], parent))
            if sheet.is_code:
                parent = len(self.parts) - 1
            start = stop

    def _good_stop(self, low: int, high: int) -> int:
        """Behind the last blank line of these, else where the least indented line is that opens something."""
        lines = self.sheet.lines
        blanks = [line for line in range(low, high) if not lines[line].strip()]
        if blanks or self.sheet.is_code:
            return blanks[-1] + 1 if blanks else high
        closing = [
            lines[line].lstrip().startswith((b"}", b")", b"]", b"end")) for line in range(low, high + 1)
        ]
        return max(
            range(low, high + 1),
            key=lambda line: (not closing[line - low], -indentation(lines[line]), line),
        )

    def _by_brackets(self, start: int, end: int, parent: int | None) -> tuple[int, int | None]:
        """Cut lines together with those that close what they open; where lines are left, and their parent.

        Where that is no way, the first ones also come with the last: a chain of calls ends with a semicolon, a
        list without a comma.
        """
        first = first_lines(self.sheet.words[start:end])
        if first is None:
            return start, parent
        held = [both for part in self._above(parent) for both in part.ranges]
        for tail in (end - start, *self._tails(first, start)):
            parts = self._along(first, tail, held, start)
            for part in parts:
                part.parent = parent
                self.parts.append(part)
                parent = len(self.parts) - 1
            if parts:
                return end, parent
        return start, parent

    def _tails(self, first: Sequence[int], start: int) -> list[int]:
        """Lines, counted from `start`, at which the last item could begin: the least indented, from the last up."""
        lines = self.sheet.lines[start : start + len(first)]
        own = [at for at, line in enumerate(lines) if at and first[at] == at and line.strip()]
        return sorted(own, key=lambda at: (len(lines[at]) - len(lines[at].lstrip()), -at))[:MAX_TAILS]

    def _along(self, first: Sequence[int], tail: int, held: Sequence[Range], start: int) -> list[Part]:
        """Parts of the lines before `tail` in order, the first with all from there on; none when there is no way."""
        lines_by_first = sorted(range(len(first)), key=first.__getitem__)
        firsts = [first[at] for at in lines_by_first]
        sizes = [bisect_left(firsts, at) for at in range(tail + 1)]

        def runs(low: int, high: int) -> list[Range]:
            """The lines whose first line is within [low, high)."""
            found = lines_by_first[bisect_left(firsts, low) : bisect_left(firsts, high)]
            return _merged([(start + at, start + at + 1) for at in found])

        last = runs(tail, len(first))
        done = [*held, *last]
        parts: list[Part] = []
        at, room = 0, self.budget.hard_lines - sum(high - low for low, high in last)
        while at < tail:
            for to in self._stops(sizes, at, start, room):
                if to == tail or self.reads([*done, *runs(at, to)]):
                    break
            else:
                return []
            own = runs(at, to)
            parts.append(Part(own if at else _merged([*own, *last])))
            done += own
            at, room = to, self.budget.hard_lines
        return parts

    def _above(self, parent: int | None) -> Iterator[Part]:
        while parent is not None:
            yield self.parts[parent]
            parent = self.parts[parent].parent

    def _stops(self, sizes: Sequence[int], at: int, start: int, most: int) -> list[int]:
        """Where a part from line `at` could end, the best first: as much as the budget allows, else little more."""
        whole = len(sizes) - 1
        room = {
            to: sizes[to] - sizes[at]
            for to in range(at + 1, bisect_right(sizes, sizes[at] + most))
            if to == whole or (sizes[to + 1] > sizes[to] and self.sheet.opens(start + to))
        }
        fitting = [to for to, size in room.items() if size > 0]
        return sorted(fitting, key=lambda to: strain(room[to], self.budget))[:MAX_TRIES]


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """Ranges that do not overlap in order, those that touch as one."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _extend(ranges: list[Range], added: Range) -> None:
    if ranges and ranges[-1][1] == added[0]:
        ranges[-1] = (ranges[-1][0], added[1])
    else:
        ranges[:] = _merged([*ranges, added])
