"""An order of the changes of one file in which it always parses, as far as there is one.

What only parses together comes out together, within the hard limit. Whether a state parses, `soundness` knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.cutting.soundness import Checker
from agent.core.hunk import Hunk
from agent.core.lines.splice import position

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
        if (self.forced or self.checker.spent) and list(wanted) != sorted(wanted):
            forced, self.forced = self.forced, []
            again = self._order(sorted(wanted))
            if self.checker.spent or len(self.forced) < len(forced):
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
            if self.checker.spent:
                chosen: tuple[int, ...] = (free[0],)
            else:
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
