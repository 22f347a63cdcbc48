"""Cut one large hunk at its natural borders, so that each piece fits the budget and what is between still parses.

Lines that are put in or taken out are cut between statements and definitions; a definition that is itself too
large becomes its frame (header and closing bracket) and its contents, which need the frame. A replacement is
cut where the old and the new text are inside of the same things. What has no border is cut at lines only
beyond the hard limit. Together the pieces are always exactly the hunk.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property

import msgspec

from agent.core.chunk import Budget
from agent.core.hunk import Hunk
from agent.core.splice import diff
from agent.core.symbols import Item, Outline, borders, margin_outline, outline
from agent.core.text import Lines

Range = tuple[int, int]
"""Lines `start` to `end` of a file, half-open."""
Context = tuple[str, ...] | None


class Piece(msgspec.Struct, frozen=True):
    """A part of one hunk. `needs` are indexes of other pieces in the same list.

    `at` is the line of its first new line in the new text, or of its first old line when it adds nothing.
    """

    hunks: tuple[Hunk, ...]
    at: int
    needs: tuple[int, ...] = ()

    @property
    def changed(self) -> int:
        return sum(hunk.changed for hunk in self.hunks)

    @property
    def adds(self) -> bool:
        return any(hunk.new for hunk in self.hunks)


class Sheet:
    """One version of a file with what is known of its structure, found out when asked for."""

    def __init__(self, path: str, lines: Lines, *, deep: bool = True) -> None:
        self.path = path
        self.lines = lines
        self.deep = deep
        """False: only the names of what begins at the margin are wanted, because there is so much to read."""

    @cached_property
    def outline(self) -> Outline:
        return outline(self.path, self.lines) if self.deep else margin_outline(self.path, self.lines)

    @cached_property
    def borders(self) -> list[Context]:
        return borders(self.outline.body, len(self.lines))

    @property
    def is_code(self) -> bool:
        return self.outline.grammar is not None

    def opens(self, line: int) -> bool:
        """True when something can start at this line: not in the middle of blank lines."""
        return line >= len(self.lines) or bool(self.lines[line].strip())


class Part(msgspec.Struct):
    """Ranges of one side of a hunk; `parent` is the part that must be there for this one to make sense."""

    ranges: list[Range]
    parent: int | None = None

    @property
    def size(self) -> int:
        return sum(end - start for start, end in self.ranges)


def cut_hunk(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget) -> list[Piece]:
    """Pieces of `hunk`, whose new lines stand at line `at` of `new`."""
    if hunk.changed <= budget.lines:
        return [Piece((hunk,), at if hunk.new else hunk.start)]
    if not hunk.old:
        return _insertions(hunk, new, at, budget)
    if not hunk.new:
        return _deletions(hunk, old, budget)
    return _replacements(hunk, old, new, at, budget)


def _insertions(hunk: Hunk, new: Sheet, at: int, budget: Budget) -> list[Piece]:
    pieces = []
    for part in _Partition(new, budget).of(at, at + len(hunk.new)):
        hunks = tuple(
            Hunk(hunk.start, (), new.lines[start:end], hunk.seq + start - at) for start, end in part.ranges
        )
        pieces.append(Piece(hunks, part.ranges[0][0], () if part.parent is None else (part.parent,)))
    return pieces


def _deletions(hunk: Hunk, old: Sheet, budget: Budget) -> list[Piece]:
    """Contents go before their frame, which needs them gone."""
    parts = _Partition(old, budget).of(hunk.start, hunk.end)
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
        hunks = tuple(Hunk(start, old.lines[start:end], ()) for start, end in parts[index].ranges)
        needs = tuple(place[child] for child in children.get(index, []))
        pieces.append(Piece(hunks, parts[index].ranges[0][0], needs))
    return pieces


class _Partition:
    """Cuts lines of one sheet into parts."""

    def __init__(self, sheet: Sheet, budget: Budget) -> None:
        self.sheet = sheet
        self.budget = budget
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
            ):
                continue
            if found == context or (outward and found == context[: len(found)]):
                cuts.append(line)
                context = found
        return list(zip(cuts, [*cuts[1:], end], strict=True))

    def _pack(self, units: Sequence[Range], parent: int | None, first: Part | None = None) -> None:
        """Units in order into parts, as many in one as the budget allows; the first ones into `first`."""
        current = first
        for start, end in units:
            if end - start > self.budget.lines:
                current = None
                self._expand(start, end, parent)
                continue
            if current is None or current.size + end - start > self.budget.lines:
                current = Part([], parent)
                self.parts.append(current)
            _extend(current.ranges, (start, end))

    def _expand(self, start: int, end: int, parent: int | None) -> None:
        """One unit that is too large: its frame and contents, or lines."""
        contents = [
            found for item in self._items(start, end) for found in _contents(item, self.budget.lines, end)
        ]
        contents = [(low, high) for low, high in contents if start <= low < high <= end]
        if not contents:
            self._by_lines(start, end, parent)
            return
        frame = Part([], parent)
        at = start
        for low, high in [*contents, (end, end)]:
            if at < low:
                _extend(frame.ranges, (at, low))
            at = max(at, high)
        if not frame.ranges:
            self._pack(contents, parent)
            return
        if frame.size > self.budget.hard_lines:
            self._by_lines(start, end, parent)
            return
        self.parts.append(frame)
        self._pack(contents, len(self.parts) - 1, frame)

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
        while start < end:
            stop = min(end, start + budget.lines)
            blanks = [
                line for line in range(start + budget.lines // 2, stop) if not sheet.lines[line].strip()
            ]
            if stop < end and blanks:
                stop = blanks[-1] + 1
            self.parts.append(Part([(start, stop)], parent))
            if sheet.is_code:
                parent = len(self.parts) - 1
            start = stop


def _extend(ranges: list[Range], added: Range) -> None:
    ranges.append(added)
    ranges.sort()
    merged: list[Range] = []
    for start, end in ranges:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    ranges[:] = merged


def _contents(item: Item, small: int, limit: int) -> list[Range]:
    """What can be taken out of `item` so that its frame still parses, blank lines behind each included."""
    found: list[Range] = []
    for body in item.bodies:
        items = body.items
        if body.loose and items:
            if items[0].end - items[0].start > small // 2:
                found += _contents(items[0], small, limit)
            items = items[1:]
        for index, child in enumerate(items):
            end = items[index + 1].start if index + 1 < len(items) else max(child.end, min(body.end, limit))
            found.append((child.start, end))
    return sorted(found)


def _replacements(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget) -> list[Piece]:
    """A large replacement, cut where both sides are inside of the same things."""
    tail = 0
    if not (hunk.old[-1].endswith(b"\n") and hunk.new[-1].endswith(b"\n")):
        tail = 1  # a last line owns its missing newline: nothing may be put behind it alone
    pairs = _Pairs(old, new, hunk.start, at, budget)
    pairs.cut((0, len(hunk.old) - tail, 0, len(hunk.new) - tail))
    pieces: list[Piece] = []
    for i, k, j, m in pairs.found:
        sub = Hunk(hunk.start + i, hunk.old[i:k], hunk.new[j:m], hunk.seq + j)
        if not sub.changed:
            continue
        if sub.changed <= budget.lines or not sub.old or not sub.new:
            pieces += _shifted(cut_hunk(sub, old, new, at + j, budget), len(pieces))
        elif sub.changed <= budget.hard_lines:
            pieces.append(Piece((sub,), at + j))
        else:
            pieces += _shifted(_anew(sub, old, new, at + j, budget), len(pieces))
    return _with_tail(pieces, hunk, at, budget) if tail else pieces


def _with_tail(pieces: list[Piece], hunk: Hunk, at: int, budget: Budget) -> list[Piece]:
    """The last line of both sides, with the last piece."""
    tail = Hunk(hunk.end - 1, hunk.old[-1:], hunk.new[-1:])
    if not pieces:
        return [Piece((tail,), at + len(hunk.new) - 1)]
    last = pieces[-1]
    end = last.hunks[-1]
    size = last.changed + tail.changed
    if len(pieces) == len(last.hunks) == 1 and end.end == tail.start and size <= budget.hard_lines:
        joined = Hunk(end.start, end.old + tail.old, end.new + tail.new)
        return [Piece((joined,), last.at)]
    if size > budget.hard_lines:
        return [*pieces, Piece((tail,), at + len(hunk.new) - 1)]
    return [*pieces[:-1], Piece((*last.hunks, tail), last.at, last.needs)]


def _anew(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget) -> list[Piece]:
    """The new text first, before the old, which then goes."""
    added = _insertions(Hunk(hunk.start, (), hunk.new, hunk.seq), new, at, budget)
    removed = _deletions(Hunk(hunk.start, hunk.old, ()), old, budget)
    first = added[0]
    changed = sum(h.changed for h in first.hunks) + len(hunk.old)
    if len(removed) == 1 and changed <= budget.hard_lines:
        return [Piece((*first.hunks, *removed[0].hunks), first.at, first.needs), *added[1:]]
    return [*added, *_shifted(removed, len(added))]


def _shifted(pieces: Sequence[Piece], by: int) -> list[Piece]:
    return [Piece(piece.hunks, piece.at, tuple(need + by for need in piece.needs)) for piece in pieces]


class _Pairs:
    """Finds where both sides of a replacement can be cut: the same context before and after."""

    def __init__(self, old: Sheet, new: Sheet, a: int, c: int, budget: Budget) -> None:
        self.old, self.new, self.a, self.c, self.budget = old, new, a, c, budget
        self.found: list[tuple[int, int, int, int]] = []

    def cut(self, gap: tuple[int, int, int, int]) -> None:
        """Append the parts of `gap` (old i..k, new j..m) to `found`, in order."""
        pending = [gap]
        while pending:
            i, k, j, m = pending.pop()
            best = self._best(i, k, j, m) if k - i + m - j > self.budget.lines else None
            if best is None:
                self.found.append((i, k, j, m))
            else:
                pending += [(best[0], k, best[1], m), (i, best[0], j, best[1])]

    def _best(self, i: int, k: int, j: int, m: int) -> tuple[int, int] | None:
        if i == k or j == m:
            return None
        here: dict[Context, list[int]] = {}
        for at in range(i, k + 1):
            context = self.old.borders[self.a + at]
            if context is not None and (self.old.opens(self.a + at) or at == k):
                here.setdefault(context, []).append(at)
        names = {self.old.lines[self.a + at].strip(): at for at in range(i + 1, k)}
        known = {context: frozenset(spots) for context, spots in here.items()}
        best: tuple[int, int] | None = None
        best_cost = 1e9
        size, rate = k - i + m - j, (k - i) / (m - j)
        for to in range(j, m + 1):
            context = self.new.borders[self.c + to]
            spots = here.get(context) if context is not None else None
            if not spots or not (self.new.opens(self.c + to) or to == m):
                continue
            wanted = names.get(self.new.lines[self.c + to].strip()) if to < m else None
            for at in sorted({*_nearest(spots, i + (to - j) * rate), *([] if wanted is None else [wanted])}):
                if at not in known[context] or (at, to) in ((i, j), (k, m)):
                    continue
                left = at - i + to - j
                cost = abs(2 * left - size) / size + abs(at - i - (to - j) * rate) / size
                cost += 0.0 if at == wanted else 0.3
                cost += 0.02 * len(context or ())
                if cost < best_cost:
                    best, best_cost = (at, to), cost
        return best


def _nearest(spots: list[int], wanted: float) -> list[int]:
    at = bisect_left(spots, wanted)
    return spots[max(0, at - 1) : at + 1]


def refined(pieces: list[Piece]) -> list[Piece]:
    """The same pieces without lines that are equal on both sides; those of which nothing is left are gone."""
    if not any(not frozenset(hunk.old).isdisjoint(hunk.new) for piece in pieces for hunk in piece.hunks):
        return pieces
    inner = [tuple(part for hunk in piece.hunks for part in _unequal(hunk)) for piece in pieces]
    place: dict[int, int] = {}
    for index, hunks in enumerate(inner):
        if hunks:
            place[index] = len(place)
    return [
        Piece(
            inner[index],
            pieces[index].at,
            tuple(place[need] for need in pieces[index].needs if need in place),
        )
        for index in place
    ]


def _unequal(hunk: Hunk) -> list[Hunk]:
    if frozenset(hunk.old).isdisjoint(hunk.new):
        return [hunk]
    found, offset = [], 0
    for part in diff(hunk.old, hunk.new):
        found.append(Hunk(hunk.start + part.start, part.old, part.new, hunk.seq + part.start + offset))
        offset += len(part.new) - len(part.old)
    return found
