"""The neutral request as an OpenAI Responses body, stateless: nothing is stored, reasoning travels encrypted.

Items of an earlier reply go back in their order and unchanged, `phase` included; without it newer models get worse.
"""

from __future__ import annotations

import hashlib
from typing import Any

from agent.core.dialog import AssistantMessage, Message, Request, Tool, ToolChoice, ToolResult, UserMessage
from agent.llm.presets import WireName
from agent.llm.transport import loose
from agent.llm.wires.ids import server_ids

Json = dict[str, Any]

CACHE_KEY_CHARS = 64


def build_body(request: Request, model: str, dropped: frozenset[str]) -> Json:
    """The JSON body: what stays first, then the input, then what may differ from turn to turn.

    `dropped` names fields that this server has refused.
    """
    body: Json = {
        "model": model,
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"summary": "auto"},
        "max_output_tokens": request.max_output_tokens,
        "stream_options": {"include_obfuscation": False},
    }
    if request.cache_key:
        body["prompt_cache_key"] = _cache_key(request.cache_key)
    if request.tools:
        body["parallel_tool_calls"] = False
        body["tools"] = [_tool(tool, "strict" not in dropped) for tool in request.tools]
    if request.system:
        body["instructions"] = request.system
    body["input"] = _input(request, model)
    if request.tools:
        body["tool_choice"] = "none" if request.tool_choice is ToolChoice.NONE else "auto"
    return {name: value for name, value in body.items() if name not in dropped}


def _cache_key(key: str) -> str:
    return key if len(key) <= CACHE_KEY_CHARS else hashlib.sha256(key.encode()).hexdigest()


def _tool(tool: Tool, strict: bool) -> Json:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema,
        "strict": strict,
    }


def _input(request: Request, model: str) -> list[Json]:
    items: list[Json] = []
    their_ids: dict[str, str] = {}
    for message in request.history:
        if isinstance(message, AssistantMessage):
            built = _assistant(message, model)
            theirs = [
                loose.text(item.get("call_id")) for item in built if item.get("type") == "function_call"
            ]
            their_ids.update(server_ids(message, theirs))
            items.extend(built)
        else:
            items.append(_other(message, their_ids))
    return items


def _other(message: Message, their_ids: dict[str, str]) -> Json:
    match message:
        case UserMessage(text=text):
            return {"role": "user", "content": text}
        case ToolResult(call_id=call_id, content=content):
            wanted = their_ids.get(call_id, call_id)
            return {"type": "function_call_output", "call_id": wanted, "output": content}
        case AssistantMessage():
            raise AssertionError("assistant messages are built by _assistant")


def _assistant(message: AssistantMessage, model: str) -> list[Json]:
    """The reply's items: verbatim for the model that said them, else text and calls."""
    raw = message.raw
    if raw is not None and raw.wire == WireName.RESPONSES and raw.model == model:
        items = [item for item in loose.array(loose.parse(raw.items_json)) if isinstance(item, dict)]
        return _replayable(items)
    items = [{"role": "assistant", "content": message.text}] if message.text.strip() else []
    for call in message.calls:
        items.append(
            {
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": loose.arguments_text(call.args_json),
            }
        )
    return items


def _replayable(items: list[Json]) -> list[Json]:
    """The items, unless reasoning came without its content: that is not found again, nor what refers to it."""
    lost = [item for item in items if item.get("type") == "reasoning" and not item.get("encrypted_content")]
    if not lost:
        return items
    kept = (item for item in items if item not in lost)
    return [{name: value for name, value in item.items() if name != "id"} for item in kept]
