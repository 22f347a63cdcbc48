"""A whole session over a real repository: scripted model, scripted person, everything between them real."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from agent.cli.wire import make_driver
from agent.cli.workbench import Workbench
from agent.core.dialog import (
    Done,
    Fault,
    Protocol,
    Request,
    Stop,
    StreamEvent,
    TextDelta,
    ToolArgsDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from agent.core.sessions.session import State
from agent.loop.driver import Driver
from agent.ports import Cancel
from tests.support.people import Act, Person

Reply = Callable[[Request], Iterable[StreamEvent]]


def text(words: str) -> Reply:
    return lambda request: [TextDelta(words), Usage(100, 0, 0, 10, 0), Done(Stop.END)]


def call(name: str, /, **arguments: Any) -> Reply:
    """One tool call, its arguments in pieces of seven characters."""

    def stream(request: Request) -> Iterator[StreamEvent]:
        number = f"call-{len(request.history)}"
        whole = json.dumps(arguments)
        yield ToolCallStart(number, name)
        for at in range(0, len(whole), 7):
            yield ToolArgsDelta(number, whole[at : at + 7])
        yield ToolCallEnd(number, name, whole)
        yield Usage(100, 50, 0, 10, 0)
        yield Done(Stop.TOOL)

    return stream


def propose(*edits: dict[str, Any], why: str = "it is wrong", title: str = "Mend it", **more: Any) -> Reply:
    full = [{"because": "needed", **edit} for edit in edits]
    said = {"assumes": [], "risks": [], "quotes": [], "serves": "", **more}
    return call("propose", why=why, title=title, edits=full, **said)


def fault(event: Fault) -> Reply:
    return lambda request: [event]


class Script:
    """A model that gives `replies` one after another, then says that it is done. Keeps the requests."""

    def __init__(
        self, *replies: Reply, protocol: Protocol = Protocol.TOOLS, window: int | None = None
    ) -> None:
        self._replies = iter(replies)
        self.requests: list[Request] = []
        self.name = "scripted/test"
        self.protocol = protocol
        self.context_tokens = window

    def stream(self, request: Request, cancel: Cancel) -> Iterator[StreamEvent]:
        self.requests.append(request)
        reply = next(self._replies, None) or text("That is all.")
        yield from reply(request)

    def said(self, number: int) -> str:
        """Everything that request `number` added for the model to read, as one text."""
        before = len(self.requests[number - 1].history) if number else 0
        return "\n".join(str(message) for message in self.requests[number].history[before:])


class Played:
    def __init__(self, state: State, person: Person, model: Script, bench: Workbench) -> None:
        self.state = state
        self.person = person
        self.model = model
        self.bench = bench


def play(
    root: Path,
    model: Script,
    *script: Act,
    resume: str = "",
    source: str = "model",
    after_write: Callable[[Driver, str], None] | None = None,
) -> Played:
    """A whole session; returns when it has ended."""
    bench = Workbench.open(root)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    person = Person(inbox, script)
    driver = make_driver(bench, person, inbox, model, source=source, resume=resume)
    if after_write is not None:
        driver.parts.after_write = after_write
    state = driver.run()
    driver.parts.journal.close()
    bench.repo.close()
    return Played(state, person, model, bench)
