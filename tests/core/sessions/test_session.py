"""The fold and the steps: what a session knows, and what it starts next."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from agent.core import events as ev
from agent.core.chunk import Chunk, Use
from agent.core.dialog import Protocol, Stop, ToolCall, ToolResult, Usage, UserMessage
from agent.core.hunk import ChangeKind, FileChange, Hunk
from agent.core.review import (
    Answer,
    Approve,
    Ask,
    Defer,
    Evidence,
    EvidenceKind,
    Question,
    Ran,
    Reject,
    Revise,
    Verdict,
)
from agent.core.sessions import request, steps
from agent.core.sessions.session import State, Status, evolve, fold

START = ev.Started(ev.VERSION, "s1", 0.0, "/r", "main", "scripted", Protocol.TOOLS)


def chunk(name: str, *, needs: tuple[str, ...] = (), new: bytes = b"x\n") -> Chunk:
    change = FileChange(f"{name}.py", ChangeKind.MODIFY, (Hunk(0, (b"a\n",), (new,)),))
    return Chunk(name, f"title {name}", "why", (change,), needs=needs)


def replied(*calls: ToolCall, text: str = "", stop: Stop | None = None) -> ev.Replied:
    return ev.Replied(text, calls, stop or (Stop.TOOL if calls else Stop.END), Usage(10, 0, 0, 5, 0))


PROPOSE = ToolCall("c1", "propose", "{}")


def proposed(*chunks: Chunk) -> list[ev.Event]:
    return [
        START,
        ev.Said("fix it", "fix it"),
        ev.Requested((UserMessage("fix it"),)),
        replied(PROPOSE),
        ev.Proposed("p1", "c1", chunks, {f"{c.id}.py": None for c in chunks}),
    ]


def test_a_sentence_makes_a_request_and_then_waits_for_the_reply() -> None:
    said = fold([START, ev.Said("fix it", "fix it")])
    assert steps.next_step(said) == steps.CallModel()
    sent = fold([ev.Requested(request.outgoing(said, ()))], said)
    assert sent.history == (UserMessage("fix it"),)
    assert steps.next_step(sent) == steps.WaitReply()


def test_every_call_is_answered_before_the_next_request() -> None:
    calls = (ToolCall("a", "read", "{}"), ToolCall("b", "search", "{}"))
    state = fold([START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),)), replied(*calls)])
    assert steps.next_step(state) == steps.RunTool(calls[0])
    state = fold([ev.ToolAnswered("a", "read", "text")], state)
    assert steps.next_step(state) == steps.RunTool(calls[1])
    state = fold([ev.ToolAnswered("b", "search", "found")], state)
    assert steps.next_step(state) == steps.CallModel()
    assert request.outgoing(state, ()) == (
        ToolResult("a", "read", "text"),
        ToolResult("b", "search", "found"),
    )


def test_a_tool_that_the_person_stopped_ends_the_turn_with_all_calls_answered() -> None:
    calls = (ToolCall("a", "read", "{}"), ToolCall("b", "check", "{}"), ToolCall("c", "propose", "{}"))
    state = fold([START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),)), replied(*calls)])
    state = fold([ev.ToolAnswered("a", "read", "text"), ev.TurnFailed("cancelled", "check tests")], state)
    for call in calls[1:]:
        step = steps.next_step(state)
        assert step == steps.Answer(call, "Stopped by the person.", True)
        state = fold([ev.ToolAnswered(call.id, call.name, step.content, is_error=True)], state)
    step = steps.next_step(state)
    assert isinstance(step, steps.Prompt)
    assert "stopped" in step.reason
    again = fold([ev.Said("go on", "go on")], state)
    assert steps.next_step(again) == steps.CallModel()
    assert [
        message.content for message in request.outgoing(again, ())[:3] if isinstance(message, ToolResult)
    ] == [
        "text",
        "Stopped by the person.",
        "Stopped by the person.",
    ]


def test_the_model_is_told_with_its_next_request_which_claims_were_struck() -> None:
    said = [START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),)), replied(text="All tests pass.")]
    state = fold(said)
    assert isinstance(steps.next_step(state), steps.Prompt)
    (message,) = request.outgoing(fold([ev.Said("and?", "and?")], state), ())
    assert isinstance(message, UserMessage)
    assert "struck “All tests pass”" in message.text
    assert message.text.endswith("and?")
    ran = fold([*said[:-1], ev.ToolAnswered("c", "check", "2 passed", ran=Ran.PASSED), said[-1]])
    assert not any("struck" in note for note in ran.notes)


def test_only_an_approved_card_becomes_an_approval_with_its_digest() -> None:
    state = fold(proposed(chunk("1"), chunk("2")))
    assert steps.next_step(state) == steps.OfferCard("1")
    state = fold([ev.Decided("1", Approve("d1"))], state)
    assert steps.next_step(state) == steps.WriteChunk(steps.Approval("1", "d1", "s1.1.1"))
    state = fold([ev.Wrote("1", "s1.1.1", "d1", ())], state)
    assert steps.next_step(state) == steps.OfferCard("2")


def test_a_drifted_write_shows_a_new_card_and_needs_a_new_yes() -> None:
    state = fold([*proposed(chunk("1")), ev.Decided("1", Approve("d1"))])
    state = fold([ev.WriteRefused("1", "changed", ("1.py",), drifted=True)], state)
    assert steps.next_step(state) == steps.OfferCard("1")
    state = fold([ev.Decided("1", Approve("d2"))], state)
    assert steps.next_step(state) == steps.WriteChunk(steps.Approval("1", "d2", "s1.1.2"))


def test_the_result_of_a_proposal_names_each_chunk_with_its_reason() -> None:
    state = fold(
        [
            *proposed(chunk("1"), chunk("2"), chunk("3")),
            ev.Decided("1", Approve("d1")),
            ev.Wrote("1", "s1.1.1", "d1", ()),
            ev.Decided("2", Reject("too clever")),
            ev.Decided("3", Defer()),
        ]
    )
    step = steps.next_step(state)
    assert isinstance(step, steps.Answer)
    assert 'chunk 1 "title 1": applied' in step.content
    assert 'chunk 2 "title 2": rejected (too clever)' in step.content
    assert "deferred" in step.content


def test_a_chunk_whose_need_was_refused_is_blocked_and_says_which() -> None:
    state = fold([*proposed(chunk("1"), chunk("2", needs=("1",))), ev.Decided("1", Reject())])
    step = steps.next_step(state)
    assert step == steps.Block("2", "needs 1 (title 1), which was refused")


def test_a_question_about_a_card_goes_out_and_the_card_comes_back() -> None:
    state = fold([*proposed(chunk("1")), ev.Decided("1", Ask("why so?"))])
    answer = steps.next_step(state)
    assert isinstance(answer, steps.Answer)
    assert "pending" in answer.content
    state = fold([ev.ToolAnswered("c1", "propose", answer.content)], state)
    assert steps.next_step(state) == steps.CallModel(may_propose=False)
    messages = request.outgoing(state, ())
    assert isinstance(messages[0], ToolResult)
    assert "why so?" in messages[1].text  # type: ignore[union-attr]
    state = fold([ev.Requested(messages, may_propose=False), replied(text="because")], state)
    assert steps.next_step(state) == steps.OfferCard("1")
    state = fold([ev.Decided("1", Reject("no"))], state)
    assert steps.next_step(state) == steps.CallModel()
    assert 'Chunk 1 "title 1" was rejected: no.' in request.outgoing(state, ())[0].text  # type: ignore[union-attr]


def test_evidence_that_is_found_again_takes_the_place_of_the_older() -> None:
    def check(command: str, summary: str, digest: str = "d1") -> ev.Examined:
        return ev.Examined("1", Evidence(EvidenceKind.CHECK, Verdict.VERIFIED, summary, digest, command))

    found = [
        check("", "no check"),
        check("pytest", "failed"),
        check("", "no check"),
        check("pytest", "passed"),
    ]
    state = fold([*proposed(chunk("1")), *found, check("pytest", "passed", "d2")])
    kept = [(piece.summary, piece.digest) for piece in state.items[0].evidence]
    assert kept == [("no check", "d1"), ("passed", "d1"), ("passed", "d2")]


@pytest.mark.parametrize("first_failed", [False, True])
def test_a_second_question_about_the_same_card_goes_out_too(first_failed: bool) -> None:
    ended = ev.TurnFailed("network", "cut") if first_failed else replied(text="because")
    asked_once = [
        *proposed(chunk("1")), ev.Decided("1", Ask("why?")), ev.ToolAnswered("c1", "propose", "pending"),
        ev.Requested((), may_propose=False), ended,
    ]  # fmt: skip
    state = fold(asked_once)
    assert steps.next_step(state) == steps.OfferCard("1")
    state = fold([ev.Decided("1", Ask("and really?"))], state)
    assert steps.next_step(state) == steps.CallModel(may_propose=False)
    revised = fold([*asked_once, ev.Decided("1", Revise("use a set"))])
    assert steps.next_step(revised) == steps.CallModel()


def test_a_question_about_a_chunk_of_a_review_goes_out() -> None:
    started = ev.Started(ev.VERSION, "s1", 0.0, "/r", "main", "m", Protocol.TOOLS, "review:x")
    state = fold([started, ev.Proposed("p1", "", (chunk("1"),), {"1.py": None})])
    state = fold([ev.Decided("1", Ask("why?"))], state)
    assert steps.next_step(state) == steps.CallModel(may_propose=False)


@pytest.mark.parametrize("ended", [replied(text="ok"), ev.TurnFailed("cancelled", "stopped by you")])
def test_what_is_said_while_the_model_streams_goes_out_afterwards(ended: ev.Event) -> None:
    state = fold([START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),)), ev.Said("no: y", "no: y")])
    state = fold([ended], state)
    assert steps.next_step(state) == steps.CallModel()
    assert request.outgoing(state, ()) == (UserMessage("no: y"),)


@pytest.mark.parametrize("text", ["", "So far I"])
def test_a_request_that_is_sent_again_never_ends_with_words_of_the_model(text: str) -> None:
    sent = [
        START,
        ev.Said("x", "x"),
        ev.Requested((UserMessage("x"),)),
        ev.TurnFailed("network", "cut", text=text),
    ]
    again = request.outgoing(fold(sent), ())
    assert again == ((UserMessage(request.AGAIN),) if text else ())


def test_a_reply_of_no_use_is_told_beside_all_else_and_a_pause_is_none() -> None:
    sent = [START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),))]
    claim = replied(text="I ran the tests and all of them pass. Now the", stop=Stop.LENGTH)
    (told,) = request.outgoing(fold([*sent, claim]), ["a.py"])
    assert isinstance(told, UserMessage)
    assert "struck" in told.text
    assert "a.py" in told.text
    assert told.text.endswith(request.AGAIN)
    paused = [
        *sent,
        replied(text="First", stop=Stop.PAUSE),
        ev.Requested(()),
        ev.TurnFailed("network", "cut"),
    ]
    assert request.outgoing(fold(paused), ()) == ()


def test_what_was_said_before_there_was_a_model_goes_out_with_the_first_one() -> None:
    state = fold([START, ev.Said("x", "x"), ev.TurnFailed("no model", "no model is configured")])
    assert request.outgoing(state, ()) == (UserMessage("x"),)


def test_a_model_that_pauses_goes_on_from_its_own_words() -> None:
    paused = ev.Replied("so far", (), Stop.PAUSE, Usage())
    state = fold([START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),)), paused])
    assert steps.next_step(state) == steps.CallModel()
    assert request.outgoing(state, ()) == ()


@pytest.mark.parametrize(("kind", "words"), [("cancelled", "stopped"), ("network", "failed")])
def test_a_reply_that_the_person_stopped_is_not_called_a_failure(kind: str, words: str) -> None:
    sent = [START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),))]
    step = steps.next_step(fold([*sent, ev.TurnFailed(kind, "message")]))
    assert isinstance(step, steps.Prompt)
    assert words in step.reason


def test_a_decision_begins_the_count_of_requests_anew() -> None:
    many = [ev.Requested((), may_propose=True)] * steps.REQUESTS
    state = fold([*proposed(chunk("1")), *many, replied()])
    state = fold([ev.Decided("1", Reject("no")), ev.ToolAnswered("c1", "propose", "rejected")], state)
    assert steps.next_step(state) == steps.CallModel()


def test_a_proposal_in_a_turn_that_may_not_propose_never_becomes_a_card() -> None:
    state = fold(
        [*proposed(chunk("1")), ev.Decided("1", Ask("why?")), ev.ToolAnswered("c1", "propose", "pending")]
    )
    state = fold([ev.Requested((), may_propose=False), replied(ToolCall("c2", "propose", "{}"))], state)
    step = steps.next_step(state)
    assert isinstance(step, steps.Answer)
    assert step.is_error


def test_a_revision_drops_what_is_undecided_and_sends_the_note() -> None:
    state = fold([*proposed(chunk("1"), chunk("2")), ev.Decided("1", Revise("use a set"))])
    assert [item.status for item in state.items] == [Status.DROPPED, Status.DROPPED]
    step = steps.next_step(state)
    assert isinstance(step, steps.Answer)
    state = fold([ev.ToolAnswered("c1", "propose", step.content)], state)
    assert steps.next_step(state) == steps.CallModel()
    assert "use a set" in request.outgoing(state, ())[1].text  # type: ignore[union-attr]


def test_questions_are_counted_against_the_budget() -> None:
    state = fold([START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),))])
    question = Question("which?", "matters", ("a", "b"))
    for number in range(steps.QUESTIONS_FIRST):
        call = ToolCall(f"q{number}", "ask", "{}")
        state = fold([replied(call)], state)
        assert steps.next_step(state) == steps.PutQuestion(call)
        state = fold([ev.Asked(call.id, question)], state)
        assert isinstance(steps.next_step(state), steps.OfferQuestion)
        state = fold([ev.Answered(call.id, Answer(0), "a"), ev.Requested()], state)
    step = steps.next_step(fold([replied(ToolCall("q9", "ask", "{}"))], state))
    assert isinstance(step, steps.Answer)
    assert "used up" in step.content


def test_format_errors_go_back_twice_and_then_the_person_is_asked() -> None:
    state = fold([START, ev.Said("x", "x")])
    for number in range(3):
        state = fold([ev.Requested(), replied(ToolCall(f"c{number}", "propose", "{}"))], state)
        state = fold([ev.ProposalRefused(f"c{number}", "wrong")], state)
        expected = steps.CallModel if number < 2 else steps.Prompt
        assert isinstance(steps.next_step(state), expected)


@pytest.mark.parametrize("stop", [Stop.LENGTH, Stop.REFUSAL, Stop.CONTEXT])
def test_a_reply_that_did_not_end_well_starts_nothing(stop: Stop) -> None:
    reply = ev.Replied("half", (PROPOSE,), stop, Usage())
    state = fold([START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),)), reply])
    assert not state.calls
    assert isinstance(steps.next_step(state), steps.Prompt)


def test_a_failed_request_waits_for_the_person_and_keeps_what_was_said() -> None:
    state = fold([START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),))])
    state = fold([ev.TurnFailed("network", "cut", text="so far")], state)
    assert isinstance(steps.next_step(state), steps.Prompt)
    assert state.history[-1].text == "so far"  # type: ignore[union-attr]


def test_undo_is_told_to_the_model_and_undone_chunks_block_what_needs_them() -> None:
    state = fold([*proposed(chunk("1"), chunk("2", needs=("1",))), ev.Decided("1", Approve("d"))])
    state = fold([ev.Wrote("1", "s1.1.1", "d", ()), ev.Undone("1", "u", ())], state)
    assert state.items[0].status is Status.UNDONE
    assert isinstance(steps.next_step(state), steps.Block)


def test_deferred_chunks_come_back_when_the_person_moves_to_them() -> None:
    state = fold([*proposed(chunk("1"), chunk("2")), ev.Decided("1", Defer()), ev.Focused("1")])
    assert steps.next_step(state) == steps.OfferCard("1")


def test_calls_read_out_of_text_are_answered_in_text() -> None:
    calls = (ToolCall("text-1-0", "read", "{}"),)
    state = fold(
        [START, ev.Said("x", "x"), ev.Requested((UserMessage("x"),)), replied(*calls, text="READ a")]
    )
    state = fold([ev.ToolAnswered("text-1-0", "read", "content")], state)
    assert request.outgoing(state, ()) == (UserMessage("[read] content"),)


def test_requests_only_grow_within_an_epoch() -> None:
    state = State()
    sent: list[tuple[object, ...]] = []
    script: list[ev.Event] = [
        *proposed(chunk("1")),
        ev.Decided("1", Reject("no")),
        ev.ToolAnswered("c1", "propose", "rejected"),
    ]
    for event in script:
        state = fold([event], state)
        if state.streaming:
            sent.append(request.build(state, "sys", ()).history)
    state = fold([ev.Requested(request.outgoing(state, ("a.py",)))], state)
    sent.append(request.build(state, "sys", ()).history)
    for before, after in itertools.pairwise(sent):
        assert after[: len(before)] == before


def test_a_new_epoch_drops_old_lookups_but_no_word_of_the_person() -> None:
    history = [UserMessage("do it")]
    for number in range(8):
        history.append(ToolResult(f"r{number}", "read", "x" * 100))  # type: ignore[arg-type]
    history += [ToolResult("q", "ask", "The person answers: b"), UserMessage("no, so")]  # type: ignore[list-item]
    fresh, dropped = request.compact(history)
    assert dropped == 5
    assert UserMessage("do it") in fresh
    assert UserMessage("no, so") in fresh
    assert ToolResult("q", "ask", "The person answers: b") in fresh


def test_who_moved_down_the_stack_goes_on_from_there_and_comes_back_to_the_rest() -> None:
    state = fold([*proposed(chunk("1"), chunk("2"), chunk("3")), ev.Focused("2")])
    asked = evolve(state, ev.Decided("2", Ask("why?")))
    assert asked.focus == "2"
    state = evolve(state, ev.Decided("2", Reject("no")))
    assert steps.next_step(state) == steps.OfferCard("3")
    state = evolve(state, ev.Decided("3", Reject("no")))
    assert steps.next_step(state) == steps.OfferCard("1")


def test_behind_what_a_no_blocks_the_next_open_chunk_comes() -> None:
    waits = msgspec.structs.replace(chunk("3"), needs=("2",))
    state = fold([*proposed(chunk("1"), chunk("2"), waits, chunk("4")), ev.Focused("2")])
    state = fold([ev.Decided("2", Reject("no"))], state)
    (blocked,) = steps.blocks(state)
    assert steps.next_step(evolve(state, blocked)) == steps.OfferCard("4")
    unfit = fold([ev.Focused("3"), ev.Blocked("3", "does not fit")], state)
    assert steps.next_step(unfit) == steps.OfferCard("4")


def test_a_write_that_found_another_file_shows_the_same_chunk_again() -> None:
    state = fold(
        [*proposed(chunk("1"), chunk("2"), chunk("3")), ev.Focused("2"), ev.Decided("2", Approve("d"))]
    )
    state = evolve(state, ev.WriteRefused("2", "changed", ("2.py",), drifted=True))
    assert steps.next_step(state) == steps.OfferCard("2")


def test_a_no_that_is_taken_back_leaves_the_persons_version_and_lets_it_be_proposed_again() -> None:
    mine = {"1.py": ev.StoredState(0o100644, "mine")}
    edited = ev.ChunkEdited("1", mine, "-a\n+mine\n", {"1.py": None}, "My title")
    refused = fold([*proposed(chunk("1"), chunk("2")), edited, ev.Decided("1", Reject("no"))])
    assert len(refused.refused) == 1
    state = fold([ev.Reopened("1", "you took back your no")], refused)
    item = state.item("1")
    assert item is not None
    assert (item.status, item.edited, item.chunk.title) == (Status.PENDING, mine, "My title")
    assert state.refused == frozenset()


def test_what_is_undecided_loses_the_persons_version_when_it_is_taken_back() -> None:
    edited = ev.ChunkEdited("1", {"1.py": None}, "", {"1.py": None}, "My title")
    state = fold([*proposed(chunk("1")), edited, ev.Reopened("1", "as it was before your edit")])
    item = state.item("1")
    assert item is not None
    assert (item.edited, item.chunk.title) == (None, "title 1")


def test_a_split_that_is_taken_back_leaves_all_as_it_was_and_what_is_decided_ends_that() -> None:
    before = fold(proposed(chunk("1"), chunk("2", needs=("1",))))
    parts = tuple(chunk(name) for name in ("1a", "1b", "1c"))  # older versions made many
    split = evolve(before, ev.ChunkSplit("1", parts))
    assert [item.chunk.id for item in split.items] == ["1a", "1b", "1c", "2"]
    assert split.items[-1].chunk.needs == ("1a", "1b", "1c")
    joined = evolve(split, ev.ChunksJoined("1", ("1a", "1b", "1c")))
    assert (joined.items, joined.splits) == (before.items, ())
    assert evolve(joined, ev.ChunksJoined("1", ("1a", "1b", "1c"))) == joined
    for event in (
        ev.Decided("2", Defer()),
        ev.Decided("1a", Reject("")),
        ev.ChunkEdited("1a", {}, ""),
        ev.Blocked("1a", "you left it", left=True),
        ev.Said("x", "x"),
        ev.Resumed(0.0, "m", Protocol.TOOLS),
    ):
        assert evolve(split, event).splits == ()
    assert evolve(split, ev.Decided("1a", Ask("why?"))).splits == split.splits


def test_what_is_cut_after_a_split_needs_and_uses_the_parts_until_they_are_joined() -> None:
    started = msgspec.structs.replace(START, source="review x")
    first = ev.Proposed("r1", "", (chunk("1"),), {"1.py": None}, more=True)
    state = fold([started, first, ev.ChunkSplit("1", (chunk("1a"), chunk("1b")))])
    state = evolve(state, ev.ChunkSplit("1b", (chunk("1c"), chunk("1d"))))
    later = msgspec.structs.replace(chunk("2", needs=("1",)), uses=(Use("1", "f"),))
    state = evolve(state, ev.Proposed("r1", "", (later,), {"2.py": None}))
    assert state.items[-1].chunk.needs == ("1a", "1c", "1d")
    assert [use.chunk for use in state.items[-1].chunk.uses] == ["1a", "1c", "1d"]
    blocked = steps.next_step(evolve(state, ev.Decided("1c", Reject())))
    assert isinstance(blocked, steps.Block)
    assert blocked.chunk == "2"
    for joined in (ev.ChunksJoined("1b", ("1c", "1d")), ev.ChunksJoined("1", ("1a", "1b"))):
        state = evolve(state, joined)
    assert [item.chunk for item in state.items] == [chunk("1"), later]
    assert state.parted == {}
