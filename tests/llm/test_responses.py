"""The OpenAI Responses wire: what goes out, and that what came in goes back unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.core.dialog import (
    AssistantMessage,
    Done,
    Fault,
    FaultKind,
    Request,
    Stop,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    ToolResult,
    Usage,
    UserMessage,
)
from agent.llm.choosing.build import build_model
from agent.llm.presets import OPENAI
from tests.support.llm import collect, model_for, request
from tests.support.server import Reply, ScriptedServer
from tests.support.wires import Turn, sse

READ = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


def event(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, kind)


def item(at: int, value: dict[str, Any]) -> bytes:
    return event("response.output_item.added", output_index=at, item=value) + event(
        "response.output_item.done", output_index=at, item=value
    )


def completed(**fields: Any) -> bytes:
    return event("response.completed", response={"status": "completed", "output": [], **fields})


def call(**fields: Any) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": "fc",
        "call_id": "c",
        "name": "propose",
        "arguments": "{}",
        **fields,
    }


def test_the_request_is_stateless_flat_and_in_order() -> None:
    history = (
        UserMessage("fix it"),
        AssistantMessage("Reading.", (ToolCall("c1", "read", '{"path":"a"}'),)),
        ToolResult("c1", "read", "content"),
        UserMessage("go on"),
    )
    wanted = Request(
        "be good", (Tool("read", "reads", READ),), history, max_output_tokens=1234, cache_key="k" * 99
    )
    with ScriptedServer("responses", [Turn(text="ok")]) as server:
        collect(model_for(server), wanted)
    (sent,) = server.requests
    assert sent.path == "/v1/responses"
    body = sent.json
    assert len(body.pop("prompt_cache_key")) == 64
    assert body == {
        "model": "scripted-1",
        "instructions": "be good",
        "input": [
            {"role": "user", "content": "fix it"},
            {"role": "assistant", "content": "Reading."},
            {"type": "function_call", "call_id": "c1", "name": "read", "arguments": '{"path":"a"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "content"},
            {"role": "user", "content": "go on"},
        ],
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"summary": "auto"},
        "max_output_tokens": 1234,
        "stream_options": {"include_obfuscation": False},
        "tools": [
            {"type": "function", "name": "read", "description": "reads", "parameters": READ, "strict": True}
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
    }


ITEMS = [
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZW5j", "new_field": {"x": [None]}},
    {
        "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
        "content": [{"type": "output_text", "text": "Hm\u2028.", "annotations": []}],
    },
    {"type": "future_item", "payload": 1},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": '{"path":"ä"}'},
]  # fmt: skip


def test_items_go_back_verbatim_to_the_same_model_and_plain_to_another() -> None:
    reply = Reply(body=b"".join(item(at, value) for at, value in enumerate(ITEMS)) + completed())
    with ScriptedServer("responses", [reply, Turn(text="ok"), Turn(text="ok")]) as server:
        model = model_for(server)
        events = collect(model, request("hi"))
        (end,) = [e for e in events if isinstance(e, ToolCallEnd)]
        assert (end.id, end.args_json) == ("call_1", '{"path":"ä"}')
        assert [e.text for e in events if isinstance(e, TextDelta)] == ["Hm\u2028."]
        answer = AssistantMessage("Hm\u2028.", (ToolCall(end.id, end.name, end.args_json),), events[-1].raw)
        history = (UserMessage("hi"), answer, ToolResult(end.id, end.name, "result"))
        collect(model, Request("", (), history))
        collect(build_model(OPENAI, model.endpoint, "another"), Request("", (), history))
    same, switched = (r.json["input"] for r in server.requests[1:])
    assert same == [
        {"role": "user", "content": "hi"},
        *ITEMS,
        {"type": "function_call_output", "call_id": "call_1", "output": "result"},
    ]
    assert switched[1:3] == [
        {"role": "assistant", "content": "Hm\u2028."},
        {"type": "function_call", "call_id": "call_1", "name": "read", "arguments": '{"path":"ä"}'},
    ]


def test_reasoning_without_its_content_is_not_sent_back_nor_what_refers_to_it() -> None:
    items = [{"type": "reasoning", "id": "rs_1", "summary": []}, ITEMS[1]]
    reply = Reply(body=b"".join(item(at, value) for at, value in enumerate(items)) + completed())
    with ScriptedServer("responses", [reply, Turn(text="ok")]) as server:
        model = model_for(server)
        done = collect(model, request("hi"))[-1]
        collect(model, Request("", (), (UserMessage("hi"), AssistantMessage("Hm.", (), done.raw))))
    assert server.requests[1].json["input"][1:] == [{k: v for k, v in ITEMS[1].items() if k != "id"}]


def test_items_only_in_the_completed_response_are_taken_from_there() -> None:
    with ScriptedServer("responses", [Reply(body=completed(output=ITEMS[1:]))]) as server:
        events = collect(model_for(server), request("hi"))
    assert [type(e) for e in events] == [TextDelta, ToolCallStart, Usage, ToolCallEnd, Done]


def test_two_messages_are_two_paragraphs() -> None:
    parts = [
        event("response.output_text.delta", output_index=at, delta=text) for at, text in ((0, "a"), (1, "b"))
    ]
    with ScriptedServer("responses", [Reply(body=b"".join(parts) + completed())]) as server:
        events = collect(model_for(server), request("hi"))
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "a\n\nb"


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("max_output_tokens", Stop.LENGTH), ("content_filter", Stop.REFUSAL), ("steered", Stop.LENGTH)],
)
def test_an_incomplete_response_has_no_call(reason: str, stop: Stop) -> None:
    with ScriptedServer("responses", [Turn(calls=(("propose", {"a": 1}),), stop=reason)]) as server:
        events = collect(model_for(server), request("x"))
    assert not [e for e in events if isinstance(e, ToolCallEnd)]
    assert (events[-1].stop, events[-1].raw) == (stop, None)


def test_a_refusal_is_said_and_is_no_answer() -> None:
    refusal = {"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}
    with ScriptedServer("responses", [Reply(body=item(0, refusal) + completed())]) as server:
        events = collect(model_for(server), request("x"))
    assert events[0] == TextDelta("I will not.")
    assert events[-1] == Done(Stop.REFUSAL)


ADDED = event("response.output_item.added", output_index=0, item=call(arguments=""))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(item(0, call(arguments='{"a": "b')) + completed(), FaultKind.SERVER, id="truncated"),
        pytest.param(item(0, call(arguments="3")) + completed(), FaultKind.SERVER, id="no object"),
        pytest.param(item(0, call(status="incomplete")) + completed(), FaultKind.SERVER, id="incomplete item"),
        pytest.param(item(0, call()) + item(1, call()) + completed(), FaultKind.SERVER, id="one id twice"),
        pytest.param(item(0, call()) + item(0, call()) + completed(), FaultKind.SERVER, id="one item twice"),
        pytest.param(item(0, call(name="")) + completed(), FaultKind.SERVER, id="no name"),
        pytest.param(item(0, call(call_id="")) + completed(), FaultKind.SERVER, id="no id"),
        pytest.param(ADDED + completed(), FaultKind.SERVER, id="not finished"),
        pytest.param(sse("{nope"), FaultKind.SERVER, id="no JSON"),
        pytest.param(item(0, call()) + event("error", code="server_error", message="x"), FaultKind.SERVER, id="error"),
        pytest.param(
            item(0, call()) + event("response.failed", response={"error": {"code": "rate_limit_exceeded", "message": "m"}}),
            FaultKind.RATE, id="failed",
        ),
        pytest.param(item(0, call()) + event("response.cancelled", response={}), FaultKind.SERVER, id="cancelled"),
    ],
)  # fmt: skip
def test_a_broken_response_is_a_fault_and_never_a_call(body: bytes, kind: FaultKind) -> None:
    with ScriptedServer("responses", [Reply(body=body)] * 3) as server:
        events = collect(model_for(server), request("x"))
    assert isinstance(events[-1], Fault)
    assert events[-1].kind is kind
    assert not [e for e in events if isinstance(e, ToolCallEnd | Done)]


@pytest.mark.parametrize("field", ["reasoning", "include", "prompt_cache_key", "stream_options"])
def test_what_a_compatible_server_refuses_is_left_out(field: str) -> None:
    error = {
        "error": {
            "message": f"Unsupported parameter: '{field}' is not supported",
            "type": "invalid_request_error",
        }
    }
    no = Reply(status=400, body=json.dumps(error).encode(), content_type="application/json")
    wanted = Request("s", (), (UserMessage("x"),), cache_key="k")
    with ScriptedServer("responses", [no, Turn(text="ok")]) as server:
        assert isinstance(collect(model_for(server), wanted)[-1], Done)
    assert [field in r.json for r in server.requests] == [True, False]


def test_items_without_an_output_index_are_told_apart_by_their_id() -> None:
    """llama.cpp sends none."""
    message = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hi"}]}
    items = [message, call(id="fc_1", arguments='{"a": 1}')]
    body = b"".join(
        event(f"response.output_item.{step}", item=each) for each in items for step in ("added", "done")
    )
    part = event("response.function_call_arguments.delta", item_id="fc_1", delta="{")
    with ScriptedServer("responses", [Reply(body=body + part + completed())]) as server:
        events = collect(model_for(server), request("x"))
    assert [e.args_json for e in events if isinstance(e, ToolCallEnd)] == ['{"a": 1}']
    assert TextDelta("Hi") in events
    assert isinstance(events[-1], Done)
