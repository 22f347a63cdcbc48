"""The repository of a folder is found wherever git finds it, and every refusal says why."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import RepositoryError
from agent.git.discover import discover

GitIn = Callable[..., bytes]


@pytest.fixture
def committed(repo: Path, git_in: GitIn) -> Path:
    (repo / "a").write_text("a\n")
    git_in(repo, "add", "a")
    git_in(repo, "commit", "-qm", "a")
    return repo


def test_a_subfolder_knows_its_prefix(repo: Path) -> None:
    (repo / "x" / "y").mkdir(parents=True)
    place = discover(repo / "x" / "y")
    assert (place.root, place.prefix, place.git_dir) == (repo, "x/y/", repo / ".git")
    assert place.root not in place.state.parents


def test_a_linked_work_tree_shares_the_state_of_its_repository(committed: Path, git_in: GitIn) -> None:
    git_in(committed, "worktree", "add", "-q", "../linked")
    place = discover(committed.parent / "linked")
    assert place.root == committed.parent / "linked"
    assert place.common_dir == committed / ".git" != place.git_dir
    assert place.state == discover(committed).state


def test_a_link_to_the_repository_leads_to_its_real_path(repo: Path) -> None:
    (repo.parent / "alias").symlink_to(repo)
    assert discover(repo.parent / "alias").root == repo


@pytest.mark.parametrize("name", [b"new\nline", b"\xff\xfe", b"spa ce"])
def test_odd_folder_names_work(tmp_path: Path, git_in: GitIn, name: bytes) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    (root / "in").mkdir(parents=True)
    git_in(root, "init", "-q")
    place = discover(root / "in")
    assert (place.root, place.prefix) == (root, "in/")


def test_a_separate_git_directory_works(tmp_path: Path, git_in: GitIn) -> None:
    root = tmp_path / "w"
    git_in(tmp_path, "init", "-q", "--separate-git-dir=store", "w")
    assert discover(root).git_dir == tmp_path / "store"


def test_inherited_git_variables_do_not_lead_elsewhere(
    repo: Path, tmp_path: Path, git_in: GitIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_in(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert discover(repo).root == repo


def refusal(folder: Path) -> RepositoryError:
    with pytest.raises(RepositoryError) as caught:
        discover(folder)
    assert caught.value.hint
    assert caught.value.untouched
    return caught.value


def test_outside_a_repository(tmp_path: Path) -> None:
    assert "not in a git repository" in refusal(tmp_path).message


def test_a_bare_repository(tmp_path: Path, git_in: GitIn) -> None:
    git_in(tmp_path, "init", "-q", "--bare", "b")
    assert "bare" in refusal(tmp_path / "b").message


def test_inside_the_git_directory(repo: Path) -> None:
    assert "git directory" in refusal(repo / ".git" / "refs").message


def test_a_repository_of_another_owner(
    repo: Path, hermetic_seal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hermetic_seal / ".gitconfig").write_text("")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    error = refusal(repo)
    assert "another user" in error.message
    assert "safe.directory" in error.hint


def test_a_broken_repository(repo: Path) -> None:
    (repo / ".git" / "HEAD").unlink()
    refusal(repo)
    (repo / ".git" / "config").write_text("[core\n")
    refusal(repo)


def test_a_gitfile_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert "cannot open" in refusal(tmp_path).message


def test_a_configuration_that_moves_the_work_tree_is_refused(
    repo: Path, tmp_path: Path, git_in: GitIn
) -> None:
    (tmp_path / "victim").mkdir()
    git_in(repo, "config", "core.worktree", str(tmp_path))
    assert "moves the work tree" in refusal(repo).message


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="no folder"):
        discover(tmp_path / "gone")


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_how_objects_are_named_is_known(tmp_path: Path, git_in: GitIn, name: str) -> None:
    git_in(tmp_path, "init", "-q", f"--object-format={name}")
    assert discover(tmp_path).object_hash == name
