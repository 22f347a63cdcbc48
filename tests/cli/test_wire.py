"""What the person's settings and accepted checks change in a session."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli.checks import ChunkChecks
from agent.cli.frontends import HELP
from agent.cli.wanted import Wanted
from agent.cli.wire import make_driver, model_driver
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.dialog import Usage
from agent.core.frontend import Command, Say
from agent.core.hunk import FileState, Mode, Write
from agent.core.review import EvidenceKind, Ran, Verdict
from agent.evidence.proof.discover import Check, discover, fingerprint
from agent.evidence.proof.store import CheckStore
from agent.io import paths
from agent.llm.scripted import Line, ScriptedModel
from agent.loop.driver import Driver
from agent.ports import Cancel
from tests.support.bench import Script, play
from tests.support.people import Person, do

GitIn = Callable[..., bytes]


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "a.py").write_text("A = 1\n")
    (repo / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests']\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


def configure(text: str) -> None:
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text(text)


def test_the_names_of_the_accepted_checks_are_on_the_card(project: Path) -> None:
    bench = Workbench.open(project)
    found = discover(
        project,
        lambda path: (project / path).read_bytes() if (project / path).is_file() else None,
        [],
        lambda name: name,
    )
    CheckStore(bench.place.state).accept(found)
    edit = {"because": "two", "path": "a.py", "old": "A = 1", "new": "A = 2"}
    proposal = {"why": "two", "title": "Two", "assumes": [], "risks": [], "serves": "", "edits": [edit]}
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    person = Person(inbox, [])
    inbox.put(Say("go"))
    model = ScriptedModel([Line(calls=(("propose", proposal),))])
    make_driver(bench, person, inbox, model, source="tour").run()
    bench.close()
    assert person.cards[0].checks == ("pytest",)


def test_a_name_that_is_no_suggested_check_is_said_and_accepts_nothing(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    moves = [do(Command("checks", "add nope")), do(Command("checks", "add"))]
    played = play(project, Script(), *moves)
    assert played.person.notices == ["No check `nope` is suggested here.", "Nothing new is suggested here."]
    assert not CheckStore(played.bench.place.state).load()


def test_help_is_a_command_for_those_who_have_no_page_of_their_own(project: Path) -> None:
    played = play(project, Script(), do(Command("help", "")))
    assert [line.partition(":")[0] for line in played.person.notices] == [f"/{name}" for name in HELP]


def test_the_persons_limit_of_output_and_their_prices_count(project: Path) -> None:
    configure(
        """model = "llamacpp/m"
max_output_tokens = 99

[prices."llamacpp/m"]
input = 2.0
output = 4.0
"""
    )
    bench = Workbench.open(project)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    driver = model_driver(bench, Person(inbox, []), inbox, Wanted())
    assert driver.parts.max_output_tokens == 99
    assert driver.parts.price(Usage(input_total=1_000_000, output=500_000)) == 4.0
    driver.parts.journal.close()
    bench.close()


def driver_of(project: Path, *lines: Line, accepted: bool) -> tuple[Driver, Workbench, Person]:
    bench = Workbench.open(project)
    if accepted:
        (project / "tests").mkdir()
        (project / "tests" / "test_a.py").write_text("def test_one():\n    assert False\n")
        argv = (sys.executable, "-m", "pytest")
        digest = fingerprint("pytest", (), lambda path: None)
        CheckStore(bench.place.state).accept([Check("tests", argv, (), "pytest", digest)])
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    person = Person(inbox, [])
    inbox.put(Say("go"))
    model = ScriptedModel(list(lines))
    return make_driver(bench, person, inbox, model, source="model"), bench, person


def test_the_model_can_run_a_check_when_one_was_accepted_and_only_then(project: Path) -> None:
    asks = Line(calls=(("check", {"name": "tests"}),))
    lies = Line(text="I ran the tests and all tests pass.")
    driver, bench, person = driver_of(project, asks, lies, accepted=True)
    assert "check" in [tool.name for tool in driver.parts.tools.tools()]
    state = driver.run()
    bench.close()
    (answer,) = [event for event in person.events if isinstance(event, ev.ToolAnswered)]
    assert answer.line.startswith("check tests · 1 failed · ")
    assert answer.ran is Ran.FAILED
    assert "“all tests pass”" in state.notes[-1]
    assert "I ran" not in state.notes[-1]


def test_without_an_accepted_check_there_is_no_such_tool(project: Path) -> None:
    asks = Line(calls=(("check", {"name": "tests"}),))
    driver, bench, person = driver_of(project, asks, Line(text="I see."), accepted=False)
    assert "check" not in [tool.name for tool in driver.parts.tools.tools()]
    driver.run()
    bench.close()
    (answer,) = [event for event in person.events if isinstance(event, ev.ToolAnswered)]
    assert answer.content.startswith("There is no tool check")


@pytest.mark.timeout(60)
def test_what_is_to_be_staged_is_examined_over_what_is_staged(
    project: Path, git_in: GitIn, hermetic_seal: Path
) -> None:
    wrong, right = "def two():\n    return 1\n", "def two():\n    return 2\n"
    test = "from code_ import two\n\n\ndef test_two():\n    assert two() == 2\n"
    (project / "tests").mkdir()
    for name, text in (("code_.py", wrong), ("tests/test_two.py", test), ("conftest.py", "")):
        (project / name).write_text(text)
    git_in(project, "add", ".")
    git_in(project, "commit", "-qm", "second")
    (project / "code_.py").write_text(right)
    (project / "conftest.py").write_text("raise SystemError('not staged, so not in the way')\n")
    (project / "keys.env").write_text("TOKEN=staged\n")
    git_in(project, "add", "-f", "keys.env")
    (project / "keys.env").write_text("TOKEN=other\n")
    bench = Workbench.open(project)
    argv = (sys.executable, "-m", "pytest")
    check = Check("tests", argv, (), "pytest", fingerprint("pytest", (), lambda path: None))
    CheckStore(bench.place.state).accept([check])
    writes = [Write("code_.py", *(FileState(Mode.FILE, text.encode()) for text in (wrong, right)))]
    checks = ChunkChecks(bench, "index")
    found = list(checks.examine(Chunk("c", "t", "", ()), writes, [], Cancel()))
    left = [path.name for path in (hermetic_seal / ".cache").rglob("*.env")]
    bench.close()
    assert left == []
    (piece,) = (piece for piece in found if piece.kind is EvidenceKind.CHECK)
    assert (piece.verdict, piece.summary) == (Verdict.VERIFIED, "test_two 1 failed → passed"), piece.details
