"""The Anthropic Messages wire: reads typed blocks, keeps them verbatim, ends calls only after a good stop reason.

Thinking blocks with their signatures go back unchanged. Unknown events, deltas and blocks are passed over or
kept as they came.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from agent.core.dialog import (
    Done,
    Fault,
    FaultKind,
    RawItems,
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
from agent.llm.presets import WireName
from agent.llm.secret import Secret
from agent.llm.transport import faults, loose
from agent.llm.transport.sse import Malformed
from agent.llm.wires.ids import taken_ids, usable_id
from agent.llm.wires.messages_request import build_body
from agent.llm.wires.relax import refused_field

VERSION = "2026-10-21"
OLD_VERSION = "2023-06-01"
DROPPABLE = ("eager_input_streaming", "strict", "disable_parallel_tool_use", "thinking", "cache_control")

_STOPS = {
    "end_turn": Stop.END,
    "stop_sequence": Stop.END,
    "tool_use": Stop.TOOL,
    "max_tokens": Stop.LENGTH,
    "pause_turn": Stop.PAUSE,
    "refusal": Stop.REFUSAL,
    "model_context_window_exceeded": Stop.CONTEXT,
}
_GOOD = (Stop.END, Stop.TOOL, Stop.PAUSE)


class MessagesWire:
    """Anthropic Messages for one model; implements `client.Wire`. `bearer`: the key is a token, not an API key."""

    def __init__(self, model: str, *, bearer: bool = False, version: str = VERSION) -> None:
        self.model = model
        self._bearer = bearer
        self._version = version
        self._dropped: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return WireName.MESSAGES

    @property
    def path(self) -> str:
        return "/v1/messages"

    def headers(self, key: Secret) -> dict[str, str]:
        version = {"anthropic-version": self._version}
        if not key:
            return version
        if self._bearer:
            return {**version, "authorization": f"Bearer {key.reveal()}"}
        return {**version, "x-api-key": key.reveal()}

    def body(self, request: Request) -> dict[str, Any]:
        return build_body(request, self.model, self._dropped)

    def reader(self, request: Request) -> MessagesReader:
        return MessagesReader(self.model, taken_ids(request.history))

    def relax(self, fault: Fault) -> bool:
        """Go back to the old API version, or leave out a field, when the server says that it knows neither."""
        if "anthropic-version" in fault.message and self._version != OLD_VERSION:
            self._version = OLD_VERSION
            return True
        name = refused_field(fault, DROPPABLE, self._dropped)
        self._dropped |= {name} if name else frozenset()
        return bool(name)


class _Block(msgspec.Struct):
    """A content block while it is being sent: as it started, and its pieces by field."""

    start: loose.Object
    id: str = ""
    parts: dict[str, list[str]] = msgspec.field(default_factory=dict)
    citations: list[Any] = msgspec.field(default_factory=list)
    closed: bool = False

    @property
    def is_call(self) -> bool:
        return self.start.get("type") == "tool_use"

    @property
    def args_json(self) -> str:
        joined = "".join(self.parts.get("partial_json", ()))
        given = self.start.get("input")
        return json.dumps(given) if not joined and given else joined

    def whole(self) -> loose.Object:
        """The block as it goes back."""
        fields: loose.Object = {
            name: loose.text(self.start.get(name)) + "".join(parts)
            for name, parts in self.parts.items()
            if name != "partial_json"
        }
        if self.is_call:
            fields["input"] = loose.arguments(self.args_json)
        return {**self.start, **fields, **({"citations": self.citations} if self.citations else {})}


_DELTAS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}


class MessagesReader:
    """One reply, event by event."""

    def __init__(self, model: str, taken: set[str]) -> None:
        self._model = model
        self._taken = taken
        self._blocks: dict[int, _Block] = {}
        self._stop = ""
        self._detail = ""
        self._over = False
        self._usage: loose.Object = {}

    @property
    def usage(self) -> Usage:
        return usage_of(self._usage)

    def feed(self, data: str) -> Iterator[StreamEvent]:
        """The events in one event's data; Done at `message_stop`. Raises Malformed."""
        if self._over:
            return
        try:
            event = loose.obj(loose.parse(data))
        except ValueError:
            raise Malformed(_broken("the server sent an event that is no JSON")) from None
        at = loose.index(event.get("index"))
        match event.get("type"):
            case "message_start":
                self._count(loose.obj(event.get("message")).get("usage"))
            case "content_block_start" if at is not None:
                yield from self._start(at, loose.obj(event.get("content_block")))
            case "content_block_delta" if at is not None:
                yield from self._delta(at, loose.obj(event.get("delta")))
            case "content_block_stop" if at in self._blocks:
                self._blocks[at].closed = True
            case "message_delta":
                self._message_delta(event)
            case "message_stop":
                yield from self._close()
            case _:
                if faults.has_error(event):
                    raise Malformed(faults.from_error(event, "the server"))

    def _count(self, usage: object) -> None:
        self._usage |= {name: value for name, value in loose.obj(usage).items() if value is not None}

    def _start(self, at: int, start: loose.Object) -> Iterator[StreamEvent]:
        if at in self._blocks:
            raise Malformed(_broken("the server started one block twice"))
        block = self._blocks[at] = _Block(start)
        if block.is_call:
            block.id = usable_id(loose.text(start.get("id")), self._taken)
            self._taken = self._taken | {block.id}
            yield ToolCallStart(block.id, loose.text(start.get("name")))
        if text := loose.text(start.get("text")):
            yield TextDelta(text)
        if thought := loose.text(start.get("thinking")):
            yield ReasoningDelta(thought)

    def _delta(self, at: int, delta: loose.Object) -> Iterator[StreamEvent]:
        block = self._blocks.get(at)
        if block is None or block.closed:
            raise Malformed(_broken("the server sent a piece of a block that is not open"))
        if delta.get("type") == "citations_delta":
            block.citations.append(delta.get("citation"))
        field = _DELTAS.get(loose.text(delta.get("type")), "")
        part = loose.text(delta.get(field)) if field else ""
        if not part:
            return
        block.parts.setdefault(field, []).append(part)
        match field:
            case "text":
                yield TextDelta(part)
            case "thinking":
                yield ReasoningDelta(part)
            case "partial_json" if block.is_call:
                yield ToolArgsDelta(block.id, part)

    def _message_delta(self, event: loose.Object) -> None:
        self._count(event.get("usage"))
        delta = loose.obj(event.get("delta"))
        self._stop = loose.text(delta.get("stop_reason")) or self._stop
        details = loose.obj(delta.get("stop_details"))
        words = (details.get("category"), details.get("explanation"))
        self._detail = ": ".join(filter(None, map(loose.text, words))) or self._detail

    def end(self, framed: bool) -> Iterator[StreamEvent]:
        """Without `message_stop` a reply is cut, however its body ended."""
        return iter(())

    def _close(self) -> Iterator[StreamEvent]:
        self._over = True
        calls = [block for _, block in sorted(self._blocks.items()) if block.is_call]
        stop = _STOPS.get(self._stop, Stop.END)
        if not self._stop or (calls and self._stop not in _STOPS):
            raise Malformed(_broken(f"the reply ended without a known reason ({self._stop!r})"))
        if calls and stop in (Stop.END, Stop.PAUSE):
            stop = Stop.TOOL
        ends = _ends(calls) if stop is Stop.TOOL else []
        yield self.usage
        yield from ends
        raw = self._raw() if stop in _GOOD and all(block.closed for block in self._blocks.values()) else None
        yield Done(stop, raw, self._detail or ("" if self._stop in _STOPS else self._stop))

    def _raw(self) -> RawItems:
        blocks = [block.whole() for _, block in sorted(self._blocks.items())]
        return RawItems(WireName.MESSAGES, self._model, json.dumps(blocks))


def _ends(calls: list[_Block]) -> list[ToolCallEnd]:
    """The finished calls. Raises Malformed when one of them cannot be trusted."""
    ids = [loose.text(block.start.get("id")) for block in calls]
    if len(set(ids)) < len(ids):
        raise Malformed(_broken("the server sent two tool calls with one id"))
    for block in calls:
        name = loose.text(block.start.get("name"))
        problem = loose.arguments_problem(block.args_json)
        if not name or not block.closed or problem:
            raise Malformed(
                _broken(f"a call of {name or 'nothing'} is not whole: its arguments {problem or 'are cut'}")
            )
    return [ToolCallEnd(block.id, loose.text(block.start.get("name")), block.args_json) for block in calls]


def usage_of(value: loose.Object) -> Usage:
    """Anthropic's usage: `input_tokens` are the uncached ones only."""
    read = loose.count(value.get("cache_read_input_tokens"))
    written = loose.count(value.get("cache_creation_input_tokens"))
    thought = loose.obj(value.get("output_tokens_details"))
    return Usage(
        input_total=loose.count(value.get("input_tokens")) + read + written,
        cached_read=read,
        cache_write=written,
        output=loose.count(value.get("output_tokens")),
        reasoning=loose.count(thought.get("thinking_tokens")),
    )


def _broken(message: str) -> Fault:
    return Fault(FaultKind.SERVER, message, "nothing of this reply is used; say it again", retryable=True)
