"""Holds the sentences that the session writes and the ones that the built-in peers read together."""

from __future__ import annotations

import msgspec
import pytest

from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.dialog import (
    AssistantMessage,
    Message,
    Protocol,
    Stop,
    ToolCall,
    ToolResult,
    Usage,
    UserMessage,
)
from agent.core.review import Approve, Ask, Decision, Defer, Reject, Revise
from agent.core.sessions.request import outgoing
from agent.core.sessions.session import State, fold
from agent.core.sessions.steps import Answer, next_step
from agent.offline.talk import Answered, Asked, Failed, Instruction, Outcome, Revised, Turn, turns

CALL = ToolCall("x1", "propose", '{"title": "T"}')
CHUNK = Chunk("c1", 'Say "hi" (F401)', "why", ())
PROPOSED: tuple[ev.Event, ...] = (
    ev.Started(1, "s", 0.0, "/r", "", "offline pair", Protocol.TOOLS),
    ev.Said("fix it", "fix it"),
    ev.Requested((UserMessage("fix it"),)),
    ev.Replied("", (CALL,), Stop.TOOL, Usage()),
    ev.Proposed("p1", "x1", (CHUNK,), {}),
)


def answered(*events: ev.Event) -> list[Turn]:
    """What a peer reads in the next request after `events`, told by the real session."""
    state: State = fold((*PROPOSED, *events))
    step = next_step(state)
    if isinstance(step, Answer):
        state = fold(
            (ev.ToolAnswered(step.call.id, step.call.name, step.content, is_error=step.is_error),), state
        )
    return turns((AssistantMessage("", (CALL,)), *outgoing(state, ["a.py"])))[1:]


def decided(decision: Decision) -> ev.Decided:
    return ev.Decided("c1", decision)


WROTE = ev.Wrote("c1", "s1", "d", ())


@pytest.mark.parametrize(
    ("events", "turn"),
    [
        ((decided(Approve("d")), WROTE), Outcome(CHUNK.title, "applied")),
        ((decided(Reject("not here (yet)")),), Outcome(CHUNK.title, "rejected", "not here (yet)")),
        ((decided(Reject()),), Outcome(CHUNK.title, "rejected")),
        ((decided(Defer()),), Outcome(CHUNK.title, "deferred", "put off by the person")),
        ((decided(Revise("use a set")),), Revised(CHUNK.title, "use a set")),
        ((decided(Ask("why?")),), Asked(CHUNK.title, "why?")),
        ((ev.ProposalRefused("x1", "no such text"),), Failed({"title": "T"}, "no such text")),
        ((decided(Approve("d")), WROTE, ev.Undone("c1", "s2", ())), Outcome(CHUNK.title, "undone")),
        ((ev.Said("fix E711", "fix E711"),), Instruction("fix E711")),
    ],
)
def test_the_words_of_the_session_are_understood(events: tuple[ev.Event, ...], turn: Turn) -> None:
    assert turn in answered(*events)


def test_files_that_changed_are_no_instruction() -> None:
    assert not any(isinstance(turn, Instruction) for turn in answered(decided(Reject())))


def test_mentioned_files_are_not_taken_for_words() -> None:
    text = "fix F401 in @a.py\n\na.py, all 2 lines:\nimport os  # E711\n\nx"
    assert turns((UserMessage(text),)) == [Instruction("fix F401 in @a.py")]


def test_answers_come_with_their_question() -> None:
    call = ToolCall("q", "ask", '{"text": "Which?"}')
    history: tuple[Message, ...] = (
        AssistantMessage("", (call,)),
        ToolResult("q", "ask", "The person answers: F401"),
    )
    assert turns(history)[1] == Answered({"text": "Which?"}, "F401")


def test_arguments_that_cannot_be_read_are_empty() -> None:
    call = ToolCall("q", "ask", "{")
    found = turns((AssistantMessage("", (call,)), ToolResult("q", "ask", "x")))
    assert msgspec.structs.asdict(found[1])["question"] == {}  # type: ignore[arg-type]
