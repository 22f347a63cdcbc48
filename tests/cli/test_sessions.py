"""`copair log` and `copair show`: earlier sessions, and every chunk of them with what it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.frontend import Say, Undo
from agent.core.review import Reject
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
