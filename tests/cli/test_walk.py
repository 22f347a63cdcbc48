"""A review whose diff is still being cut: the person works on its beginning, and the stack grows under them."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from agent.cli.reading import Reading
from agent.cli.walk import grow, may_begin, review_driver
from agent.cli.wanted import Wanted
from agent.cli.wire import model_driver
from agent.cli.workbench import Workbench
from agent.core.errors import UsageError
from agent.core.frontend import Command, Interrupt, Offer, WorkOffer
from agent.core.review import Defer, Reject, Split
from agent.core.sessions.session import State, Status, fold
from agent.io import journal
from agent.loop.driver import CUTTING, Driver
from agent.loop.inputs import StackCut
from agent.loop.summary import CUT_SHORT, summary
from agent.review import script
from agent.review.opening import LARGE
from agent.review.script import Opened
from agent.ui.story import Story
from tests.support.cli import copair
from tests.support.people import Act, Person, approve, decide

pytestmark = pytest.mark.timeout(60)
GitIn = Callable[..., bytes]
OLD = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(3))
NEW = OLD.replace("return 0", "return 10").replace("return 2", "return 12")


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    """A large commit on the branch `theirs`, whose first file has two chunks."""
    for n in range(LARGE):
        (repo / f"m{n:02}.py").write_text(OLD)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    for n in range(LARGE):
        (repo / f"m{n:02}.py").write_text(OLD.replace("return 1", "return 11") if n else NEW)
    git_in(repo, "commit", "-qam", "second")
    git_in(repo, "branch", "theirs")
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    return repo


class Walk:
    """A review by hand whose rest comes when the person is kept waiting for it."""

    def __init__(
        self,
        root: Path,
        *acts: Act,
        rest: Callable[[Opened], Opened | Exception] | None,
        argument: str | None = "theirs",
    ) -> None:
        self.bench = Workbench.open(root)
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.person = Waiting(self.inbox, acts, self._grow)
        begun: list[Opened] = []
        wanted = script.Wanted(argument, root, lambda: b"", first=begun.append)
        self.whole = script.open_stack(self.bench.repo, self.bench.target_of_diff, wanted)
        self.beginning = begun[0]
        self.rest = rest

    def _grow(self) -> None:
        if self.rest is not None:
            rest = self.rest(self.whole)
            self.inbox.put(StackCut(lambda driver: grow(driver, self.bench, self.beginning, rest)))

    def run(self, opened: Opened, *, more: bool) -> State:
        driver = review_driver(self.bench, self.person, self.inbox, opened, Wanted(), more=more)
        return self.end(driver)

    def end(self, driver: Driver) -> State:
        state = driver.run()
        driver.parts.journal.close()
        self.bench.close()
        return state


class Waiting(Person):
    """Calls `waits` when there is nothing to decide until the rest is cut."""

    def __init__(
        self, inbox: queue.SimpleQueue[Any], acts: tuple[Act, ...], waits: Callable[[], None]
    ) -> None:
        super().__init__(inbox, acts)
        self._waits = waits

    def offer(self, offer: Offer) -> None:
        super().offer(offer)
        if offer == WorkOffer(CUTTING):
            self._waits()


def same(opened: Opened) -> Opened:
    return opened


def test_what_is_decided_before_the_rest_is_cut_stays_and_the_rest_follows(
    project: Path, git_in: GitIn
) -> None:
    walk = Walk(project, approve, decide(Reject("no")), *[approve] * (LARGE - 1), rest=same)
    state = walk.run(walk.beginning, more=True)
    assert [item.chunk for item in state.items] == list(walk.whole.stack.chunks)
    assert [item.status for item in state.items] == [Status.APPLIED, Status.REJECTED] + [Status.APPLIED] * (
        LARGE - 1
    )
    assert {card.total for card in walk.person.cards[:2]} == {0}
    assert {card.total for card in walk.person.cards[2:]} == {LARGE + 1}
    assert (
        f"commit {git_in(project, 'rev-parse', '--short=7', 'theirs').decode().strip()}: second: 31 chunks"
        in (walk.person.notices)
    )
    assert (project / "m00.py").read_text() == OLD.replace("return 0", "return 10")
    assert git_in(project, "diff", "theirs", "--stat").count(b"|") == 1


def test_what_is_put_off_comes_back_at_the_end(project: Path) -> None:
    walk = Walk(project, decide(Defer()), approve, *[approve] * (LARGE - 1), rest=same)
    state = walk.run(walk.beginning, more=True)
    assert state.items[0].status is Status.DEFERRED
    assert [item.status for item in state.items[1:]] == [Status.APPLIED] * LARGE


def test_the_rest_comes_while_a_card_is_open(project: Path) -> None:
    def meanwhile(person: Person) -> None:
        walk._grow()

    walk = Walk(project, meanwhile, approve, *[approve] * LARGE, rest=same)
    state = walk.run(walk.beginning, more=True)
    assert [item.status for item in state.items] == [Status.APPLIED] * (LARGE + 1)
    first, again = walk.person.cards[:2]
    assert (first.chunk, first.total, again.total) == (again.chunk, 0, LARGE + 1)


def test_nothing_is_lost_when_the_rest_cannot_be_read(project: Path, git_in: GitIn) -> None:
    fails = UsageError("the disk is gone", hint="look at it")
    walk = Walk(project, approve, approve, rest=lambda whole: fails)
    state = walk.run(walk.beginning, more=True)
    assert state.ended
    assert [item.status for item in state.items] == [Status.APPLIED] * 2
    said = [str(saying.text) for event in walk.person.events for saying in Story().tell(event)]
    assert "The rest of the diff cannot be read: the disk is gone" in said
    assert summary(state)[-1] == f"  {CUT_SHORT}"
    assert git_in(project, "diff", "--stat").count(b"|") == 1
    again = Walk(project, *[approve] * (LARGE - 1), rest=None)
    after = again.run(again.whole, more=False)
    assert after.session == state.session
    assert [item.status for item in after.items] == [Status.APPLIED] * (LARGE + 1)


def test_a_fault_while_the_rest_is_cut_is_not_swallowed(project: Path) -> None:
    walk = Walk(project, approve, approve, rest=lambda whole: ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        walk.run(walk.beginning, more=True)
    walk.bench.close()


@pytest.mark.parametrize("at_once", [True, False])
def test_who_leaves_before_the_rest_is_cut_goes_on_with_all_of_it(project: Path, at_once: bool) -> None:
    walk = Walk(project, approve, rest=None)
    state = walk.run(walk.beginning, more=True)
    assert summary(state)[-1] == f"  {CUT_SHORT}"
    again = Walk(project, *[approve] * LARGE, rest=same)
    assert may_begin(again.bench, again.beginning)
    after = again.run(again.beginning if at_once else again.whole, more=at_once)
    assert after.session == state.session
    assert [item.chunk for item in after.items] == list(again.whole.stack.chunks)
    assert [item.status for item in after.items] == [Status.APPLIED] * (LARGE + 1)
    assert not after.cut_short
    third = Walk(project, rest=None)
    assert third.run(third.beginning, more=True).session != state.session  # nothing of it is left


def test_a_whole_stack_that_was_left_goes_on_without_being_cut_again(project: Path) -> None:
    walk = Walk(project, approve, approve, approve, rest=same)
    state = walk.run(walk.beginning, more=True)
    again = Walk(project, *[approve] * (LARGE - 2), rest=None)
    after = again.run(again.beginning, more=True)
    assert after.session == state.session
    assert [item.status for item in after.items] == [Status.APPLIED] * (LARGE + 1)
    assert "31 chunks, going on" in "".join(again.person.notices)


def test_uncommitted_work_that_was_left_is_cut_before_it_goes_on(project: Path, git_in: GitIn) -> None:
    git_in(project, "checkout", "-q", "theirs")
    git_in(project, "reset", "-q", "HEAD~1")
    walk = Walk(project, approve, approve, rest=None, argument=None)
    assert may_begin(walk.bench, walk.beginning)
    state = walk.run(walk.whole, more=False)
    assert [item.status for item in state.items].count(Status.APPLIED) == 2
    git_in(project, "reset", "-q")
    again = Walk(project, rest=None, argument=None)
    assert not may_begin(again.bench, again.beginning)
    assert again.run(again.whole, more=False).session == state.session


def test_a_session_that_was_left_is_resumed_with_what_it_has_and_says_so(project: Path) -> None:
    walk = Walk(project, approve, rest=None)
    state = walk.run(walk.beginning, more=True)
    again = Walk(project, approve, rest=None)
    driver = model_driver(again.bench, again.person, again.inbox, Wanted(resume=state.session))
    after = again.end(driver)
    assert [item.status for item in after.items] == [Status.APPLIED] * 2
    assert CUT_SHORT in again.person.notices
    assert summary(after)[-1] == f"  {CUT_SHORT}"
    assert fold(journal.read(driver.parts.journal.path)).cut_short  # type: ignore[attr-defined]


def test_ctrl_c_while_the_rest_is_awaited_ends_the_review(project: Path) -> None:
    walk = Walk(project, approve, approve, rest=None)
    walk.person._waits = lambda: walk.inbox.put(Interrupt())
    state = walk.run(walk.beginning, more=True)
    assert state.ended
    assert len(state.items) == 2


def test_a_split_and_a_list_before_the_rest_is_cut(project: Path) -> None:
    def listed(person: Person) -> Command:
        return Command("list", "")

    walk = Walk(project, listed, decide(Split()), *[approve] * (LARGE + 1), rest=same)
    state = walk.run(walk.beginning, more=True)
    assert "The rest of the diff is still being cut." in walk.person.notices
    assert [item.status for item in state.items].count(Status.APPLIED) == LARGE + 1


def test_what_reading_raises_is_raised_where_it_is_awaited() -> None:
    def read(first: Callable[[Opened], None]) -> Opened:
        raise UsageError("no such revision")

    with pytest.raises(UsageError, match="no such revision"):
        Reading(read, lambda beginning, whole: None).begin()


def test_the_rest_is_delivered_once_and_not_to_who_has_left(project: Path) -> None:
    bench = Workbench.open(project)
    go, done = threading.Event(), threading.Event()
    delivered: list[Opened | Exception] = []

    def read(first: Callable[[Opened], None]) -> Opened:
        try:
            whole = script.open_stack(
                bench.repo, bench.target_of_diff, script.Wanted("theirs", project, lambda: b"", first=first)
            )
            assert go.wait(20)
            return whole
        finally:
            done.set()

    reading = Reading(read, lambda beginning, whole: delivered.append(whole))
    assert len(reading.begin().stack.chunks) == 2
    assert reading.has_begun
    assert delivered == []
    reading.leave()
    go.set()
    assert done.wait(20)
    bench.close()
    assert delivered == []


def test_on_a_terminal_the_stack_grows_behind_the_first_card(project: Path) -> None:
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    words = ["-m", "agent", "review", "theirs"]
    with pexpect.spawn(
        sys.executable, words, cwd=project, env=env, dimensions=(30, 100), timeout=30
    ) as screen:
        while screen.expect([r"\x1b\[6n", "31 chunks"]) == 0:
            screen.send("\x1b[1;1R")
        time.sleep(0.5)  # keys that come before a card could be read do not count
        screen.send("q")
        screen.expect("31 pending")
        screen.expect(pexpect.EOF)


def test_a_terminal_that_is_closed_is_no_fault(project: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    environ = os.environ | {"TERM": "xterm-256color", "XDG_STATE_HOME": str(state)}
    words = ["-m", "agent", "review", "theirs"]
    screen = pexpect.spawn(sys.executable, words, cwd=project, env=environ, dimensions=(30, 100))
    while screen.expect([r"\x1b\[6n", "apply"], timeout=30) == 0:
        screen.send("\x1b[1;1R")
    screen.close(force=False)  # hangs up, as a window does that is closed
    assert (screen.exitstatus, screen.signalstatus) in ((0, None), (None, signal.SIGHUP))
    assert not list(state.rglob("fault.txt"))


def test_a_review_that_is_open_elsewhere_is_not_begun_once_more(project: Path) -> None:
    environ = os.environ | {"TERM": "xterm-256color"}
    words = ["-m", "agent", "review", "theirs"]
    with pexpect.spawn(sys.executable, words, cwd=project, env=environ, dimensions=(30, 100)) as screen:
        while screen.expect([r"\x1b\[6n", "apply"], timeout=30) == 0:
            screen.send("\x1b[1;1R")
        ran = copair(project, "review", "theirs")
        assert ran.returncode == 2
        assert "another copair process has this review open" in ran.stderr
        resumed = copair(project, "resume")
        assert resumed.returncode == 2
        assert "another copair process has the session open" in resumed.stderr
        assert copair(project, "review", "theirs~1").returncode == 0
        screen.send("q")
        screen.expect(pexpect.EOF)
    assert "pending" in copair(project, "review", "theirs").stdout
