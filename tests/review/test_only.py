"""`copair review X --only PATH`: what lies at or below the paths, whatever the difference is read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import UsageError
from agent.review.only import ALL, Only, only_below
from tests.review.conftest import Reviewed, put

GitIn = Callable[..., bytes]
ROWS = b"".join(b"v%d = %d\n" % (n, n) for n in range(30))
OLD: dict[str, bytes] = {
    "src/a.py": b"a = 1\n",
    "src/moves.py": ROWS,
    "src.py": b"s = 1\n",
    "docs/b.md": b"b\n",
    "docs/comes.py": ROWS[::-1],
}


@pytest.fixture
def both(repo: Path, git_in: GitIn) -> Path:
    """HEAD has the files of OLD; in the work tree each of them is changed, and two change their folders."""
    put(repo, OLD)
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    put(repo, {path: data + b"more = 1\n" for path, data in OLD.items() if path.count("s.py") == 0})
    (repo / "src/moves.py").rename(repo / "docs/moves.py")
    (repo / "docs/comes.py").rename(repo / "src/comes.py")
    return repo


def paths(document: dict[str, object]) -> set[str]:
    chunks = document["chunks"]
    assert isinstance(chunks, list)
    return {path for chunk in chunks for path in chunk["paths"]}


IN_SOURCE = {"src/a.py", "src/moves.py", "docs/moves.py", "src/comes.py", "docs/comes.py"}


def test_of_commits_what_was_or_comes_below_a_path_is_listed(
    both: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    git_in(both, "add", "-A")
    git_in(both, "commit", "-qm", "two")
    whole = paths(reviewed.list("HEAD"))
    found = reviewed.list("HEAD", only=["src"])
    assert whole == IN_SOURCE | {"src.py", "docs/b.md"}
    assert paths(found) == IN_SOURCE
    assert found["source"].endswith(", only src")
    assert paths(reviewed.list("HEAD", only=["src/a.py", "docs/b.md"])) == {"src/a.py", "docs/b.md"}
    assert paths(reviewed.list("HEAD", only=["nowhere"])) == set()
    missed = [{"path": path, "reason": "nothing changes there"} for path in ("nowhere", "src/a")]
    assert reviewed.list("HEAD", only=["src/a", "src", "nowhere", "src/a.py"])["left_out"] == missed
    assert reviewed.list("HEAD", only=["."]) == reviewed.list("HEAD")


def test_of_uncommitted_work_only_what_is_below_a_path_is_staged(
    both: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    (both / "new.txt").write_text("n\n")
    found = reviewed.list(None, only=["src"])
    assert paths(found) == {"src/a.py", "src/moves.py", "src/comes.py"}
    ids = [chunk["id"] for chunk in found["chunks"]]
    result, _ = reviewed.decide(None, ids, only=["src"])
    assert result["outcome"] == "applied"
    staged = git_in(both, "diff", "--cached", "--name-only", "--no-renames").decode().split()
    assert staged == ["src/a.py", "src/comes.py", "src/moves.py"]


def test_of_a_patch_only_what_is_below_a_path_is_written(
    both: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    git_in(both, "add", "-A")
    patch = git_in(both, "diff", "--cached", "-M")
    git_in(both, "reset", "-q", "--hard")
    found = reviewed.list("-", stdin=patch, only=["src"])
    assert paths(found) == IN_SOURCE
    ids = [chunk["id"] for chunk in found["chunks"]]
    reviewed.decide("-", ids, stdin=patch, only=["src"])
    changed = git_in(both, "status", "--porcelain", "--no-renames").decode()
    assert "src.py" not in changed
    assert "b.md" not in changed
    assert (both / "src/a.py").read_bytes() == b"a = 1\nmore = 1\n"
    assert (both / "docs/moves.py").read_bytes() == ROWS


@pytest.mark.parametrize(
    ("cwd", "given", "paths"),
    [
        (".", ["src/", "./src", "docs//b.md"], ("docs/b.md", "src")),
        ("src", ["."], ("src",)),
        ("src", ["../docs", "a.py"], ("docs", "src/a.py")),
        ("src", ["a.py", ".."], ()),
        (".", [], ()),
    ],
)
def test_paths_count_from_where_they_are_typed(
    tmp_path: Path, cwd: str, given: list[str], paths: tuple[str, ...]
) -> None:
    (tmp_path / "src").mkdir()
    assert only_below(tmp_path, tmp_path / cwd, given) == Only(paths)
    assert only_below(tmp_path, tmp_path / cwd, [str(tmp_path / cwd / path) for path in given]) == Only(paths)


@pytest.mark.parametrize("path", ["..", "../x", "/", "src/../../x"])
def test_a_path_outside_of_the_repository_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match="outside"):
        only_below(tmp_path, tmp_path, [path])


def test_without_paths_every_file_is_taken() -> None:
    assert ALL.takes("a", None)
    assert ALL.told("commit 1") == "commit 1"
