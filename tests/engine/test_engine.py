"""Our clients against a real llama.cpp server, over all three wires. Nothing is asserted about its words."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.core.dialog import (
    AssistantMessage,
    Done,
    Fault,
    FaultKind,
    Protocol,
    Request,
    Stop,
    TextDelta,
    Tool,
    ToolCallEnd,
    Usage,
    UserMessage,
)
from agent.io.config import Config
from agent.llm.choosing.build import build_model
from agent.llm.choosing.check import check_model, summarise
from agent.llm.choosing.check_tasks import TASKS
from agent.llm.choosing.choose import Flags, choose
from agent.llm.choosing.probe import connect
from agent.llm.presets import CUSTOM, PRESETS
from agent.llm.transport.client import Endpoint, ProviderModel
from agent.llm.wires.chat import ChatWire
from agent.ports import Cancel
from agent.tools.specs import all_tools, system_prompt
from tests.support.engine import running_engine
from tests.support.llm import collect

pytestmark = pytest.mark.engine

PRESET = {"chat": CUSTOM, "messages": PRESETS["anthropic"], "responses": PRESETS["openai"]}
SCHEMA = {
    "type": "object",
    "properties": {"why": {"type": "string", "maxLength": 20}, "count": {"type": "integer"}},
    "required": ["why", "count"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with running_engine() as url:
        yield url


def client(engine: str, wire: str) -> ProviderModel:
    return build_model(PRESET[wire], Endpoint(engine if wire == "messages" else f"{engine}/v1"), "local")


def ask(text: str, tokens: int, *history: Any) -> Request:
    return Request("You are brief.", (), (*history, UserMessage(text)), max_output_tokens=tokens)


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_text_streams_token_by_token_and_the_session_goes_on(engine: str, wire: str) -> None:
    model = client(engine, wire)
    first = collect(model, ask("Say hello.", 12))
    said = [e.text for e in first if isinstance(e, TextDelta)]
    assert len(said) > 2
    assert isinstance(first[-1], Done), first[-1]
    assert [e for e in first if isinstance(e, Usage) and e.input_total > 5 and e.output > 2]
    answer = AssistantMessage("".join(said), (), first[-1].raw)
    second = collect(model, ask("And goodbye.", 4, UserMessage("Say hello."), answer))
    assert isinstance(second[-1], Done), second[-1]


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_a_cancel_ends_generation_and_frees_the_only_slot(engine: str, wire: str) -> None:
    model, cancel = client(engine, wire), Cancel()
    stream = model.stream(ask("Count to one thousand.", 3000), cancel)
    for event in stream:
        if isinstance(event, TextDelta):
            break
    began = time.monotonic()
    cancel.cancel()
    rest = list(stream)
    assert time.monotonic() - began < 0.1
    assert isinstance(rest[-1], Fault)
    assert rest[-1].kind is FaultKind.CANCELLED
    # With one slot the next answer comes only when the cancelled one has stopped.
    assert isinstance(collect(model, ask("Hi.", 2))[-1], Done)
    assert time.monotonic() - began < 5


class Extra(ChatWire):
    """Chat Completions with fields that copair does not send, to make a weak model speak in form."""

    fields: dict[str, Any]

    def body(self, request: Request) -> dict[str, Any]:
        return super().body(request) | self.fields


def extra(engine: str, **fields: Any) -> ProviderModel:
    wire = Extra("local", CUSTOM)
    wire.fields = fields
    return ProviderModel(wire, Endpoint(f"{engine}/v1"), "local")


def test_a_grammar_from_a_schema_streams_as_text(engine: str) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}
    events = collect(extra(engine, response_format=shape), ask("Describe.", 80))
    assert isinstance(events[-1], Done), events[-1]
    if events[-1].stop is Stop.END:
        assert set(json.loads("".join(e.text for e in events if isinstance(e, TextDelta)))) == {
            "why",
            "count",
        }


def test_a_forced_tool_call_streams_in_fragments_or_is_said_to_be_cut(engine: str) -> None:
    request = Request("", (Tool("propose", "offers", SCHEMA),), (UserMessage("Go."),), max_output_tokens=120)
    events = collect(extra(engine, tool_choice="required"), request)
    ends = [e for e in events if isinstance(e, ToolCallEnd)]
    if isinstance(events[-1], Done) and events[-1].stop is Stop.TOOL:
        assert set(json.loads(ends[0].args_json)) == {"why", "count"}
    else:
        assert not ends


def test_tools_that_a_weak_model_ignores_do_no_harm(engine: str) -> None:
    request = Request(
        "", (Tool("propose", "offers", SCHEMA),), (UserMessage("Fix my code."),), max_output_tokens=30
    )
    for wire in ("chat", "messages", "responses"):
        last = collect(client(engine, wire), request)[-1]
        assert isinstance(last, Done), last


def test_a_window_that_is_too_small_is_told_apart(engine: str) -> None:
    last = collect(client(engine, "chat"), ask("word " * 20_000, 5))[-1]
    assert isinstance(last, Fault)
    assert last.kind is FaultKind.CONTEXT


def test_the_model_is_found_by_its_address_alone(engine: str) -> None:
    choice = choose(Config(), {}, Flags(model=f"{engine}/v1"))
    assert choice is not None
    assert choice.model_id.endswith(".gguf")
    assert choice.model.context_tokens
    assert "/" not in choice.model.name
    assert isinstance(collect(choice.model, ask("Hi.", 2))[-1], Done)


def test_check_model_says_honestly_that_it_is_too_weak(engine: str) -> None:
    systems = {protocol: system_prompt(protocol) for protocol in Protocol}
    rows = list(check_model(client(engine, "chat"), all_tools(), systems, tasks=TASKS[:2], output_tokens=60))
    assert len(rows) == 4
    assert all(row.streamed and row.usage.input_total for row in rows)
    assert summarise(rows).protocol is None
    assert "too weak to propose" in summarise(rows).words


def test_connect_finds_it_and_writes_the_text_protocol(engine: str) -> None:
    found = connect(Config(), {"OPENAI_BASE_URL": f"{engine}/v1"})
    assert found.trial is not None
    assert found.trial.ok
    assert found.settings["base_url"] == f"{engine}/v1"
    assert found.settings["protocol"] == Protocol.TEXT or found.trial.called
