"""What was approved is written exactly, all of it or nothing, and nothing else changes."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.hunk import FileState, Mode, Write, writes_digest
from agent.core.outcome import Applied, Drifted, Refused
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.io.calls import Calls
from tests.git.looking import contents, file

GitIn = Callable[..., bytes]


@pytest.fixture
def worked(repo: Path, git_in: GitIn) -> Path:
    """A repository with staged, unstaged, untracked and ignored work of the person."""
    (repo / "src").mkdir()
    for name in ("src/a.py", "src/b.py", "src/c.py", "top"):
        (repo / name).write_text(f"{name}\n")
    (repo / ".gitignore").write_text("ignored\n")
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    (repo / "src/c.py").write_text("staged\n")
    git_in(repo, "add", "src/c.py")
    (repo / "src/c.py").write_text("unstaged\n")
    (repo / "untracked").write_text("u\n")
    (repo / "ignored").write_text("i\n")
    return repo


def tree(root: Path, calls: Calls | None = None) -> WorkTree:
    return WorkTree(discover(root), calls=calls, wait_seconds=0.2)


MIXED = (
    Write("src/a.py", file(b"src/a.py\n"), file(b"changed\r\n")),
    Write("src/b.py", file(b"src/b.py\n"), None),
    Write("new/deep/d.py", None, file(b"d\n", Mode.EXECUTABLE)),
    Write("link", None, FileState(Mode.SYMLINK, b"src/a.py")),
)


def test_a_set_of_every_kind_is_written_and_nothing_else_changes(worked: Path, git_in: GitIn) -> None:
    index = (worked / ".git" / "index").read_bytes()
    before = contents(worked)
    outcome = tree(worked).write("s1", MIXED)
    assert outcome == Applied("s1", writes_digest(MIXED))
    after = contents(worked)
    assert after.pop("src/a.py")[1] == b"changed\r\n"
    assert stat.S_IMODE(after["new/deep/d.py"][0]) & 0o111
    assert after.pop("new/deep/d.py")[1] == b"d\n"
    assert after.pop("link") == (0o120777, b"src/a.py")
    for gone in ("src/a.py", "src/b.py"):
        before.pop(gone)
    assert after == before
    assert (worked / ".git" / "index").read_bytes() == index
    status = git_in(worked, "status", "--porcelain").decode().split("\n")[:-1]
    assert sorted(status) == [
        " D src/b.py",
        " M src/a.py",
        "?? link",
        "?? new/",
        "?? untracked",
        "MM src/c.py",
    ]


def test_a_set_is_not_applied_twice(worked: Path) -> None:
    target = tree(worked)
    writes = [Write("top", file(b"top\n"), file(b"one\n"))]
    assert isinstance(target.write("s", writes), Applied)
    (worked / "top").write_text("top\n")
    assert isinstance(tree(worked).write("s", writes), Applied)
    assert (worked / "top").read_text() == "top\n"
    other = [Write("top", file(b"top\n"), file(b"two\n"))]
    assert isinstance(target.write("s", other), Refused)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bytes", lambda root: (root / "src/a.py").write_text("by hand\n")),
        ("mode", lambda root: (root / "src/a.py").chmod(0o755)),
        ("gone", lambda root: (root / "src/a.py").unlink()),
        ("appeared", lambda root: (root / "link").write_text("mine")),
        ("already gone", lambda root: (root / "src/b.py").unlink()),
    ],
)
def test_any_drift_writes_nothing(worked: Path, name: str, change: Callable[[Path], object]) -> None:
    change(worked)
    before = contents(worked)
    outcome = tree(worked).write("s", MIXED)
    assert isinstance(outcome, Drifted)
    assert contents(worked) == before


def test_odd_permission_bits_stay(worked: Path) -> None:
    (worked / "top").chmod(0o604)
    tree(worked).write("s", [Write("top", file(b"top\n"), file(b"x\n"))])
    assert stat.S_IMODE((worked / "top").stat().st_mode) == 0o604
    tree(worked).write("t", [Write("top", file(b"x\n"), file(b"x\n", Mode.EXECUTABLE))])
    assert stat.S_IMODE((worked / "top").stat().st_mode) == 0o705
    moved = [
        Write("top", file(b"x\n", Mode.EXECUTABLE), None),
        Write("tip", None, file(b"x\n", Mode.EXECUTABLE)),
    ]
    tree(worked).write("u", moved)
    assert stat.S_IMODE((worked / "tip").stat().st_mode) == 0o705


def test_a_file_that_moves_and_changes_is_no_more_readable_than_it_was(worked: Path) -> None:
    (worked / "top").write_bytes(b"secret\nkept\nmore\n")
    (worked / "top").chmod(0o600)
    moved = [
        Write("top", file(b"secret\nkept\nmore\n"), None),
        Write("tip", None, file(b"secret\nkept\nother\n")),
        Write("new", None, file(b"something else\n")),
    ]
    assert isinstance(tree(worked).write("s", moved), Applied)
    assert stat.S_IMODE((worked / "tip").stat().st_mode) == 0o600
    assert stat.S_IMODE((worked / "new").stat().st_mode) != 0o600


def test_a_file_becomes_a_folder_and_back(worked: Path) -> None:
    before = contents(worked)
    there = [Write("top", file(b"top\n"), None), Write("top/in/x", None, file(b"x\n"))]
    back = [Write(write.path, write.new, write.old) for write in there]
    assert isinstance(tree(worked).write("s", there), Applied)
    assert (worked / "top/in/x").read_text() == "x\n"
    assert isinstance(tree(worked).write("t", back), Applied)
    assert contents(worked) == before


def test_a_folder_with_something_else_in_it_does_not_become_a_file(worked: Path) -> None:
    before = contents(worked)
    writes = [
        Write("src/a.py", file(b"src/a.py\n"), None),
        Write("src/b.py", file(b"src/b.py\n"), None),
        Write("src", None, file(b"x\n")),
    ]
    assert isinstance(tree(worked).write("s", writes), Refused)
    assert contents(worked) == before


def test_a_case_only_rename_is_two_writes(worked: Path) -> None:
    writes = [Write("top", file(b"top\n"), None), Write("TOP", None, file(b"top\n"))]
    assert isinstance(tree(worked).write("s", writes), Applied)
    assert not (worked / "top").exists()
    assert (worked / "TOP").read_text() == "top\n"


def test_emptied_folders_go_but_not_the_one_that_the_person_is_in(worked: Path) -> None:
    (worked / "x" / "y").mkdir(parents=True)
    (worked / "x" / "y" / "f").write_text("f")
    (worked / "z").mkdir()
    (worked / "z" / "f").write_text("f")
    writes = [Write("x/y/f", file(b"f"), None), Write("z/f", file(b"f"), None)]
    assert isinstance(tree(worked / "z").write("s", writes), Applied)
    assert not (worked / "x").exists()
    assert (worked / "z").is_dir()


def test_read_only_files_and_folders_are_refused(worked: Path) -> None:
    (worked / "top").chmod(0o444)
    (worked / "src").chmod(0o555)
    before = contents(worked)
    for writes in (
        [Write("top", file(b"top\n"), file(b"x"))],
        [Write("src/a.py", file(b"src/a.py\n"), None)],
        [Write("src/new", None, file(b"x"))],
    ):
        outcome = tree(worked).write("s", writes)
        assert isinstance(outcome, Refused)
        assert "read-only" in outcome.reason
        assert "chmod" in outcome.hint
    assert contents(worked) == before
    (worked / "src").chmod(0o755)


def test_another_copair_that_writes_is_waited_for_and_then_named(worked: Path) -> None:
    holding, release = threading.Event(), threading.Event()

    def hold(name: str) -> None:
        if name == "exchange":
            holding.set()
            release.wait(5)

    one = [Write("top", file(b"top\n"), file(b"one\n"))]
    two = [Write("src/a.py", file(b"src/a.py\n"), file(b"two\n"))]
    first = threading.Thread(target=lambda: tree(worked, Calls(hold)).write("s1", one))
    first.start()
    holding.wait(5)
    outcome = tree(worked).write("s2", two)
    release.set()
    first.join()
    assert isinstance(outcome, Refused)
    assert "another copair" in outcome.reason
    assert isinstance(tree(worked).write("s2", two), Applied)
    assert (worked / "top").read_text() == "one\n"


FLAGS = pytest.mark.parametrize("flags", [True, False], ids=["renameat2", "link and rename"])


def when(name: str, do: Callable[[], object]) -> Callable[[str], None]:
    """A hook that does something once, just before the first call of that name."""
    done: list[object] = []

    def hook(call: str) -> None:
        if call == name and not done:
            done.append(do())

    return hook


@FLAGS
@pytest.mark.parametrize("call", ["exchange", "move_new", "sync_folder"])
def test_an_edit_in_the_last_moment_wins(worked: Path, call: str, flags: bool) -> None:
    edits = {
        "exchange": lambda: (worked / "src/a.py").write_text("by hand\n"),
        "move_new": lambda: (worked / "link").write_text("by hand\n"),
        "sync_folder": lambda: None,
    }
    before = contents(worked)
    outcome = tree(worked, Calls(when(call, edits[call]), flags=flags)).write("s", MIXED)
    if call == "sync_folder":
        assert isinstance(outcome, Applied)
        return
    assert isinstance(outcome, Drifted)
    edited = {"exchange": "src/a.py", "move_new": "link"}[call]
    after = contents(worked)
    assert after.pop(edited)[1] == b"by hand\n"
    before.pop(edited, None)
    assert after == before


def test_an_editor_that_replaces_the_file_in_the_last_moment_wins(worked: Path) -> None:
    def save() -> None:
        (worked / "swap").write_text("saved by an editor\n")
        (worked / "swap").replace(worked / "src/a.py")

    before = contents(worked)
    outcome = tree(worked, Calls(when("exchange", save))).write("s", MIXED)
    assert outcome == Drifted(("src/a.py",))
    after = contents(worked)
    assert after["src/a.py"][1] == b"saved by an editor\n"
    before["src/a.py"] = after["src/a.py"]
    assert after == before


def test_a_folder_that_becomes_a_link_in_the_last_moment_is_not_followed(
    worked: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.py").write_text("src/a.py\n")

    def swap() -> None:
        (worked / "src").rename(worked / "moved")
        (worked / "src").symlink_to(tmp_path / "outside")

    outcome = tree(worked, Calls(when("exchange", swap))).write("s", MIXED[:1])
    assert not isinstance(outcome, Applied)
    assert (tmp_path / "outside" / "a.py").read_text() == "src/a.py\n"
    assert sorted(os.listdir(tmp_path / "outside")) == ["a.py"]


def nth(name: str, number: int, do: Callable[[], object]) -> Callable[[str], None]:
    """A hook that does something just before the n-th call of that name."""
    left = [number]

    def hook(call: str) -> None:
        left[0] -= call == name
        if call == name and left[0] == 0:
            do()

    return hook


def test_a_new_file_that_is_removed_before_the_end_is_drift(worked: Path) -> None:
    writes = [Write("src/n", None, file(b"n\n")), Write("top", file(b"top\n"), file(b"x\n"))]
    before = contents(worked)
    hook = when("exchange", lambda: (worked / "src/n").unlink())
    assert tree(worked, Calls(hook)).write("s", writes) == Drifted(("src/n",))
    assert contents(worked) == before


def test_an_edit_while_a_set_is_taken_back_wins(worked: Path) -> None:
    writes = [
        Write("src/a.py", file(b"src/a.py\n"), file(b"A\n")),
        Write("top", file(b"top\n"), file(b"T\n")),
    ]
    first = nth("exchange", 2, lambda: (worked / "top").write_text("by hand\n"))
    # The third exchange takes `top` back, the fourth `src/a.py`.
    second = nth("exchange", 4, lambda: (worked / "src/a.py").write_text("by hand too\n"))

    def both(call: str) -> None:
        first(call)
        second(call)

    before = contents(worked)
    assert tree(worked, Calls(both)).write("s", writes) == Drifted(("top",))
    after = contents(worked)
    assert after["top"][1] == b"by hand\n"
    assert after["src/a.py"][1] == b"by hand too\n"
    assert set(after) == set(before)


def test_what_is_saved_into_the_old_file_in_the_last_moment_is_kept_and_named(worked: Path) -> None:
    """An editor that writes in place has the old file open still."""
    editor = os.open(worked / "src/a.py", os.O_WRONLY)

    def saves(call: str) -> None:
        if call == "record":
            os.pwrite(editor, b"an hour of work\n", 0)

    outcome = tree(worked, Calls(saves)).write("s1", MIXED)
    os.close(editor)
    assert isinstance(outcome, Applied)
    (left,) = outcome.left
    assert (worked / left).read_bytes() == b"an hour of work\n"
    assert (worked / "src/a.py").read_bytes() == b"changed\r\n"


@pytest.mark.parametrize("at", range(1, 40))
def test_a_ctrl_c_in_the_middle_leaves_all_or_nothing_and_nothing_of_ours(worked: Path, at: int) -> None:
    before = contents(worked)
    count = 0

    def interrupts(call: str) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise KeyboardInterrupt

    try:
        outcome = tree(worked, Calls(interrupts)).write("s1", MIXED)
    except KeyboardInterrupt:
        after = contents(worked)
        assert after == before or (after["src/a.py"][1] == b"changed\r\n" and "link" in after)
        assert not [name for name in after if ".copair-" in name]
        assert tree(worked).recover() == []
    else:
        assert isinstance(outcome, Applied)
