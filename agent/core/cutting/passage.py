"""Ways through a change on which the file always parses: pieces of one hunk, or of whole items of the file.

Where the lines of a definition were matched with those of another, no hunk of the difference parses without the
rest. Then all between two borders that the old and the new text share is one hunk, and is cut anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from agent.core.chunk import Budget
from agent.core.code.sheet import Context, Sheet
from agent.core.cutting.partition import Piece, Sound, anything
from agent.core.cutting.pieces import anew, cut_hunk, differs, refined, walk, within_edges
from agent.core.cutting.settling import Settling
from agent.core.cutting.soundness import Checker, closure
from agent.core.hunk import Hunk
from agent.core.lines.splice import numbered, position

REACHES = 4
"""So often hunks are taken together in ever larger parts of the file, at last all of it."""

SHARE = 8
"""One search spends at most such a part of what may still be parsed, that something is left for the next."""

MAX_LOOK = 2_000
"""So many lines up and down are looked at for a border that both texts share."""


def cut_soundly(hunk: Hunk, old: Sheet, new: Sheet, at: int, budget: Budget, checker: Checker) -> list[Piece]:
    """Pieces of one hunk, whose new lines stand at line `at` of `new`; those that do not parse alone are joined."""
    if hunk.changed <= budget.lines:
        piece = Piece((hunk,), at if hunk.new else hunk.start)
        return [piece] if differs(hunk) else refined([piece])
    sound: Sound = checker.sound if checker.usable else anything
    return _joined_until_sound(refined(cut_hunk(hunk, old, new, at, budget, sound)), checker, budget)


class Passages:
    """Takes the hunks of a file together between borders that the old and the new text share."""

    def __init__(
        self, hunks: Sequence[Hunk], old: Sheet, new: Sheet, budget: Budget, checker: Checker
    ) -> None:
        self.hunks = hunks
        self.old, self.new = old, new
        self.budget, self.checker = budget, checker
        self.starts = [hunk.start for hunk in hunks]
        self.offsets = [0]
        """By how much lines are further down in the new text, before each hunk and behind the last."""
        for hunk in hunks:
            self.offsets.append(self.offsets[-1] + len(hunk.new) - len(hunk.old))

    def around(
        self, unsound: Sequence[Sequence[Hunk]], reach: int, ways: dict[Hunk, list[Piece]]
    ) -> list[Hunk]:
        """The hunks, those one that lie around something unsound; the pieces of such a hunk are put into `ways`."""
        spans: list[tuple[int, int]] = []
        for low, high in sorted(self._span(hunks, reach) for hunks in unsound):
            if spans and low < spans[-1][1]:
                spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
            else:
                spans.append((low, high))
        found: list[Hunk] = []
        at = 0
        for low, high in spans:
            while at < len(self.hunks) and self.hunks[at].end <= low and self.hunks[at].start < low:
                found.append(numbered(self.hunks[at], found[-1] if found else None))
                at += 1
            first = at
            while at < len(self.hunks) and self.hunks[at].start <= high and self.hunks[at].end <= high:
                at += 1
            if first == at:
                continue
            to = low + self.offsets[first]
            new_lines = self.new.lines[to : high + self.offsets[at]]
            whole = numbered(Hunk(low, self.old.lines[low:high], new_lines), found[-1] if found else None)
            found.append(whole)
            if way := self._way(whole, to):
                ways[whole] = way
        for hunk in self.hunks[at:]:
            found.append(numbered(hunk, found[-1] if found else None))
        return found

    def _span(self, hunks: Sequence[Hunk], reach: int) -> tuple[int, int]:
        """The old lines around `hunks` between borders of the same kind, the `reach`-th smallest."""
        above = self._borders(min(hunk.start for hunk in hunks), down=False)
        below = self._borders(max(hunk.end for hunk in hunks), down=True)
        spans = sorted(
            ((above[context], below[context]) for context in above if context in below),
            key=lambda span: span[1] - span[0],
        )
        return (
            spans[min(reach, len(spans) - 1)] if spans and reach + 1 < REACHES else (0, len(self.old.lines))
        )

    def _borders(self, line: int, *, down: bool) -> dict[tuple[str, ...], int]:
        """By what they lie in, the nearest borders from `line` on, upwards or downwards, that both texts share."""
        found: dict[tuple[str, ...], int] = {}
        lines = range(line, len(self.old.lines) + 1) if down else range(line, -1, -1)
        for at in lines[:MAX_LOOK]:
            context = self.old.borders[at]
            if context is not None and context not in found and context == self._beyond(at, down=down):
                found[context] = at
        return found

    def _beyond(self, line: int, *, down: bool) -> Context:
        """What the new text has at this border of the old; None within a hunk. Lines put in there are inside."""
        index = bisect_left(self.starts, line)
        if index and self.hunks[index - 1].end > line:
            return None
        if down and index < len(self.hunks) and self.hunks[index].end == line:
            index += 1
        return self.new.borders[line + self.offsets[index]]

    def _way(self, hunk: Hunk, at: int) -> list[Piece]:
        """Pieces of `hunk` after each of which the file parses; none when there is no such way."""
        old, new, budget, sound = self.old, self.new, self.budget, self.checker.sound

        ways: Sequence[Callable[[], list[Piece]]] = (
            lambda: cut_hunk(hunk, old, new, at, budget, sound),
            lambda: within_edges(hunk, at, budget, lambda own, to: walk(own, old, new, to, budget, sound)),
            lambda: within_edges(hunk, at, budget, lambda own, to: anew(own, old, new, to, budget, sound)),
        )
        for way in ways:
            self.checker.lend(SHARE)
            pieces = _joined_until_sound(refined(way()), self.checker, budget)
            if pieces and all(piece.changed <= budget.hard_lines for piece in pieces):
                settling = Settling(
                    [piece.hunks for piece in pieces],
                    [set(piece.needs) for piece in pieces],
                    self.checker,
                    budget.hard_lines,
                )
                settling.order(range(len(pieces)))
                if not (settling.forced or self.checker.spent):
                    return pieces
        return []


def _joined_until_sound(pieces: list[Piece], checker: Checker, budget: Budget) -> list[Piece]:
    """Pieces of one hunk, those joined again that do not parse with what they need."""
    index = 0
    edges = [set(piece.needs) for piece in pieces]
    while len(pieces) > 1 and index < len(pieces) and checker.usable:
        wanted = closure([index], edges)
        if checker.sound([hunk for at in wanted for hunk in pieces[at].hunks]):
            index += 1
            continue
        near = [at for at in (index, index - 1) if at >= 0 and at + 1 < len(pieces)]
        fitting = [at for at in near if pieces[at].changed + pieces[at + 1].changed <= budget.hard_lines]
        both = next((found for at in fitting if (found := joined(pieces, at))), None)
        if both is None:
            index += 1
        else:
            pieces, index = both, max(0, index - 1)
            edges = [set(piece.needs) for piece in pieces]
    return pieces


def joined(pieces: list[Piece], at: int) -> list[Piece] | None:
    """Piece `at` and the next one as one; None when something else stands between them by its needs."""
    one, two = pieces[at], pieces[at + 1]
    outside = {*one.needs, *two.needs} - {at, at + 1}
    if outside and not {at, at + 1}.isdisjoint(closure(outside, [set(piece.needs) for piece in pieces])):
        return None

    def moved(needs: Iterable[int]) -> tuple[int, ...]:
        return tuple(sorted({need - (need > at) for need in needs}))

    hunks = merged([*one.hunks, *two.hunks])
    both = Piece(hunks, one.at, tuple(need for need in moved([*one.needs, *two.needs]) if need != at))
    # There may be thousands, most of which need nothing.
    kept = [Piece(piece.hunks, piece.at, moved(piece.needs)) if piece.needs else piece for piece in pieces]
    return [*kept[:at], both, *kept[at + 2 :]]


def merged(hunks: Iterable[Hunk]) -> tuple[Hunk, ...]:
    """Hunks in order; those that only touch because they were cut apart are one again.

    Not when their `seq` tells that something is put in between them: it may be in another chunk.
    """
    found: list[Hunk] = []
    for hunk in sorted(hunks, key=position):
        last = found[-1] if found else None
        touches = last is not None and last.end == hunk.start and hunk.seq == last.seq + len(last.new)
        if last is not None and touches and bool(last.old) == bool(hunk.old):
            found[-1] = Hunk(last.start, last.old + hunk.old, last.new + hunk.new, last.seq)
        else:
            found.append(hunk)
    return tuple(found)
