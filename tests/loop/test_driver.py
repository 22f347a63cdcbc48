"""Whole sessions: what the person decides is what happens to the files, and nothing else does."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core import events as ev
from agent.core.chunk import Quote
from agent.core.dialog import Done, Fault, FaultKind, Protocol, Request, Stop, StreamEvent
from agent.core.errors import StateError
from agent.core.frontend import Card, CardOffer, Command, Decide, Move, Quit, RunChecks, Say, Undo
from agent.core.hunk import FileState, Mode
from agent.core.review import Approve, Ask, Defer, Edit, Reject, Revise, Split
from agent.core.sessions.session import Status
from agent.git.apply import WorkTree
from agent.io import journal
from agent.io.blobs import Blobs
from agent.loop.driver import Driver
from tests.support.bench import Script, call, fault, play, propose, text
from tests.support.people import Person, answer, approve, decide, do, say

pytestmark = pytest.mark.timeout(20)
GitIn = Callable[..., bytes]
CODE = "def add(a, b):\n    return a - b\n\n\ndef sub(a, b):\n    return a + b\n"


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    """Two wrong functions, and staged, unstaged and untracked work of the person."""
    (repo / "calc.py").write_text(CODE)
    (repo / "mine.txt").write_text("one\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    (repo / "staged.txt").write_text("staged\n")
    git_in(repo, "add", "staged.txt")
    (repo / "mine.txt").write_text("one\ntwo\n")
    (repo / "new.txt").write_text("untracked\n")
    return repo


FIX_ADD = {"path": "calc.py", "old": "    return a - b\n", "new": "    return a + b\n"}
FIX_SUB = {
    "path": "calc.py",
    "old": "def sub(a, b):\n    return a + b\n",
    "new": "def sub(a, b):\n    return a - b\n",
}


def everything_else(root: Path, git_in: GitIn) -> list[bytes]:
    """What must survive: index bytes, refs, stash, HEAD, and all files but calc.py."""
    files = sorted(
        p for p in root.rglob("*") if p.is_file() and ".git" not in p.parts and p.name != "calc.py"
    )
    return [
        (root / ".git/index").read_bytes(),
        (root / ".git/HEAD").read_bytes(),
        git_in(root, "for-each-ref"),
        git_in(root, "stash", "list"),
        *[str(path).encode() + path.read_bytes() for path in files],
    ]


def test_an_approved_chunk_is_written_exactly_and_nothing_else_changes(project: Path, git_in: GitIn) -> None:
    before = everything_else(project, git_in)
    played = play(project, Script(propose(FIX_ADD)), say(Say("fix add")), approve)
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)
    assert everything_else(project, git_in) == before
    assert "applied" in played.model.said(1)


@pytest.mark.parametrize("decision", [Reject("no"), Reject(), Defer()])
def test_a_refused_or_deferred_chunk_leaves_the_file_alone(project: Path, decision: Reject | Defer) -> None:
    play(project, Script(propose(FIX_ADD)), say(Say("fix add")), decide(decision))
    assert (project / "calc.py").read_text() == CODE


def test_the_reason_of_a_reject_and_the_note_of_a_revise_reach_the_model(project: Path) -> None:
    model = Script(propose(FIX_ADD), propose({**FIX_ADD, "new": "    return b + a\n"}), propose(FIX_SUB))
    play(
        project,
        model,
        say(Say("x")),
        decide(Reject("wrong style")),
        decide(Revise("keep a first")),
        decide(Reject()),
    )
    assert "wrong style" in model.said(1)
    assert "keep a first" in model.said(2)
    assert (project / "calc.py").read_text() == CODE


def test_a_proposal_that_was_refused_is_not_shown_again_unchanged(project: Path) -> None:
    model = Script(propose(FIX_ADD), propose(FIX_ADD))
    played = play(project, model, say(Say("x")), decide(Reject("no")))
    assert {card.chunk.id for card in played.person.cards} == {"1"}
    assert "refused exactly this already" in model.said(2)


def test_asking_about_a_card_changes_nothing_and_the_same_card_comes_back(project: Path) -> None:
    model = Script(propose(FIX_ADD), text("Because addition adds."), text("ok"))
    played = play(project, model, say(Say("x")), decide(Ask("why?")), approve)
    first, second = played.person.cards[0], played.person.cards[-1]
    assert first.digest == second.digest
    assert "why?" in model.said(1)
    assert "applied" in model.said(2)
    assert "a + b" in (project / "calc.py").read_text().split("sub")[0]


def test_what_a_proposal_quotes_is_on_its_chunks_and_in_the_journal(project: Path) -> None:
    said = propose(FIX_ADD, quotes=["operator.add: add(a, b) -- Same as a + b."])
    played = play(project, Script(said), say(Say("x")), approve)
    (quote,) = played.person.cards[0].chunk.quotes
    assert quote == Quote("operator.add", "add(a, b) -- Same as a + b.")
    kept = journal.read(journal.sessions(played.bench.place.state)[0].path)
    (proposed,) = (event for event in kept if isinstance(event, ev.Proposed))
    assert proposed.chunks[0].quotes == (quote,)


@pytest.mark.parametrize(
    "stale",
    [
        lambda card: Decide("1", "0" * 64, Approve("0" * 64)),
        lambda card: Decide("1", "0" * 64, Approve(card.digest)),
        lambda card: Decide("1", card.digest, Approve("0" * 64)),
        lambda card: Decide("1", "0" * 64, Reject("no")),
        lambda card: Decide("1", "0" * 64, Edit({"calc.py": FileState(Mode.FILE, b"mine\n")})),
    ],
)
def test_a_decision_for_another_version_of_the_card_does_nothing(
    project: Path, stale: Callable[[Card], Decide]
) -> None:
    played = play(project, Script(propose(FIX_ADD)), say(Say("x")), lambda person: stale(person.card))
    assert (project / "calc.py").read_text() == CODE
    assert any("nothing was done" in notice for notice in played.person.notices)
    assert not any(isinstance(event, ev.Decided | ev.ChunkEdited) for event in played.person.events)


def test_a_file_edited_under_the_open_card_is_shown_anew_and_the_edit_survives(project: Path) -> None:
    def edit_then_approve(person: Person) -> Decide:
        (project / "calc.py").write_text("# mine\n" + CODE)
        return Decide(person.card.chunk.id, person.card.digest, Approve(person.card.digest))

    played = play(project, Script(propose(FIX_ADD)), say(Say("x")), edit_then_approve, approve)
    assert (project / "calc.py").read_text() == "# mine\n" + CODE.replace("a - b", "a + b", 1)
    assert any("new card" in note for card in played.person.cards for note in card.notes)


def test_two_chunks_of_one_file_apply_and_undo_in_any_order(project: Path) -> None:
    model = Script(propose(FIX_ADD), propose(FIX_SUB))
    script = [say(Say("x")), approve, approve, say(Undo("1")), say(Undo("2"))]
    played = play(project, model, *script)
    assert (project / "calc.py").read_text() == CODE
    assert [item.status for item in played.state.items] == [Status.UNDONE, Status.UNDONE]


def test_a_no_that_the_model_knows_of_stays_and_nothing_else_is_taken_back(project: Path) -> None:
    model = Script(
        propose(FIX_ADD), propose(FIX_SUB), propose({**FIX_ADD, "old": "def add", "new": "def plus"})
    )
    script = [say(Say("x")), approve, decide(Reject("no")), do(Undo()), do(Undo("2")), decide(Defer())]
    played = play(project, model, *script)
    assert (project / "calc.py").read_text() == CODE.replace("return a - b", "return a + b")
    assert [item.status for item in played.state.items] == [Status.APPLIED, Status.REJECTED, Status.DEFERRED]
    assert not any(isinstance(event, ev.Reopened) for event in played.person.events)
    stays = "Your no to chunk 2 stays: the model knows of it. Nothing was taken back."
    assert [notice for notice in played.person.notices if "Your no" in notice] == [stays, stays]


def test_what_was_applied_before_a_no_is_taken_back_by_its_name(project: Path) -> None:
    model = Script(propose(FIX_ADD), propose(FIX_SUB))
    played = play(project, model, say(Say("x")), approve, decide(Reject("no")), say(Undo("1")))
    assert (project / "calc.py").read_text() == CODE
    assert [item.status for item in played.state.items] == [Status.UNDONE, Status.REJECTED]


def test_undo_can_be_undone(project: Path) -> None:
    script = [say(Say("x")), approve, say(Undo()), say(Command("redo"))]
    play(project, Script(propose(FIX_ADD)), *script)
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)


def test_undo_refuses_when_the_lines_were_changed_since(project: Path) -> None:
    def change(person: Person) -> Undo:
        (project / "calc.py").write_text(CODE.replace("a - b", "sum((a, b))"))
        return Undo("1")

    played = play(project, Script(propose(FIX_ADD)), say(Say("x")), approve, change)
    assert any(isinstance(event, ev.UndoRefused) for event in played.person.events)
    assert "sum((a, b))" in (project / "calc.py").read_text()


def test_an_edit_of_the_person_is_what_is_written_and_the_model_hears_the_difference(project: Path) -> None:
    mine = FileState(Mode.FILE, CODE.replace("a - b", "b + a", 1).encode())
    model = Script(propose(FIX_ADD))
    play(project, model, say(Say("x")), decide(Edit({"calc.py": mine})), approve)
    assert (project / "calc.py").read_bytes() == mine.data
    assert "+    return b + a" in model.said(1).replace("\\n", "\n")


def test_a_proposal_that_changes_nothing_is_told_to_the_model_and_is_no_card(project: Path) -> None:
    model = Script(propose({"path": "calc.py", "content": CODE}), propose(FIX_ADD))
    play(project, model, say(Say("x")), approve)
    assert "change nothing" in model.said(1)
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)


def test_undo_of_a_rename_refuses_when_the_file_is_gone_under_both_names(project: Path) -> None:
    def delete(person: Person) -> Undo:
        (project / "sums.py").unlink()
        return Undo("1")

    rename = {"path": "calc.py", "rename_to": "sums.py", "because": "it sums"}
    played = play(project, Script(propose(rename)), say(Say("x")), approve, delete)
    assert [event.reason for event in played.person.events if isinstance(event, ev.UndoRefused)] == [
        "sums.py: the file is gone meanwhile"
    ]
    assert not (project / "calc.py").exists()


def test_an_edit_that_leaves_the_card_as_it_is_decides_nothing(project: Path) -> None:
    shown = FileState(Mode.FILE, CODE.replace("a - b", "a + b", 1).encode())
    played = play(project, Script(propose(FIX_ADD)), say(Say("x")), decide(Edit({"calc.py": shown})), approve)
    assert not any(isinstance(event, ev.ChunkEdited) for event in played.person.events)
    assert (project / "calc.py").read_bytes() == shown.data


def test_an_edit_of_some_files_of_a_card_leaves_the_others_and_says_so(project: Path) -> None:
    (project / "other.py").write_text("y = 1\n")
    other = {"path": "other.py", "old": "y = 1", "new": "y = 2"}
    shown = FileState(Mode.FILE, CODE.replace("a - b", "a + b", 1).encode())
    model = Script(propose(FIX_ADD, other))
    play(project, model, say(Say("x")), decide(Edit({"calc.py": shown})), approve)
    assert (project / "calc.py").read_bytes() == shown.data
    assert (project / "other.py").read_text() == "y = 1\n"
    assert "-y = 2\\n+y = 1" in model.said(1)


def test_an_edit_that_brings_back_the_file_is_no_version_of_the_chunk(project: Path) -> None:
    same = decide(Edit({"calc.py": FileState(Mode.FILE, CODE.encode())}))
    played = play(project, Script(propose(FIX_ADD)), say(Say("x")), same, approve)
    assert not any(isinstance(event, ev.ChunkEdited) for event in played.person.events)
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)


def test_a_persons_own_version_is_taken_whole(project: Path) -> None:
    mine = FileState(Mode.FILE, b"".join(b"# %d\n" % number for number in range(9)) + CODE.encode())
    edit = decide(Edit({"calc.py": mine}))
    played = play(project, Script(propose(FIX_ADD, FIX_SUB)), say(Say("x")), edit, decide(Split()), approve)
    assert not any(isinstance(event, ev.ChunkSplit) for event in played.person.events)
    assert (project / "calc.py").read_bytes() == mine.data


@pytest.mark.parametrize("when", ["before the edit arrives", "on the edited card"])
def test_what_the_file_gets_after_an_edit_stays(project: Path, when: str) -> None:
    mine = CODE.replace("a - b", "b + a", 1)
    file = project / "calc.py"

    def edit(person: Person) -> Decide:
        if when == "before the edit arrives":
            file.write_text(f"{CODE}# by hand\n")
        states = {"calc.py": FileState(Mode.FILE, mine.encode())}
        return Decide(person.card.chunk.id, person.card.digest, Edit(states))

    def yes(person: Person) -> Decide | Quit | None:
        if not isinstance(person.offers[-1], CardOffer):
            return Quit()
        if not person.card.edited:
            return None  # the card that the drift brought, before the edit was taken
        if "# by hand" not in file.read_text():
            file.write_text(f"{CODE}# by hand\n")
        return Decide(person.card.chunk.id, person.card.digest, Approve(person.card.digest))

    play(project, Script(propose(FIX_ADD)), say(Say("x")), edit, *[yes] * 6)
    assert file.read_text() == f"{mine}# by hand\n"


def test_an_edit_of_lines_that_are_changed_meanwhile_clashes(project: Path) -> None:
    mine = CODE.replace("a - b", "b + a", 1)

    def change(person: Person) -> Decide:
        (project / "calc.py").write_text(CODE.replace("a - b", "sum((a, b))", 1))
        return Decide(person.card.chunk.id, person.card.digest, Approve(person.card.digest))

    edit = decide(Edit({"calc.py": FileState(Mode.FILE, mine.encode())}))
    play(project, Script(propose(FIX_ADD)), say(Say("x")), edit, change)
    assert "sum((a, b))" in (project / "calc.py").read_text()


def test_a_question_is_a_card_of_its_own_and_the_answer_goes_back(project: Path) -> None:
    ask = call(
        "ask", text="Which?", why_it_matters="m", options=["add", "sub"], default=1, looked_at=["calc.py"]
    )
    model = Script(ask, text("ok"))
    play(project, model, say(Say("x")), answer(1))
    assert "The person answers: sub" in model.said(1)


def test_the_model_reads_before_it_proposes_and_is_never_prompted_for(project: Path) -> None:
    model = Script(call("read", path="calc.py"), propose(FIX_ADD))
    played = play(project, model, say(Say("x")), approve)
    assert "return a - b" in model.said(1)
    assert {card.chunk.id for card in played.person.cards} == {"1"}


def test_files_changed_since_the_model_read_them_are_named_once(project: Path) -> None:
    def edit(person: Person) -> Say:
        (project / "calc.py").write_text(CODE + "# more\n")
        return Say("and now?")

    model = Script(call("read", path="calc.py"), text("I see."), text("Fine."), text("Fine."))
    play(project, model, say(Say("x")), edit, say(Say("more?")))
    assert "changed since you read them" in model.said(2)
    assert "changed since you read them" not in model.said(3)


def test_a_failed_request_says_so_and_retry_goes_on(project: Path) -> None:
    model = Script(fault(Fault(FaultKind.NETWORK, "cut")), propose(FIX_ADD))
    play(project, model, say(Say("x")), say(Command("retry")), approve)
    assert "a + b" in (project / "calc.py").read_text().split("sub")[0]


@pytest.mark.parametrize(
    ("stop", "words"), [(Stop.LENGTH, "cut"), (Stop.REFUSAL, "refused"), (Stop.CONTEXT, "window is full")]
)
def test_a_reply_that_stopped_early_is_said_to_be_unusable_and_becomes_no_card(
    project: Path, stop: Stop, words: str
) -> None:
    def cut(request: Request) -> list[StreamEvent]:
        return [*list(propose(FIX_ADD)(request))[:-1], Done(stop)]

    played = play(project, Script(cut), say(Say("x")))
    assert any(words in notice for notice in played.person.notices)
    assert not played.person.cards


def test_a_reply_of_nothing_is_said(project: Path) -> None:
    played = play(project, Script(text(" \n")), say(Say("x")))
    assert played.person.notices == ["The model sent no words and no proposal."]


def test_an_edit_that_does_not_fit_goes_back_to_the_model_and_never_becomes_a_card(project: Path) -> None:
    wrong = {"path": "calc.py", "old": "    return a * b\n", "new": "    return a + b\n"}
    model = Script(propose(wrong), propose(FIX_ADD))
    played = play(project, model, say(Say("x")), approve)
    assert "calc.py" in model.said(1)
    assert len({card.chunk.id for card in played.person.cards}) == 1


def test_the_text_protocol_does_the_same_without_tool_calls(project: Path) -> None:
    reply = (
        "Title: Mend add\nWhy: it subtracts\n\nBecause: the sign is wrong\ncalc.py\n```\n"
        "<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n"
    )
    model = Script(text(reply), protocol=Protocol.TEXT)
    played = play(project, model, say(Say("x")), approve)
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)
    assert played.person.cards[0].chunk.title == "Mend add"
    assert not model.requests[0].tools


def test_deferred_chunks_are_counted_and_come_back_on_request(project: Path) -> None:
    script = [say(Say("x")), decide(Defer()), say(Command("later")), approve]
    play(project, Script(propose(FIX_ADD)), *script)
    assert "a + b" in (project / "calc.py").read_text().split("sub")[0]


@pytest.mark.parametrize("word", ["q", " quit ", "exit"])
def test_a_lone_goodbye_ends_the_session_and_asks_no_model(word: str, project: Path) -> None:
    model = Script(propose(FIX_ADD))
    played = play(project, model, say(Say(word)), say(Say("x")), approve)
    assert not model.requests
    assert isinstance(played.person.events[-1], ev.Ended)
    assert (project / "calc.py").read_text() == CODE


def test_a_chunk_that_could_not_be_written_comes_back_when_it_can_be(project: Path) -> None:
    (project / "calc.py").chmod(0o444)

    def mend_then_later(person: Person) -> Command:
        assert (project / "calc.py").read_text() == CODE
        (project / "calc.py").chmod(0o644)
        return Command("later")

    model = Script(propose(FIX_ADD), text("I see."))
    played = play(project, model, say(Say("x")), approve, mend_then_later, approve)
    assert "read-only; make it writable" in model.said(1)
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)
    assert [item.status for item in played.state.items] == [Status.APPLIED]


@pytest.mark.parametrize("takes_back", [False, True])
def test_a_yes_that_the_full_state_folder_refused_does_not_live_on(
    project: Path, monkeypatch: pytest.MonkeyPatch, takes_back: bool
) -> None:
    def fill(person: Person) -> None:
        def full(blobs: Blobs, contents: object) -> list[str]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Blobs, "put_all", full)

    def approve_on_a_full_disk(person: Person) -> Decide:
        fill(person)
        return approve(person)

    def undo_on_a_full_disk(person: Person) -> Undo:
        fill(person)
        return Undo("1")

    moves = [approve, undo_on_a_full_disk] if takes_back else [approve_on_a_full_disk]
    first = play(project, Script(propose(FIX_ADD), text("Done.")), say(Say("x")), *moves)
    after = (project / "calc.py").read_text()
    assert after == (CODE.replace("a - b", "a + b", 1) if takes_back else CODE)
    refused = [e for e in first.person.events if isinstance(e, ev.WriteRefused | ev.UndoRefused)]
    assert [("cannot save" in event.reason, "make room" in event.reason) for event in refused] == [
        (True, True)
    ]
    monkeypatch.undo()
    play(project, Script(text("Again.")), resume=journal.sessions(first.bench.place.state)[0].id)
    assert (project / "calc.py").read_text() == after


def test_moving_in_the_stack_shows_another_card(project: Path) -> None:
    big = {"path": "big.py", "content": "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(15))}
    played = play(project, Script(propose(big)), say(Say("x")), do(Move(1)))
    assert len({card.chunk.id for card in played.person.cards}) > 1


def test_a_resumed_session_goes_on_with_the_open_card(project: Path) -> None:
    first = play(project, Script(propose(FIX_ADD)), say(Say("x")))
    info = journal.sessions(first.bench.place.state)[0]
    assert (project / "calc.py").read_text() == CODE
    second = play(project, Script(), approve, resume=info.id)
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)
    assert "applied" in second.model.said(0)


def test_an_approved_set_whose_session_died_before_it_was_journaled_is_not_applied_twice(
    project: Path,
) -> None:
    first = play(project, Script(propose(FIX_ADD)), say(Say("x")), approve)
    info = journal.sessions(first.bench.place.state)[0]
    lines = info.path.read_bytes().split(b"\n")
    cut = next(i for i, line in enumerate(lines) if line.startswith(b'{"type":"wrote"'))
    info.path.write_bytes(b"\n".join(lines[:cut]) + b"\n")
    played = play(project, Script(), say(Undo("1")), resume=info.id)
    assert any(isinstance(event, ev.Wrote) for event in played.person.events)
    assert (project / "calc.py").read_text() == CODE


@pytest.mark.parametrize("again", [True, False])
def test_a_yes_that_an_ended_session_did_not_carry_out_is_asked_for_once_more(
    project: Path, again: bool
) -> None:
    first = play(project, Script(propose(FIX_ADD)), say(Say("x")))
    info = journal.sessions(first.bench.place.state)[0]
    with journal.Journal(first.bench.place.state, info.id) as book:
        book.append(ev.Decided("1", Approve(first.person.cards[-1].digest)), sync=True)
    second = play(project, Script(), *[approve] * again, resume=info.id)
    assert "said yes to this before" in second.person.cards[0].notes[0]
    assert (project / "calc.py").read_text() == (CODE.replace("a - b", "a + b", 1) if again else CODE)


def test_what_cannot_be_written_for_lack_of_our_own_state_is_refused_and_no_yes_stays(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StateError("no lock", hint="look at the state folder")

    monkeypatch.setattr(WorkTree, "write", fails)
    first = play(project, Script(propose(FIX_ADD), text("Done.")), say(Say("x")), approve)
    refused = [event for event in first.person.events if isinstance(event, ev.WriteRefused)]
    assert [event.reason for event in refused] == ["no lock; look at the state folder"]
    monkeypatch.undo()
    play(project, Script(text("Again.")), resume=journal.sessions(first.bench.place.state)[0].id)
    assert (project / "calc.py").read_text() == CODE


def test_checks_of_a_chunk_that_there_is_not_are_said_and_the_card_stays(project: Path) -> None:
    played = play(project, Script(propose(FIX_ADD)), say(Say("x")), do(RunChecks("nope")), approve)
    assert "There is no chunk nope." in played.person.notices
    assert (project / "calc.py").read_text() == CODE.replace("a - b", "a + b", 1)


def test_a_commit_after_a_write_that_fails_leaves_the_session_open(project: Path) -> None:
    def fails(driver: Driver, chunk: str) -> None:
        raise StateError("the record cannot be read")

    model = Script(propose(FIX_ADD), text("Done."))
    played = play(project, model, say(Say("x")), approve, after_write=fails)
    assert "Not committed: the record cannot be read" in played.person.notices
    assert played.model.said(1)


def test_requests_only_grow_over_rejects_questions_revisions_and_undo(project: Path) -> None:
    """So that a provider's cache hits: what was sent stands unchanged in front of what is added."""
    ask = call("ask", text="Which?", why_it_matters="m", options=["add", "sub"], default=0, looked_at=[])
    model = Script(
        ask,
        call("read", path="calc.py"),
        propose(FIX_ADD),
        text("Because."),
        propose(FIX_SUB),
        propose({**FIX_SUB, "new": FIX_SUB["new"].replace("a - b", "-b + a")}),
        text("Done."),
        text("Again."),
    )
    script = [
        say(Say("x")), answer(1), decide(Ask("why?")), approve, decide(Reject("no")), decide(Revise("shorter")),
        say(Undo("1")), say(Say("and now?")),
    ]  # fmt: skip
    play(project, model, *script)
    assert len(model.requests) >= 7
    for before, after in itertools.pairwise(model.requests):
        assert after.history[: len(before.history)] == before.history
        assert (after.system, after.tools) == (before.system, before.tools)


@pytest.mark.parametrize("number", ["²", "-1", "0", "many", "", "1" * 5000])
def test_a_limit_that_is_no_number_is_said_and_changes_nothing(project: Path, number: str) -> None:
    played = play(project, Script(), say(Command("max-tokens", number)), say(Say("x")))
    assert "/max-tokens NUMBER" in played.person.notices
    assert len(played.model.requests) == 1
