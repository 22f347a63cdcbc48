"""Reads and cuts a diff in a thread, so that the beginning of a large one is reviewed while the rest is cut."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from threading import Event, Thread

from agent.review.script import Opened

HEAD_START = 0.25
"""Seconds in which the first card is drawn before the rest is cut: Python runs one thread at a time."""

SWITCH = 0.0005
"""Seconds after which a thread that cuts lets others run: a key waits for several of these, usually of 0.005."""

GIVE_UP = 0.3
"""Seconds that the end of the program waits for the thread."""

First = Callable[[Opened], None]
Deliver = Callable[[Opened, Opened | Exception], None]
"""Called in the thread with the beginning of a stack and the whole, or what was raised instead."""


class Reading:
    """`read` gives the whole stack, and the beginning of a large one to what it is called with before that."""

    def __init__(self, read: Callable[[First], Opened], deliver: Deliver) -> None:
        self._read = read
        self._deliver = deliver
        self._first: queue.SimpleQueue[Opened | BaseException] = queue.SimpleQueue()
        self._beginning: Opened | None = None
        self._left = Event()
        self._thread = Thread(target=self._work, name="reading", daemon=True)

    def begin(self) -> Opened:
        """Start, and wait for what can be reviewed first: the beginning, or all of it. Raises what reading raises."""
        self._thread.start()
        first = self._first.get()
        if isinstance(first, BaseException):
            raise first
        return first

    @property
    def has_begun(self) -> bool:
        """Only the beginning was handed out; the whole is delivered later."""
        return self._beginning is not None

    def leave(self) -> None:
        """Nobody waits for the rest any more: it is given up at the next file."""
        self._left.set()

    def close(self) -> None:
        """Leave, and wait a moment, so that nothing runs any more when the program ends."""
        self.leave()
        if self._thread.ident is not None:
            self._thread.join(GIVE_UP)

    @property
    def is_left(self) -> bool:
        return self._left.is_set()

    def _work(self) -> None:
        usual = sys.getswitchinterval()
        try:
            whole: Opened | BaseException = self._read(self._hand_out)
        except BaseException as error:  # noqa: BLE001 - the one at the top of this thread; raised in another
            whole = error
        sys.setswitchinterval(usual)
        if self._beginning is None:
            self._first.put(whole)
        elif not self.is_left and isinstance(whole, Opened | Exception):
            self._deliver(self._beginning, whole)

    def _hand_out(self, beginning: Opened) -> None:
        self._beginning = beginning
        self._first.put(beginning)
        self._left.wait(HEAD_START)
        sys.setswitchinterval(SWITCH)
