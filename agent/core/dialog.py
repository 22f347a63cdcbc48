"""The neutral model of a conversation with a provider: what goes out and what streams in.

Nothing above `agent/llm/` knows which wire speaks. Raw provider items travel along as opaque JSON text and go
back verbatim. Source: wire fact sheet, section 4; its terms are used here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Protocol(StrEnum):
    """How a model proposes: by native tool calls, or by headings and fenced blocks in its text."""

    TOOLS = "tools"
    TEXT = "text"


class Tool(msgspec.Struct, frozen=True):
    """A tool as the model sees it. `schema` is a JSON schema in the strict subset of both strict modes."""

    name: str
    description: str
    schema: dict[str, Any]


class ToolCall(msgspec.Struct, frozen=True):
    """A complete call; `args_json` is the text as it came ("" means no arguments)."""

    id: str
    name: str
    args_json: str


class RawItems(msgspec.Struct, frozen=True):
    """The provider's own items of one reply, verbatim (JSON text), and who they belong to."""

    wire: str
    model: str
    items_json: str


class UserMessage(msgspec.Struct, frozen=True, tag="user"):
    text: str


class AssistantMessage(msgspec.Struct, frozen=True, tag="assistant"):
    text: str
    calls: tuple[ToolCall, ...] = ()
    raw: RawItems | None = None


class ToolResult(msgspec.Struct, frozen=True, tag="tool"):
    call_id: str
    name: str
    content: str
    is_error: bool = False


Message = UserMessage | AssistantMessage | ToolResult


class ToolChoice(StrEnum):
    AUTO = "auto"
    NONE = "none"


class Request(msgspec.Struct, frozen=True):
    """One request. `history` only ever grows within an epoch; `system` and `tools` never change in it."""

    system: str
    tools: tuple[Tool, ...]
    history: tuple[Message, ...]
    tool_choice: ToolChoice = ToolChoice.AUTO
    max_output_tokens: int = 8192
    cache_key: str = ""


class TextDelta(msgspec.Struct, frozen=True, tag="text"):
    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning"):
    text: str


class ToolCallStart(msgspec.Struct, frozen=True, tag="call_start"):
    id: str
    name: str


class ToolArgsDelta(msgspec.Struct, frozen=True, tag="call_args"):
    id: str
    fragment: str


class ToolCallEnd(msgspec.Struct, frozen=True, tag="call_end"):
    id: str
    name: str
    args_json: str


class Usage(msgspec.Struct, frozen=True, tag="usage"):
    """Tokens of one request. `input_total` includes cached ones; `output` includes reasoning."""

    input_total: int = 0
    cached_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_total + other.input_total,
            self.cached_read + other.cached_read,
            self.cache_write + other.cache_write,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )


class Stop(StrEnum):
    END = "end"
    TOOL = "tool"
    LENGTH = "length"
    REFUSAL = "refusal"
    PAUSE = "pause"
    CONTEXT = "context"


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The last event of a good stream. A stream that ends without Done or Fault is cut: a network fault."""

    stop: Stop
    raw: RawItems | None = None
    detail: str = ""


class FaultKind(StrEnum):
    AUTH = "auth"
    QUOTA = "quota"
    RATE = "rate"
    OVERLOADED = "overloaded"
    CONTEXT = "context"
    BAD_REQUEST = "bad_request"
    NETWORK = "network"
    SERVER = "server"
    CANCELLED = "cancelled"


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """The last event of a stream that failed. Texts are raw (not yet sanitised) but never hold a key."""

    kind: FaultKind
    message: str
    hint: str = ""
    retryable: bool = False
    retry_after_seconds: float | None = None
    request_id: str = ""


class Waiting(msgspec.Struct, frozen=True, tag="waiting"):
    """The client waits before a retry, or a stream has been silent for long (`seconds` so far or to go)."""

    seconds: float
    reason: str


StreamEvent = (
    TextDelta | ReasoningDelta | ToolCallStart | ToolArgsDelta | ToolCallEnd | Usage | Done | Fault | Waiting
)
