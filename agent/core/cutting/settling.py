"""An order of the changes of one file in which it always parses, as far as there is one.

What only parses together comes out together, within the hard limit. Whether a state parses, `soundness` knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from agent.core.cutting.regions import Spans
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
        self.unseen: list[int] = []
        """Members of which there was no time left to see whether the file parses after them."""

    def order(self, wanted: Sequence[int]) -> list[tuple[int, ...]]:
        """All of `wanted`, in this order as far as can be; `needs` are obeyed.

        An order that leads nowhere is given up for that of the members' numbers, by which they were made.
        """
        found = self._order(wanted)
        if (self.forced or self.checker.spent) and list(wanted) != sorted(wanted):
            forced, self.forced, self.unseen = self.forced, [], []
            again = self._order(sorted(wanted))
            if self.checker.spent or len(self.forced) < len(forced):
                return again
            self.forced = forced
        return found

    def _order(self, wanted: Sequence[int]) -> list[tuple[int, ...]]:
        waiting = dict.fromkeys(wanted)
        found: list[tuple[int, ...]] = []
        applied = self.checker.spans()
        while waiting:
            if self.checker.spent:
                chosen: tuple[int, ...] = (next(self._free(waiting)),)
                self.unseen += chosen
            else:
                chosen = self._one(waiting, applied) or self._several(waiting, applied)
            if not chosen:
                chosen = (min(self._free(waiting), key=lambda member: position(self.hunks[member][0])),)
                self.forced += chosen
            found.append(chosen)
            for member in chosen:
                del waiting[member]
            applied = applied.plus(hunk for member in chosen for hunk in self.hunks[member])
        return found

    def _free(self, waiting: Collection[int]) -> Iterator[int]:
        """Those that need nothing that still waits."""
        return (member for member in waiting if not any(need in waiting for need in self.needs[member]))

    def _one(self, waiting: Collection[int], applied: Spans) -> tuple[int, ...]:
        for member in self._free(waiting):
            if self.checker.sound_in(applied.plus(self.hunks[member]), self.hunks[member]):
                return (member,)
        return ()

    def _several(self, waiting: Collection[int], applied: Spans) -> tuple[int, ...]:
        """Neighbours in the file after which together it parses, within the hard limit; else none."""
        ordered = sorted(waiting, key=lambda member: position(self.hunks[member][0]))
        for width in range(2, MAX_WINDOW + 1):
            for start in range(len(ordered) - width + 1):
                window = ordered[start : start + width]
                hunks = [hunk for member in window for hunk in self.hunks[member]]
                if sum(hunk.changed for hunk in hunks) > self.hard_lines:
                    continue
                if any(
                    need in waiting and need not in window for member in window for need in self.needs[member]
                ):
                    continue
                if self.checker.sound_in(applied.plus(hunks), hunks):
                    return tuple(window)
        return ()
