"""Ctrl-C and polite kills wait until what was begun has been written down.

Only what takes a moment is held like this. A program of the person's that runs meanwhile (`git commit` with its hooks)
gets the signal at once, so that nobody waits for it.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_running: list[subprocess.Popen[Any]] = []


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
    """Send a signal to all programs that are `forwarded`."""
    for program in _running:
        program.send_signal(number)


@contextlib.contextmanager
def forwarded(program: subprocess.Popen[Any]) -> Iterator[None]:
    """Signals that are held or passed on meanwhile reach this program."""
    _running.append(program)
    try:
        yield
    finally:
        _running.remove(program)
