"""The neutral request as a Chat Completions body. Knows field names and replay, nothing of streams.

A reply of the same model goes back as it came (raw items); any other is rebuilt from its text and calls. Messages
are built one by one, so a longer history starts with the same bytes.
"""

from __future__ import annotations

from typing import Any

from agent.core.dialog import AssistantMessage, Message, Request, ToolChoice, ToolResult, UserMessage
from agent.llm.presets import Preset, WireName
from agent.llm.transport import loose
from agent.llm.wires.ids import server_ids

Json = dict[str, Any]

GEMINI_DUMMY = {"extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}}
"""Gemini refuses a call of another model without a signature, but takes this one."""

REPLAYED = ("reasoning_content", "reasoning_details", "reasoning", "extra_content")
"""What servers say beside the standard and most want back; some refuse to see it again."""


def build_body(request: Request, model: str, preset: Preset, dropped: frozenset[str]) -> Json:
    """The JSON body: what stays first, then the messages, then what may differ from turn to turn.

    `dropped` names fields that this server has refused.
    """
    body: Json = {"model": model, "stream": True}
    if preset.usage_option:
        body["stream_options"] = {"include_usage": True}
    if preset.cache_key and request.cache_key:
        body["prompt_cache_key"] = request.cache_key
    body[max_tokens_field(preset, dropped)] = request.max_output_tokens
    if request.tools:
        strict = preset.strict and "strict" not in dropped
        body["tools"] = [_tool(tool.name, tool.description, tool.schema, strict) for tool in request.tools]
        if preset.one_call:
            body["parallel_tool_calls"] = False
    body["messages"] = _messages(request, model, preset, dropped)
    if request.tools and request.tool_choice is ToolChoice.NONE:
        body["tool_choice"] = "none"
    return {name: value for name, value in body.items() if name not in dropped}


def max_tokens_field(preset: Preset, dropped: frozenset[str]) -> str:
    """The field for the output's bound; the other one once the server refused this."""
    other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
    field = preset.max_tokens_field
    return other[field] if field in dropped else field


def _tool(name: str, description: str, schema: Json, strict: bool) -> Json:
    function: Json = {"name": name, "description": description, "parameters": schema}
    if strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _messages(request: Request, model: str, preset: Preset, dropped: frozenset[str]) -> list[Json]:
    messages: list[Json] = [{"role": "system", "content": request.system}] if request.system else []
    their_ids: dict[str, str] = {}
    for message in request.history:
        if isinstance(message, AssistantMessage):
            said = _assistant(message, model, preset)
            built = {name: value for name, value in said.items() if name not in dropped}
            theirs = [loose.text(loose.obj(call).get("id")) for call in loose.array(built.get("tool_calls"))]
            their_ids.update(server_ids(message, theirs))
            # An empty answer is refused by several servers and says nothing.
            if built.get("content") or built.get("tool_calls"):
                messages.append(built)
        else:
            messages.append(_other(message, their_ids))
    return messages


def _other(message: Message, their_ids: dict[str, str]) -> Json:
    match message:
        case UserMessage(text=text):
            return {"role": "user", "content": text}
        case ToolResult(call_id=call_id, content=content):
            return {"role": "tool", "tool_call_id": their_ids.get(call_id, call_id), "content": content}
        case AssistantMessage():
            raise AssertionError("assistant messages are built by _assistant")


def _call(call_id: str, name: str, args_json: str) -> Json:
    function = {"name": name, "arguments": loose.arguments_text(args_json)}
    return {"id": call_id, "type": "function", "function": function}


def _assistant(message: AssistantMessage, model: str, preset: Preset) -> Json:
    raw = message.raw
    if raw is not None and raw.wire == WireName.CHAT and raw.model == model:
        items = loose.array(loose.parse(raw.items_json))
        if items and isinstance(items[0], dict):
            return items[0]
    built: Json = {"role": "assistant", "content": message.text or (None if message.calls else "")}
    if message.calls:
        built["tool_calls"] = [_call(call.id, call.name, call.args_json) for call in message.calls]
        if preset.name == "gemini":
            built["tool_calls"][0].update(GEMINI_DUMMY)
    return built
