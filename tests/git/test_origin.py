"""State is of the repository that it was made for: what stood at the same place before keeps its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.dialog import Protocol
from agent.core.errors import GitFailed, StateError
from agent.core.events import VERSION, Started
from agent.git.discover import discover
from agent.git.objects import Objects, Stored
from agent.git.origin import note_origin, put_aside
from agent.git.origin_note import TRACES
from agent.git.repo import Repo
from agent.io.journal import Journal

GitIn = Callable[..., bytes]


@pytest.fixture
def first(repo: Path, git_in: GitIn) -> Repo:
    """A repository with a commit, which is noted."""
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "first")
    found = Repo(discover(repo))
    note_origin(found)
    return found


def anew(repo: Repo, git_in: GitIn, subject: str = "second") -> Repo:
    """Another repository at the same place."""
    root = repo.place.root
    shutil.rmtree(root)
    root.mkdir()
    git_in(root, "init", "-q")
    git_in(root, "commit", "-q", "--allow-empty", "-m", subject)
    return Repo(discover(root))


def test_two_processes_put_the_state_of_the_one_before_aside_once(first: Repo, git_in: GitIn) -> None:
    second = anew(first, git_in)
    state = second.place.state

    class Meanwhile(Objects):
        """Another process puts it aside, and begins a session, while we look for the commit."""

        def find(self, name: str) -> Stored | None:
            assert put_aside(second) is not None
            note_origin(second)
            (state / "new").touch()
            return super().find(name)

    late = Repo(second.place)
    late.objects = Meanwhile(late.git)
    assert put_aside(late) is None
    assert (state / "new").exists()
    assert [path.name for path in state.parent.glob("*-before-*")] == [f"{state.name}-before-1"]


@pytest.mark.parametrize("is_same", [False, True])
def test_whole_seconds_of_an_archive_do_not_make_another_repository_the_same(
    repo: Path, git_in: GitIn, is_same: bool
) -> None:
    def from_an_archive(subject: str) -> Repo:
        git_in(repo, "commit", "-q", "--allow-empty", "-m", subject)
        for name in TRACES:
            if (repo / ".git" / name).exists():
                os.utime(repo / ".git" / name, ns=(0, 0))
        return Repo(discover(repo))

    note_origin(from_an_archive("first"))
    if is_same:
        again = from_an_archive("more")
    else:
        shutil.rmtree(repo)
        repo.mkdir()
        git_in(repo, "init", "-q")
        again = from_an_archive("second")
    assert (put_aside(again) is None) == is_same


def test_state_with_an_open_session_is_not_put_aside(first: Repo, git_in: GitIn) -> None:
    second = anew(first, git_in)
    with Journal(second.place.state, "s") as book:
        book.append(Started(VERSION, "s", 0.0, str(second.place.root), "", "", Protocol.TOOLS))
        with pytest.raises(StateError, match="still open"):
            put_aside(second)
    assert put_aside(second) is not None


def test_nothing_is_put_aside_while_git_cannot_tell(first: Repo, git_in: GitIn) -> None:
    second = anew(first, git_in)

    class Broken(Objects):
        def find(self, name: str) -> Stored | None:
            raise GitFailed("git cannot be run")

    noted = (second.place.state / "origin.json").read_bytes()
    second.objects = Broken(second.git)
    assert put_aside(second) is None
    note_origin(second)
    assert (second.place.state / "origin.json").read_bytes() == noted


@pytest.mark.parametrize("which", ["then", "now"])
def test_an_unborn_repository_without_traces_is_taken_for_the_same(
    repo: Path, git_in: GitIn, which: str
) -> None:
    def forget_traces() -> None:
        for name in TRACES:
            (repo / ".git" / name).unlink(missing_ok=True)

    if which == "then":
        forget_traces()
    note_origin(Repo(discover(repo)))
    shutil.rmtree(repo)
    repo.mkdir()
    git_in(repo, "init", "-q")
    if which == "now":
        forget_traces()
    assert put_aside(Repo(discover(repo))) is None


def test_an_earlier_repository_that_was_put_aside_keeps_its_place(first: Repo, git_in: GitIn) -> None:
    second = anew(first, git_in)
    aside = put_aside(second)
    note_origin(second)
    third = anew(second, git_in, "third")
    assert put_aside(third) not in (None, aside)


def test_a_repository_that_had_no_commit_is_known_by_its_first_one(
    repo: Path, git_in: GitIn, tmp_path: Path
) -> None:
    begun = Repo(discover(repo))
    note_origin(begun)
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "first")
    note_origin(begun)
    # As `cp -r` does, without the times.
    shutil.copytree(repo, tmp_path / "copy", copy_function=shutil.copy)
    shutil.rmtree(repo)
    (tmp_path / "copy").rename(repo)
    assert put_aside(Repo(discover(repo))) is None
