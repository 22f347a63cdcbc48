"""The neutral request as an Anthropic Messages body. Knows field names, replay and cache breakpoints.

Sampling parameters are never sent: the present API version refuses them. The prefix (tools, system, messages)
only grows; cache marks stand beside it and are no part of what is cached.
"""

from __future__ import annotations

import re
from typing import Any

from agent.core.dialog import AssistantMessage, Message, Request, Tool, ToolChoice, ToolResult, UserMessage
from agent.llm.presets import WireName
from agent.llm.transport import loose
from agent.llm.wires.ids import server_ids

Json = dict[str, Any]

EPHEMERAL = {"type": "ephemeral"}
LOOK_BACK_BLOCKS = 15
"""A breakpoint finds an earlier one at most 20 blocks back; a longer turn gets one more mark, in time."""

_BAD_ID = re.compile(r"[^a-zA-Z0-9_-]")


def build_body(request: Request, model: str, dropped: frozenset[str]) -> Json:
    """The JSON body: what stays first, then the messages, then what may differ from turn to turn.

    `dropped` names fields that this server has refused, at any depth.
    """
    body: Json = {"model": model, "max_tokens": request.max_output_tokens, "stream": True}
    cached = "cache_control" not in dropped
    if cached:
        body["cache_control"] = EPHEMERAL
    if "thinking" not in dropped:
        # Always: newer models think anyway, and say what they do between calls only in a summary.
        body["thinking"] = {"type": "adaptive", "display": "summarized"}
    if request.tools:
        body["tools"] = [_tool(tool, dropped) for tool in request.tools]
    if request.system:
        system: Json = {"type": "text", "text": request.system}
        body["system"] = [{**system, "cache_control": EPHEMERAL} if cached else system]
    body["messages"] = _messages(request, model, cached)
    if request.tools:
        body["tool_choice"] = _tool_choice(request.tool_choice, dropped)
    return body


def _tool(tool: Tool, dropped: frozenset[str]) -> Json:
    built: Json = {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
    extra = {"strict": True, "eager_input_streaming": True}
    return built | {name: value for name, value in extra.items() if name not in dropped}


def _tool_choice(choice: ToolChoice, dropped: frozenset[str]) -> Json:
    if choice is ToolChoice.NONE:
        return {"type": "none"}
    if "disable_parallel_tool_use" in dropped:
        return {"type": "auto"}
    return {"type": "auto", "disable_parallel_tool_use": True}


def _messages(request: Request, model: str, cached: bool) -> list[Json]:
    """Alternating messages: all that comes between two replies is one user message, results first."""
    messages: list[Json] = []
    their_ids: dict[str, str] = {}
    for message in request.history:
        if isinstance(message, AssistantMessage):
            content = _assistant(message, model)
            theirs = [loose.text(block.get("id")) for block in content if block.get("type") == "tool_use"]
            their_ids.update(server_ids(message, theirs))
            if content:
                messages.append({"role": "assistant", "content": content})
        elif block := _user_block(message, their_ids):
            if not messages or messages[-1]["role"] != "user":
                messages.append({"role": "user", "content": []})
            _put(messages[-1]["content"], block)
    if cached:
        _mark_long_turn(messages)
    return messages


def _put(content: list[Json], block: Json) -> None:
    """Tool results have to stand before any text."""
    if block["type"] == "tool_result":
        at = sum(1 for other in content if other["type"] == "tool_result")
        content.insert(at, block)
    else:
        content.append(block)


def _user_block(message: Message, their_ids: dict[str, str]) -> Json | None:
    match message:
        case UserMessage(text=text):
            # An empty text block is refused.
            return {"type": "text", "text": text} if text.strip() else None
        case ToolResult(call_id=call_id, content=content, is_error=is_error):
            wanted = their_ids.get(call_id) or _id(call_id)
            block: Json = {"type": "tool_result", "tool_use_id": wanted, "content": content}
            return {**block, "is_error": True} if is_error else block
        case AssistantMessage():
            raise AssertionError("assistant messages are built by _assistant")


def _assistant(message: AssistantMessage, model: str) -> list[Json]:
    """The reply's blocks: verbatim for the model that said them, else text and calls."""
    raw = message.raw
    if raw is not None and raw.wire == WireName.MESSAGES and raw.model == model:
        blocks = [block for block in loose.array(loose.parse(raw.items_json)) if isinstance(block, dict)]
        # Thoughts alone are no answer, and are refused at the end of a message.
        said = any(block.get("type") not in ("thinking", "redacted_thinking") for block in blocks)
        return blocks if said else []
    content: list[Json] = [{"type": "text", "text": message.text}] if message.text.strip() else []
    for call in message.calls:
        arguments = loose.arguments(call.args_json)
        content.append({"type": "tool_use", "id": _id(call.id), "name": call.name, "input": arguments})
    return content


def _id(call_id: str) -> str:
    """Ids of other providers may hold characters that are refused here."""
    return _BAD_ID.sub("_", call_id)


def _mark_long_turn(messages: list[Json]) -> None:
    """One more breakpoint at the end of the previous request when much was added since."""
    last = next((i for i in range(len(messages) - 1, 0, -1) if messages[i]["role"] == "assistant"), 0)
    added = sum(len(message["content"]) for message in messages[last:])
    if last and added > LOOK_BACK_BLOCKS:
        content = messages[last - 1]["content"]
        content[-1] = {**content[-1], "cache_control": EPHEMERAL}
