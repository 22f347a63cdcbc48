"""The OpenAI Responses wire: reads typed items, keeps them verbatim, ends calls only when the response completed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

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
from agent.llm.wires.relax import refused_field
from agent.llm.wires.responses_request import build_body

DROPPABLE = (
    "stream_options",
    "prompt_cache_key",
    "parallel_tool_calls",
    "include",
    "reasoning",
    "strict",
    "store",
)

_INCOMPLETE = {
    "max_output_tokens": Stop.LENGTH,
    "max_messages": Stop.LENGTH,
    "content_filter": Stop.REFUSAL,
}


class ResponsesWire:
    """OpenAI Responses for one model; implements `client.Wire`."""

    def __init__(self, model: str) -> None:
        self.model = model
        self._dropped: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return WireName.RESPONSES

    @property
    def path(self) -> str:
        return "/responses"

    def headers(self, key: Secret) -> dict[str, str]:
        return {"authorization": f"Bearer {key.reveal()}"} if key else {}

    def body(self, request: Request) -> dict[str, Any]:
        return build_body(request, self.model, self._dropped)

    def reader(self, request: Request) -> ResponsesReader:
        return ResponsesReader(self.model, taken_ids(request.history))

    def relax(self, fault: Fault) -> bool:
        """Leave out a field that the server named as unknown."""
        name = refused_field(fault, DROPPABLE, self._dropped)
        self._dropped |= {name} if name else frozenset()
        return bool(name)


class ResponsesReader:
    """One response, event by event. Items are keyed by their place in the output."""

    def __init__(self, model: str, taken: set[str]) -> None:
        self._model = model
        self._taken = taken
        self._ids: dict[int, str] = {}
        """Our ids of the calls."""
        self._places: dict[str, int] = {}
        self._done: dict[int, loose.Object] = {}
        self._open: set[int] = set()
        self._streamed: set[int] = set()
        self._refused = False
        self._over = False
        self._usage = Usage()

    @property
    def usage(self) -> Usage:
        return self._usage

    def feed(self, data: str) -> Iterator[StreamEvent]:
        """The events in one event's data; Done at a terminal event. Raises Malformed."""
        if self._over or data.strip() == "[DONE]":
            return
        try:
            event = loose.obj(loose.parse(data))
        except ValueError:
            raise Malformed(_broken("the server sent an event that is no JSON")) from None
        kind = loose.text(event.get("type"))
        at = self._place(event)
        match kind:
            case "response.output_item.added":
                yield from self._added(at, loose.obj(event.get("item")))
            case "response.output_item.done":
                yield from self._finished(at, loose.obj(event.get("item")))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                yield from self._close(kind.removeprefix("response."), loose.obj(event.get("response")))
            case "error":
                raise Malformed(faults.from_error(event, "the server"))
            case _ if not kind and faults.has_error(event):
                raise Malformed(faults.from_error(event, "the server"))
            case _:
                yield from self._delta(kind, at, event)

    def _place(self, event: loose.Object) -> int:
        """The item's place in the output. llama.cpp sends no `output_index`: there the item's id tells them apart."""
        at = loose.index(event.get("output_index"))
        if at is not None:
            return at
        item_id = loose.text(event.get("item_id")) or loose.text(loose.obj(event.get("item")).get("id"))
        return self._places.setdefault(item_id, len(self._places))

    def _delta(self, kind: str, at: int, event: loose.Object) -> Iterator[StreamEvent]:
        part = loose.text(event.get("delta"))
        match kind:
            case "response.output_text.delta" | "response.refusal.delta" if part:
                # Several messages in one response (commentary, then the answer) are paragraphs of one text.
                if at not in self._streamed and self._streamed:
                    part = f"\n\n{part}"
                self._streamed.add(at)
                yield TextDelta(part)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" if part:
                yield ReasoningDelta(part)
            case "response.reasoning_summary_part.added" if event.get("summary_index"):
                yield ReasoningDelta("\n\n")
            case "response.function_call_arguments.delta" if part and at in self._ids:
                yield ToolArgsDelta(self._ids[at], part)

    def _added(self, at: int, item: loose.Object) -> Iterator[StreamEvent]:
        if at in self._open or at in self._done:
            raise Malformed(_broken("the server started one item twice"))
        self._open.add(at)
        yield from self._called(at, item)

    def _called(self, at: int, item: loose.Object) -> Iterator[StreamEvent]:
        if item.get("type") == "function_call" and at not in self._ids:
            self._ids[at] = usable_id(loose.text(item.get("call_id")), self._taken)
            self._taken = self._taken | {self._ids[at]}
            yield ToolCallStart(self._ids[at], loose.text(item.get("name")))

    def _finished(self, at: int, item: loose.Object) -> Iterator[StreamEvent]:
        if at in self._done:
            raise Malformed(_broken("the server finished one item twice"))
        if at not in self._open:
            yield from self._added(at, item)
        yield from self._called(at, item)
        self._open.discard(at)
        self._done[at] = item
        if item.get("type") == "message":
            parts = [loose.obj(part) for part in loose.array(item.get("content"))]
            self._refused = self._refused or any(part.get("type") == "refusal" for part in parts)
            said = "".join(loose.text(part.get("text")) or loose.text(part.get("refusal")) for part in parts)
            if said and at not in self._streamed:
                yield from self._delta("response.output_text.delta", at, {"delta": said})

    def end(self, framed: bool) -> Iterator[StreamEvent]:
        """Without a terminal event a response is cut, however its body ended."""
        return iter(())

    def _close(self, kind: str, response: loose.Object) -> Iterator[StreamEvent]:
        self._over = True
        self._usage = usage_of(loose.obj(response.get("usage")))
        status = loose.text(response.get("status")) or kind
        if kind in ("failed", "cancelled") or status in ("failed", "cancelled"):
            raise Malformed(_failure(response))
        if kind == "incomplete" or status == "incomplete":
            reason = loose.text(loose.obj(response.get("incomplete_details")).get("reason"))
            yield self._usage
            yield Done(_INCOMPLETE.get(reason, Stop.LENGTH), None, "" if reason in _INCOMPLETE else reason)
            return
        if not self._done:
            for at, item in enumerate(loose.array(response.get("output"))):
                yield from self._finished(at, loose.obj(item))
        if self._open:
            raise Malformed(_broken("the response completed with an item that is not whole"))
        ends = [] if self._refused else self._ends()
        yield self._usage
        yield from ends
        stop = Stop.REFUSAL if self._refused else Stop.TOOL if ends else Stop.END
        yield Done(stop, None if self._refused else self._raw())

    def _ends(self) -> list[ToolCallEnd]:
        """The finished calls. Raises Malformed when one of them cannot be trusted."""
        calls = [(at, item) for at, item in sorted(self._done.items()) if item.get("type") == "function_call"]
        ids = [loose.text(item.get("call_id")) for _, item in calls]
        if len(set(ids)) < len(ids):
            raise Malformed(_broken("the server sent two tool calls with one id"))
        ends: list[ToolCallEnd] = []
        for at, item in calls:
            name, arguments = loose.text(item.get("name")), loose.text(item.get("arguments"))
            problem = loose.arguments_problem(arguments)
            if item.get("status") == "incomplete":
                problem = "are cut"
            if not name or not item.get("call_id") or problem:
                raise Malformed(
                    _broken(f"a call of {name or 'nothing'} is not whole: its arguments {problem}")
                )
            ends.append(ToolCallEnd(self._ids[at], name, arguments))
        return ends

    def _raw(self) -> RawItems:
        items = [item for _, item in sorted(self._done.items())]
        return RawItems(WireName.RESPONSES, self._model, json.dumps(items))


def usage_of(value: loose.Object) -> Usage:
    """Responses' usage; cached tokens are part of `input_tokens`."""
    cached = loose.obj(value.get("input_tokens_details"))
    thought = loose.obj(value.get("output_tokens_details"))
    return Usage(
        input_total=loose.count(value.get("input_tokens")),
        cached_read=loose.count(cached.get("cached_tokens")),
        cache_write=loose.count(cached.get("cache_write_tokens")),
        output=loose.count(value.get("output_tokens")),
        reasoning=loose.count(thought.get("reasoning_tokens")),
    )


def _failure(response: loose.Object) -> Fault:
    error = loose.obj(response.get("error"))
    return faults.from_error({"error": error or {"message": "the response failed"}}, "the server")


def _broken(message: str) -> Fault:
    return Fault(FaultKind.SERVER, message, "nothing of this reply is used; say it again", retryable=True)
