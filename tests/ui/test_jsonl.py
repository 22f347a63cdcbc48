"""`--jsonl`: one object a line both ways; what does not fit the open offer changes nothing."""

from __future__ import annotations

import io
import json
import os
import queue
import subprocess
import sys
from typing import Any

import pytest

from agent.core import events as ev
from agent.core.frontend import (
    AnswerIn,
    CardOffer,
    Decide,
    Input,
    Interrupt,
    PromptOffer,
    QuestionOffer,
    Quit,
    Say,
    TextTick,
)
from agent.core.review import Answer, Approve, Question, Reject
from agent.ui.jsonl import Jsonl
from tests.support.cards import card, checked


class Talk:
    """A jsonl frontend with both ends in hand."""

    def __init__(self) -> None:
        read, write = os.pipe()
        self.inbox: queue.SimpleQueue[Input] = queue.SimpleQueue()
        self.out = io.StringIO()
        self._in = os.fdopen(write, "w", encoding="utf-8")
        self._read = os.fdopen(read, encoding="utf-8")
        self.frontend = Jsonl(self.inbox.put, self._read, self.out)

    def say(self, *messages: Any) -> None:
        for message in messages:
            self._in.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
        self._in.close()
        self.frontend._read()
        self._read.close()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().split("\n") if line]

    def heard(self) -> list[Input]:
        found = []
        while not self.inbox.empty():
            found.append(self.inbox.get())
        return found


def test_events_ticks_and_offers_are_numbered_lines() -> None:
    talk = Talk()
    talk.frontend.emit(ev.Said("fix \udcff", "fix"))
    talk.frontend.tick(TextTick("a\nb"))
    talk.frontend.offer(PromptOffer("main"))
    assert talk.lines == [
        {"v": 1, "seq": 1, "event": {"type": "said", "text": "fix \udcff", "sent": "fix", "read": {}}},
        {"v": 1, "seq": 2, "tick": {"type": "text", "text": "a\nb"}},
        {
            "v": 1,
            "seq": 3,
            "id": "o1",
            "offer": {"type": "prompt", "place": "main", "placeholder": "", "deferred": 0},
        },
    ]
    talk.say()


def test_a_card_carries_its_exact_diff_and_is_approved_by_its_digest() -> None:
    talk, shown = Talk(), card()
    talk.frontend.offer(CardOffer(shown))
    offer = talk.lines[0]["offer"]
    assert offer["digest"] == shown.digest
    assert '+        if token.kind in ("NAME", "ATTRIBUTE"):\n' in offer["diff"]["text"]
    assert offer["risky"] is False
    talk.say({"id": "o1", "decision": {"type": "approve", "digest": shown.digest}})
    assert talk.heard() == [Decide("1", shown.digest, Approve(shown.digest)), Quit("end")]


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "[" * 20_000,
        {"id": "o9", "decision": {"type": "reject"}},
        {"id": "o1", "decision": {"type": "approve", "digest": "other"}},
        {"id": "o1", "decision": {"type": "everything"}},
        {"id": "o1", "answer": {"choice": 0}},
        {"input": {"type": "decide", "chunk": "1", "digest": "d", "decision": {"type": "reject"}}},
        {"decision": {"type": "reject"}},
    ],
    ids=lambda message: str(message)[:60],
)
def test_what_does_not_fit_changes_nothing_and_is_answered(message: Any) -> None:
    talk = Talk()
    talk.frontend.offer(CardOffer(card()))
    talk.say(message)
    assert talk.heard() == [Quit("end")]
    assert "message" in talk.lines[-1]["error"]


def test_a_risky_card_wants_the_word_here_too() -> None:
    talk, shown = Talk(), card(new=None)
    talk.frontend.offer(CardOffer(shown))
    approve = {"id": "o1", "decision": {"type": "approve", "digest": shown.digest}}
    talk.say(approve, approve | {"word": "apply"})
    assert talk.heard() == [Decide("1", shown.digest, Approve(shown.digest)), Quit("end")]


def test_an_answer_for_an_offer_that_was_replaced_is_refused() -> None:
    talk = Talk()
    talk.frontend.offer(CardOffer(card()))
    talk.frontend.offer(CardOffer(card("2")))
    talk.say(
        {"id": "o1", "decision": {"type": "reject"}},
        {"id": "o2", "decision": {"type": "reject", "reason": "no"}},
    )
    assert talk.heard() == [Decide("2", card("2").digest, Reject("no")), Quit("end")]


def test_a_card_with_more_evidence_keeps_its_id_and_one_with_other_bytes_does_not() -> None:
    talk = Talk()
    for shown in (card(), checked(card()), card(new=None)):
        talk.frontend.offer(CardOffer(shown))
    assert [line["id"] for line in talk.lines] == ["o1", "o1", "o2"]
    talk.say()


def test_questions_prompts_and_inputs_without_an_offer() -> None:
    talk = Talk()
    talk.frontend.offer(QuestionOffer("q", Question("Which?", "", ("one", "two"))))
    talk.say(
        {"id": "o1", "answer": {"choice": 7}}, {"id": "o1", "answer": {"choice": 1}}, {"input": {"type": "interrupt"}},
        {"input": {"type": "say", "text": "and the tests"}},
    )  # fmt: skip
    assert talk.heard() == [AnswerIn("q", Answer(1)), Interrupt(), Say("and the tests"), Quit("end")]


def test_it_imports_no_terminal_library() -> None:
    code = (
        "import sys, agent.ui.jsonl; print(sorted({'rich', 'prompt_toolkit', 'pygments'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
