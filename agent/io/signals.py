"""Ctrl-C and polite kills wait until what was begun has been written down.

Only what takes a moment is held like this. A program of the person's that runs meanwhile (`git commit` with its hooks)
gets the signal at once, so that nobody waits for it, and so does what it has started: git itself tells nobody further
down than its hook. At a terminal all of them were hit already, and a second signal would stop what they do to leave
things in order: so only a program that is still there a moment later gets it from us.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from types import FrameType
from typing import Any

from agent.io.family import below

SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
HIT_SECONDS = 0.2
"""So long a program has to end by the signal that the terminal sent it."""

OVER = 0
"""No signal: the program has ended."""

_running: list[SimpleQueue[int]] = []
"""One for each program, to which the signals for it are put: that is safe in a signal handler."""


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Signals are passed on to programs that are `forwarded`, and come when the block has ended. In the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        pass_on(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    heeded = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in heeded:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def pass_on(number: int) -> None:
    """Send a signal to all programs that are `forwarded`, and to what they have started."""
    for wanted in tuple(_running):
        wanted.put(number)


@contextlib.contextmanager
def forwarded(program: subprocess.Popen[Any]) -> Iterator[None]:
    """Signals that are held or passed on meanwhile reach this program."""
    wanted: SimpleQueue[int] = SimpleQueue()
    thread = threading.Thread(target=_deliver, args=(program, wanted), name="signals", daemon=True)
    thread.start()
    _running.append(wanted)
    try:
        yield
    finally:
        _running.remove(wanted)
        wanted.put(OVER)
        thread.join()


def _deliver(program: subprocess.Popen[Any], wanted: SimpleQueue[int]) -> None:
    while (number := wanted.get()) != OVER:
        try:
            program.wait(HIT_SECONDS)
        except subprocess.TimeoutExpired:
            # Asked before: the children of a program that ended are nobody's.
            family = list(below(program.pid))
            # From the top down: a hook whose last command was ended first would seem to have done its work.
            program.send_signal(number)
            for pid in family:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
