"""Work trees of one repository have each its own sessions, wherever they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.hunk import Write
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.io.calls import Calls
from tests.git.looking import file
from tests.support.begun import begin, sessions_of

GitIn = Callable[..., bytes]


@pytest.fixture
def linked(repo: Path, tmp_path: Path, git_in: GitIn) -> Path:
    """A linked work tree with a session; the main one has another."""
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "first")
    git_in(repo, "worktree", "add", "-q", str(tmp_path / "linked"))
    begin(repo, "main")
    begin(tmp_path / "linked", "s1")
    return tmp_path / "linked"


def test_one_that_is_moved_keeps_its_sessions(repo: Path, linked: Path, git_in: GitIn) -> None:
    away = linked.with_name("away")
    git_in(repo, "worktree", "move", str(linked), str(away))
    assert sessions_of(discover(away)) == ["s1"]
    assert sessions_of(discover(repo)) == ["main"]


def test_another_one_where_it_stood_has_none_of_them(repo: Path, linked: Path, git_in: GitIn) -> None:
    git_in(repo, "worktree", "move", str(linked), str(linked.with_name("away")))
    git_in(repo, "worktree", "add", "-q", "-b", "other", str(linked))
    assert sessions_of(discover(linked)) == []


def test_another_one_of_its_name_elsewhere_has_none_of_them(repo: Path, linked: Path, git_in: GitIn) -> None:
    git_in(repo, "worktree", "remove", str(linked))
    elsewhere = linked.parent / "in" / "linked"
    git_in(repo, "worktree", "add", "-q", str(elsewhere), "linked")
    assert discover(elsewhere).git_dir.name == "linked"
    assert sessions_of(discover(elsewhere)) == []


def test_one_that_is_made_again_in_its_place_has_them(repo: Path, linked: Path, git_in: GitIn) -> None:
    git_in(repo, "worktree", "remove", "-f", str(linked))
    git_in(repo, "worktree", "add", "-q", str(linked), "linked")
    assert sessions_of(discover(linked)) == ["s1"]


def test_a_write_that_a_kill_came_into_is_settled_where_it_was_moved_to(
    repo: Path, linked: Path, git_in: GitIn
) -> None:
    class Killed(BaseException):
        pass

    def kill(name: str) -> None:
        if name == "exchange":
            raise Killed

    (linked / "a").write_bytes(b"a\n")
    target = WorkTree(discover(linked), calls=Calls(kill))
    with pytest.raises(Killed):
        target.write("s", [Write("a", target.read("a"), file(b"b\n"))])
    git_in(repo, "worktree", "move", str(linked), str(linked.with_name("away")))
    assert not WorkTree(discover(repo)).recover()
    (recovered,) = WorkTree(discover(linked.with_name("away"))).recover()
    assert recovered.paths == ("a",)
