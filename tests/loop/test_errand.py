"""Tools run beside the driver: Ctrl-C and words of the person count while one runs, and nothing of a stopped one does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.cli.wire import make_driver
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.dialog import Done, Request, Stop, StreamEvent, Tool, ToolCall, ToolCallEnd
from agent.core.frontend import Interrupt, PromptOffer, Quit, Say, WorkOffer
from agent.core.review import Ran
from agent.io import journal
from agent.loop import errand
from agent.loop.driver import Driver
from agent.ports import Cancel, ToolOutput
from tests.support.bench import Script, call, text
from tests.support.people import Act, Person

pytestmark = pytest.mark.timeout(20)
GitIn = Callable[..., bytes]
FOUND = ToolOutput("3 failed", "check tests · 3 failed", ran=Ran.FAILED)


class Slow:
    """A tool box whose tools take until `go` is set, or until they are cancelled."""

    def __init__(self, *outputs: ToolOutput) -> None:
        self.began: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.go = threading.Event()
        self.cancels: list[Cancel] = []
        self.output = outputs[0] if outputs else FOUND

    def tools(self) -> Sequence[Tool]:
        return ()

    def run(self, name: str, args_json: str, cancel: Cancel) -> ToolOutput:
        self.cancels.append(cancel)
        self.began.put(name)
        cancel.on_cancel(self.go.set)
        self.go.wait(10)
        return self.output


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "a.py").write_text("A = 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


class Played:
    """A session in a thread of its own, with a slow tool box."""

    def __init__(self, root: Path, model: Script, *script: Act, resume: str = "") -> None:
        self.bench = Workbench.open(root)
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.person = Person(self.inbox, script)
        self.slow = Slow()
        self.driver: Driver = make_driver(
            self.bench, self.person, self.inbox, model, source="model", resume=resume
        )
        self.driver.parts.tools = self.slow
        self._thread = threading.Thread(target=self.driver.run, daemon=True)
        self._thread.start()

    def end(self) -> list[ev.Event]:
        """Wait for the end; what is in the journal."""
        self._thread.join(15)
        assert not self._thread.is_alive()
        self.driver.parts.journal.close()
        self.bench.close()
        return journal.read(journal.sessions(self.bench.place.state)[0].path)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.person.events if isinstance(event, kind)]


def first(words: str) -> Act:
    return lambda person: Say(words)


def test_ctrl_c_stops_a_tool_at_once_and_answers_its_call_and_those_behind_it(project: Path) -> None:
    def two(request: Request) -> Iterable[StreamEvent]:
        yield ToolCallEnd("1", "check", '{"name": "tests"}')
        yield ToolCallEnd("2", "read", '{"path": "a.py"}')
        yield Done(Stop.TOOL)

    model = Script(two, text("All right."))
    played = Played(project, model, first("go"), first("go on"))
    assert played.slow.began.get(timeout=10) == "check"
    played.inbox.put(Interrupt())
    played.end()
    assert played.slow.cancels[0].cancelled
    assert len(played.slow.cancels) == 1
    answers = played.of(ev.ToolAnswered)
    assert [(answer.name, answer.content) for answer in answers] == [
        ("check", "Stopped by the person."),
        ("read", "Stopped by the person."),
    ]
    assert [(event.kind, event.message) for event in played.of(ev.TurnFailed)] == [
        ("cancelled", "check tests")
    ]
    prompts = [offer for offer in played.person.offers if isinstance(offer, PromptOffer)]
    assert "stopped" in prompts[1].placeholder
    assert "Stopped by the person." in model.said(1)
    assert "go on" in model.said(1)
    assert len(model.requests) == 2


def test_a_tool_that_was_stopped_says_nothing_later(project: Path) -> None:
    model = Script(call("check", name="tests"), text("ok"), text("ok"))
    played = Played(project, model, first("go"), lambda person: None)
    played.slow.began.get(timeout=10)
    played.inbox.put(Interrupt())
    played.inbox.put(errand.ToolEnded(errand.Errand(ToolCall("x", "check", "{}")), FOUND))
    played.inbox.put(Quit())
    kept = played.end()
    assert [event.content for event in kept if isinstance(event, ev.ToolAnswered)] == [
        "Stopped by the person."
    ]


def test_what_is_said_while_a_tool_runs_goes_out_with_its_result(project: Path) -> None:
    model = Script(call("check", name="tests"), text("ok"))
    played = Played(project, model, first("go"))
    played.slow.began.get(timeout=10)
    played.inbox.put(Say("and mind the gap"))
    played.slow.go.set()
    played.end()
    assert "3 failed" in model.said(1)
    assert "mind the gap" in model.said(1)
    assert played.driver.state.runs.tree is Ran.FAILED
    assert WorkOffer("check tests") in played.person.offers


def test_a_session_that_was_left_while_a_tool_ran_runs_it_again(project: Path) -> None:
    played = Played(project, Script(call("check", name="tests")), first("go"))
    played.slow.began.get(timeout=10)
    played.inbox.put(Quit())
    kept = played.end()
    assert played.slow.cancels[0].cancelled
    assert not [event for event in kept if isinstance(event, ev.ToolAnswered)]
    again = Played(
        project, model := Script(text("I see.")), resume=journal.sessions(played.bench.place.state)[0].id
    )
    assert again.slow.began.get(timeout=10) == "check"
    again.slow.go.set()
    again.end()
    assert "3 failed" in model.said(0)


def test_a_tool_that_breaks_is_answered_as_failed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Slow):
        def run(self, name: str, args_json: str, cancel: Cancel) -> ToolOutput:
            raise ZeroDivisionError

    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    errand.start(Broken(), ToolCall("1", "read", "{}"), inbox)
    ended = inbox.get(timeout=10)
    assert (ended.output.is_error, ended.output.content) == (True, "read failed.")


@pytest.mark.parametrize(
    ("args", "shown"),
    [
        ('{"name": "tests"}', "check tests"),
        ('{"n": 1, "path": "", "text": "x"}', "check x"),
        ("{", "check"),
        ("[1]", "check"),
        ("", "check"),
    ],
)
def test_what_is_waited_for_is_named(args: str, shown: str) -> None:
    assert errand.label(ToolCall("1", "check", args)) == shown
