"""Requests are append-only within an epoch: what was sent before is sent again with the very same bytes.

Providers cache by the exact prefix; Anthropic and OpenAI also bind their opaque reasoning to it.
"""

from __future__ import annotations

import itertools
import json

import pytest

from agent.core.dialog import (
    AssistantMessage,
    Message,
    Request,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallEnd,
    ToolChoice,
    ToolResult,
    UserMessage,
)
from tests.support.llm import collect, model_for
from tests.support.server import ScriptedServer
from tests.support.wires import Turn

SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "string"}},
    "required": ["x"],
    "additionalProperties": False,
}
TOOLS = tuple(Tool(name, f"does {name}", SCHEMA) for name in ("read", "propose", "ask"))
TURNS = [
    Turn(text="Let me look.", reasoning="hm", calls=(("read", {"x": "a\u2028ü"}),)),
    Turn(calls=(("propose", {"x": "1"}), ("propose", {"x": "2"}))),
    Turn(reasoning="aha", calls=(("ask", {"x": "which?"}),)),
    Turn(text="Plain words."),
    Turn(text="More.", reasoning="deep", calls=(("propose", {"x": "3"}),)),
    Turn(text="Done."),
]
RESULTS = {"read": "lines\nof a file 🐍", "propose": "rejected: not that way", "ask": "the second one"}


def play(wire: str) -> list[bytes]:
    """A session with rejects, questions, an undo note and a turn without calls; the bodies that were sent."""
    with ScriptedServer(wire, TURNS) as server:
        model = model_for(server)
        history: tuple[Message, ...] = (UserMessage("fix the parser"),)
        for number in range(len(TURNS)):
            choice = ToolChoice.NONE if number == 3 else ToolChoice.AUTO
            events = collect(model, Request("You pair.", TOOLS, history, choice, cache_key="copair-s-0"))
            calls = [ToolCall(e.id, e.name, e.args_json) for e in events if isinstance(e, ToolCallEnd)]
            text = "".join(e.text for e in events if isinstance(e, TextDelta))
            results = [ToolResult(c.id, c.name, RESULTS[c.name]) for c in calls]
            said = (UserMessage(f"(undid chunk {number})"),) if number % 2 else ()
            history = (*history, AssistantMessage(text, tuple(calls), events[-1].raw), *results, *said)
            if not calls and not said:
                history = (*history, UserMessage("go on"))
        return [r.body for r in server.requests]


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_the_bytes_of_the_prefix_never_change_when_the_history_grows(wire: str) -> None:
    bodies = play(wire)
    assert len(bodies) == len(TURNS)
    for before, after in itertools.pairwise(bodies):
        # Up to the bracket that closes the messages; only the tool choice comes behind it.
        head, bracket, tail = before.rpartition(b"]")
        assert bracket
        assert after.startswith(head)
        assert b"messages" in head or b"input" in head
        assert json.loads(b'{"x":0' + tail.replace(b"]", b"")).keys() <= {"x", "tool_choice"}


@pytest.mark.parametrize("wire", ["chat", "messages", "responses"])
def test_the_tools_are_the_same_in_a_turn_that_may_not_propose(wire: str) -> None:
    bodies = [json.loads(body) for body in play(wire)]
    assert len({json.dumps(body["tools"]) for body in bodies}) == 1
    none = {"type": "none"} if wire == "messages" else "none"
    assert [body.get("tool_choice") == none for body in bodies] == [
        number == 3 for number in range(len(bodies))
    ]


def test_the_cache_key_stays() -> None:
    assert {json.loads(body)["prompt_cache_key"] for body in play("responses")} == {"copair-s-0"}
