"""A model that plays a script: for tests and demonstrations, and named as scripted wherever it is shown.

Implements `ports.Model`. Each request takes the next line of the script, a `Line` or a function of the request;
what it says streams in pieces as a provider's would. When the script is over it says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from agent.core.dialog import (
    Done,
    Fault,
    FaultKind,
    Protocol,
    ReasoningDelta,
    Request,
    Stop,
    StreamEvent,
    TextDelta,
    ToolArgsDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from agent.ports import Cancel

NAME = "scripted model"


class Line(msgspec.Struct, frozen=True):
    """One reply. `calls`: name and arguments, as a dict or as raw text; `fault` ends it instead of Done."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any] | str], ...] = ()
    reasoning: str = ""
    usage: Usage = Usage(input_total=100, output=20)
    stop: Stop | None = None
    fault: Fault | None = None


Step = Line | Callable[[Request], Line]

OVER = Line(text="The script is over.")


class ScriptedModel:
    """Plays `script`. `pace_seconds` is the pause after each piece; `requests` are those that were made."""

    def __init__(
        self,
        script: Sequence[Step],
        *,
        name: str = NAME,
        protocol: Protocol = Protocol.TOOLS,
        context_tokens: int | None = None,
        pace_seconds: float = 0.0,
        piece_chars: int = 12,
    ) -> None:
        self.requests: list[Request] = []
        self._script = list(script)
        self._name = name
        self._protocol = protocol
        self._context_tokens = context_tokens
        self._pace = pace_seconds
        self._piece = piece_chars

    @property
    def name(self) -> str:
        return self._name

    @property
    def protocol(self) -> Protocol:
        return self._protocol

    @property
    def context_tokens(self) -> int | None:
        return self._context_tokens

    def stream(self, request: Request, cancel: Cancel) -> Iterator[StreamEvent]:
        """The next reply of the script."""
        number = len(self.requests)
        self.requests.append(request)
        step = self._script[number] if number < len(self._script) else OVER
        line = step(request) if callable(step) else step
        for event in self._events(line, number):
            if cancel.cancelled or (self._pace and cancel.wait(self._pace)):
                yield Fault(FaultKind.CANCELLED, "cancelled")
                return
            yield event

    def _events(self, line: Line, number: int) -> Iterator[StreamEvent]:
        for part in self._pieces(line.reasoning):
            yield ReasoningDelta(part)
        for part in self._pieces(line.text):
            yield TextDelta(part)
        ends: list[ToolCallEnd] = []
        for position, (name, arguments) in enumerate(line.calls):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            end = ToolCallEnd(f"scripted_{number}_{position}", name, text)
            yield ToolCallStart(end.id, name)
            for part in self._pieces(text):
                yield ToolArgsDelta(end.id, part)
            ends.append(end)
        yield line.usage
        if line.fault is not None:
            yield line.fault
            return
        stop = line.stop or (Stop.TOOL if ends else Stop.END)
        if stop in (Stop.END, Stop.TOOL):
            yield from ends
        yield Done(stop)

    def _pieces(self, text: str) -> Iterator[str]:
        for at in range(0, len(text), self._piece):
            yield text[at : at + self._piece]
