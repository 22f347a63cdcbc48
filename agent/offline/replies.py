"""Streams what a built-in peer says as a provider would: text in pieces, calls with their arguments in fragments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from agent.core.dialog import (
    Done,
    Fault,
    FaultKind,
    Stop,
    StreamEvent,
    TextDelta,
    ToolArgsDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from agent.ports import Cancel

PIECE_CHARS = 12


class Say(msgspec.Struct, frozen=True):
    text: str


class Call(msgspec.Struct, frozen=True):
    """A tool call of a built-in peer; `arguments` in the order in which they are to be written."""

    id: str
    name: str
    arguments: dict[str, Any]


def stream(parts: Iterable[Say | Call], cancel: Cancel, pace_seconds: float = 0.0) -> Iterator[StreamEvent]:
    """One reply made of `parts`, with a pause of `pace_seconds` after each piece. Each `Say` is a paragraph."""
    called = spoken = False
    for part in parts:
        if isinstance(part, Say):
            if spoken and part.text:
                yield TextDelta("\n\n")
            spoken = spoken or bool(part.text)
        for event in _pieces(part):
            if cancel.cancelled or (pace_seconds and cancel.wait(pace_seconds)):
                yield Fault(FaultKind.CANCELLED, "stopped")
                return
            yield event
        called = called or isinstance(part, Call)
    if cancel.cancelled:
        yield Fault(FaultKind.CANCELLED, "stopped")
        return
    yield Usage()
    yield Done(Stop.TOOL if called else Stop.END)


def _pieces(part: Say | Call) -> Iterator[StreamEvent]:
    match part:
        case Say(text=text):
            for at in range(0, len(text), PIECE_CHARS):
                yield TextDelta(text[at : at + PIECE_CHARS])
        case Call(id=id, name=name, arguments=arguments):
            text = json.dumps(arguments, ensure_ascii=False)
            yield ToolCallStart(id, name)
            for at in range(0, len(text), PIECE_CHARS):
                yield ToolArgsDelta(id, text[at : at + PIECE_CHARS])
            yield ToolCallEnd(id, name, text)
