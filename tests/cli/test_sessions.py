"""`copair log` and `copair show`: earlier sessions, and every chunk of them with what it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli.workbench import Workbench
from agent.core.frontend import Say, Undo
from agent.core.review import Reject
from agent.io import journal
from tests.cli.test_review import walk
from tests.support.bench import Script, play, propose
from tests.support.cli import copair
from tests.support.people import approve, decide, say

pytestmark = pytest.mark.timeout(30)
GitIn = Callable[..., bytes]
CODE = "a = 1\nb = 2\nc = 3\n"


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "a.py").write_text(CODE)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


def test_a_review_is_listed_with_short_names_of_commits(project: Path, git_in: GitIn) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    git_in(project, "commit", "-qam", "second")
    walk(project, "HEAD", decide(Reject("no")))
    listed = copair(project, "log").stdout
    first, second = (git_in(project, "rev-parse", rev).decode()[:7] for rev in ("HEAD~1", "HEAD"))
    assert f"(review {first}..{second})\n" in listed


@pytest.mark.parametrize("then", ["applied", "undone", "rejected", "waits"])
def test_show_has_what_the_chunk_does_whatever_became_of_it(project: Path, then: str) -> None:
    edit = {"path": "a.py", "old": "b = 2\n", "new": "b = 22\n"}
    acts = {
        "applied": [approve],
        "undone": [approve, say(Undo())],
        "rejected": [decide(Reject("no"))],
        "waits": [],
    }[then]
    play(project, Script(propose(edit, title="Two")), say(Say("x")), *acts)
    shown = copair(project, "show", "1").stdout
    assert "-b = 2\n+b = 22\n" in shown
    assert "+b = 22" in json.loads(copair(project, "show", "1", "--json").stdout)["diff"]


def test_undo_takes_back_what_was_written_last_whichever_session_began_last(project: Path) -> None:
    def two(line: str) -> Script:
        return Script(propose({"path": "a.py", "old": f"{line}\n", "new": f"{line}{line[-1]}\n"}))

    older = play(project, two("b = 2"), say(Say("x"))).state.session
    play(project, two("a = 1"), say(Say("x")), approve)
    play(project, Script(), approve, resume=older)
    assert (project / "a.py").read_text() == "a = 11\nb = 22\nc = 3\n"
    assert copair(project, "undo").returncode == 0
    assert (project / "a.py").read_text() == "a = 11\nb = 2\nc = 3\n"


@pytest.mark.parametrize("command", [["undo"], ["show", "1"], ["commit"], ["log"], ["review", "--json"]])
def test_a_session_that_cannot_be_read_is_in_nobodys_way(
    project: Path, git_in: GitIn, command: list[str]
) -> None:
    edit = {"path": "a.py", "old": "b = 2\n", "new": "b = 22\n"}
    played = play(project, Script(propose(edit)), say(Say("x")), approve)
    folder = journal.folder(played.bench.place.state)
    (own,) = folder.glob("*.jsonl")
    lines = own.read_bytes().split(b"\n")
    lines[1] = b'{"type":"from_a_newer_copair"}'
    damaged = folder / "29990101-000000-dead.jsonl"
    damaged.write_bytes(b"\n".join(lines))
    ran = copair(project, *command)
    assert ran.returncode == 0, ran.stderr
    assert damaged.read_bytes() == b"\n".join(lines)
    if command[0] in ("undo", "show", "commit"):
        assert "left out: line 2 of the session 29990101" in ran.stderr


def test_a_review_begins_anew_when_an_earlier_one_of_the_same_cannot_be_read(project: Path) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    state, _ = walk(project, None)
    (own,) = journal.folder(Workbench.open(project).place.state).glob("*.jsonl")
    own.write_bytes(own.read_bytes().replace(b'{"type":"ended"', b'{"type":"unknown"'))
    again, person = walk(project, None, approve)
    assert again.session != state.session
    assert person.cards
