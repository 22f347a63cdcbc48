"""One request to the model: a worker thread puts its stream on the inbox, `Turn` gathers it into one event.

A reply counts only when it ended in Done; anything else is a failed turn whose calls are forgotten. What was
said until then is kept.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

import jiter
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
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    Waiting,
)
from agent.core.events import Replied, TurnFailed
from agent.core.frontend import ReasoningTick, TextTick, Tick, WhyTick, Working
from agent.core.replies.reply import text_calls
from agent.ports import Cancel, Model

PREVIEW_CHARS = 4000
"""`why` comes first in a proposal: no need to look further than this for the preview."""


class Streamed(msgspec.Struct, frozen=True):
    turn: int
    event: StreamEvent


class StreamEnded(msgspec.Struct, frozen=True):
    turn: int


class Turn:
    """Gathers the stream of request `number`. `feed` gives what to show, `result` the event in the end."""

    def __init__(self, number: int, *, started: float) -> None:
        self.number = number
        self.cancel = Cancel()
        self._started = started
        self._text: list[str] = []
        self._names: dict[str, str] = {}
        self._fragments: dict[str, str] = {}
        self._shown_why = ""
        self._calls: list[ToolCall] = []
        self._usage = Usage()
        self._end: Done | Fault | None = None

    def feed(self, event: StreamEvent) -> Tick | None:
        match event:
            case TextDelta(text=text):
                self._text.append(text)
                return TextTick(text)
            case ReasoningDelta(text=text):
                return ReasoningTick(text)
            case ToolCallStart(id=call_id, name=name):
                self._names[call_id] = name
                return Working("writing a proposal" if name == "propose" else f"calling {name}")
            case ToolArgsDelta():
                return self._preview(event)
            case ToolCallEnd(id=call_id, name=name, args_json=args):
                self._calls.append(ToolCall(call_id, name, args))
                return None
            case Usage():
                self._usage = event
                return None
            case Waiting(seconds=seconds, reason=reason):
                return Working(reason, seconds)
            case Done() | Fault():
                self._end = event
                return None

    def _preview(self, event: ToolArgsDelta) -> Tick | None:
        """The `why` of a proposal while it is being written."""
        held = self._fragments.get(event.id, "")
        if self._names.get(event.id) not in ("propose", "ask") or len(held) > PREVIEW_CHARS:
            return None
        held += event.fragment
        self._fragments[event.id] = held
        try:
            partial: Any = jiter.from_json(held.encode("utf-8", "replace"), partial_mode="trailing-strings")
        except ValueError:
            return None
        why = partial.get("why") or partial.get("text") if isinstance(partial, dict) else None
        if not isinstance(why, str) or why == self._shown_why:
            return None
        self._shown_why = why
        return WhyTick(why)

    def result(self, protocol: Protocol, now: float) -> Replied | TurnFailed:
        """The event of this turn. A stream without an end was cut: nothing of it is acted upon."""
        text = "".join(self._text)
        if self.cancel.cancelled and not isinstance(self._end, Done):
            return TurnFailed(FaultKind.CANCELLED, "stopped by you", text=text, usage=self._usage)
        match self._end:
            case None:
                return TurnFailed(
                    FaultKind.NETWORK,
                    "the reply was cut",
                    "/retry sends the request again",
                    text,
                    self._usage,
                )
            case Fault(kind=kind, message=message, hint=hint):
                return TurnFailed(kind, message, hint, text, self._usage)
            case Done(stop=stop, raw=raw):
                calls = tuple(self._calls)
                if not calls and stop in (Stop.END, Stop.TOOL):
                    calls = text_calls(text, f"text-{self.number}", always=protocol is Protocol.TEXT)
                return Replied(text, calls, stop, self._usage, raw, now - self._started)


def start(model: Model, request: Request, turn: Turn, inbox: queue.SimpleQueue[Any]) -> None:
    """Stream `request` in a thread of its own; the inbox gets Streamed items and one StreamEnded, always."""

    def work() -> None:
        try:
            for event in model.stream(request, turn.cancel):
                inbox.put(Streamed(turn.number, event))
        finally:
            inbox.put(StreamEnded(turn.number))

    threading.Thread(target=work, name=f"model-{turn.number}", daemon=True).start()
