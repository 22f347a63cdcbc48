"""Runs what a command of the person's sets off beside the driver, which goes on listening: Ctrl-C reaches what runs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from agent.core.frontend import HANG_UP, Interrupt, Quit, WorkOffer

if TYPE_CHECKING:
    from agent.loop.driver import Driver

T = TypeVar("T")
SHOWN_AFTER_SECONDS = 0.3
"""What takes less is not shown as work: the screen would only flicker."""


def beside(driver: Driver, label: str, work: Callable[[], T], stop: Callable[[], None]) -> tuple[T, bool]:
    """What `work` gives, and whether it was stopped: Ctrl-C and a closed terminal call `stop`, as often as they come.

    All other input waits until `work` is over. What `work` raises is raised.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            outcome.set_exception(error)
        finally:
            driver.inbox.put(outcome)

    threading.Thread(target=run, name=label, daemon=True).start()
    kept: list[Any] = []
    stopped = False
    until = time.monotonic() + SHOWN_AFTER_SECONDS
    while True:
        try:
            thing = driver.inbox.get(timeout=max(0.0, until - time.monotonic()) if until else None)
        except queue.Empty:
            until = 0.0
            driver.offer(WorkOffer(label))
            continue
        if thing is outcome:
            break
        if isinstance(thing, Interrupt) or (isinstance(thing, Quit) and thing.reason == HANG_UP):
            stopped = True
            stop()
        if not isinstance(thing, Interrupt):
            kept.append(thing)
    while not driver.inbox.empty():
        kept.append(driver.inbox.get())
    for thing in kept:
        driver.inbox.put(thing)
    return outcome.result(), stopped
