"""`copair review` by hand and as JSON, on a real repository."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.cli.walk import review_driver
from agent.cli.wanted import Wanted
from agent.cli.wire import NO_CHECKS, model_driver
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.frontend import Command, Decide, Input, Move, Quit, RunChecks, Say, Undo
from agent.core.hunk import FileState, Mode, Write, writes_digest
from agent.core.review import Defer, Edit, Evidence, EvidenceKind, Reject, Split, Verdict, is_stale
from agent.core.sessions.session import State, Status
from agent.git.apply import WorkTree
from agent.io.calls import Calls
from agent.loop.examiner import Examiner
from agent.loop.summary import summary
from agent.loop.taking_back import can_reopen
from agent.ports import Cancel
from agent.review import script
from agent.ui.story import Story
from tests.support.cli import copair
from tests.support.people import Act, Person, approve, decide, do

pytestmark = pytest.mark.timeout(30)
GitIn = Callable[..., bytes]
OLD = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(6))
NEW = OLD.replace("return 1", "return 11").replace("return 4", "return 44")


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    """Two commits: the second changes two functions and adds a file."""
    (repo / "a.py").write_text(OLD)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    (repo / "a.py").write_text(NEW)
    (repo / "b.py").write_text("B = 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "second")
    git_in(repo, "branch", "theirs")
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    return repo


def walk(root: Path, argument: str | None, *acts: Act, onto: str = "") -> tuple[State, Person]:
    """A review by hand: each card gets the next act."""
    bench = Workbench.open(root)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    person = Person(inbox, acts)
    opened = script.open_stack(bench.repo, bench.target, script.Wanted(argument, root, lambda: b"", onto))
    driver = review_driver(bench, person, inbox, opened, Wanted())
    state = driver.run()
    driver.parts.journal.close()
    bench.repo.close()
    return state, person


def test_another_branch_is_taken_chunk_by_chunk(project: Path, git_in: GitIn) -> None:
    walk(project, "theirs", approve, approve, approve)
    assert (project / "a.py").read_text() == NEW
    assert (project / "b.py").read_text() == "B = 1\n"
    assert git_in(project, "diff", "--cached") == b""


def test_an_edit_keeps_what_another_chunk_of_the_file_does_meanwhile(project: Path) -> None:
    mine = OLD.replace("return 1", "return 111")
    edit = decide(Edit({"a.py": FileState(Mode.FILE, mine.encode())}))
    walk(project, "theirs", edit, do(Move(by=1)), approve, do(Move(by=-1)), approve)
    assert (project / "a.py").read_text() == NEW.replace("return 11\n", "return 111\n")


@pytest.mark.parametrize("before", [approve, decide(Reject("no"))], ids=["after a yes", "after a no"])
def test_u_takes_back_the_yes_to_what_is_in_the_files_and_nothing_that_was_said_before(
    project: Path, before: Act
) -> None:
    (project / "a.py").write_text(OLD.replace("return 4", "return 44"))
    seen: list[tuple[str, str]] = []

    def noted(act: Act) -> Act:
        def look(person: Person) -> Input | None:
            seen.append((person.card.chunk.title, (project / "a.py").read_text()))
            return act(person)

        return look

    state, _ = walk(project, "theirs", before, *map(noted, (approve, do(Undo()), approve, approve)))
    titles = ["f4: 2 lines", "New file b.py: 1 line"]
    assert [title for title, _ in seen] == titles * 2
    assert len({code for _, code in seen}) == 1
    first = Status.APPLIED if before is approve else Status.REJECTED
    assert [item.status for item in state.items] == [first, Status.PRESENT, Status.APPLIED]


def test_a_redo_writes_nothing_for_a_part_of_what_was_taken_back_and_split(
    project: Path, git_in: GitIn
) -> None:
    git_in(project, "checkout", "-q", "-b", "long")
    lines = "".join(f"    a{number} = {number}\n" for number in range(9))
    long = OLD.replace("    return 1\n", f"{lines}    return a1\n").replace("return 4", "return 44")
    (project / "a.py").write_text(long)
    git_in(project, "commit", "-qam", "long")
    git_in(project, "checkout", "-q", "main")

    def redo(person: Person) -> Input:
        return Command("redo", person.card.chunk.id)

    acts = [approve, do(Undo()), decide(Split()), redo, approve]
    state, person = walk(project, "long", *acts)
    assert [item.status for item in state.items] == [Status.APPLIED, Status.PENDING, Status.PENDING]
    assert any(notice.startswith("There is nothing to take back as ") for notice in person.notices)
    assert "a0 = 0" in (project / "a.py").read_text()
    assert "return a1" not in (project / "a.py").read_text()


def test_a_redo_does_not_write_what_was_there_before_an_edit(project: Path) -> None:
    mine = OLD.replace("return 1\n", "return 111\n").replace("return 0\n", "return 100\n")
    edit = decide(Edit({"a.py": FileState(Mode.FILE, mine.encode())}))
    acts = [approve, do(Undo()), edit, do(Command("redo", "")), approve]
    state, person = walk(project, "theirs", *acts)
    assert "There is nothing to take back." in person.notices
    assert (state.items[0].chunk.title, state.items[0].status) == ("f0, f1: 4 lines", Status.APPLIED)
    assert (project / "a.py").read_text() == mine


def test_a_version_of_ones_own_is_named_by_what_it_touches(project: Path) -> None:
    mine = f"import os\n\n{OLD.replace('return 1', 'return 111')}"
    edit = decide(Edit({"a.py": FileState(Mode.FILE, mine.encode())}))
    state, person = walk(project, "theirs", edit, approve)
    after = next(card.chunk.title for card in person.cards if card.edited)
    assert after == "f1: 4 lines"
    assert person.cards[0].chunk.title == "f1: 2 lines"
    assert [item.chunk.title for item in state.items if item.status is Status.APPLIED] == [after]


def test_a_chunk_that_is_split_further_down_goes_on_with_its_first_part(project: Path, git_in: GitIn) -> None:
    git_in(project, "checkout", "-q", "theirs")
    (project / "a.py").write_text(NEW.replace("return 3", "x = 1\n    y = 2\n    return x + y"))
    git_in(project, "commit", "-qam", "third")
    git_in(project, "checkout", "-q", "HEAD~1")
    (project / "a.py").write_text(NEW)
    (project / "b.py").write_text("B = 1\n")
    git_in(project, "add", ".")
    state, person = walk(project, "theirs~2..theirs", do(Move(by=1)), decide(Split()), approve)
    shown = {card.chunk.id: card.chunk for card in person.cards}
    parts = [chunk for chunk in shown.values() if chunk.place_reason.startswith("part ")]
    assert [part.title for part in parts[:2]] == ["f3 (1 of 2): 1 line", "f3 (2 of 2): 3 lines"]
    assert [item.chunk.id for item in state.items if item.status is Status.APPLIED] == [parts[0].id]


@pytest.fixture
def long(project: Path, git_in: GitIn) -> str:
    """A branch whose first chunk can be split twice."""
    git_in(project, "checkout", "-q", "-b", "long")
    lines = "".join(f"    a{number} = {number}\n" for number in range(9))
    (project / "a.py").write_text(OLD.replace("    return 1\n", f"{lines}    return a1\n"))
    git_in(project, "commit", "-qam", "long")
    git_in(project, "checkout", "-q", "main")
    return "long"


def test_u_after_a_split_makes_one_chunk_of_the_parts_again(project: Path, long: str) -> None:
    split, back = decide(Split()), do(Undo())
    state, person = walk(project, long, split, split, back, back, approve)
    assert [item.status for item in state.items] == [Status.APPLIED], person.notices
    titles = [card.chunk.title for card in person.cards]
    assert titles[-1] == titles[0]
    assert sum(isinstance(event, ev.ChunksJoined) for event in person.events) == 2
    said = [str(saying.text) for event in person.events for saying in Story().tell(event)]
    assert any(text.endswith("2 parts are one again") for text in said)
    assert "return a1" in (project / "a.py").read_text()


def test_u_after_a_part_was_decided_takes_that_back(project: Path, long: str) -> None:
    state, person = walk(project, long, decide(Split()), approve, do(Undo()), do(Undo()))
    assert [item.status for item in state.items] == [Status.PENDING, Status.PENDING]
    assert (project / "a.py").read_text() == OLD
    assert not any(isinstance(event, ev.ChunksJoined) for event in person.events)


def test_a_part_keeps_its_number_after_an_edit(project: Path, long: str) -> None:
    mine = OLD.replace("return 1\n", "return 111\n")
    edit = decide(Edit({"a.py": FileState(Mode.FILE, mine.encode())}))
    _, person = walk(project, long, decide(Split()), edit)
    assert person.cards[-1].chunk.title == "f1 (1 of 2): 2 lines"


def test_what_does_not_fit_is_a_card_with_both_texts_and_is_resolved_in_the_editor(project: Path) -> None:
    mine = OLD.replace("return 1", "return 1000")
    (project / "a.py").write_text(mine)
    left: list[Any] = []

    def still_marked(person: Person) -> Any:
        card = person.offers[-1].card
        left.append(card)
        return Decide(card.chunk.id, card.digest, Edit({"a.py": card.writes[0].new}))

    resolved = decide(Edit({"a.py": FileState(Mode.FILE, mine.replace("1000", "1011").encode())}))
    state, person = walk(project, "theirs", still_marked, resolved, approve, approve, approve)
    card = left[0]
    assert (card.conflict, card.yes) == (True, "leave")
    assert card.writes[0].new.data.decode() == mine.replace(
        "    return 1000\n",
        "<<<<<<< your file\n    return 1000\n||||||| before the chunk\n    return 1\n"
        "=======\n    return 11\n>>>>>>> the chunk\n",
    )
    assert "It does not fit: a.py, line 6: your file differs here from what the" in card.notes[0]
    assert any("decided" in notice for notice in person.notices), person.notices
    assert (project / "a.py").read_text() == NEW.replace("return 11\n", "return 1011\n")
    assert all(item.status is Status.APPLIED for item in state.items)


def test_a_yes_to_what_does_not_fit_writes_nothing_and_goes_on(project: Path) -> None:
    mine = OLD.replace("return 1", "return 1000")
    (project / "a.py").write_text(mine)
    state, person = walk(project, "theirs", approve, approve, approve)
    assert [item.status for item in state.items].count(Status.BLOCKED) == 1
    assert (project / "a.py").read_text() == mine.replace("return 4", "return 44")
    assert any(card.conflict for card in person.cards)


@pytest.mark.parametrize("by", ["the stack", "/later"])
@pytest.mark.parametrize("fits", [False, True], ids=["still does not fit", "fits now"])
def test_what_was_left_because_it_does_not_fit_is_shown_again(project: Path, by: str, fits: bool) -> None:
    mine = OLD.replace("return 1", "return 1000")
    (project / "a.py").write_text(mine)
    shown: list[Any] = []

    def again(person: Person) -> Any:
        if fits:
            (project / "a.py").write_text(OLD.replace("return 4", "return 44"))
        return Move(to=person.cards[0].chunk.id) if by == "the stack" else Command("later", "1")

    def look(person: Person) -> Any:
        shown.append(person.card)
        return approve(person)

    state, person = walk(project, "theirs", approve, approve, again, look, approve)
    blocked = next(event for event in person.events if isinstance(event, ev.Blocked))
    assert blocked.reason.startswith("you left it: a.py: ")
    assert (shown[0].chunk.id, shown[0].conflict) == (state.items[0].chunk.id, not fits), person.notices
    applied = [item.status for item in state.items].count(Status.APPLIED)
    assert applied == (3 if fits else 2)


def test_u_behind_what_was_left_because_it_does_not_fit_shows_that_again(project: Path) -> None:
    mine = OLD.replace("return 1", "return 1000")
    (project / "a.py").write_text(mine)

    def to(person: Person) -> Any:
        return Move(to=person.cards[0].chunk.id)

    def away(_: Person) -> Any:
        return Move(by=1)

    def back(_: Person) -> Any:
        return Undo()

    state, person = walk(project, "theirs", away, approve, to, approve, back, approve)
    assert not any(isinstance(event, ev.Undone) for event in person.events), person.notices
    reopened = [event for event in person.events if isinstance(event, ev.Reopened)]
    assert [(event.chunk, event.reason) for event in reopened] == [
        (person.cards[0].chunk.id, "you took back your yes")
    ]
    assert [card.chunk.id for card in person.cards if card.conflict] == [person.cards[0].chunk.id] * 3
    assert any(item.status is Status.APPLIED for item in state.items)


def test_u_in_the_next_session_leaves_the_version_of_the_person_that_did_not_fit(project: Path) -> None:
    mine = FileState(Mode.FILE, OLD.replace("return 1", "return 12").encode())

    def meanwhile(person: Person) -> Any:
        (project / "a.py").write_text(OLD.replace("return 1", "return 1000"))
        return Move(by=0)

    state, person = walk(project, "theirs", decide(Edit({"a.py": mine})), meanwhile, approve)
    assert state.last_kept == person.cards[0].chunk.id
    state, person = walk(project, "theirs", do(Undo()))
    assert not any(isinstance(event, ev.Reopened) for event in person.events)
    assert state.items[0].edited is not None


def test_what_waits_for_a_refused_chunk_is_not_opened_by_going_to_it(project: Path, git_in: GitIn) -> None:
    git_in(project, "checkout", "-qb", "made")
    (project / "c.py").write_text("".join(f"def g{n}():\n    return {n}\n\n\n" for n in range(30)))
    git_in(project, "add", ".")
    git_in(project, "commit", "-qm", "made")
    git_in(project, "checkout", "-q", "main")
    first = decide(Reject("no"))
    state, _ = walk(project, "made", first)
    assert [item.status for item in state.items[:2]] == [Status.REJECTED, Status.BLOCKED]
    assert [can_reopen(state, item) for item in state.items[:2]] == [True, False]


@pytest.mark.parametrize("named", [False, True])
def test_a_no_by_mistake_is_taken_back(project: Path, named: bool) -> None:
    def again(person: Person) -> Any:
        return Command("later", person.cards[0].chunk.id) if named else Undo()

    state, person = walk(project, "theirs", decide(Reject("no")), again, approve, approve, approve)
    assert all(item.status is Status.APPLIED for item in state.items), person.notices
    assert (project / "a.py").read_text() == NEW
    assert state.written[0] == person.cards[0].chunk.id
    assert sum(isinstance(event, ev.Reopened) for event in person.events) == 1


def test_one_goes_to_a_chunk_by_its_number(project: Path) -> None:
    numbers = [do(Command("go", "3")), do(Command("go", "9")), do(Command("go", "1"))]
    state, person = walk(project, "theirs", *numbers, approve, approve, approve)
    stack = [item.chunk.id for item in state.items]
    assert [card.chunk.id for card in person.cards][:4] == [stack[0], stack[2], stack[2], stack[0]]
    assert "That chunk is not open." in person.notices


def test_a_no_to_what_is_there_already_is_taken_back_and_nothing_else(project: Path) -> None:
    (project / "a.py").write_text(OLD.replace("return 1", "return 11"))

    def to_the_first(person: Person) -> Any:
        return Move(to=person.cards[0].chunk.id)

    acts = [do(Move(by=1)), approve, to_the_first, decide(Reject("no")), do(Undo())]
    state, person = walk(project, "theirs", *acts, approve, approve)
    assert (project / "a.py").read_text() == NEW, person.notices
    assert [item.status for item in state.items] == [Status.PRESENT, Status.APPLIED, Status.APPLIED]


def test_what_is_there_is_taken_out_by_a_second_no_and_then_the_no_stays(project: Path) -> None:
    (project / "a.py").write_text(OLD.replace("return 1", "return 11"))

    def later(person: Person) -> Any:
        return Command("later", person.cards[0].chunk.id)

    no = decide(Reject("no"))
    state, person = walk(project, "theirs", no, do(Undo()), no, do(Move(by=-1)), approve, later)
    assert (project / "a.py").read_text() == OLD, person.notices
    statuses = [Status.REJECTED, Status.PENDING, Status.PENDING, Status.APPLIED]
    assert [item.status for item in state.items] == statuses
    assert state.items[-1].chunk.title.startswith("Take back: ")
    assert not can_reopen(state, state.items[0])


def test_an_edit_is_taken_back_and_the_card_is_as_it_was(project: Path) -> None:
    mine = OLD.replace("return 1", "return 111\n    # more")
    edit = decide(Edit({"a.py": FileState(Mode.FILE, mine.encode())}))
    _, person = walk(project, "theirs", edit, lambda _: Undo(), approve, approve, approve)
    titles = [card.chunk.title for card in person.cards if card.chunk.id == person.cards[0].chunk.id]
    assert (titles[0], titles[-1]) == ("f1: 2 lines", "f1: 2 lines")
    assert any(card.edited for card in person.cards)
    assert (project / "a.py").read_text() == NEW


def test_undo_after_a_no_that_something_followed_takes_back_what_was_applied(project: Path) -> None:
    state, person = walk(project, "theirs", decide(Reject("no")), approve, lambda _: Undo())
    statuses = [item.status for item in state.items]
    assert statuses == [Status.REJECTED, Status.PENDING, Status.PENDING]
    assert (project / "a.py").read_text() == OLD
    assert person.cards[-1].chunk.id == state.items[1].chunk.id


def test_a_yes_by_mistake_is_taken_back_and_its_card_comes_next(project: Path) -> None:
    state, person = walk(project, "theirs", approve, approve, do(Undo()))
    second = state.items[1].chunk.id
    assert person.cards[-1].chunk.id == second
    assert (project / "a.py").read_text() == OLD.replace("return 1", "return 11")
    assert [event.redo for event in person.events if isinstance(event, ev.Undone)] == [False]
    again, after = walk(project, "theirs", approve, approve)
    assert again.session == state.session
    assert second in [card.chunk.id for card in after.cards]
    assert all(item.status is Status.APPLIED for item in again.items)


def test_an_undo_in_a_review_is_taken_back_by_a_redo(project: Path) -> None:
    state, _ = walk(project, "theirs", approve, do(Undo()), do(Command("redo")), approve, approve)
    assert all(item.status is Status.APPLIED for item in state.items)
    assert (project / "a.py").read_text() == NEW


def test_what_is_open_again_after_an_undo_is_applied_by_a_redo_later(project: Path) -> None:
    state, _ = walk(project, "theirs", approve, do(Undo()))
    assert (project / "a.py").read_text() == OLD
    ran = copair(project, "undo", "--redo", state.items[0].chunk.id)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (project / "a.py").read_text() != OLD
    again = copair(project, "undo", "--redo")
    assert (again.returncode, "no session here has undone a chunk" in again.stderr) == (2, True)


@pytest.mark.parametrize("first", [approve, decide(Reject("no"))])
def test_who_goes_to_a_chunk_that_was_refused_opens_it_again(project: Path, first: Act) -> None:
    def back(person: Person) -> Any:
        return Move(to=person.cards[0].chunk.id)

    undo = [do(Undo()), decide(Reject("no"))] if first is approve else []
    state, person = walk(project, "theirs", first, *undo, back, approve, approve, approve)
    assert all(item.status is Status.APPLIED for item in state.items), person.notices
    assert (project / "a.py").read_text() == NEW


def test_a_chunk_is_shown_by_its_number_or_the_begin_of_its_id(project: Path) -> None:
    state, _ = walk(project, "theirs", approve, approve)
    second = state.items[1].chunk
    for name in ("2", second.id, second.id[:5]):
        ran = copair(project, "show", name)
        assert second.title in ran.stdout, ran.stderr
    assert copair(project, "show", "99").returncode == 2
    ran = copair(project, "undo", second.id[:6])
    assert ran.stdout.startswith(f"undone: {second.id}"), ran.stderr


def test_what_is_refused_is_left_alone_and_the_rest_applies(project: Path) -> None:
    state, person = walk(project, "theirs", decide(Reject("no")), approve, approve)
    first = person.cards[0].chunk
    assert [item.status for item in state.items].count(Status.APPLIED) == 2
    assert state.item(first.id).status is Status.REJECTED  # type: ignore[union-attr]


def test_a_card_says_that_it_uses_what_was_refused_and_can_be_applied_all_the_same(
    project: Path, git_in: GitIn
) -> None:
    git_in(project, "checkout", "-q", "theirs")
    (project / "b.py").write_text("B = 1\n\n\ndef receipt():\n    return B\n")
    (project / "a.py").write_text(NEW.replace("return 3", "return receipt()"))
    git_in(project, "commit", "-qam", "third")
    git_in(project, "checkout", "-q", "HEAD~1")
    state, person = walk(project, "theirs", decide(Reject("no")), approve)
    defines, uses = person.cards[0].chunk, person.cards[-1].chunk
    assert person.cards[-1].notes == (f"uses `receipt` of chunk 1 ({defines.title}), which you refused",)
    assert [item.status for item in state.items] == [Status.REJECTED, Status.APPLIED]
    assert uses.needs == ()


@pytest.mark.parametrize(
    ("over", "which"), [(do(Move(by=1)), "is not applied yet"), (decide(Defer()), "you put off")]
)
def test_a_card_says_that_it_uses_what_is_not_applied_yet(
    project: Path, git_in: GitIn, over: Act, which: str
) -> None:
    git_in(project, "checkout", "-q", "theirs")
    (project / "b.py").write_text("B = 1\n\n\ndef receipt():\n    return B\n")
    (project / "a.py").write_text(NEW.replace("return 3", "return receipt()"))
    git_in(project, "commit", "-qam", "third")
    git_in(project, "checkout", "-q", "HEAD~1")
    _, person = walk(project, "theirs", over, approve)
    defines, uses = person.cards[0], person.cards[1]
    assert uses.notes == (f"uses `receipt` of chunk 1 ({defines.chunk.title}), which {which}",)
    assert defines.notes == ()


def test_leaving_and_coming_back_goes_on_where_it_stopped(project: Path) -> None:
    state, _ = walk(project, "theirs", approve)
    assert len(state.open_items) == 2
    again, _ = walk(project, "theirs", approve, approve)
    assert again.session == state.session
    assert (project / "a.py").read_text() == NEW


def test_who_comes_back_is_told_of_chunks_by_their_titles(project: Path, git_in: GitIn) -> None:
    state, _ = walk(project, "theirs", approve)
    waiting = next(item.chunk for item in state.items if item.chunk.paths == ("a.py",) and not item.writes)
    (project / "a.py").write_text("something else\n")
    _, person = walk(project, "theirs", approve, approve)
    story = Story()
    said = [str(saying.text) for event in person.events for saying in story.tell(event)]
    assert any(text.startswith(f"{waiting.title}: you left it: a.py") for text in said), said


def test_what_is_deferred_is_open_again_when_the_review_goes_on(project: Path) -> None:
    walk(project, "theirs", decide(Defer()), approve, approve)
    state, _ = walk(project, "theirs", approve)
    assert not state.open_items
    assert (project / "a.py").read_text() == NEW


def test_a_review_that_stages_still_stages_after_resume(project: Path, git_in: GitIn) -> None:
    mine = OLD.replace("return 1", "return 11").replace("return 4", "return 44")
    (project / "a.py").write_text(mine)
    left, _ = walk(project, None, approve)
    assert len(left.open_items) == 1
    bench = Workbench.open(project)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    person = Person(inbox, [approve])
    driver = model_driver(bench, person, inbox, Wanted(resume=left.session))
    state = driver.run()
    driver.parts.journal.close()
    bench.repo.close()
    assert [item.status for item in state.items] == [Status.APPLIED] * 2
    assert git_in(project, "show", ":a.py").decode() == mine == (project / "a.py").read_text()
    assert person.cards[-1].yes == "stage"
    assert driver.parts.model is None
    assert not any("model" in notice for notice in person.notices)


def test_what_was_refused_is_remembered_when_something_else_was_staged(project: Path) -> None:
    (project / "a.py").write_text(
        OLD.replace("return 1", "return 11\n    # more").replace("return 4", "return 44")
    )
    first, _ = walk(project, None, approve, decide(Reject("not like this")))
    assert [item.status for item in first.items] == [Status.APPLIED, Status.REJECTED]
    again, person = walk(project, None)
    assert len(again.items) == 1
    assert person.cards[0].notes == ("You refused this before: not like this",)


def test_a_review_of_which_only_what_needs_the_refused_is_left_begins_anew(project: Path) -> None:
    (project / "c.py").write_text("".join(f"def g{n}():\n    return {n}\n\n\n" for n in range(14)))
    first, _ = walk(project, None, decide(Reject("too much")))
    assert [item.status for item in first.items] == [
        Status.REJECTED,
        *[Status.BLOCKED] * (len(first.items) - 1),
    ]
    assert len(first.items) > 1
    again, person = walk(project, None)
    assert again.session != first.session
    assert person.cards[0].notes[0] == "You refused this before: too much"


def test_a_review_of_uncommitted_work_that_changed_meanwhile_begins_anew(
    project: Path, git_in: GitIn
) -> None:
    (project / "a.py").write_text(OLD.replace("return 1", "return 11").replace("return 4", "return 44"))
    first, _ = walk(project, None)
    same, _ = walk(project, None)
    assert same.session == first.session
    (project / "a.py").write_text(OLD.replace("return 1", "return 12"))
    (project / "n.txt").write_text("new\n")
    state, _ = walk(project, None, approve, approve)
    assert state.session != first.session
    assert git_in(project, "diff") == b""
    assert b"+    return 12" in git_in(project, "diff", "--cached")


def test_a_review_goes_on_only_to_where_it_went(project: Path, git_in: GitIn) -> None:
    first, _ = walk(project, "theirs", approve, onto="index")
    staged = git_in(project, "diff", "--cached")
    assert staged
    state, _ = walk(project, "theirs", approve)
    assert state.session != first.session
    assert state.onto == "worktree"
    assert git_in(project, "diff", "--cached") == staged


def test_what_was_in_the_way_is_tried_again_when_the_review_goes_on(project: Path) -> None:
    (project / "a.py").write_text(OLD.replace("return 1", "return 'mine'"))
    state, _ = walk(project, "theirs", approve, approve)
    assert [item.status for item in state.items].count(Status.BLOCKED) == 1
    (project / "a.py").write_text(OLD.replace("return 4", "return 44"))
    walk(project, "theirs", approve, approve)
    assert (project / "a.py").read_text() == NEW


@pytest.mark.parametrize("last", [approve, decide(Defer()), decide(Reject("no"))], ids=["y", "l", "n"])
def test_who_comes_back_sees_the_card_that_was_open_at_the_end(project: Path, last: Act) -> None:
    """After a decision further down the first open chunk of all came instead."""
    _, left = walk(project, "theirs", do(Move(by=1)), last)
    state, back = walk(project, "theirs")
    assert left.cards[-1].chunk.id == state.items[2].chunk.id
    assert back.cards[0].chunk.id == left.cards[-1].chunk.id


def test_what_is_said_to_nobody_leaves_the_cards_open(project: Path) -> None:
    state, person = walk(project, "theirs", do(Say("make it faster")), do(Say("/list")), approve)
    assert person.cards
    assert all(card.unanswered for card in person.cards)
    assert len(state.open_items) == 2
    assert any("No model is configured" in notice for notice in person.notices)
    assert state.failure is None


def test_uncommitted_changes_are_staged_by_a_yes_and_left_by_a_no(project: Path, git_in: GitIn) -> None:
    (project / "a.py").write_text(NEW)
    walk(project, None, approve, decide(Reject()))
    assert (project / "a.py").read_text() == NEW
    staged = git_in(project, "diff", "--cached", "--numstat").split()
    assert staged[:2] == [b"1", b"1"]


def test_what_is_in_the_tree_already_is_kept_by_a_yes_and_a_no_offers_the_way_back(
    project: Path, git_in: GitIn
) -> None:
    git_in(project, "merge", "-q", "theirs")
    state, person = walk(project, "HEAD", approve, decide(Reject()), approve, approve)
    titles = [card.chunk.title for card in person.cards]
    assert any(title.startswith("Take back: ") for title in titles)
    assert Status.PRESENT in [item.status for item in state.items]
    assert git_in(project, "diff", "--numstat").strip() != b""


def test_a_yes_to_a_card_writes_though_an_earlier_card_of_the_chunk_showed_what_was_there(
    project: Path,
) -> None:
    (project / "a.py").write_text(OLD.replace("return 1", "return 11"))

    def take_out(person: Person) -> Input:
        (project / "a.py").write_text(OLD)
        return Move(by=1)

    _, person = walk(project, "theirs", do(Move(by=-1)), take_out, approve)
    first, *_, last = (card for card in person.cards if card.chunk.id == person.cards[0].chunk.id)
    assert (first.present, last.present, last.yes) == (True, False, "apply")
    assert (project / "a.py").read_text() == OLD.replace("return 1", "return 11")


@pytest.mark.parametrize("act", [approve, decide(Reject())])
def test_what_is_not_there_any_more_when_it_is_decided_on_is_shown_anew(project: Path, act: Act) -> None:
    (project / "a.py").write_text(OLD.replace("return 1", "return 11"))

    def take_out(person: Person) -> Input | None:
        (project / "a.py").write_text(OLD)
        return act(person)

    state, person = walk(project, "theirs", take_out)
    # Whether the new card is offered before the decision is read or because of it: evidence tells when.
    assert any("nothing was done." in notice for notice in person.notices)
    assert state.items[0].status is Status.PENDING
    assert (project / "a.py").read_text() == OLD
    assert (person.card.chunk.id, person.card.yes) == (person.cards[0].chunk.id, "apply")


@pytest.mark.parametrize("act", [approve, decide(Reject())])
def test_what_is_kept_is_looked_for_when_it_is_decided_on(project: Path, git_in: GitIn, act: Act) -> None:
    """Also where no evidence comes that shows the card anew before."""
    git_in(project, "checkout", "-q", "theirs")

    class Waiting:
        def examine(
            self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
        ) -> Iterator[Evidence]:
            while not cancel.cancelled:
                time.sleep(0.01)
            yield from ()

    def take_out(person: Person) -> Input | None:
        assert person.card.yes == "keep"
        (project / "a.py").write_text(OLD)
        return act(person)

    bench = Workbench.open(project)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    person = Person(inbox, [take_out])
    opened = script.open_stack(bench.repo, bench.target, script.Wanted("HEAD", project, lambda: b""))
    driver = review_driver(bench, person, inbox, opened, Wanted())
    driver.parts.examiner = Examiner(Waiting())
    state = driver.run()
    driver.parts.journal.close()
    bench.repo.close()
    assert "The files changed while the card was open; nothing was done." in person.notices
    assert (state.items[0].status, person.card.yes) == (Status.PENDING, "apply")
    assert (project / "a.py").read_text() == OLD


def test_json_lists_the_same_ids_on_every_run_and_changes_nothing(project: Path, git_in: GitIn) -> None:
    before = git_in(project, "status", "--porcelain=v2")
    one, two = (json.loads(copair(project, "review", "theirs", "--json").stdout) for _ in range(2))
    assert [c["id"] for c in one["chunks"]] == [c["id"] for c in two["chunks"]]
    assert len(one["chunks"]) == 3
    assert git_in(project, "status", "--porcelain=v2") == before


def test_decide_applies_exactly_the_approved_chunks(project: Path) -> None:
    chunks = json.loads(copair(project, "review", "theirs", "--json").stdout)["chunks"]
    lines = [
        json.dumps({"chunk": c["id"], "verdict": "approve" if c["paths"] == ["b.py"] else "reject"})
        for c in chunks
    ]
    ran = copair(project, "review", "theirs", "--decide", "-", stdin="\n".join(lines) + "\n")
    assert ran.returncode == 0, ran.stderr
    assert (project / "a.py").read_text() == OLD
    assert (project / "b.py").read_text() == "B = 1\n"


def test_decide_with_an_unknown_chunk_writes_nothing(project: Path) -> None:
    ran = copair(
        project, "review", "theirs", "--decide", "-", stdin='{"chunk": "nope", "verdict": "approve"}\n'
    )
    assert ran.returncode != 0
    assert not (project / "b.py").exists()


def test_decisions_after_a_crash_say_what_became_of_the_write_before(project: Path) -> None:
    killed_in_a_write(project, "a.py")
    ran = copair(project, "review", "theirs", "--decide", "-")
    assert ran.returncode == 0
    assert "interrupted was rolled back: a.py" in ran.stderr
    assert (project / "a.py").read_text() == OLD


def test_a_listing_after_a_crash_is_of_whole_files(project: Path) -> None:
    before = copair(project, "review", "theirs", "--json").stdout
    killed_in_a_write(project, "b.py", "c.py")
    assert (project / "b.py").read_text() == "x\n"
    ran = copair(project, "review", "theirs", "--json")
    assert ran.stdout == before
    assert "interrupted was rolled back: b.py, c.py\n" in ran.stderr


def test_a_review_by_hand_after_a_crash_is_of_whole_files(project: Path) -> None:
    killed_in_a_write(project, "b.py", "c.py")
    (project / "a.py").write_text(NEW)
    ran = copair(project, "review", "--plain", stdin="q\n")
    assert "interrupted was rolled back: b.py, c.py" in ran.stdout
    assert "f1: 2 lines" in ran.stdout
    assert "New file" not in ran.stdout
    assert not (project / "b.py").exists()


@pytest.mark.parametrize("command", [("undo",), ("undo", "abcd"), ("resume",)], ids=" ".join)
def test_a_command_without_a_session_to_go_on_with_settles_what_a_crash_left(
    project: Path, command: tuple[str, ...]
) -> None:
    killed_in_a_write(project, "b.py", "c1", "c2", "c3", "c4")
    ran = copair(project, *command)
    assert ran.returncode == 2
    assert "interrupted was rolled back: b.py, c1, c2 and 2 more\n" in ran.stderr
    assert not (project / "b.py").exists()


@pytest.mark.parametrize("command", [("log",), ("log", "--json"), ("show", "1")], ids=" ".join)
def test_a_list_of_sessions_says_that_a_write_is_not_whole(project: Path, command: tuple[str, ...]) -> None:
    assert "not whole" not in copair(project, *command).stderr
    killed_in_a_write(project, "b.py", "c.py")
    assert "a write is not whole" in copair(project, *command).stderr
    assert (project / "b.py").read_text() == "x\n"


def killed_in_a_write(project: Path, *paths: str) -> None:
    """Kill a process after the first of these files, in one set, or within it when it is the only one."""
    exchanges = 0

    def die(name: str) -> None:
        nonlocal exchanges
        exchanges += name in ("exchange", "move_new")
        if exchanges == min(2, len(paths)):
            os._exit(9)

    child = os.fork()
    if child == 0:
        bench = Workbench.open(project)
        writes = [Write(path, bench.tree.read(path), FileState(Mode.FILE, b"x\n")) for path in paths]
        WorkTree(bench.place, calls=Calls(die)).write("s", writes)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_that_no_check_is_set_up_is_said_once_and_is_no_evidence(project: Path) -> None:
    _, person = walk(project, "theirs", approve, decide(Reject("no")))
    assert [text for text in person.notices if text == NO_CHECKS] == [NO_CHECKS]
    _, again = walk(project, "theirs", approve)
    assert NO_CHECKS not in again.notices
    assert not any(isinstance(event, ev.Examined) for event in (*person.events, *again.events))


@pytest.fixture
def parts(project: Path, git_in: GitIn) -> Path:
    """A commit that adds a file of several chunks, which all need the first."""
    git_in(project, "checkout", "-q", "theirs")
    (project / "c.py").write_text("".join(f"def g{n}():\n" + "    step()\n" * 16 + "\n\n" for n in range(9)))
    git_in(project, "add", ".")
    git_in(project, "commit", "-qm", "third")
    git_in(project, "branch", "parts")
    git_in(project, "checkout", "-q", "HEAD~1")
    return project


def test_chunks_of_a_review_are_called_by_their_numbers(parts: Path) -> None:
    state, person = walk(parts, "parts", do(Move(by=1)), approve, do(Command("later", "2")), approve)
    first, second = state.items[:2]
    assert second.chunk.needs == (first.chunk.id,)
    assert f"It needs chunk 1 ({first.chunk.title}) first; nothing was done." in person.notices
    assert f"  next: 1  {first.chunk.title}" in summary(state)
    listed = copair(parts, "log", state.session).stdout
    assert f"  · 2  {second.chunk.title}  (pending)\n" in listed
    assert second.chunk.id not in listed


def test_what_needs_a_refused_chunk_waits_in_one_line(parts: Path) -> None:
    state, person = walk(parts, "parts", decide(Reject("no")))
    waiting = [item for item in state.items if item.status is Status.BLOCKED]
    assert f"{len(waiting)} later chunks need this" in person.cards[0].notes
    story = Story()
    said = [str(saying.text) for event in person.events for saying in story.tell(event)]
    names = ", ".join(f"{n} ({item.chunk.title})" for n, item in enumerate(waiting[:3], 2))
    assert said[1:] == [
        f"{len(waiting)} chunks need it and wait with it: {names} and {len(waiting) - 3} more"
    ]
    assert state.items[1].reason == f"needs 1 ({state.items[0].chunk.title}), which was refused"


class Looking:
    """Checks that look at what they are given of each chunk, and find it good."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[Sequence[Write], Sequence[Write]]] = {}
        self.over: set[str] = set()

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
    ) -> Iterator[Evidence]:
        self.seen[chunk.id] = writes, before
        yield Evidence(EvidenceKind.CHECK, Verdict.VERIFIED, "good", writes_digest(writes))
        self.over.add(chunk.id)


def test_what_is_in_the_tree_already_is_examined_as_if_it_came_last(project: Path, git_in: GitIn) -> None:
    git_in(project, "checkout", "-q", "theirs")
    (project / "a.py").write_text("# mine\n" + NEW)
    bench = Workbench.open(project)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()

    checks = Looking()

    def examined(person: Person) -> Any:
        """A yes once what was found lies in the inbox."""
        while person.card.chunk.id not in checks.over:
            time.sleep(0.01)
        return approve(person)

    person = Person(inbox, [examined] * 3)
    opened = script.open_stack(bench.repo, bench.target, script.Wanted("HEAD", project, lambda: b""))
    driver = review_driver(bench, person, inbox, opened, Wanted())
    driver.parts.examiner = Examiner(checks)
    driver.run()
    driver.parts.journal.close()
    bench.repo.close()
    assert len(checks.seen) == 3
    for card in person.cards:
        assert card.yes == "keep"
        assert all(piece.digest == writes_digest(card.writes) for piece in card.evidence)
    assert all(any(c.evidence for c in person.cards if c.chunk.id == chunk) for chunk in checks.seen)
    for writes, before in checks.seen.values():
        assert [(w.path, w.old) for w in writes] == [(w.path, w.new) for w in before]
        for write in writes:
            assert write.new is not None
            assert write.new.data == (project / write.path).read_bytes()
            assert write.old is None or write.old.data.startswith(b"# mine\n")


def test_the_checks_of_what_is_in_the_tree_already_are_run_again_when_they_are_asked_for(
    project: Path, git_in: GitIn
) -> None:
    git_in(project, "checkout", "-q", "theirs")
    bench = Workbench.open(project)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    seen: list[str] = []

    class Twice(Looking):
        def examine(
            self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
        ) -> Iterator[Evidence]:
            seen.append(chunk.id)
            yield from super().examine(chunk, writes, before, cancel)
            inbox.put(Quit() if len(seen) > 1 else RunChecks(chunk.id))

    person = Person(inbox, [lambda _: None])
    opened = script.open_stack(bench.repo, bench.target, script.Wanted("HEAD", project, lambda: b""))
    driver = review_driver(bench, person, inbox, opened, Wanted())
    driver.parts.examiner = Examiner(Twice())
    driver.run()
    driver.parts.journal.close()
    bench.repo.close()
    assert seen == [person.cards[0].chunk.id] * 2


def test_evidence_of_another_process_is_old_until_it_is_found_again(project: Path, git_in: GitIn) -> None:
    git_in(project, "checkout", "-q", "theirs")
    checks = Looking()

    def examined(person: Person) -> Any:
        while person.card.chunk.id not in checks.over:
            time.sleep(0.01)
        return decide(Defer())(person)

    for walked in range(2):
        bench = Workbench.open(project)
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        person = Person(inbox, [decide(Defer())] * 3 if walked else [examined] * 3)
        opened = script.open_stack(bench.repo, bench.target, script.Wanted("HEAD", project, lambda: b""))
        driver = review_driver(bench, person, inbox, opened, Wanted())
        driver.parts.examiner = Examiner(None if walked else checks)
        driver.run()
        driver.parts.journal.close()
        bench.close()
        (project / "a.py").write_text("raise SystemExit\n" + (project / "a.py").read_text())
    pieces = [(piece, card) for card in person.cards for piece in card.evidence]
    assert len(pieces) == 3
    assert all(is_stale(piece, card.digest, card.base) for piece, card in pieces)


def test_only_some_files_are_reviewed_from_where_one_stands(project: Path) -> None:
    (project / "src").mkdir()
    ran = copair(project / "src", "review", "theirs", "--only", "../b.py", "--json")
    document = json.loads(ran.stdout)
    assert [chunk["paths"] for chunk in document["chunks"]] == [["b.py"]]
    assert document["source"].endswith(", only b.py")


@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "not even that"])
def test_a_result_that_cannot_be_printed_says_what_was_written(project: Path, is_heard: bool) -> None:
    chunks = json.loads(copair(project, "review", "theirs", "--json").stdout)["chunks"]
    decisions = "".join(f'{{"chunk": "{chunk["id"]}", "verdict": "approve"}}\n' for chunk in chunks)
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "agent", "review", "theirs", "--decide", "-"],
            cwd=project,
            input=decisions,
            stdout=full,
            stderr=subprocess.PIPE if is_heard else full,
            text=True,
            timeout=30,
            check=False,
        )
    assert ran.returncode == 0
    if is_heard:
        assert "what is approved is written" in ran.stderr
        assert "fault" not in ran.stderr
    assert (project / "a.py").read_text() == NEW


def test_a_patch_may_come_through_a_pipe_with_a_name(project: Path, git_in: GitIn, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    patch = git_in(project, "diff", "HEAD", "theirs")
    feeder = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(patch,))
    feeder.start()
    ran = copair(project, "review", str(tmp_path / "pipe"), "--json")
    feeder.join()
    assert len(json.loads(ran.stdout)["chunks"]) == 3
