"""A repository that is moved has its sessions at the new place, and no other has them."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.errors import StateError
from agent.git.discover import discover
from agent.git.moved import follow
from agent.git.origin import moving, note_origin, put_aside
from agent.git.origin_note import Origin, noted, times_of, write_note
from agent.git.repo import Repo
from agent.io.calls import Calls
from agent.io.journal import Journal
from agent.io.locks import lock
from tests.support.begun import begin, sessions_of

GitIn = Callable[..., bytes]
MANY = 30


@pytest.fixture
def first(repo: Path, git_in: GitIn) -> Path:
    """A repository with a commit and a session."""
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "first")
    begin(repo, "s1")
    return repo


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


def make_old(root: Path) -> None:
    """The state as an older version left it."""
    note = noted_in(root)
    (discover(root).state / "origin.json").write_text(json.dumps({"times": note.times, "head": note.head}))


def open_in(root: Path, calls: Calls | None = None) -> tuple[list[str], list[str]]:
    """The sessions of the work tree, as a command finds them, and what is told."""
    with Repo(discover(root)) as repo:
        put_aside(repo)
        told = follow(repo, calls)
        place = repo.place
    return sessions_of(place), told


def noted_in(root: Path) -> Origin:
    note = noted(discover(root).state)
    assert note is not None
    return note


def changed_note(root: Path, **values: object) -> None:
    write_note(discover(root).state, msgspec.structs.replace(noted_in(root), **values))


def all_sessions(root: Path) -> set[str]:
    return {path.stem for path in discover(root).state.parent.glob("*/sessions/*.jsonl")}


def test_a_moved_repository_has_its_sessions_and_says_so_once(first: Path, there: Path) -> None:
    first.rename(there)
    assert open_in(there) == (
        ["s1"],
        [f"this repository was at {first}; its sessions and checks come with it"],
    )
    assert open_in(there) == (["s1"], [])
    there.rename(first)
    assert open_in(first)[0] == ["s1"]


def test_a_repository_below_a_folder_that_was_renamed_has_its_sessions(tmp_path: Path, git_in: GitIn) -> None:
    root = tmp_path / "a" / "b" / "repo"
    root.mkdir(parents=True)
    git_in(root, "init", "-q")
    begin(root, "s1")  # no commit: known by its folder
    (tmp_path / "a").rename(tmp_path / "z")
    assert open_in(tmp_path / "z" / "b" / "repo")[0] == ["s1"]


def test_one_that_was_moved_before_it_was_noted_where_it_is_has_them_by_the_place_of_a_session(
    first: Path, there: Path
) -> None:
    shutil.rmtree(discover(first).state)
    begin(first, "s1", is_old=True)
    make_old(first)
    first.rename(there)
    assert open_in(there)[0] == ["s1"]
    begin(there, "s2")
    there.rename(first.with_name("again"))
    assert open_in(first.with_name("again"))[0] == ["s1", "s2"]


def test_a_copy_has_none_of_the_sessions_wherever_the_original_is(first: Path, there: Path) -> None:
    shutil.copytree(first, there, copy_function=shutil.copy2, symlinks=True)
    for name in (".git/description", ".git/info/exclude", ".git/hooks/pre-commit.sample"):
        assert (there / name).stat().st_mtime_ns == (first / name).stat().st_mtime_ns
    assert open_in(there) == ([], [])
    moved = first.rename(first.with_name("moved"))
    sessions, told = open_in(there)
    assert not sessions
    assert "or one that it is a copy of" in told[0]
    begin(there, "s2")
    assert open_in(moved)[0] == ["s1"]
    assert open_in(there) == (["s2"], [])


def test_who_says_that_a_copy_is_the_repository_has_its_sessions(first: Path, there: Path) -> None:
    shutil.copytree(first, there, copy_function=shutil.copy2, symlinks=True)
    shutil.rmtree(first)
    begun = discover(there).state
    with Repo(discover(there)) as repo:
        note_origin(repo)
    told = open_in(there)[1][0]
    kept = Path(told.split("kept in ")[1].split(";")[0])
    assert f"move {begun} away, and then rename that folder to {begun}" in told
    begun.rename(begun.with_name("away"))
    kept.rename(begun)
    assert open_in(there)[0] == ["s1"]


def test_one_that_went_to_another_disk_has_its_sessions(first: Path, there: Path) -> None:
    # As if the folder had another number, on another disk, while it stood there.
    changed_note(first, inode=1, device=first.stat().st_dev)
    first.rename(there)
    assert "or one that it is a copy of" in open_in(there)[1][0]
    state = next(discover(there).state.parent.glob("*/origin.json")).parent
    note = noted(state)
    assert note is not None
    write_note(state, msgspec.structs.replace(note, device=1))
    assert open_in(there)[0] == []  # that disk is not there: the original may be on it
    write_note(state, msgspec.structs.replace(note, inode=0, device=0))
    assert open_in(there)[0] == ["s1"]


@pytest.mark.parametrize("why", ["no commit", "whole seconds"])
def test_what_may_as_well_be_another_one_is_only_told_of(first: Path, there: Path, why: str) -> None:
    if why == "no commit":
        changed_note(first, inode=0, head="")
    else:
        for name in noted_in(first).times:
            os.utime(first / ".git" / name, ns=(0, 10**18))
        changed_note(first, inode=0, times=times_of(first / ".git"))
    first.rename(there)
    sessions, told = open_in(there)
    assert not sessions
    assert "or one that it is a copy of" in told[0]


@pytest.mark.parametrize("why", ["another commit", "another time", "a time of another file"])
def test_what_is_of_another_one_is_not_even_told_of(first: Path, there: Path, why: str) -> None:
    times = noted_in(first).times
    if why == "another commit":
        changed_note(first, inode=0, head="f" * 40)
    elif why == "another time":
        changed_note(first, inode=0, times=times | {"description": 1})
    else:
        changed_note(first, times={f"other {name}": time for name, time in times.items()})
    first.rename(there)
    assert open_in(there) == ([], [])


@pytest.mark.parametrize("is_same", [False, True])
def test_a_number_that_is_used_again_does_not_make_another_one_of_an_archive_the_same(
    first: Path, there: Path, git_in: GitIn, is_same: bool
) -> None:
    for name in noted_in(first).times:
        os.utime(first / ".git" / name, ns=(0, 0))
    changed_note(first, times=times_of(first / ".git"), inode=0)
    if is_same:
        first.rename(there)
    else:
        there.mkdir()
        git_in(there, "init", "-q")
        git_in(there, "commit", "-q", "--allow-empty", "-m", "another")
        for name in times_of(there / ".git"):
            os.utime(there / ".git" / name, ns=(0, 0))
        shutil.rmtree(first)
    state = next(discover(there).state.parent.glob("*/origin.json")).parent
    note = noted(state)
    assert note is not None
    write_note(state, msgspec.structs.replace(note, inode=(there / ".git").stat().st_ino))
    assert open_in(there)[0] == (["s1"] if is_same else [])


def test_what_the_name_does_not_prove_is_of_no_place(first: Path, there: Path, git_in: GitIn) -> None:
    linked = first.with_name("linked")
    git_in(first, "worktree", "add", "-q", str(linked))
    shutil.rmtree(discover(first).state)
    begin(linked, "l1", is_old=True)
    make_old(first)
    shutil.rmtree(linked)
    first.rename(there)
    assert open_in(there) == ([], [])


def test_state_in_which_nothing_was_done_is_not_moved(repo: Path, there: Path) -> None:
    with Repo(discover(repo)) as opened:
        note_origin(opened)
    repo.rename(there)
    assert open_in(there) == ([], [])


def test_what_was_put_away_by_hand_stays_away(first: Path) -> None:
    state = discover(first).state
    state.rename(state.with_name(f"{state.name}.away"))
    assert open_in(first) == ([], [])


def test_lines_that_were_typed_before_the_sessions_came_are_kept(first: Path, there: Path) -> None:
    first.rename(there)
    with Repo(discover(there)) as repo:
        note_origin(repo)
    state = discover(there).state
    (state / "history").write_text("typed")
    assert open_in(there)[0] == ["s1"]
    assert state.with_name(f"{state.name}-unused-1").joinpath("history").read_text() == "typed"


def test_of_two_that_are_surely_its_own_the_newest_comes_and_the_other_is_told_of(
    first: Path, there: Path
) -> None:
    first.rename(there)
    begin(there, "s2", time=1.0)
    make_old(there)
    last = there.rename(there.with_name("last"))
    sessions, (came, other) = open_in(last)
    assert sessions == ["s2"]
    assert f"was at {there};" in came
    assert f"has other sessions, from when it was at {first}" in other


def test_one_that_was_restored_without_times_is_found_by_its_new_ones(first: Path, there: Path) -> None:
    shutil.copytree(first, there, copy_function=shutil.copy)
    shutil.rmtree(first)
    there.rename(first)
    begin(first, "s2")
    first.rename(there)
    assert open_in(there)[0] == ["s1", "s2"]


def test_who_comes_second_takes_nothing_that_another_process_moves(first: Path, there: Path) -> None:
    state = discover(first).state
    first.rename(there)
    found: list[list[str]] = []
    second = threading.Thread(target=lambda: found.append(open_in(there)[0]))
    with moving(state):
        second.start()
        second.join(0.5)
        state.rename(discover(there).state)
    second.join()
    assert found == [["s1"]]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second disk")
def test_one_that_went_to_a_disk_of_another_number_has_its_sessions(first: Path, tmp_path: Path) -> None:
    disk = Path("/dev/shm") / f"copair-{os.getpid()}"
    disk.mkdir()
    try:
        if disk.stat().st_dev == first.stat().st_dev:
            pytest.skip("is no second disk")
        shutil.move(first, disk / "repo")
        assert open_in(disk / "repo")[0] == ["s1"]
    finally:
        shutil.rmtree(disk)


def test_a_clone_with_the_same_commit_has_none(first: Path, there: Path, git_in: GitIn) -> None:
    git_in(first.parent, "clone", "-q", str(first), str(there))
    shutil.rmtree(first)
    assert open_in(there) == ([], [])


@pytest.mark.parametrize("is_put_aside", [True, False])
def test_what_an_old_version_noted_is_only_told_of_where_another_repository_is_at_the_old_place(
    first: Path, there: Path, git_in: GitIn, is_put_aside: bool
) -> None:
    make_old(first)
    first.rename(there)
    first.mkdir()
    git_in(first, "init", "-q")
    if is_put_aside:
        assert open_in(first) == ([], [])
    sessions, told = open_in(there)
    assert not sessions
    assert f"was at {first}: its sessions are kept in" in told[0]
    kept = Path(told[0].split("kept in ")[1].split(";")[0])
    kept.rename(discover(there).state)
    assert open_in(there)[0] == ["s1"]


@pytest.mark.parametrize("which", ["the new one first", "the moved one first"])
def test_another_repository_at_the_old_place_changes_nothing(
    first: Path, there: Path, git_in: GitIn, which: str
) -> None:
    first.rename(there)
    first.mkdir()
    git_in(first, "init", "-q")
    if which == "the new one first":
        assert open_in(first) == ([], [])
        begin(first, "s2")
    assert open_in(there)[0] == ["s1"]
    assert open_in(first)[0] == (["s2"] if which == "the new one first" else [])
    assert open_in(there)[0] == ["s1"]


def test_two_that_changed_places_keep_their_own(first: Path, there: Path, git_in: GitIn) -> None:
    there.mkdir()
    git_in(there, "init", "-q")
    begin(there, "s2")
    first.rename(first.with_name("between"))
    there.rename(first)
    first.with_name("between").rename(there)
    assert open_in(first)[0] == ["s2"]
    assert open_in(there)[0] == ["s1"]


def test_a_link_that_was_left_at_the_old_place_is_no_other_repository(first: Path, there: Path) -> None:
    first.rename(there)
    first.symlink_to(there)
    assert open_in(first)[0] == ["s1"]
    assert open_in(there) == (["s1"], [])


def test_nothing_is_taken_from_a_session_that_is_open(first: Path, there: Path) -> None:
    with Journal(discover(first).state, "s1"):
        first.rename(there)
        with pytest.raises(StateError, match="still open"):
            open_in(there)
    taken = lock(
        next(discover(there).state.parent.glob("*/sessions")).parent / "write.lock", wait_seconds=0, what="x"
    )
    with pytest.raises(StateError, match="still open"):
        open_in(there)
    taken.release()
    assert open_in(there)[0] == ["s1"]


def test_sessions_that_are_here_already_stay_apart_from_those_of_before(first: Path, there: Path) -> None:
    first.rename(there)
    begin(there, "s2")  # as an older version did, that did not look for the others
    make_old(there)
    sessions, told = open_in(there)
    assert sessions == ["s2"]
    assert f"has other sessions, from when it was at {first}" in told[0]
    assert all_sessions(there) == {"s1", "s2"}
    begin(there, "s3")
    assert open_in(there) == (["s2", "s3"], [])  # said, and known by now


def test_what_cannot_be_moved_is_said_and_stays(first: Path, there: Path) -> None:
    def read_only(name: str) -> None:
        raise PermissionError(13, "Permission denied")

    first.rename(there)
    with pytest.raises(StateError, match=r"cannot be taken here .* Permission denied"):
        open_in(there, Calls(read_only))
    assert open_in(there)[0] == ["s1"]


def test_who_lists_the_sessions_meanwhile_has_none_open(first: Path, there: Path) -> None:
    held = lock(discover(first).state / "sessions" / "s1.lock", wait_seconds=0, what="x")
    first.rename(there)
    asked = threading.Timer(0.1, held.release)
    asked.start()
    assert open_in(there)[0] == ["s1"]
    asked.join()


class Killed(BaseException):
    pass


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "new"])
@pytest.mark.parametrize("is_old", [True, False], ids=["old", "noted"])
def test_a_kill_at_any_moment_leaves_the_sessions_for_the_next_start(
    first: Path, tmp_path: Path, is_old: bool, is_begun: bool
) -> None:
    if is_old:
        shutil.rmtree(discover(first).state)
        begin(first, "s1", is_old=True)
        make_old(first)
    root = first
    for number in range(1, MANY):
        root = root.rename(tmp_path / f"at{number}")
        if is_begun:
            with Repo(discover(root)) as repo:
                note_origin(repo)
        left = number

        def kill(name: str) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        try:
            open_in(root, Calls(kill))
        except Killed:
            assert open_in(root)[0] == ["s1"]
            continue
        assert number > 3
        assert open_in(root) == (["s1"], [])
        return
    raise AssertionError("it never came to an end")


def test_of_many_that_start_at_once_all_have_the_sessions(first: Path, there: Path) -> None:
    first.rename(there)
    found: list[list[str]] = []
    gate = threading.Barrier(4)

    def start() -> None:
        gate.wait()
        found.append(open_in(there)[0])

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["s1"]] * 4


def test_work_trees_that_are_moved_have_each_its_own(first: Path, tmp_path: Path, git_in: GitIn) -> None:
    linked = tmp_path / "linked"
    git_in(first, "worktree", "add", "-q", str(linked))
    begin(linked, "l1")
    git_in(first, "worktree", "move", str(linked), str(tmp_path / "away"))
    assert open_in(tmp_path / "away") == (["l1"], [])
    moved = first.rename(tmp_path / "there")
    git_in(moved, "worktree", "repair", str(tmp_path / "away"))
    assert open_in(tmp_path / "away")[0] == ["l1"]
    assert open_in(moved)[0] == ["s1"]
    # Where one stood, another one has none of its sessions.
    git_in(moved, "worktree", "add", "-q", "-b", "b2", str(first))
    git_in(moved, "worktree", "add", "-q", "-b", "b3", str(linked))
    assert open_in(first)[0] == open_in(linked)[0] == []


def test_sessions_of_old_versions_are_not_those_of_a_work_tree_where_the_main_one_stood(
    first: Path, tmp_path: Path, git_in: GitIn
) -> None:
    begin(first, "s0", is_old=True)
    moved = first.rename(tmp_path / "there")
    assert open_in(moved)[0] == ["s0", "s1"]
    git_in(moved, "worktree", "add", "-q", str(first))
    assert open_in(first)[0] == []


def test_a_submodule_goes_with_what_it_is_in(first: Path, tmp_path: Path, git_in: GitIn) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git_in(outer, "init", "-q")
    git_in(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(first), "sub")
    begin(outer, "o1")
    begin(outer / "sub", "m1")
    moved = outer.rename(tmp_path / "elsewhere")
    assert open_in(moved / "sub")[0] == ["m1"]
    assert open_in(moved)[0] == ["o1"]


def test_a_repository_that_is_new_costs_no_git(first: Path, there: Path, git_in: GitIn) -> None:
    there.mkdir()
    git_in(there, "init", "-q")
    repo = Repo(discover(there))

    def never(*arguments: object, **named: object) -> bytes:
        raise AssertionError("git was run")

    repo.git.run = repo.git.ran = never  # type: ignore[assignment,method-assign]
    assert follow(repo) == []


def test_a_note_that_cannot_be_read_hides_no_other(first: Path, there: Path) -> None:
    times = b"%d" % (first / ".git" / "description").stat().st_mtime_ns
    for number, data in enumerate(
        (b"", b"[]", b'{"times": ' + times, b'{"times": 1, "head": ' + times + b"}")
    ):
        folder = discover(first).state.with_name(f"{number:032}")
        folder.mkdir()
        (folder / "origin.json").write_bytes(data)
    first.rename(there)
    assert open_in(there)[0] == ["s1"]


def test_a_note_of_a_newer_version_is_read(first: Path) -> None:
    note = noted_in(first)
    assert msgspec.convert({**msgspec.to_builtins(note), "new": 1}, Origin) == note


PLACES = ("a", "b", "c")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("move"), st.sampled_from(PLACES), st.sampled_from(PLACES)),
            st.tuples(st.sampled_from(["make", "remove", "open", "work"]), st.sampled_from(PLACES)),
        ),
        max_size=14,
    )
)
def test_whatever_is_moved_made_and_removed_each_repository_has_all_of_its_sessions_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, git_in: GitIn, steps: list[tuple[str, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("trial")
    begun: dict[str, list[str]] = {}
    every: set[str] = set()
    for number, (what, name, *more) in enumerate(steps):
        root = folder / name
        if what == "make" and name not in begun:
            root.mkdir()
            git_in(root, "init", "-q")
            begun[name] = []
        if name not in begun:
            continue
        match what:
            case "move" if more[0] not in begun:
                root.rename(folder / more[0])
                begun[more[0]] = begun.pop(name)
            case "remove":
                shutil.rmtree(root)
                del begun[name]
            case "open":
                assert open_in(root)[0] == sorted(begun[name])
            case "work":
                assert open_in(root)[0] == sorted(begun[name])
                session = f"{folder.name}-{number}"
                begin(root, session)
                begun[name].append(session)
                every.add(session)
    for name, sessions in begun.items():
        assert open_in(folder / name)[0] == sorted(sessions)
        assert every <= all_sessions(folder / name)
