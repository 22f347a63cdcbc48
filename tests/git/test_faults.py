"""The disk fails, or the process is killed, at any call: the files are as before or as after, never between."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.hunk import FileState, Mode, Write
from agent.core.outcome import Applied, Refused
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.io.calls import Calls
from agent.ports import Place
from tests.git.looking import contents, file

GitIn = Callable[..., bytes]
WRITES = (
    Write("a", file(b"a\n"), file(b"A\n")),
    Write("in/b", file(b"b\n"), None),
    Write("new/c", None, file(b"c\n", Mode.EXECUTABLE)),
    Write("link", FileState(Mode.SYMLINK, b"a"), FileState(Mode.SYMLINK, b"in")),
    Write("thing", file(b"thing\n"), None),
    Write("thing/deep/inside", None, file(b"inside\n")),
    Write("place/deep/inside", file(b"place\n"), None),
    Write("place", None, FileState(Mode.SYMLINK, b"a")),
    Write("way", FileState(Mode.SYMLINK, b"in"), None),
    Write("way/deep/inside", None, file(b"inside\n")),
)
MANY = 400
FLAGS = pytest.mark.parametrize("flags", [True, False], ids=["renameat2", "link and rename"])


@pytest.fixture
def place(repo: Path) -> Place:
    (repo / "other").write_bytes(b"mine")
    place = discover(repo)
    reset(place)
    return place


def reset(place: Place) -> None:
    for write in WRITES:
        path = place.root / write.path
        if path.is_symlink() or path.is_file():
            path.unlink()
    for name in ("new", "thing", "place", "way"):
        if (place.root / name).is_dir() and not (place.root / name).is_symlink():
            shutil.rmtree(place.root / name)
    for write in WRITES:
        if write.old is None:
            continue
        path = place.root / write.path
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True, parents=True)
        if write.old.mode == Mode.SYMLINK:
            path.symlink_to(os.fsdecode(write.old.data))
        else:
            path.write_bytes(write.old.data)


class At:
    """Runs `do` at the n-th call, and at every later one when `forever`."""

    def __init__(self, number: int, do: Callable[[], None], *, forever: bool = False) -> None:
        self.left = number
        self._do = do
        self._forever = forever

    def __call__(self, name: str) -> None:
        self.left -= 1
        if self.left == 0 or (self._forever and self.left < 0):
            self._do()


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def die() -> None:
    os._exit(9)


def before_and_after(place: Place) -> tuple[dict[str, tuple[int, bytes]], dict[str, tuple[int, bytes]]]:
    before = contents(place.root)
    assert isinstance(WorkTree(place).write("reference", WRITES), Applied)
    after = contents(place.root)
    reset(place)
    assert contents(place.root) == before
    return before, after


@FLAGS
def test_a_failing_call_leaves_everything_as_it_was(place: Place, flags: bool) -> None:
    before, after = before_and_after(place)
    for number in range(1, MANY):
        hook = At(number, full)
        outcome = WorkTree(place, calls=Calls(hook, flags=flags)).write(f"s{number}", WRITES)
        if not isinstance(outcome, Applied):
            assert isinstance(outcome, Refused), number
            assert "No space" in outcome.reason
            assert outcome.hint
            assert contents(place.root) == before, number
        WorkTree(place).recover()
        now = contents(place.root)
        assert now == (after if isinstance(outcome, Applied) else before), number
        reset(place)
        if hook.left > 0:
            return
    raise AssertionError("the hook never ran out")


@FLAGS
def test_a_disk_that_stays_broken_is_restored_at_the_next_start(place: Place, flags: bool) -> None:
    before, after = before_and_after(place)
    for number in range(1, MANY):
        hook = At(number, full, forever=True)
        outcome = WorkTree(place, calls=Calls(hook, flags=flags)).write(f"s{number}", WRITES)
        reports = WorkTree(place).recover()
        now = contents(place.root)
        applied = isinstance(outcome, Applied) or any(report.finished for report in reports)
        assert now == (after if applied else before), number
        reset(place)
        if hook.left > 0:
            return
    raise AssertionError("the hook never ran out")


def killed_at(number: int, place: Place, do: Callable[[WorkTree], object], flags: bool) -> bool:
    """Run `do` in a child that dies at its n-th call; False when it came to its end."""
    child = os.fork()
    if child == 0:
        do(WorkTree(place, calls=Calls(At(number, die), flags=flags)))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@FLAGS
def test_a_killed_process_leaves_before_or_after_and_says_so(place: Place, flags: bool) -> None:
    before, after = before_and_after(place)
    finished = set()
    for number in range(1, MANY):
        name = f"s{number}"
        died = killed_at(number, place, lambda tree, name=name: tree.write(name, WRITES), flags)
        reports = WorkTree(place).recover()
        now = contents(place.root)
        assert now in (before, after), number
        assert WorkTree(place).recover() == []
        for report in reports:
            assert report.set_id == name
            assert report.left == ()
            assert now == (after if report.finished else before), number
            finished.add(report.finished)
        # Asked again, as a resumed session does: applied once, whatever happened.
        assert isinstance(WorkTree(place).write(name, WRITES), Applied)
        assert contents(place.root) == after
        reset(place)
        if not died:
            assert finished == {True, False}
            return
    raise AssertionError("the child always died")


def test_recovery_may_be_killed_too(place: Place) -> None:
    before, after = before_and_after(place)
    for number in range(1, MANY, 7):
        name = f"s{number}"
        if not killed_at(number, place, lambda tree, name=name: tree.write(name, WRITES), True):
            return
        for inner in range(1, MANY):
            if not killed_at(inner, place, lambda tree: tree.recover(), True):
                break
        assert contents(place.root) in (before, after), number
        reset(place)


def test_an_edit_after_the_crash_is_kept_and_reported(place: Place) -> None:
    def edit(number: int) -> None:
        (place.root / "a").write_bytes(b"by hand\n")
        reports = WorkTree(place).recover()
        assert (place.root / "a").read_bytes() == b"by hand\n", number
        for report in reports:
            if not report.finished:
                assert report.left in ((), ("a",))

    for number in range(1, MANY, 3):
        name = f"s{number}"
        died = killed_at(number, place, lambda tree, name=name: tree.write(name, WRITES), True)
        edit(number)
        reset(place)
        if not died:
            return


def test_the_next_write_recovers_by_itself(place: Place) -> None:
    before, _ = before_and_after(place)
    assert killed_at(19, place, lambda tree: tree.write("s", WRITES), True)
    assert contents(place.root) != before
    more = [Write("other", file(b"mine"), file(b"yours"))]
    assert isinstance(WorkTree(place).write("t", more), Applied)
    assert contents(place.root) == before | {"other": (before["other"][0], b"yours")}
