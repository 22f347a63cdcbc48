"""Keys that come too early: the grace after a drawing, and bursts of typing that are meant for something else.

Promise: once a key was dropped, everything typed behind it is dropped as well, until the typing pauses. So the
letters of a reason, whose `n` was not taken, decide nothing; nor do those of one that begins when its line has just
closed. It knows no keys and no card.

Timers, not clock times: what was typed while a slow drawing kept the loop is read before a timer that is due fires.
"""

from __future__ import annotations

import asyncio

from agent.core.clean import clean
from agent.ui.application import Timing

TOO_EARLY = clean("too early: not taken")


class Haste:
    """One for all cards and questions of a terminal: a burst may go on from one to the next."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._grace: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._late: asyncio.TimerHandle | None = None

    @property
    def early(self) -> bool:
        """Nothing can be decided yet."""
        return self._grace is not None or self._pause is not None or self._late is not None

    @property
    def burst(self) -> bool:
        """A key was dropped, and the typing has not paused since."""
        return self._pause is not None

    def drawn(self) -> None:
        """There is something new to look at: decisions wait for a grace."""
        if self._grace is not None:
            self._grace.cancel()
        self._grace = asyncio.get_running_loop().call_later(self._timing.grace_seconds, self._end_grace)

    def closed(self) -> None:
        """An input line closed because nothing was typed into it: what is typed now may be meant for it still."""
        if self._late is not None:
            self._late.cancel()
        self._late = asyncio.get_running_loop().call_later(self._timing.reason_seconds / 2, self._end_late)

    def dropped(self) -> None:
        """A key was not taken, or did nothing: what is typed behind it without a pause belongs to it."""
        if self._pause is not None:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(self._timing.pause_seconds, self._end_pause)

    def takes(self, key: str, *, waits: bool, looks: bool = False) -> bool:
        """Whether a key counts now. One that does not, but may be of a word, begins a burst or goes on with it.

        `waits`: nothing is taken at the moment. `looks`: the key decides nothing, and needs no grace; but none counts that
        is typed in a burst.
        """
        if not waits and not self.burst and (looks or not self.early):
            return True
        if self.burst or key.isprintable():
            self.dropped()
        return False

    def _end_grace(self) -> None:
        self._grace = None

    def _end_pause(self) -> None:
        self._pause = None

    def _end_late(self) -> None:
        self._late = None
