"""What evidence rests on changes within a session: it is made again, and what was shown is told to be of before."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.cli.wire import make_driver
from agent.cli.workbench import Workbench
from agent.core.cards.view import card_view
from agent.core.chunk import Chunk
from agent.core.frontend import Card, Interrupt, Move, Quit, Say
from agent.core.hunk import Write, writes_digest
from agent.core.review import Evidence, EvidenceKind, Reject, Verdict
from agent.loop.examiner import Examiner
from agent.ports import Cancel
from tests.support.bench import Script, propose
from tests.support.people import Act, Person, approve, decide, do, say

pytestmark = pytest.mark.timeout(20)
FIX = {"path": "calc.py", "old": "    return a - b\n", "new": "    return a + b\n"}
TEST = {
    "path": "tests/test_calc.py",
    "old": "",
    "new": "from calc import add\n\n\n"
    + "\n\n".join(f"def test_{n}():\n    assert add({n}, 1)\n" for n in range(6)),
}


class Told:
    """Checks that say what they were given as the state before; the second time for a chunk they wait for `go`."""

    def __init__(self) -> None:
        self.given: dict[str, list[list[str]]] = {}
        self.go = threading.Event()

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
    ) -> Iterator[Evidence]:
        given = self.given.setdefault(",".join(chunk.paths), [])
        given.append([write.path for write in before])
        if len(given) > 1:
            self.go.wait(5)
        yield Evidence(
            EvidenceKind.CHECK, Verdict.PARTLY, f"made {len(given)}", writes_digest(writes), command="pytest"
        )


def play(root: Path, model: Script, checks: Told | Endless, *acts: Act) -> Sequence[Card]:
    bench = Workbench.open(root)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    person = Person(inbox, [say(Say("fix add")), *acts])
    driver = make_driver(bench, person, inbox, model, source="model", resume="")
    driver.parts.examiner = Examiner(checks)
    driver.run()
    checks.go.set()
    bench.repo.close()
    return person.cards


@pytest.fixture
def project(repo: Path, git_in: Callable[..., bytes]) -> Path:
    (repo / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


def settled(checks: Told, path: str, times: int, act: Act) -> Act:
    """Do `act` once the chunk of `path` has been examined so often, and what was found lies in the inbox."""

    def wait(person: Person) -> Any:
        for _ in range(500):
            if len(checks.given.get(path, ())) >= times:
                break
            time.sleep(0.01)
        time.sleep(0.05)
        return act(person)

    return wait


@pytest.mark.parametrize("decision", [decide(Reject("no")), approve])
def test_after_a_decision_on_its_tests_the_evidence_of_a_chunk_is_made_again_and_stale_until_then(
    project: Path, decision: Act
) -> None:
    checks = Told()
    cards = play(
        project,
        Script(propose(TEST, FIX)),
        checks,
        settled(checks, "calc.py", 1, do(Move(1))),
        settled(checks, "tests/test_calc.py", 1, decision),
        settled(checks, "calc.py", 2, do(Quit())),
    )
    assert checks.given["calc.py"] == [["tests/test_calc.py"], []]
    seen = [card for card in cards if card.chunk.paths == ("calc.py",)]
    stale = [[line.stale for line in card_view(card).evidence] for card in seen]
    assert [False] in stale
    assert stale[-1] == [True]
    assert seen[-1].checking


def test_as_long_as_nothing_changes_the_evidence_is_made_once(project: Path) -> None:
    checks = Told()
    first = settled(checks, "calc.py", 1, do(Move(1)))
    play(
        project,
        Script(propose(TEST, FIX)),
        checks,
        first,
        *[settled(checks, "tests/test_calc.py", 1, do(Move(1)))] * 3,
    )
    assert [len(given) for given in checks.given.values()] == [1, 1]


class Endless:
    """A check that only ends when it is stopped."""

    def __init__(self) -> None:
        self.begun, self.stopped, self.go = threading.Event(), threading.Event(), threading.Event()

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
    ) -> Iterator[Evidence]:
        self.begun.set()
        while not cancel.cancelled:
            time.sleep(0.01)
        self.stopped.set()
        yield from ()


def test_ctrl_c_on_a_card_stops_the_check_that_runs_for_it_and_leaves_the_card(project: Path) -> None:
    checks = Endless()

    def interrupt(person: Person) -> Any:
        assert checks.begun.wait(5)
        return Interrupt()

    def leave(person: Person) -> Any:
        assert checks.stopped.wait(5)
        return Quit()

    cards = play(project, Script(propose(FIX)), checks, interrupt, leave)
    assert (cards[0].checking, cards[-1].checking) == (True, False)
    assert cards[-1].chunk.id == cards[0].chunk.id
