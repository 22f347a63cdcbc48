"""The Chat Completions wire against a real server on loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.core.dialog import (
    AssistantMessage,
    Done,
    Fault,
    FaultKind,
    RawItems,
    ReasoningDelta,
    Request,
    Stop,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    ToolChoice,
    ToolResult,
    Usage,
    UserMessage,
)
from tests.support.llm import chat_model, collect, request
from tests.support.server import Reply, ScriptedServer
from tests.support.wires import Turn, sse

READ = {
    "type": "object",
    "properties": {"path": {"type": "string"}},
    "required": ["path"],
    "additionalProperties": False,
}


def ask(server: ScriptedServer, wanted: Request | None = None, **preset: Any) -> list[Any]:
    return collect(chat_model(server, **preset), wanted or request("hi"))


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    return sse({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def call(args: Any, finish: str | None, indexes: tuple[int | None, ...] = (0,), **function: str) -> bytes:
    """A chunk with one call `c` per index."""
    made = {"id": "c", "function": {"name": "p", "arguments": args, **function}}
    calls = [made if index is None else {"index": index, **made} for index in indexes]
    return chunk({"tool_calls": calls}, finish)


def body(*chunks: bytes) -> Reply:
    return Reply(body=b"".join(chunks) + sse("[DONE]"))


def test_text_streams_in_pieces_and_ends_with_usage_and_done() -> None:
    with ScriptedServer(
        "chat", [Turn(text="Hello, this is a reply.", reasoning="thinking about it")]
    ) as server:
        events = ask(server)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Hello, this is a reply."
    assert "".join(e.text for e in events if isinstance(e, ReasoningDelta)) == "thinking about it"
    assert events[-2] == Usage(100, 40, 0, 20, 5)
    assert isinstance(events[-1], Done)
    assert events[-1].stop is Stop.END


def test_a_tool_call_ends_once_with_its_whole_arguments() -> None:
    arguments = {"path": "a/ü\u2028b.py", "why": "x" * 40}
    with ScriptedServer("chat", [Turn(text="Looking.", calls=(("read", arguments),))]) as server:
        events = ask(server)
    ends = [e for e in events if isinstance(e, ToolCallEnd)]
    assert [(e.name, json.loads(e.args_json)) for e in ends] == [("read", arguments)]
    assert [e.id for e in events if isinstance(e, ToolCallStart)] == [ends[0].id]
    assert events[-1].stop is Stop.TOOL


def test_the_request_carries_system_tools_and_history_in_their_places() -> None:
    history = (
        UserMessage("fix it"),
        AssistantMessage("Reading.", (ToolCall("c1", "read", '{"path":"a"}'),)),
        ToolResult("c1", "read", "content"),
        UserMessage("go on"),
    )
    wanted = Request("be good", (Tool("read", "reads", READ),), history, ToolChoice.NONE, 1234, "k")
    with ScriptedServer("chat", [Turn(text="ok")]) as server:
        ask(server, wanted)
    (sent,) = server.requests
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer sk-test-0123456789abcdef"
    assert sent.json == {
        "model": "scripted-1",
        "messages": [
            {"role": "system", "content": "be good"},
            {"role": "user", "content": "fix it"},
            {
                "role": "assistant",
                "content": "Reading.",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "read", "arguments": '{"path":"a"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "content"},
            {"role": "user", "content": "go on"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {"type": "function", "function": {"name": "read", "description": "reads", "parameters": READ}}
        ],
        "tool_choice": "none",
        "parallel_tool_calls": False,
        "max_tokens": 1234,
    }


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        pytest.param(
            [[{"id": "g1", "type": "function", "function": {"name": "read", "arguments": '{"path":"a"}'}}],
             [{"id": "g2", "type": "function", "function": {"name": "read", "arguments": '{"path":"b"}'}}]],
            [("g1", '{"path":"a"}'), ("g2", '{"path":"b"}')], id="no index, whole calls (Gemini)",
        ),
        pytest.param(
            [[{"id": "g1", "function": {"name": "read", "arguments": '{"pa'}}], [{"function": {"arguments": 'th":"a"}'}}]],
            [("g1", '{"path":"a"}')], id="no index, in fragments",
        ),
        pytest.param(
            [[{"index": 0, "id": "g1", "function": {"name": "read", "arguments": '{"pa'}}],
             [{"index": 0, "id": "g1", "function": {"name": "read", "arguments": 'th":"a"}'}}]],
            [("g1", '{"path":"a"}')], id="id and name repeated",
        ),
        pytest.param(
            [[{"index": 0, "id": "g1", "function": {"name": "read", "arguments": "{}"}},
              {"index": 0, "id": "g2", "function": {"name": "read", "arguments": "{}"}}]],
            [("g1", "{}"), ("g2", "{}")], id="every call has index 0",
        ),
        pytest.param(
            [[{"index": 0, "id": "g1", "function": {"name": "finish", "arguments": None}}]],
            [("g1", "")], id="no arguments",
        ),
        pytest.param(
            [[{"index": 0, "id": "g1", "function": {"name": "read", "arguments": {"path": "a"}}}]],
            [("g1", '{"path": "a"}')], id="arguments as an object",
        ),
        pytest.param(
            [[{"index": 1, "id": "g2", "function": {"name": "b", "arguments": "{"}},
              {"index": 0, "id": "g1", "function": {"name": "a", "arguments": "{"}}],
             [{"index": 1, "function": {"arguments": "}"}}, {"index": 0, "function": {"arguments": "}"}}]],
            [("g2", "{}"), ("g1", "{}")], id="interleaved",
        ),
    ],
)  # fmt: skip
def test_calls_are_put_together_however_a_server_cuts_them(fragments: Any, expected: Any) -> None:
    reply = body(*(chunk({"tool_calls": each}) for each in fragments), chunk({}, "tool_calls"))
    with ScriptedServer("chat", [reply]) as server:
        events = ask(server)
    assert [(e.id, e.args_json) for e in events if isinstance(e, ToolCallEnd)] == expected


def test_calls_with_the_finish_reason_stop_are_calls() -> None:
    made = {"index": 0, "id": "c", "function": {"name": "read", "arguments": "{}"}}
    with ScriptedServer("chat", [body(chunk({"tool_calls": [made]}), chunk({}, "stop"))]) as server:
        events = ask(server)
    assert [e.id for e in events if isinstance(e, ToolCallEnd)] == ["c"]
    assert events[-1].stop is Stop.TOOL


def test_a_call_without_an_id_gets_one_that_goes_back_with_its_result() -> None:
    made = {"index": 0, "function": {"name": "read", "arguments": "{}"}}
    with ScriptedServer(
        "chat", [body(chunk({"tool_calls": [made]}), chunk({}, "stop")), Turn(text="ok")]
    ) as server:
        model = chat_model(server)
        events = collect(model, request("hi"))
        (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
        replay(model, events, end)
    sent = server.requests[1].json["messages"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"] == end.id != ""


def replay(model: Any, events: list[Any], end: ToolCallEnd, *earlier: Any) -> None:
    answer = AssistantMessage("", (ToolCall(end.id, end.name, end.args_json),), events[-1].raw)
    history = (UserMessage("hi"), *earlier, answer, ToolResult(end.id, end.name, "result"))
    collect(model, Request("", (), history))


def test_an_id_used_in_an_earlier_turn_is_ours_anew_and_the_servers_again_on_replay() -> None:
    earlier = (AssistantMessage("", (ToolCall("call_0", "read", "{}"),)), ToolResult("call_0", "read", "x"))
    made = {"index": 0, "id": "call_0", "function": {"name": "read", "arguments": "{}"}}
    with ScriptedServer(
        "chat", [body(chunk({"tool_calls": [made]}), chunk({}, "stop")), Turn(text="ok")]
    ) as server:
        model = chat_model(server)
        events = collect(model, Request("", (), (UserMessage("hi"), *earlier)))
        (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
        assert end.id != "call_0"
        replay(model, events, end, *earlier)
    sent = server.requests[1].json["messages"]
    assert [m["tool_call_id"] for m in sent if m["role"] == "tool"] == ["call_0", "call_0"]


def test_opaque_fields_go_back_verbatim_to_the_same_model_and_not_to_another() -> None:
    signed = {
        "index": 0, "id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "SIG=="}}, "unknown_field": [1, None],
    }  # fmt: skip
    details = [
        {"type": "reasoning.text", "text": "I ", "index": 0, "format": "x"},
        {"type": "reasoning.text", "text": "see", "index": 0, "signature": "S"},
        {"type": "reasoning.encrypted", "data": "D", "index": 1},
    ]
    reply = body(
        *(chunk({"reasoning_details": [d]}) for d in details),
        chunk({"reasoning_content": "deep "}),
        chunk({"reasoning_content": "thought", "content": "Hm."}),
        chunk({"tool_calls": [signed]}, "tool_calls"),
    )
    with ScriptedServer("chat", [reply, Turn(text="ok"), Turn(text="ok")]) as server:
        model = chat_model(server)
        events = collect(model, request("hi"))
        (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
        replay(model, events, end)
        raw = events[-1].raw
        other = [*events[:-1], Done(Stop.TOOL, RawItems(raw.wire, "another", raw.items_json))]
        replay(model, other, end)
    same, switched = (r.json["messages"][1] for r in server.requests[1:])
    assert same["tool_calls"] == [{key: value for key, value in signed.items() if key != "index"}]
    assert same["reasoning_content"] == "deep thought"
    assert same["reasoning_details"] == [
        {"type": "reasoning.text", "text": "I see", "index": 0, "format": "x", "signature": "S"},
        {"type": "reasoning.encrypted", "data": "D", "index": 1},
    ]
    assert switched == {
        "role": "assistant", "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}],
    }  # fmt: skip


def test_a_reply_cut_by_the_length_limit_has_no_call() -> None:
    turn = Turn(text="Let me", calls=(("propose", '{"why":"beca'),), stop="length")
    with ScriptedServer("chat", [turn]) as server:
        events = ask(server)
    assert not [e for e in events if isinstance(e, ToolCallEnd)]
    assert events[-1] == Done(Stop.LENGTH)


@pytest.mark.parametrize(
    ("chunks", "kind"),
    [
        ([call('{"a": "b', "tool_calls")], FaultKind.SERVER),
        ([call("[1]", "stop")], FaultKind.SERVER),
        ([call("{}", "stop", (0, 1))], FaultKind.SERVER),
        ([call("{}", "stop", (None, None))], FaultKind.SERVER),
        ([call("{}", "stop", (0, 0))], FaultKind.SERVER),
        ([call("{}", "stop", name="")], FaultKind.SERVER),
        ([call("{}", None)], FaultKind.SERVER),
        ([chunk({"content": "x"}), sse({"error": {"message": "boom", "code": 502}})], FaultKind.SERVER),
        ([chunk({"content": "x"}), sse({"error": {"message": "slow down", "type": "rate_limit_error"}})], FaultKind.RATE),
        ([chunk({"content": "x"}), sse('[{"error": {"code": 429, "message": "slow"}}]')], FaultKind.RATE),
        ([chunk({"content": "x"}), sse({"error": {"message": "odd", "code": "4²²"}})], FaultKind.SERVER),
        ([chunk({"content": "x"}), sse({"error": {"message": "odd", "code": "4" * 9999}})], FaultKind.SERVER),
        ([chunk({"content": "x"}), sse('{"choices": [{"delta"')], FaultKind.SERVER),
        ([chunk({"content": "x"}), sse("[" * 100_000)], FaultKind.SERVER),
        ([chunk({"content": "x"}), chunk({}, "error")], FaultKind.SERVER),
    ],
)  # fmt: skip
def test_a_broken_reply_is_a_fault_and_never_a_call(chunks: list[bytes], kind: FaultKind) -> None:
    with ScriptedServer("chat", [body(*chunks)]) as server:
        events = ask(server)
    assert isinstance(events[-1], Fault)
    assert events[-1].kind is kind
    assert not [e for e in events if isinstance(e, ToolCallEnd | Done)]


@pytest.mark.parametrize(
    "noise",
    [
        {}, {"choices": None}, {"choices": [None, 3, {"delta": None}]}, [], None, 7,
        {"choices": [{"delta": {"tool_calls": [None, 1]}}]}, {"usage": {"prompt_tokens": "many"}},
        {"choices": [{"delta": {"content": None, "tool_calls": None, "role": 5}}], "usage": None},
        {"choices": [{"index": 1, "delta": {"content": "another answer"}}]}, {"object": "new.thing", "x": [1]},
    ],
)  # fmt: skip
def test_unknown_and_odd_chunks_are_passed_over(noise: Any) -> None:
    reply = body(
        sse(json.dumps(noise)), chunk({"content": "fine"}), sse(json.dumps(noise)), chunk({}, "stop")
    )
    with ScriptedServer("chat", [reply]) as server:
        events = ask(server)
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["fine"]
    assert isinstance(events[-1], Done)


def test_a_missing_done_is_forgiven_only_when_the_body_is_framed() -> None:
    whole = chunk({"content": "fine"}) + chunk({}, "stop")
    for framing, good in (("chunked", True), ("close", False)):
        with ScriptedServer("chat", [Reply(body=whole, framing=framing)]) as server:
            assert isinstance(ask(server)[-1], Done) is good


def test_a_field_that_the_server_refuses_is_left_out_from_then_on() -> None:
    refusal = b'{"error":{"message":"Unrecognized request argument supplied: stream_options"}}'
    no = Reply(status=400, body=refusal, content_type="application/json")
    with ScriptedServer("chat", [no, Turn(text="ok"), Turn(text="ok")]) as server:
        model = chat_model(server)
        assert isinstance(collect(model, request("a"))[-1], Done)
        assert isinstance(collect(model, request("b"))[-1], Done)
    assert ["stream_options" in r.json for r in server.requests] == [True, False, False]


def test_a_foreign_call_gets_the_dummy_signature_that_gemini_takes() -> None:
    history = (
        UserMessage("x"),
        AssistantMessage("", (ToolCall("a", "read", "{}"), ToolCall("b", "read", "{}"))),
    )
    with ScriptedServer("chat", [Turn(text="ok")]) as server:
        ask(server, Request("", (), history), preset="gemini")
    calls = server.requests[0].json["messages"][1]["tool_calls"]
    assert calls[0]["extra_content"] == {"google": {"thought_signature": "skip_thought_signature_validator"}}
    assert "extra_content" not in calls[1]


def test_bare_line_breaks_in_arguments_are_forgiven_and_go_back_as_strict_json() -> None:
    reply = body(call('{"a": "x\ny"}', "tool_calls"))
    with ScriptedServer("chat", [reply, Turn(text="ok")]) as server:
        model = chat_model(server)
        events = collect(model, request("hi"))
        (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
        assert end.args_json == '{"a": "x\ny"}'
        replay(model, events, end)
    sent = server.requests[1].json["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"a": "x\ny"}


def test_reasoning_that_a_server_refuses_to_see_again_is_left_out() -> None:
    reply = body(chunk({"reasoning": "hm", "content": "Hi."}), chunk({}, "stop"))
    refusal = b'{"error":{"message":"messages.1: property \'reasoning\' is unsupported"}}'
    no = Reply(status=400, body=refusal, content_type="application/json")
    with ScriptedServer("chat", [reply, no, Turn(text="ok")]) as server:
        model = chat_model(server)
        said = AssistantMessage("Hi.", (), collect(model, request("hi"))[-1].raw)
        again = Request("", (), (UserMessage("hi"), said, UserMessage("and?")))
        assert isinstance(collect(model, again)[-1], Done)
    assert ["reasoning" in r.json["messages"][1] for r in server.requests[1:]] == [True, False]
