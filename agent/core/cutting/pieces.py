"""Cut one large hunk so that each piece fits the budget and what is between still parses.

Lines that only come or only go are cut by `partition`; a replacement where the old and the new text are inside of
the same things, else statement by statement from one end, else by putting the new text in before the old goes.
Together the pieces are always exactly the hunk.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence

from agent.core.chunk import Budget
from agent.core.code.sheet import Context, Sheet
from agent.core.cutting.partition import MAX_TRIES, Piece, Sound, anything, deletions, insertions, strain
from agent.core.hunk import Hunk
from agent.core.lines.splice import diff, position
from agent.core.text import are_marked, has_end


def cut_hunk(
    hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget, sound: Sound = anything
) -> list[Piece]:
    """Pieces of `hunk`, whose new lines stand at line `at` of `new`."""
    if hunk.changed <= budget.lines:
        return [Piece((hunk,), at if hunk.new else hunk.start)]
    if not hunk.old:
        return insertions(hunk, new, at, budget, sound)
    if not hunk.new:
        return deletions(hunk, old, budget, sound)
    return _replacements(hunk, old, new, at, budget, sound)


def _replacements(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget, sound: Sound) -> list[Piece]:
    """A large replacement, cut where both sides are inside of the same things."""
    return within_edges(hunk, at, budget, lambda inner, to: _at_pairs(inner, old, new, to, budget, sound))


def within_edges(hunk: Hunk, at: int, budget: Budget, way: Callable[[Hunk, int], list[Piece]]) -> list[Piece]:
    """Pieces of a replacement by `way`, but for lines of which one may not be there without the other.

    A last line owns its missing newline: nothing may be put behind it. A first line owns the mark of the file.
    """
    if not (hunk.old and hunk.new):
        return []
    tail = int(not (has_end(hunk.old[-1]) and has_end(hunk.new[-1])))
    head = int(not hunk.start and are_marked(hunk.old, hunk.new))
    if head + tail > min(len(hunk.old), len(hunk.new)):
        return [Piece((hunk,), at)]  # one line owns both
    to = len(hunk.old) - tail, len(hunk.new) - tail
    inner = Hunk(hunk.start + head, hunk.old[head : to[0]], hunk.new[head : to[1]], hunk.seq + head)
    pieces = way(inner, at + head) if inner.changed else []
    if inner.changed and not pieces:
        return []
    if tail:
        last = Hunk(hunk.end - 1, hunk.old[-1:], hunk.new[-1:], hunk.seq + to[1])
        pieces = _with_tail(pieces, last, at + to[1], budget)
    return _with_head(pieces, Hunk(0, hunk.old[:1], hunk.new[:1], hunk.seq), at, budget) if head else pieces


def _at_pairs(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget, sound: Sound) -> list[Piece]:
    pairs = _Pairs(old, new, hunk.start, at, budget)
    pairs.cut((0, len(hunk.old), 0, len(hunk.new)))
    pieces: list[Piece] = []
    for i, k, j, m in pairs.found:
        sub = Hunk(hunk.start + i, hunk.old[i:k], hunk.new[j:m], hunk.seq + j)
        if not sub.changed:
            continue
        if sub.changed <= budget.lines or not sub.old or not sub.new:
            pieces += _shifted(cut_hunk(sub, old, new, at + j, budget, sound), len(pieces))
        elif sound is anything and (sub.changed > budget.hard_lines or not new.is_code):
            pieces += _abreast(sub, at + j, budget, early=not new.is_code)
        elif sub.changed <= budget.hard_lines:
            pieces.append(Piece((sub,), at + j))
        else:
            found = walk(sub, old, new, at + j, budget, sound) or anew(sub, old, new, at + j, budget, sound)
            pieces += _shifted(found, len(pieces))
    return pieces


def _abreast(hunk: Hunk, at: int, budget: Budget, *, early: bool) -> list[Piece]:
    """Old and new lines side by side, where nothing tells what parses: no piece leaves both texts in the file.

    Cut where the same line but for its blanks stands on both sides, else as far down the one as down the other. What
    one side has little of comes with the first part if `early`, else with the last, as a `return` should.
    """
    pieces: list[Piece] = []
    i = j = 0
    stops = _alike(hunk)
    for index, (k, m) in enumerate(stops):
        beyond = stops[index + 1] if index + 1 < len(stops) else (sys.maxsize, 0)
        if sum(beyond) - i - j <= budget.lines:
            continue
        count = -(-(k - i + m - j) // budget.lines)
        spare = count - 1 if early else 0
        for part in range(count):
            (a, b), (c, d) = (
                (i + ((k - i) * at_part + spare) // count, j + ((m - j) * at_part + spare) // count)
                for at_part in (part, part + 1)
            )
            own = Hunk(hunk.start + a, hunk.old[a:c], hunk.new[b:d], hunk.seq + b)
            if own.changed:
                pieces.append(Piece((own,), at + b))
        i, j = k, m
    return pieces


def _with_tail(pieces: list[Piece], tail: Hunk, at: int, budget: Budget) -> list[Piece]:
    """The last line of both sides, whose new one is line `at`, with the piece that it goes on."""
    index = max(range(len(pieces)), key=lambda each: position(pieces[each].hunks[-1]), default=-1)
    if index < 0 or pieces[index].changed + tail.changed > budget.hard_lines:
        return [*pieces, Piece((tail,), at)]
    own = pieces[index]
    pieces[index] = Piece(_touching(own.hunks, (tail,), alone=len(pieces) == 1), own.at, own.needs)
    return pieces


def _with_head(pieces: list[Piece], head: Hunk, at: int, budget: Budget) -> list[Piece]:
    """The first line of both sides, whose new one is line `at`, with the piece that goes on with it."""
    index = min(range(len(pieces)), key=lambda each: position(pieces[each].hunks[0]), default=-1)
    if index < 0 or pieces[index].changed + head.changed > budget.hard_lines:
        return [Piece((head,), at), *_shifted(pieces, 1)]
    own = pieces[index]
    pieces[index] = Piece(_touching((head,), own.hunks, alone=len(pieces) == 1), at, own.needs)
    return pieces


def _touching(above: tuple[Hunk, ...], below: tuple[Hunk, ...], *, alone: bool) -> tuple[Hunk, ...]:
    """The hunks of a piece; those of two hunks that are all of a change are one again."""
    one, two = above[-1], below[0]
    if not alone or len(above) + len(below) > 2 or one.end != two.start:
        return (*above, *below)
    return (Hunk(one.start, one.old + two.old, one.new + two.new, one.seq),)


def anew(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget, sound: Sound) -> list[Piece]:
    """The new text first, before the old, which then goes."""
    if not (hunk.old and hunk.new):
        return cut_hunk(hunk, old, new, at, budget, sound)
    coming = Hunk(hunk.start, (), hunk.new, hunk.seq)
    added = insertions(coming, new, at, budget, sound)
    going = Hunk(hunk.start, hunk.old, (), hunk.seq + len(hunk.new))
    removed = deletions(going, old, budget, lambda hunks, _: sound([coming, *hunks], ()))
    first = added[0]
    changed = sum(h.changed for h in first.hunks) + len(hunk.old)
    if len(removed) == 1 and changed <= budget.hard_lines:
        return [Piece((*first.hunks, *removed[0].hunks), first.at, first.needs), *added[1:]]
    return [*added, *_shifted(removed, len(added))]


def walk(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget, sound: Sound) -> list[Piece]:
    """From one end to the other, with the new text on this side and the old on that; empty when that is no way.

    A block that loses its indentation can only go from its last statement to its first, for instance.
    """
    if not (hunk.old and hunk.new) or sound is anything:
        return []
    stops = _same_lines(hunk, old, new, at)
    return _steps(hunk, at, stops, budget, sound, down=True) or _steps(
        hunk, at, stops, budget, sound, down=False
    )


def _same_lines(hunk: Hunk, old: Sheet, new: Sheet, at: int) -> list[tuple[int, int]]:
    """Where the same line but for its indentation stands on both sides, at a border of each."""
    found = _alike(hunk)
    return [
        (i, j)
        for i, j in found
        if old.opens(hunk.start + i)
        and None not in (old.borders[hunk.start + i], new.borders[at + j])
        and (0, 0) != (i, j) != (len(hunk.old), len(hunk.new))
    ]


def _alike(hunk: Hunk) -> list[tuple[int, int]]:
    """Where the same line but for its blanks stands on both sides, behind it, and both ends; in order."""
    here, there = (tuple(line.strip() for line in lines) for lines in (hunk.old, hunk.new))
    found: list[tuple[int, int]] = []
    i = j = 0
    for part in (*diff(here, there), Hunk(len(here), (), ())):
        found += [(i + by, j + by) for by in range(part.start - i + 1)]
        i, j = part.end, j + part.start - i + len(part.new)
        found.append((i, j))
    return list(dict.fromkeys(found))


def _steps(
    hunk: Hunk, at: int, stops: Sequence[tuple[int, int]], budget: Budget, sound: Sound, *, down: bool
) -> list[Piece]:
    """Pieces from `stops` to `stops`, each of which needs the one before."""
    end = (len(hunk.old), len(hunk.new))
    here, goal = ((0, 0), end) if down else (end, (0, 0))
    pieces: list[Piece] = []

    def part(one: tuple[int, int], two: tuple[int, int]) -> Hunk:
        (i, j), (k, m) = min(one, two), max(one, two)
        return Hunk(hunk.start + i, hunk.old[i:k], hunk.new[j:m], hunk.seq + j)

    while here != goal:
        sizes = {stop: abs(stop[0] - here[0]) + abs(stop[1] - here[1]) for stop in (*stops, goal)}
        fitting = [
            stop for stop, size in sizes.items() if 0 < size <= budget.hard_lines and (stop > here) == down
        ]
        fitting.sort(key=lambda stop: strain(sizes[stop], budget))
        done = [own for piece in pieces for own in piece.hunks]
        tried = ((stop, part(here, stop)) for stop in fitting[:MAX_TRIES])
        next_stop = next((stop for stop, own in tried if stop == goal or sound([*done, own], [own])), None)
        if next_stop is None:
            return []
        own = part(here, next_stop)
        pieces.append(Piece((own,), at + own.seq - hunk.seq, (len(pieces) - 1,) if pieces else ()))
        here = next_stop
    return pieces


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
        ends = {(i, j), (k, m)}
        if not self.new.is_code:  # all of the new text before all of the old one: both would be in the file
            ends |= {(i, m), (k, j)}
        for to in range(j, m + 1):
            context = self.new.borders[self.c + to]
            spots = here.get(context) if context is not None else None
            if not spots or not (self.new.opens(self.c + to) or to == m):
                continue
            wanted = names.get(self.new.lines[self.c + to].strip()) if to < m else None
            for at in sorted({*_nearest(spots, i + (to - j) * rate), *([] if wanted is None else [wanted])}):
                if at not in known[context] or (at, to) in ends:
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
    if all(differs(hunk) for piece in pieces for hunk in piece.hunks):
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


def differs(hunk: Hunk) -> bool:
    """True when no line of it is on both sides."""
    return not (hunk.old and hunk.new) or set(hunk.old).isdisjoint(hunk.new)


def _unequal(hunk: Hunk) -> list[Hunk]:
    if differs(hunk):
        return [hunk]
    found, offset = [], 0
    for part in diff(hunk.old, hunk.new):
        found.append(Hunk(hunk.start + part.start, part.old, part.new, hunk.seq + part.start + offset))
        offset += len(part.new) - len(part.old)
    return found
