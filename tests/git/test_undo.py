"""Applied sets are taken back in any order, exactly or not at all, and everything else of git stays byte for byte."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.hunk import FileState, Mode, Write
from agent.core.lines.place import transplant_states
from agent.core.outcome import Applied, Clash
from agent.git.apply import WorkTree
from agent.git.discover import discover
from tests.git.looking import contents, read

GitIn = Callable[..., bytes]
NAMES = ("a", "in/b", "in/c", "odd\nname", "bytes\udcff")
LINES = [b"one\n", b"two\r\n", b"three\xff\n", b"", b"four\n", b"five", b"\xef\xbb\xbfsix\n", b"seven\n"]
STATE = st.one_of(
    st.none(),
    st.builds(
        FileState,
        st.sampled_from([Mode.FILE, Mode.EXECUTABLE]),
        st.lists(st.sampled_from(LINES), max_size=8).map(b"".join),
    ),
    st.just(FileState(Mode.SYMLINK, b"a")),
)
SETS = st.lists(
    st.dictionaries(st.sampled_from(NAMES), STATE, min_size=1, max_size=3), min_size=1, max_size=5
)
COUNTER = itertools.count()


@pytest.fixture
def busy(repo: Path, git_in: GitIn) -> Path:
    """A repository with a stash, staged work, a second branch and a tag."""
    (repo / "kept").write_text("kept\n")
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    (repo / "kept").write_text("stashed\n")
    git_in(repo, "stash")
    (repo / "kept").write_text("staged\n")
    git_in(repo, "add", "-A")
    (repo / "kept").write_text("unstaged\n")
    git_in(repo, "branch", "side")
    git_in(repo, "tag", "v1")
    return repo


def git_state(root: Path) -> dict[str, tuple[int, bytes]]:
    return contents(root / ".git", skip=(b"objects",))


def apply(tree: WorkTree, wanted: dict[str, FileState | None]) -> list[Write]:
    writes = [Write(path, tree.read(path), new) for path, new in wanted.items()]
    assert isinstance(tree.write(f"set {next(COUNTER)}", writes), Applied)
    return writes


def undo(tree: WorkTree, done: list[Write]) -> bool:
    """As a session does it: by position, all of the set or nothing."""
    writes = []
    for write in done:
        now = tree.read(write.path)
        placed = transplant_states(write.new, write.old, now, write.path)
        if isinstance(placed, Clash):
            return False
        writes.append(Write(write.path, now, placed))
    assert isinstance(tree.write(f"undo {next(COUNTER)}", writes), Applied)
    return True


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets=SETS)
def test_taking_all_back_in_turn_restores_every_byte(
    busy: Path, sets: list[dict[str, FileState | None]]
) -> None:
    tree = WorkTree(discover(busy))
    before, git_before = contents(busy), git_state(busy)
    done = [apply(tree, wanted) for wanted in sets]
    for writes in reversed(done):
        assert undo(tree, writes)
    assert contents(busy) == before
    assert git_state(busy) == git_before


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sets=SETS, data=st.data())
def test_an_undo_can_be_undone_and_a_refused_one_changes_nothing(
    busy: Path, sets: list[dict[str, FileState | None]], data: st.DataObject
) -> None:
    tree = WorkTree(discover(busy))
    done = [apply(tree, wanted) for wanted in sets]
    chosen = data.draw(st.sampled_from(done))
    after = contents(busy)
    undone = [Write(w.path, tree.read(w.path), None) for w in chosen]
    if undo(tree, chosen):
        redo = [Write(w.path, w.old, tree.read(w.path)) for w in undone]
        assert undo(tree, redo)
    assert contents(busy) == after
    assert read(bytes(busy / "kept")) == b"unstaged\n"
    for writes in done:
        for write in writes:
            (busy / write.path).unlink(missing_ok=True)
