"""Work trees of one repository have each its own sessions, wherever they stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.git.discover import discover
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
