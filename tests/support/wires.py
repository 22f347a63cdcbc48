"""Renders a scripted reply as the bytes that each provider would stream. Written from the providers' documentation,
not from copair's readers; the official SDKs read the same bytes in tests/judges."""

from __future__ import annotations

import json
from typing import Any

import msgspec


class Turn(msgspec.Struct, frozen=True):
    """What a scripted model says. `calls`: (name, arguments as a dict or as raw text)."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any] | str], ...] = ()
    reasoning: str = ""
    stop: str | None = None
    """The provider's own word; None: the fitting one."""
    input_tokens: int = 100
    cached_tokens: int = 40
    output_tokens: int = 20
    fragment: int = 12
    """Characters per delta."""
    ids: tuple[str, ...] = ()
    """Ids of the calls; made up when empty."""


def cut(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def call_id(turn: Turn, number: int) -> str:
    return turn.ids[number] if turn.ids else f"call_{abs(hash((turn.calls[number][0], number))) % 10**8:08d}"


def arguments(value: dict[str, Any] | str) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def sse(data: dict[str, Any] | str, event: str = "") -> bytes:
    body = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {body}\n\n".encode()


def chat_stream(turn: Turn, model: str) -> bytes:
    out: list[bytes] = []
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> None:
        out.append(sse({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))

    chunk({"role": "assistant", "content": ""})
    for part in cut(turn.reasoning, turn.fragment):
        chunk({"reasoning_content": part})
    for part in cut(turn.text, turn.fragment):
        chunk({"content": part})
    for number, (name, value) in enumerate(turn.calls):
        first = {"index": number, "id": call_id(turn, number), "type": "function"}
        chunk({"tool_calls": [{**first, "function": {"name": name, "arguments": ""}}]})
        for part in cut(arguments(value), turn.fragment):
            chunk({"tool_calls": [{"index": number, "function": {"arguments": part}}]})
    chunk({}, turn.stop or ("tool_calls" if turn.calls else "stop"))
    usage = {
        "prompt_tokens": turn.input_tokens,
        "completion_tokens": turn.output_tokens,
        "total_tokens": turn.input_tokens + turn.output_tokens,
        "prompt_tokens_details": {"cached_tokens": turn.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    out.append(sse({**head, "choices": [], "usage": usage}))
    out.append(sse("[DONE]"))
    return b"".join(out)


def messages_stream(turn: Turn, model: str) -> bytes:
    out: list[bytes] = []
    index = -1

    def event(kind: str, **fields: Any) -> None:
        out.append(sse({"type": kind, **fields}, kind))

    def block(start: dict[str, Any], deltas: list[dict[str, Any]]) -> None:
        nonlocal index
        index += 1
        event("content_block_start", index=index, content_block=start)
        for delta in deltas:
            event("content_block_delta", index=index, delta=delta)
        event("content_block_stop", index=index)

    usage = {
        "input_tokens": turn.input_tokens - turn.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": turn.cached_tokens,
        "output_tokens": 1,
    }
    event(
        "message_start",
        message={
            "id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage,
        },
    )  # fmt: skip
    event("ping")
    if turn.reasoning:
        parts = [{"type": "thinking_delta", "thinking": part} for part in cut(turn.reasoning, turn.fragment)]
        signed = [{"type": "signature_delta", "signature": "c2lnbmF0dXJl"}]
        block({"type": "thinking", "thinking": "", "signature": ""}, [*parts, *signed])
    if turn.text:
        block(
            {"type": "text", "text": ""},
            [{"type": "text_delta", "text": part} for part in cut(turn.text, turn.fragment)],
        )
    for number, (name, value) in enumerate(turn.calls):
        start = {"type": "tool_use", "id": call_id(turn, number), "name": name, "input": {}}
        parts = ["", *cut(arguments(value), turn.fragment)]
        block(start, [{"type": "input_json_delta", "partial_json": part} for part in parts])
    stop = turn.stop or ("tool_use" if turn.calls else "end_turn")
    event(
        "message_delta",
        delta={"stop_reason": stop, "stop_sequence": None},
        usage={**usage, "output_tokens": turn.output_tokens, "output_tokens_details": {"thinking_tokens": 5}},
    )
    event("message_stop")
    return b"".join(out)


def responses_stream(turn: Turn, model: str) -> bytes:
    out: list[bytes] = []
    items: list[dict[str, Any]] = []
    number = 0

    def event(kind: str, **fields: Any) -> None:
        nonlocal number
        out.append(sse({"type": kind, "sequence_number": number, **fields}, kind))
        number += 1

    def response(status: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": "resp_1", "object": "response", "created_at": 1, "model": model, "status": status,
            "output": [], "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
            "parallel_tool_calls": False, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
            "usage": None, **fields,
        }  # fmt: skip

    event("response.created", response=response("in_progress"))
    event("response.in_progress", response=response("in_progress"))
    if turn.reasoning:
        _reasoning_item(turn, items, event)
    if turn.text:
        _message_item(turn, items, event)
    for call in range(len(turn.calls)):
        _call_item(turn, call, items, event)
    usage = {
        "input_tokens": turn.input_tokens,
        "input_tokens_details": {"cached_tokens": turn.cached_tokens, "cache_write_tokens": 7},
        "output_tokens": turn.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": turn.input_tokens + turn.output_tokens,
    }
    if turn.stop:
        details = {"reason": turn.stop}
        event(
            "response.incomplete",
            response=response("incomplete", output=items, usage=usage, incomplete_details=details),
        )
    else:
        event("response.completed", response=response("completed", output=items, usage=usage))
    return b"".join(out)


def _reasoning_item(turn: Turn, items: list[dict[str, Any]], event: Any) -> None:
    at = len(items)
    event(
        "response.output_item.added", output_index=at, item={"type": "reasoning", "id": "rs_1", "summary": []}
    )
    part = {"type": "summary_text", "text": ""}
    event(
        "response.reasoning_summary_part.added", item_id="rs_1", output_index=at, summary_index=0, part=part
    )
    for piece in cut(turn.reasoning, turn.fragment):
        event(
            "response.reasoning_summary_text.delta",
            item_id="rs_1",
            output_index=at,
            summary_index=0,
            delta=piece,
        )
    event(
        "response.reasoning_summary_text.done",
        item_id="rs_1",
        output_index=at,
        summary_index=0,
        text=turn.reasoning,
    )
    summary = [{"type": "summary_text", "text": turn.reasoning}]
    items.append({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "ZW5jcnlwdGVk"})
    event("response.output_item.done", output_index=at, item=items[-1])


def _message_item(turn: Turn, items: list[dict[str, Any]], event: Any) -> None:
    at = len(items)
    start = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    event("response.output_item.added", output_index=at, item=start)
    part = {"type": "output_text", "text": "", "annotations": []}
    event("response.content_part.added", item_id="msg_1", output_index=at, content_index=0, part=part)
    for piece in cut(turn.text, turn.fragment):
        event(
            "response.output_text.delta", item_id="msg_1", output_index=at, content_index=0, delta=piece,
            logprobs=[], obfuscation="xyz",
        )  # fmt: skip
    event(
        "response.output_text.done",
        item_id="msg_1",
        output_index=at,
        content_index=0,
        text=turn.text,
        logprobs=[],
    )
    content = [{"type": "output_text", "text": turn.text, "annotations": []}]
    phase = "commentary" if turn.calls else "final_answer"
    items.append({**start, "status": "completed", "content": content, "phase": phase})
    event("response.output_item.done", output_index=at, item=items[-1])


def _call_item(turn: Turn, number: int, items: list[dict[str, Any]], event: Any) -> None:
    at = len(items)
    name, value = turn.calls[number]
    item_id = f"fc_{number}"
    start = {
        "type": "function_call", "id": item_id, "call_id": call_id(turn, number), "name": name,
        "arguments": "", "status": "in_progress",
    }  # fmt: skip
    event("response.output_item.added", output_index=at, item=start)
    for piece in cut(arguments(value), turn.fragment):
        event("response.function_call_arguments.delta", item_id=item_id, output_index=at, delta=piece)
    event(
        "response.function_call_arguments.done",
        item_id=item_id,
        output_index=at,
        name=name,
        arguments=arguments(value),
    )
    items.append({**start, "arguments": arguments(value), "status": "completed"})
    event("response.output_item.done", output_index=at, item=items[-1])


STREAMS = {"chat": chat_stream, "messages": messages_stream, "responses": responses_stream}
PATHS = {"chat": "/chat/completions", "messages": "/v1/messages", "responses": "/responses"}
