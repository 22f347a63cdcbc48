"""What remains in the scrollback of what happened."""

from __future__ import annotations

import pytest

from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.dialog import Stop, Usage
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.ui.story import Story


def told(story: Story, event: ev.Event) -> list[str]:
    return [f"{saying.word} {saying.text}" for saying in story.tell(event)]


def replied(text: str) -> ev.Replied:
    return ev.Replied(text, (), Stop.END, Usage())


def examined(kind: EvidenceKind, verdict: Verdict) -> ev.Examined:
    return ev.Examined("1", Evidence(kind, verdict, "said", "d"))


@pytest.mark.parametrize(
    "text", ["Done. I ran the tests and all tests pass.", "Well:\n\nAll tests\npass now.\n"]
)
def test_a_claim_of_a_run_that_nobody_made_is_struck_below_the_reply(text: str) -> None:
    (line,) = told(Story(), replied(text))
    assert line.startswith("struck “")
    assert line.endswith("copair ran nothing that says so")


def test_a_claim_in_the_last_sentence_of_a_task_is_struck_as_well() -> None:
    done, struck = told(Story(), ev.Finished("c", "Mended it; the tests pass."))
    assert done == "done Mended it; the tests pass."
    assert struck.startswith("struck “the tests pass”")


@pytest.mark.parametrize(
    "text", ["Run the tests to see.", "```python\n# all tests pass\n```\n", "", "Once the tests pass, go on."]
)
def test_plans_and_code_are_no_claims(text: str) -> None:
    assert told(Story(), replied(text)) == []


@pytest.mark.parametrize(
    ("evidence", "struck"),
    [
        (examined(EvidenceKind.CHECK, Verdict.VERIFIED), False),
        (examined(EvidenceKind.CHECK, Verdict.CONTRADICTED), True),
        (examined(EvidenceKind.API, Verdict.VERIFIED), True),
    ],
)
def test_only_a_run_of_ours_stands_behind_a_claim(evidence: ev.Examined, struck: bool) -> None:
    story = Story()
    assert told(story, evidence) == []
    assert bool(told(story, replied("All tests pass."))) is struck


def test_a_run_for_an_earlier_proposal_stands_behind_nothing() -> None:
    story = Story()
    told(story, examined(EvidenceKind.CHECK, Verdict.VERIFIED))
    told(story, ev.Proposed("p", "c", (), {}))
    assert told(story, replied("All tests pass."))


@pytest.mark.parametrize(("call", "lines"), [("c", ["proposed 2 chunks"]), ("", [])])
def test_the_chunks_of_a_model_are_counted_those_of_a_diff_are_told_by_the_review(
    call: str, lines: list[str]
) -> None:
    chunks = (Chunk("1", "one", "", ()), Chunk("2", "two", "", ()))
    assert told(Story(), ev.Proposed("p", call, chunks, {})) == lines


def test_an_undo_in_a_review_is_one_line() -> None:
    story = Story()
    events = (ev.Undone("1", "d", (), redo=False), ev.Reopened("1", ev.TOOK_BACK))
    assert [line for event in events for line in told(story, event)] == ["undone chunk 1"]
