"""Runs one session: the frontend in the main thread, the driver in its own, and what both are made of.

The frontend shows the prompt before the model, git and the journal are opened; what is typed meanwhile waits in
the inbox. An error of the driver's thread ends the frontend and is raised here.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import msgspec

from agent.cli.faults import keep_fault
from agent.cli.workbench import Workbench, on_standard_error
from agent.core.clean import clean
from agent.core.errors import Exit
from agent.core.frontend import Say
from agent.core.sessions.session import State
from agent.loop.summary import summary

if TYPE_CHECKING:
    from agent.cli.wanted import Wanted
    from agent.loop.driver import Driver
    from agent.ui.early import Early


TOUR_START = "Show me how you work."
Build = Callable[[Workbench, Any, "queue.SimpleQueue[Any]"], "Driver"]


def run_session(wanted: Wanted, early: Early | None = None) -> int:
    """A session with a model, or with the offline pair when none is set up."""

    def build(bench: Workbench, frontend: Any, inbox: queue.SimpleQueue[Any]) -> Driver:
        from agent.cli.wire import model_driver

        return model_driver(bench, frontend, inbox, wanted)

    tell = early.tell if early else on_standard_error
    return run(Workbench.open(Path.cwd(), tell=tell), build, wanted, early)


def run_tour(wanted: Wanted) -> int:
    """The scripted tour, in a throw-away repository and with a state folder that goes with it."""
    from agent.offline.tour import prepare_tour

    with prepare_tour() as (root, state):

        def build(bench: Workbench, frontend: Any, inbox: queue.SimpleQueue[Any]) -> Driver:
            from agent.cli.wire import tour_driver

            return tour_driver(bench, frontend, inbox)

        bench = Workbench.open(root, state=state)
        return run(bench, build, msgspec.structs.replace(wanted, first=wanted.first or TOUR_START))


def run(bench: Workbench, build: Build, wanted: Wanted, early: Early | None = None) -> int:
    """The frontend here, the driver in a thread; returns the exit code."""
    from agent.cli.frontends import make_frontend

    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    frontend = make_frontend(bench, inbox.put, wanted, early)
    if wanted.first:
        inbox.put(Say(wanted.first))
    outcome: Future[State] = Future()

    def drive() -> None:
        try:
            driver = build(bench, frontend, inbox)
            outcome.set_result(driver.run())
        except BaseException as error:  # noqa: BLE001 - the one at the top of this thread; raised again below
            outcome.set_exception(error)
        finally:
            frontend.close()

    threading.excepthook = lambda fault: keep_fault(fault.exc_value)
    Thread(target=drive, name="driver", daemon=True).start()
    code = frontend.run()
    try:
        state = outcome.result()
    finally:
        bench.close()
    if not wanted.jsonl:
        lines = summary(state, resumable=state.source != "tour")
        try:
            sys.stdout.write("".join(f"{clean(line)}\n" for line in lines))
            sys.stdout.flush()
        except OSError:  # the terminal was closed: there is nobody to tell
            with contextlib.suppress(OSError):
                sys.stdout.close()
    return code if code is not None else int(Exit.DONE)
