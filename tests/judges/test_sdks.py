"""The official SDKs as independent judges: they read what our scripted server sends, and for the same request they
send the same JSON as our clients do. Test dependencies only (`pip install .[judges]`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from agent.core.dialog import (
    AssistantMessage,
    Request,
    Tool,
    ToolCall,
    ToolCallEnd,
    ToolChoice,
    ToolResult,
    UserMessage,
)
from agent.core.dialog import TextDelta as Text
from tests.support.llm import KEY, collect, model_for
from tests.support.server import ScriptedServer
from tests.support.wires import Turn

pytestmark = pytest.mark.judges

ARGUMENTS = {"why": "ü\u2028 🐍", "n": [1, {"a": None}]}
TURN = Turn(text="Grüße \u2028.", reasoning="so it is", calls=(("propose", ARGUMENTS),))
SCHEMA = {
    "type": "object",
    "properties": {"why": {"type": "string"}, "new": {"type": ["string", "null"]}},
    "required": ["why", "new"],
    "additionalProperties": False,
}
HISTORY = (
    UserMessage("fix it"),
    AssistantMessage("Reading.", (ToolCall("c1", "read", '{"path":"a"}'),)),
    ToolResult("c1", "read", "content"),
    UserMessage("go on"),
)
REQUEST = Request("be good", (Tool("propose", "offers", SCHEMA),), HISTORY, ToolChoice.AUTO, 1234, "copair-x")


@pytest.fixture
def open_ai() -> Iterator[Any]:
    with ScriptedServer("responses", [TURN, TURN]) as server:
        client = openai.OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0)
        yield server, client
        client.close()


@pytest.fixture
def claude() -> Iterator[Any]:
    with ScriptedServer("messages", [TURN, TURN]) as server:
        client = anthropic.Anthropic(base_url=server.base_url, api_key=KEY, max_retries=0)
        yield server, client
        client.close()


@pytest.fixture
def chat() -> Iterator[Any]:
    with ScriptedServer("chat", [TURN, TURN]) as server:
        client = openai.OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0)
        yield server, client
        client.close()


def ours(server: ScriptedServer) -> tuple[dict[str, Any], str, ToolCallEnd]:
    """What our client sends for REQUEST, and the text and call that it reads."""
    events = collect(model_for(server), REQUEST)
    text = "".join(e.text for e in events if isinstance(e, Text))
    (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
    return server.requests[-1].json, text, end


def test_the_openai_sdk_reads_our_chat_stream_and_sends_our_chat_request(chat: Any) -> None:
    server, client = chat
    sent, text, end = ours(server)
    with client.chat.completions.stream(**{k: v for k, v in sent.items() if k != "stream"}) as stream:
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert (message.content, final.choices[0].finish_reason) == (text, "tool_calls")
    (call,) = message.tool_calls
    assert (call.id, call.function.name, json.loads(call.function.arguments)) == (
        end.id,
        "propose",
        ARGUMENTS,
    )
    assert final.usage.prompt_tokens == 100
    assert server.requests[-1].json == sent
    assert server.requests[-1].path == server.requests[0].path
    assert server.requests[-1].headers["authorization"] == server.requests[0].headers["authorization"]


def test_the_openai_sdk_reads_our_responses_stream_and_sends_our_request(open_ai: Any) -> None:
    server, client = open_ai
    sent, text, end = ours(server)
    with client.responses.stream(**{k: v for k, v in sent.items() if k != "stream"}) as stream:
        final = stream.get_final_response()
    assert (final.status, final.output_text) == ("completed", text)
    (call,) = [item for item in final.output if item.type == "function_call"]
    assert (call.call_id, json.loads(call.arguments)) == (end.id, ARGUMENTS)
    assert final.usage.input_tokens_details.cached_tokens == 40
    assert server.requests[-1].json == sent
    assert server.requests[-1].path == server.requests[0].path


def test_the_anthropic_sdk_reads_our_messages_stream_and_sends_our_request(claude: Any) -> None:
    server, client = claude
    sent, text, end = ours(server)
    with client.messages.stream(**{k: v for k, v in sent.items() if k != "stream"}) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "tool_use"
    thinking, said, call = final.content
    assert (thinking.type, thinking.thinking, thinking.signature) == ("thinking", "so it is", "c2lnbmF0dXJl")
    assert (said.text, call.id, call.input) == (text, end.id, ARGUMENTS)
    assert final.usage.cache_read_input_tokens == 40
    assert server.requests[-1].json == sent
    assert server.requests[-1].path == server.requests[0].path
    ours_version, theirs = (r.headers["anthropic-version"] for r in server.requests)
    assert ours_version == theirs


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_what_we_replay_is_what_the_sdk_would_send_back(wire: str, request: pytest.FixtureRequest) -> None:
    """The items of a reply, read by the SDK and put into its next request, and those that we keep: the same."""
    server, client = request.getfixturevalue(
        {"chat": "chat", "messages": "claude", "responses": "open_ai"}[wire]
    )
    server.add(Turn(text="ok"), Turn(text="ok"))
    model = model_for(server)
    events = collect(model, REQUEST)
    (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
    answer = AssistantMessage("", (ToolCall(end.id, end.name, end.args_json),), events[-1].raw)
    base = {k: v for k, v in server.requests[0].json.items() if k != "stream"}
    items = getattr(SdkReplay, wire)(client, base)
    collect(model, Request("", (), (UserMessage("x"), answer)))
    turns = "input" if wire == "responses" else "messages"
    mine = server.requests[-1].json[turns][1:]
    assert _without_empty(mine) == _without_empty(items)


class SdkReplay:
    """What each SDK's user puts into the next request."""

    @staticmethod
    def chat(client: Any, base: dict[str, Any]) -> list[Any]:
        with client.chat.completions.stream(**base) as stream:
            message = stream.get_final_completion().choices[0].message
        return [message.to_dict(exclude_unset=True)]

    @staticmethod
    def messages(client: Any, base: dict[str, Any]) -> list[Any]:
        with client.messages.stream(**base) as stream:
            return [
                {"role": "assistant", "content": [b.to_dict() for b in stream.get_final_message().content]}
            ]

    @staticmethod
    def responses(client: Any, base: dict[str, Any]) -> list[Any]:
        with client.responses.stream(**base) as stream:
            return [item.to_dict() for item in stream.get_final_response().output]


def _without_empty(value: Any) -> Any:
    """Without what the SDKs' own parsing adds: nulls, empty lists and parsed copies of the arguments."""
    if isinstance(value, dict):
        return {
            k: _without_empty(v)
            for k, v in value.items()
            if v not in (None, []) and k not in ("parsed_arguments", "parsed", "index")
        }
    return [_without_empty(v) for v in value] if isinstance(value, list) else value
