"""The Chat Completions wire, as OpenAI defined it and as the compatible servers bend it.

Reads deltas of text, reasoning and tool calls; keeps what a server wants back (thought signatures, reasoning
details) verbatim. Calls end only after `[DONE]` and a good finish reason, with arguments that are whole JSON.
"""

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
    Usage,
)
from agent.llm.presets import CUSTOM, Preset, WireName
from agent.llm.secret import Secret
from agent.llm.transport import faults, loose
from agent.llm.transport.sse import Malformed
from agent.llm.wires.chat_calls import Calls
from agent.llm.wires.chat_request import REPLAYED, build_body, max_tokens_field
from agent.llm.wires.ids import taken_ids
from agent.llm.wires.relax import refused_field

DROPPABLE = ("stream_options", "parallel_tool_calls", "prompt_cache_key", "strict", *REPLAYED)
_STOPS = {
    "stop": Stop.END,
    "tool_calls": Stop.TOOL,
    "function_call": Stop.TOOL,
    "length": Stop.LENGTH,
    "content_filter": Stop.REFUSAL,
    "refusal": Stop.REFUSAL,
}
_BROKEN = frozenset({"error", "abort", "aborted", "malformed_function_call", "insufficient_system_resource"})


class ChatWire:
    """Chat Completions for one model of one provider; implements `client.Wire`."""

    def __init__(self, model: str, preset: Preset) -> None:
        self.model = model
        self.preset = preset
        self._dropped: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return WireName.CHAT

    @property
    def path(self) -> str:
        return "/chat/completions"

    def headers(self, key: Secret) -> dict[str, str]:
        return {"authorization": f"Bearer {key.reveal()}"} if key else {}

    def body(self, request: Request) -> dict[str, Any]:
        return build_body(request, self.model, self.preset, self._dropped)

    def reader(self, request: Request) -> ChatReader:
        where = "the server" if self.preset is CUSTOM else self.preset.name
        return ChatReader(self.model, where, taken_ids(request.history))

    def relax(self, fault: Fault) -> bool:
        """Leave out a field that the server named as unknown."""
        bound = max_tokens_field(self.preset, frozenset())
        name = refused_field(fault, (*DROPPABLE, bound), self._dropped)
        self._dropped |= {name} if name else frozenset()
        return bool(name)


class ChatReader:
    """One reply, chunk by chunk. `where` names the server in messages."""

    def __init__(self, model: str, where: str, taken: set[str]) -> None:
        self._model = model
        self._where = where
        self._calls = Calls(taken)
        self._message: dict[str, Any] = {"role": "assistant", "content": None}
        self._parts: dict[str, list[str]] = {}
        self._details: list[Any] = []
        self._finish = ""
        self._refused = False
        self._over = False
        self._usage = Usage()

    @property
    def usage(self) -> Usage:
        return self._usage

    def feed(self, data: str) -> Iterator[StreamEvent]:
        """Events of one chunk; Done after `[DONE]`. Raises Malformed."""
        if self._over:
            return
        if data.strip() == "[DONE]":
            yield from self._close()
            return
        try:
            chunk = loose.parse(data)
        except ValueError:
            raise Malformed(_broken(f"{self._where} sent a chunk that is no JSON")) from None
        if faults.has_error(chunk):
            raise Malformed(faults.from_error(chunk, self._where))
        fields = loose.obj(chunk)
        if isinstance(fields.get("usage"), dict):
            self._usage = usage_of(fields["usage"])
        for choice in loose.array(fields.get("choices")):
            # We ask for one answer; of a server that sends several the first counts.
            if not loose.index(loose.obj(choice).get("index")):
                yield from self._choice(loose.obj(choice))

    def _choice(self, choice: loose.Object) -> Iterator[StreamEvent]:
        delta = loose.obj(choice.get("delta"))
        yield from self._reasoning(delta)
        content = delta.get("content")
        if isinstance(content, str):
            self._parts.setdefault("content", []).append(content)
            if content:
                yield TextDelta(content)
        refusal = loose.text(delta.get("refusal"))
        if refusal:
            self._refused = True
            yield TextDelta(refusal)
        yield from self._calls.feed(loose.array(delta.get("tool_calls")))
        if isinstance(delta.get("extra_content"), dict):
            self._message["extra_content"] = delta["extra_content"]
        self._finish = loose.text(choice.get("finish_reason")) or self._finish

    def _reasoning(self, delta: loose.Object) -> Iterator[StreamEvent]:
        """Reasoning under each of its names. Details and text may repeat each other: the text is shown."""
        shown = ""
        for name in ("reasoning_content", "reasoning"):
            part = loose.text(delta.get(name))
            if part:
                self._parts.setdefault(name, []).append(part)
                shown = shown or part
        for detail in loose.array(delta.get("reasoning_details")):
            shown = shown or loose.text(loose.obj(detail).get("text"))
            _add_detail(self._details, detail)
        if shown:
            yield ReasoningDelta(shown)

    def end(self, framed: bool) -> Iterator[StreamEvent]:
        """Some servers leave `[DONE]` out: fine when the body's own framing shows that nothing is missing."""
        if framed and self._finish and not self._over:
            yield from self._close()

    def _close(self) -> Iterator[StreamEvent]:
        self._over = True
        if self._finish in _BROKEN:
            raise Malformed(_broken(f"{self._where} gave up on the reply ({self._finish})"))
        stop = _STOPS.get(self._finish, Stop.END)
        if self._refused:
            stop = Stop.REFUSAL
        if self._calls and stop is Stop.END:
            # Several servers say `stop` where they mean `tool_calls`; no reason at all is none.
            if self._finish != "stop":
                raise Malformed(
                    _broken(f"{self._where} ended a tool call for no good reason ({self._finish!r})")
                )
            stop = Stop.TOOL
        good = stop in (Stop.END, Stop.TOOL)
        ends = self._calls.ends(self._where) if good else []
        yield self._usage
        yield from ends
        if not ends and stop is Stop.TOOL:
            stop = Stop.END
        detail = self._finish if self._finish not in _STOPS else ""
        yield Done(stop, self._raw() if good else None, detail)

    def _raw(self) -> RawItems:
        message = dict(self._message)
        message.update({name: "".join(parts) for name, parts in self._parts.items()})
        if self._details:
            message["reasoning_details"] = self._details
        if self._calls:
            message["tool_calls"] = self._calls.raw()
        elif message["content"] is None:
            message["content"] = ""
        return RawItems(WireName.CHAT, self._model, json.dumps([message]))


def _add_detail(details: list[Any], detail: Any) -> None:
    """Pieces of one reasoning text come one by one; together they are what goes back."""
    last = loose.obj(details[-1]) if details else {}
    new = loose.obj(detail)
    same = all(last.get(name) == new.get(name) for name in ("type", "index"))
    if not (same and new.get("type") == "reasoning.text" and last):
        details.append(dict(new) if new else detail)
        return
    text = loose.text(last.get("text")) + loose.text(new.get("text"))
    last.update({name: value for name, value in new.items() if value is not None})
    last["text"] = text


def usage_of(value: loose.Object) -> Usage:
    """Chat Completions' usage; cached tokens are part of `prompt_tokens`."""
    cached = loose.obj(value.get("prompt_tokens_details"))
    thought = loose.obj(value.get("completion_tokens_details"))
    return Usage(
        input_total=loose.count(value.get("prompt_tokens")),
        # DeepSeek's own name for the same.
        cached_read=loose.count(cached.get("cached_tokens"))
        or loose.count(value.get("prompt_cache_hit_tokens")),
        cache_write=loose.count(cached.get("cache_write_tokens")),
        output=loose.count(value.get("completion_tokens")),
        reasoning=loose.count(thought.get("reasoning_tokens")),
    )


def _broken(message: str) -> Fault:
    return Fault(FaultKind.SERVER, message, "nothing of this reply is used; try again", retryable=True)
