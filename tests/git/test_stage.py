"""Staging writes exactly the approved content into the index; all other entries and the files stay as they are."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode, Write
from agent.core.outcome import Applied, Drifted, Refused
from agent.git.discover import discover
from agent.git.index import MANY
from agent.git.stage import Index
from agent.io.calls import Calls
from tests.git.looking import contents, file

GitIn = Callable[..., bytes]


@pytest.fixture(params=["sha1", "sha256"])
def staged(repo: Path, git_in: GitIn, request: pytest.FixtureRequest) -> Path:
    git_in(repo, "init", "-q", f"--object-format={request.param}", ".") if request.param == "sha1" else None
    if request.param == "sha256":
        for path in sorted((repo / ".git").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (repo / ".git").rmdir()
        git_in(repo, "init", "-q", "--object-format=sha256")
    for name in ("a", "b", "c", "d"):
        (repo / name).write_text(f"{name}\n")
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    (repo / "b").write_text("staged\n")
    git_in(repo, "add", "b")
    (repo / "b").write_text("unstaged\n")
    (repo / "new").write_text("intended\n")
    git_in(repo, "add", "-N", "new")
    git_in(repo, "update-index", "--assume-unchanged", "a")
    git_in(repo, "update-index", "--skip-worktree", "d")
    return repo


def index(root: Path, calls: Calls | None = None) -> Index:
    return Index(discover(root), calls=calls, wait_seconds=0.2)


MIXED = (
    Write("b", file(b"staged\n"), file(b"more\n", Mode.EXECUTABLE)),
    Write("c", file(b"c\n"), None),
    Write("x/y", None, file(b"\r\n\0")),
    Write("link", None, FileState(Mode.SYMLINK, b"a")),
)


def test_a_set_is_staged_and_nothing_else_changes(staged: Path, git_in: GitIn) -> None:
    before = git_in(staged, "ls-files", "-v", "-s").decode().split("\n")
    files = contents(staged)
    assert isinstance(index(staged).write("s", MIXED), Applied)
    after = git_in(staged, "ls-files", "-v", "-s").decode().split("\n")
    changed = ("\tb", "\tc", "\tx/y", "\tlink")
    assert [line for line in after if not line.endswith(changed)] == [
        line for line in before if not line.endswith(changed)
    ]
    target = index(staged)
    assert {write.path: target.read(write.path) for write in MIXED} == {w.path: w.new for w in MIXED}
    assert contents(staged) == files
    assert git_in(staged, "ls-files", "-t").decode().count("S d") == 1
    assert git_in(staged, "diff", "--name-only").decode().split() == ["b", "link", "new", "x/y"]
    assert not list((staged / ".git").glob("index.*"))


def test_flags_of_a_written_entry_stay(staged: Path, git_in: GitIn) -> None:
    assert isinstance(index(staged).write("s", [Write("a", file(b"a\n"), file(b"A\n"))]), Applied)
    assert b"h 100644" in git_in(staged, "ls-files", "-v", "-s", "a")
    with pytest.raises(PathRefused, match="sparse"):
        index(staged).read("d")


def test_what_is_only_intended_is_not_there_and_nothing_of_it_is_left_when_it_is_taken_back(
    staged: Path, git_in: GitIn
) -> None:
    (staged / "empty").touch()
    git_in(staged, "add", "empty")
    assert index(staged).read("new") is None
    assert index(staged).read("empty") == file(b"")
    whole = Write("new", None, file(b"intended\n"))
    assert isinstance(index(staged).write("s", [whole]), Applied)
    assert git_in(staged, "show", ":new") == b"intended\n"
    assert isinstance(index(staged).write("back", [Write("new", whole.new, None)]), Applied)
    assert git_in(staged, "status", "--porcelain", "new", "empty") == b"A  empty\n?? new\n"


def test_drift_changes_nothing(staged: Path, git_in: GitIn) -> None:
    git_in(staged, "add", "b")
    before = (staged / ".git/index").read_bytes()
    assert index(staged).write("s", MIXED) == Drifted(("b",))
    assert (staged / ".git/index").read_bytes() == before


def test_a_held_index_lock_is_respected(staged: Path) -> None:
    (staged / ".git/index.lock").write_text("")
    before = (staged / ".git/index").read_bytes()
    outcome = index(staged).write("s", MIXED)
    assert isinstance(outcome, Refused)
    assert "another git process" in outcome.reason
    assert (staged / ".git/index").read_bytes() == before
    assert (staged / ".git/index.lock").exists()


def test_what_git_stages_at_the_same_time_is_kept(staged: Path, git_in: GitIn) -> None:
    done: list[bytes] = []

    def meanwhile(name: str) -> None:
        if name == "lock" and not done:
            (staged / "meanwhile").write_text("m\n")
            done.append(git_in(staged, "add", "meanwhile"))

    assert isinstance(index(staged, Calls(meanwhile)).write("s", MIXED), Applied)
    listed = git_in(staged, "ls-files").decode().split()
    assert {"meanwhile", "x/y", "link"} <= set(listed)


def test_an_edit_of_the_same_second_is_not_overlooked_afterwards(staged: Path, git_in: GitIn) -> None:
    (staged / "e").write_text("one\n")
    git_in(staged, "add", "e")
    (staged / "e").write_text("two\n")
    stamp = (staged / ".git/index").stat().st_mtime_ns
    os.utime(staged / "e", ns=(stamp, stamp))
    assert isinstance(index(staged).write("s", MIXED), Applied)
    assert b"e" in git_in(staged, "diff", "--name-only").split()


@pytest.fixture
def plain(repo: Path, git_in: GitIn) -> Path:
    (repo / "a").write_text("a\n")
    (repo / "b").write_text("b\n")
    git_in(repo, "add", "-A")
    return repo


TWO = (Write("a", file(b"a\n"), file(b"A\n")), Write("b", file(b"b\n"), None))


def test_failing_and_killed_at_any_call(plain: Path, git_in: GitIn) -> None:
    listing = git_in(plain, "ls-files", "-s")
    backup = (plain / ".git/index").read_bytes()
    parent = os.getpid()
    for number in range(1, 60):
        left = [number]

        def hook(name: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                if os.getpid() != parent:
                    os._exit(9)
                raise OSError(errno.ENOSPC, "No space left on device")

        outcome = index(plain, Calls(hook)).write(f"f{number}", TWO)
        changed = git_in(plain, "ls-files", "-s") != listing
        assert changed == isinstance(outcome, Applied), number
        (plain / ".git/index").write_bytes(backup)
        left[0] = number
        child = os.fork()
        if child == 0:
            index(plain, Calls(hook)).write(f"k{number}", TWO)
            os._exit(0)
        died = os.waitpid(child, 0)[1] != 0
        reports = index(plain).recover()
        assert not list((plain / ".git").glob("index.*")), number
        changed = git_in(plain, "ls-files", "-s") != listing
        assert all(report.finished == changed for report in reports), number
        assert isinstance(index(plain).write(f"k{number}", TWO), Applied)
        assert git_in(plain, "ls-files", "-s") != listing
        (plain / ".git/index").write_bytes(backup)
        if not died:
            return
    raise AssertionError("the hook never ran out")


def test_an_unborn_repository_without_an_index(repo: Path, git_in: GitIn) -> None:
    assert isinstance(index(repo).write("s", [Write("f", None, file(b"x"))]), Applied)
    assert git_in(repo, "ls-files") == b"f\n"


def test_a_path_in_conflict_is_refused(plain: Path, git_in: GitIn) -> None:
    git_in(plain, "commit", "-qm", "one")
    git_in(plain, "checkout", "-qb", "side")
    (plain / "a").write_text("side\n")
    git_in(plain, "commit", "-qam", "side")
    git_in(plain, "checkout", "-q", "main")
    (plain / "a").write_text("main\n")
    git_in(plain, "commit", "-qam", "main")
    git_in(plain, "merge", "side", check=False)
    before = git_in(plain, "ls-files", "-s")
    outcome = index(plain).write("s", [Write("a", file(b"main\n"), file(b"x\n"))])
    assert isinstance(outcome, Refused)
    assert "conflict" in outcome.reason
    assert isinstance(index(plain).write("t", [Write("b", file(b"b\n"), file(b"B\n"))]), Applied)
    assert git_in(plain, "ls-files", "-s", "a") in before


@pytest.mark.parametrize(("there", "path"), [("x", "x/new"), ("x/a", "x"), ("x/a/b", "x/a")])
def test_what_is_staged_in_the_way_of_a_new_file_goes_only_with_it(
    repo: Path, git_in: GitIn, there: str, path: str
) -> None:
    (repo / there).parent.mkdir(exist_ok=True, parents=True)
    (repo / there).write_bytes(b"theirs\n")
    git_in(repo, "add", "-A")
    before = git_in(repo, "ls-files", "-s")
    new, old = Write(path, None, file(b"new\n")), Write(there, file(b"theirs\n"), None)
    outcome = index(repo).write("alone", [new])
    assert isinstance(outcome, Refused)
    assert there in outcome.reason
    assert git_in(repo, "ls-files", "-s") == before
    assert isinstance(index(repo).write("both", [new, old]), Applied)
    assert git_in(repo, "ls-files") == f"{path}\n".encode()


def test_so_many_new_files_are_staged_that_no_command_line_holds_them(repo: Path, git_in: GitIn) -> None:
    writes = [Write(f"folder {n}/f", None, file(b"%d\n" % (n % 3))) for n in range(MANY + 3)]
    assert isinstance(index(repo).write("s", writes), Applied)
    assert git_in(repo, "ls-files").count(b"\n") == MANY + 3
