"""The Anthropic Messages wire: what goes out, and that what came in goes back unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.core.dialog import (
    AssistantMessage,
    Done,
    Fault,
    Request,
    Stop,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallEnd,
    ToolChoice,
    ToolResult,
    UserMessage,
)
from agent.llm.choosing.build import build_model
from agent.llm.presets import ANTHROPIC
from agent.llm.secret import Secret
from agent.llm.transport.client import Endpoint
from tests.support.llm import KEY, collect, model_for, request
from tests.support.server import Reply, ScriptedServer
from tests.support.wires import Turn, sse

READ = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
EPHEMERAL = {"type": "ephemeral"}


def event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, kind)


def stream(*blocks: tuple[dict[str, Any], list[dict[str, Any]]], stop: str, **delta: Any) -> Reply:
    out = [event("message_start", message={"usage": {"input_tokens": 5}})]
    for index, (start, deltas) in enumerate(blocks):
        out.append(event("content_block_start", index=index, content_block=start))
        out += [event("content_block_delta", index=index, delta=each) for each in deltas]
        out.append(event("content_block_stop", index=index))
    out.append(event("message_delta", delta={"stop_reason": stop, **delta}, usage={"output_tokens": 9}))
    return Reply(body=b"".join([*out, event("message_stop")]))


def test_the_request_has_cache_marks_thinking_and_one_call_at_a_time() -> None:
    history = (
        UserMessage("fix it"),
        AssistantMessage("Reading.", (ToolCall("c:1", "read", '{"path":"a"}'), ToolCall("c2", "read", ""))),
        ToolResult("c:1", "read", "content"),
        ToolResult("c2", "read", "no such file", is_error=True),
        UserMessage("go on"),
        UserMessage("  "),
    )
    wanted = Request(
        "be good", (Tool("read", "reads", READ),), history, max_output_tokens=1234, cache_key="k"
    )
    with ScriptedServer("messages", [Turn(text="ok")]) as server:
        collect(model_for(server), wanted)
    (sent,) = server.requests
    assert sent.path == "/v1/messages"
    assert (sent.headers["x-api-key"], sent.headers["anthropic-version"]) == (KEY, "2026-10-21")
    assert sent.json == {
        "model": "scripted-1",
        "max_tokens": 1234,
        "stream": True,
        "system": [{"type": "text", "text": "be good", "cache_control": EPHEMERAL}],
        "tools": [
            {
                "name": "read",
                "description": "reads",
                "input_schema": READ,
                "strict": True,
                "eager_input_streaming": True,
            }
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "cache_control": EPHEMERAL,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "fix it"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Reading."},
                    {"type": "tool_use", "id": "c_1", "name": "read", "input": {"path": "a"}},
                    {"type": "tool_use", "id": "c2", "name": "read", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c_1", "content": "content"},
                    {"type": "tool_result", "tool_use_id": "c2", "content": "no such file", "is_error": True},
                    {"type": "text", "text": "go on"},
                ],
            },
        ],
    }


def test_no_call_is_wanted_as_tool_choice_none() -> None:
    wanted = Request("", (Tool("read", "reads", READ),), (UserMessage("hi"),), ToolChoice.NONE)
    with ScriptedServer("messages", [Turn(text="ok")]) as server:
        collect(model_for(server), wanted)
    assert server.requests[0].json["tool_choice"] == {"type": "none"}
    assert "system" not in server.requests[0].json


def test_an_auth_token_goes_as_bearer() -> None:
    with ScriptedServer("messages", [Turn(text="ok")]) as server:
        endpoint = Endpoint(server.base_url, Secret(KEY))
        collect(build_model(ANTHROPIC, endpoint, "m", key_source="ANTHROPIC_AUTH_TOKEN"), request("x"))
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in server.requests[0].headers


BLOCKS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"type": "thinking", "thinking": "", "signature": "", "new": 1}, [
        {"type": "thinking_delta", "thinking": "I "}, {"type": "thinking_delta", "thinking": "see"},
        {"type": "signature_delta", "signature": "c2ln"}, {"type": "signature_delta", "signature": "bmVk"}]),
    ({"type": "redacted_thinking", "data": "b3BhcXVl"}, []),
    ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Hm\u2028."}, {"type": "new_delta", "x": 1},
        {"type": "citations_delta", "citation": {"cited_text": "x"}}]),
    ({"type": "future_block", "payload": [1, {"a": None}]}, []),
    ({"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}, "caller": {"type": "direct"}}, [
        {"type": "input_json_delta", "partial_json": ""}, {"type": "input_json_delta", "partial_json": '{"path":'},
        {"type": "input_json_delta", "partial_json": '"ä"}'}]),
]  # fmt: skip


def test_blocks_go_back_verbatim_to_the_same_model_and_plain_to_another() -> None:
    replies = [stream(*BLOCKS, stop="tool_use"), Turn(text="ok"), Turn(text="ok")]
    with ScriptedServer("messages", replies) as server:
        model = model_for(server)
        events = collect(model, request("hi"))
        (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
        answer = AssistantMessage("Hm\u2028.", (ToolCall(end.id, end.name, end.args_json),), events[-1].raw)
        history = (UserMessage("hi"), answer, ToolResult(end.id, end.name, "result"))
        collect(model, Request("", (), history))
        other = build_model(ANTHROPIC, model.endpoint, "another")
        collect(other, Request("", (), history))
    same, switched = (r.json["messages"][1]["content"] for r in server.requests[1:])
    assert same == [
        {"type": "thinking", "thinking": "I see", "signature": "c2lnbmVk", "new": 1},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": "Hm\u2028.", "citations": [{"cited_text": "x"}]},
        {"type": "future_block", "payload": [1, {"a": None}]},
        {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "read",
            "input": {"path": "ä"},
            "caller": {"type": "direct"},
        },
    ]
    assert switched == [
        {"type": "text", "text": "Hm\u2028."},
        {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "ä"}},
    ]


@pytest.mark.parametrize(
    ("reason", "stop", "keeps_raw"),
    [
        ("end_turn", Stop.END, True), ("stop_sequence", Stop.END, True), ("pause_turn", Stop.PAUSE, True),
        ("max_tokens", Stop.LENGTH, False), ("refusal", Stop.REFUSAL, False),
        ("model_context_window_exceeded", Stop.CONTEXT, False), ("brand_new_reason", Stop.END, False),
    ],
)  # fmt: skip
def test_stop_reasons_are_told_apart(reason: str, stop: Stop, keeps_raw: bool) -> None:
    text: tuple[dict[str, Any], list[dict[str, Any]]] = ({"type": "text", "text": "Hi"}, [])
    details = {"type": "refusal", "category": "cyber", "explanation": "no"} if reason == "refusal" else None
    with ScriptedServer("messages", [stream(text, stop=reason, stop_details=details)]) as server:
        events = collect(model_for(server), request("x"))
    done = events[-1]
    assert isinstance(done, Done)
    assert done.stop is stop
    assert (done.raw is not None) is keeps_raw or reason == "brand_new_reason"
    assert done.detail == {"refusal": "cyber: no", "brand_new_reason": "brand_new_reason"}.get(reason, "")
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["Hi"]


@pytest.mark.parametrize("stop", ["max_tokens", "refusal", "model_context_window_exceeded"])
def test_a_call_in_a_reply_that_stopped_badly_never_ends(stop: str) -> None:
    turn = Turn(calls=(("propose", '{"why":"be'),), stop=stop)
    with ScriptedServer("messages", [turn]) as server:
        events = collect(model_for(server), request("x"))
    assert not [e for e in events if isinstance(e, ToolCallEnd)]
    assert events[-1].raw is None


TOOL = {"type": "tool_use", "id": "t", "name": "propose", "input": {}}


def args(text: str) -> list[dict[str, Any]]:
    return [{"type": "input_json_delta", "partial_json": text}]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(stream((TOOL, args('{"a": "b')), stop="tool_use"), id="truncated arguments"),
        pytest.param(stream((TOOL, args("[1]")), stop="tool_use"), id="no object"),
        pytest.param(stream((TOOL, args("{}")), (TOOL, args("{}")), stop="tool_use"), id="one id twice"),
        pytest.param(stream(({**TOOL, "name": ""}, args("{}")), stop="tool_use"), id="no name"),
        pytest.param(stream((TOOL, args("{}")), stop="brand_new_reason"), id="unknown reason"),
        pytest.param(
            Reply(body=event("content_block_delta", index=3, delta={"type": "text_delta"})), id="no block"
        ),
        pytest.param(Reply(body=event("message_stop")), id="no stop reason"),
        pytest.param(
            Reply(
                body=event("content_block_start", index=0, content_block=TOOL)
                + event("content_block_delta", index=0, delta=args("{}")[0])
                + event("message_delta", delta={"stop_reason": "tool_use"})
                + event("message_stop")
            ),
            id="a block that never stops",
        ),
        pytest.param(
            Reply(body=event("error", error={"type": "overloaded_error", "message": "busy"})), id="error"
        ),
        pytest.param(Reply(body=sse("{nope", "ping")), id="no JSON"),
    ],
)
def test_a_broken_reply_is_a_fault_and_never_a_call(reply: Reply) -> None:
    with ScriptedServer("messages", [reply] * 3) as server:
        events = collect(model_for(server), request("x"))
    assert isinstance(events[-1], Fault)
    assert not [e for e in events if isinstance(e, ToolCallEnd | Done)]


def test_a_long_turn_gets_one_more_breakpoint_before_it() -> None:
    calls = tuple(ToolCall(f"c{n}", "read", "{}") for n in range(10))
    results = tuple(ToolResult(f"c{n}", "read", "x") for n in range(10))
    wanted = Request("", (), (UserMessage("one"), AssistantMessage("", calls), *results))
    with ScriptedServer("messages", [Turn(text="ok")]) as server:
        collect(model_for(server), wanted)
    first, *rest = server.requests[0].json["messages"]
    assert first["content"] == [{"type": "text", "text": "one", "cache_control": EPHEMERAL}]
    assert "cache_control" not in json.dumps(rest)


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("tools.0.custom.eager_input_streaming: Extra inputs are not permitted", "eager_input_streaming"),
        ("adaptive thinking is not supported on this model", "thinking"),
        ("cache_control: Extra inputs are not permitted", "cache_control"),
    ],
)
def test_what_a_compatible_server_refuses_is_left_out(message: str, gone: str) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    no = Reply(status=400, body=json.dumps(error).encode(), content_type="application/json")
    wanted = Request("s", (Tool("read", "reads", READ),), (UserMessage("x"),))
    with ScriptedServer("messages", [no, Turn(text="ok")]) as server:
        assert isinstance(collect(model_for(server), wanted)[-1], Done)
    assert [gone in r.body.decode() for r in server.requests] == [True, False]


def test_an_unknown_api_version_falls_back_to_the_old_one() -> None:
    error = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "anthropic-version: not valid"},
    }
    no = Reply(status=400, body=json.dumps(error).encode(), content_type="application/json")
    with ScriptedServer("messages", [no, Turn(text="ok")]) as server:
        assert isinstance(collect(model_for(server), request("x"))[-1], Done)
    assert [r.headers["anthropic-version"] for r in server.requests] == ["2026-10-21", "2023-06-01"]
