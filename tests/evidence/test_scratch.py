"""The scratch tree: what is in it, that it follows, that it is restored, and that the person's tree is never touched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.errors import StateError
from agent.core.hunk import FileState, Mode
from agent.evidence.runs.listing import GitListing
from agent.evidence.runs.scratch import Scratch, sweep
from agent.git.discover import discover
from agent.git.repo import Repo


@pytest.fixture
def scratch(repo: Path, tmp_path: Path, git_in: Callable[..., bytes]) -> Iterator[Scratch]:
    (repo / "src").mkdir()
    (repo / "src" / "a.py").write_text("a\n")
    (repo / "src" / "run.sh").write_text("#!/bin/sh\n")
    (repo / "src" / "run.sh").chmod(0o755)
    (repo / "link").symlink_to("src/a.py")
    (repo / ".gitignore").write_text("*.log\nbuild/\nnode_modules/\n*.egg-info/\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "start")
    opened = Repo(discover(repo))
    made = Scratch(repo, GitListing(opened), tmp_path / "cache")
    made.sync()
    yield made
    made.close()
    opened.close()
    assert not made.folder.exists()


def files(top: Path) -> dict[str, str | bytes]:
    found: dict[str, str | bytes] = {}
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names + [name for name in folders if (Path(folder) / name).is_symlink()]:
            path = Path(folder) / name
            found[str(path.relative_to(top))] = (
                f"-> {os.readlink(path)}" if path.is_symlink() else path.read_bytes()
            )
    return found


def text(value: str) -> FileState:
    return FileState(Mode.FILE, value.encode())


def test_it_is_the_work_tree_without_ignored_files(scratch: Scratch) -> None:
    (scratch.root / "noise.log").write_text("x")
    (scratch.root / "new.txt").write_text("new")
    scratch.sync()
    expected = files(scratch.root)
    del expected["noise.log"]
    assert files(scratch.tree) == expected
    assert os.access(scratch.tree / "src" / "run.sh", os.X_OK)


def test_no_file_shares_its_inode_with_the_person_s(scratch: Scratch) -> None:
    for name in ("src/a.py", "src/run.sh"):
        assert (scratch.tree / name).stat().st_ino != (scratch.root / name).stat().st_ino
        assert (scratch.root / name).stat().st_nlink == 1


def test_large_and_secret_files_are_left_out_and_said(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.evidence.runs.scratch.LARGE_BYTES", 100)
    (scratch.root / "big.bin").write_bytes(b"x" * 101)
    (scratch.root / ".env").write_text("KEY=1")
    (scratch.root / "nested").mkdir()
    (scratch.root / "nested" / ".git").mkdir()
    scratch.sync()
    assert {"big.bin", ".env"} <= set(scratch.left_out)
    assert not (scratch.tree / "big.bin").exists()
    assert not (scratch.tree / ".env").exists()


def test_it_follows_the_person_s_edits_in_proportion(scratch: Scratch) -> None:
    scratch.sync()
    assert scratch.sync() == 0
    (scratch.root / "src" / "a.py").write_text("b\n")
    assert scratch.sync() == 1
    assert (scratch.tree / "src" / "a.py").read_text() == "b\n"
    (scratch.root / "src" / "a.py").unlink()
    (scratch.root / "src" / "b.py").write_text("c\n")
    scratch.sync()
    assert not (scratch.tree / "src" / "a.py").exists()
    assert (scratch.tree / "src" / "b.py").exists()


def test_an_edit_of_the_same_size_in_the_same_moment_is_not_missed(scratch: Scratch) -> None:
    path = scratch.root / "src" / "a.py"
    for value in "bcdefg":
        path.write_text(f"{value}\n")
        scratch.sync()
        assert (scratch.tree / "src" / "a.py").read_text() == f"{value}\n"


def test_states_are_shown_and_taken_back(scratch: Scratch) -> None:
    before = files(scratch.tree)
    scratch.show({"src/a.py": text("x"), "deep/new.py": text("y"), "src/run.sh": None})
    assert (scratch.tree / "src" / "a.py").read_text() == "x"
    assert (scratch.tree / "deep" / "new.py").read_text() == "y"
    assert not (scratch.tree / "src" / "run.sh").exists()
    scratch.show({"src/a.py": text("z")})
    assert (scratch.tree / "src" / "a.py").read_text() == "z"
    scratch.show({})
    assert files(scratch.tree) == before
    assert os.access(scratch.tree / "src" / "run.sh", os.X_OK)


def test_what_comes_back_is_newer_than_any_build_made_of_it(scratch: Scratch) -> None:
    os.utime(scratch.root / "src" / "a.py", (1, 1))
    scratch.show({"src/a.py": text("x")})
    built = (scratch.tree / "src" / "a.py").stat().st_mtime_ns
    scratch.show({})
    assert (scratch.tree / "src" / "a.py").stat().st_mtime_ns >= built
    (scratch.tree / "src" / "a.py").write_text("meddled")
    built = (scratch.tree / "src" / "a.py").stat().st_mtime_ns
    scratch.settle()
    assert (scratch.tree / "src" / "a.py").stat().st_mtime_ns >= built
    (scratch.root / "src" / "run.sh").write_text("older")
    os.utime(scratch.root / "src" / "run.sh", (1, 1))
    scratch.sync()
    assert (scratch.tree / "src" / "run.sh").stat().st_mtime_ns >= built


def test_a_shown_state_survives_a_sync_and_the_person_s_edit_comes_after_it(scratch: Scratch) -> None:
    scratch.show({"src/a.py": text("x")})
    (scratch.root / "src" / "a.py").write_text("mine\n")
    scratch.sync()
    assert (scratch.tree / "src" / "a.py").read_text() == "x"
    scratch.show({})
    assert (scratch.tree / "src" / "a.py").read_text() == "mine\n"


def test_what_a_check_does_is_taken_back_and_named(scratch: Scratch) -> None:
    before = files(scratch.tree)
    (scratch.tree / "src" / "a.py").write_text("evil")
    (scratch.tree / "src" / "run.sh").unlink()
    (scratch.tree / "out").mkdir()
    (scratch.tree / "out" / "x").write_text("x")
    (scratch.tree / "keep.log").write_text("x")
    assert scratch.settle() == ("out", "src/a.py", "src/run.sh")
    assert (scratch.tree / "keep.log").exists()
    (scratch.tree / "keep.log").unlink()
    assert files(scratch.tree) == before
    assert scratch.settle() == ()


def test_an_edit_that_restores_size_and_time_is_found(scratch: Scratch) -> None:
    path = scratch.tree / "src" / "a.py"
    status = path.stat()
    path.write_text("z\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert scratch.settle() == ("src/a.py",)
    assert path.read_text() == "a\n"


def test_a_folder_turned_into_a_link_outside_does_not_lead_writing_out(
    scratch: Scratch, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.rmtree(scratch.tree / "src")
    (scratch.tree / "src").symlink_to(outside)
    (scratch.tree / "link").unlink()
    (scratch.tree / "link").mkdir()
    scratch.settle()
    assert list(outside.iterdir()) == []
    assert (scratch.tree / "src" / "a.py").read_text() == "a\n"
    assert (scratch.tree / "link").is_symlink()


def test_a_folder_without_rights_is_restored_and_removed(scratch: Scratch) -> None:
    (scratch.tree / "locked").mkdir()
    (scratch.tree / "locked" / "x").write_text("x")
    (scratch.tree / "locked").chmod(0)
    (scratch.tree / "src").chmod(0)
    scratch.settle()
    assert not (scratch.tree / "locked").exists()
    assert (scratch.tree / "src" / "a.py").read_text() == "a\n"


def test_environments_and_built_metadata_are_found(scratch: Scratch, tmp_path: Path) -> None:
    (scratch.root / "node_modules" / "x").mkdir(parents=True)
    (scratch.root / "toy.egg-info").mkdir()
    (scratch.root / "toy.egg-info" / "PKG-INFO").write_text("x")
    with Repo(discover(scratch.root)) as opened:
        other = Scratch(scratch.root, GitListing(opened), tmp_path / "cache")
        other.sync()
        assert other.environments == (scratch.root / "node_modules",)
        assert (other.tree / "toy.egg-info" / "PKG-INFO").exists()
        assert not (other.tree / "node_modules").exists()
        other.close()


def test_a_dead_scratch_tree_is_swept_and_a_living_one_is_not(scratch: Scratch, tmp_path: Path) -> None:
    dead = tmp_path / "cache" / "dead"
    (dead / "tree" / "src").mkdir(parents=True)
    (dead / "owner").write_text("")
    young = tmp_path / "cache" / "young"
    young.mkdir()
    assert sweep(tmp_path / "cache") == 1
    assert not dead.exists()
    assert young.exists()
    assert scratch.tree.exists()
    assert sweep(tmp_path / "nowhere") == 0


def test_a_crashed_owner_leaves_nothing_to_the_next_one(scratch: Scratch, tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        with Repo(discover(scratch.root)) as opened:
            Scratch(scratch.root, GitListing(opened), tmp_path / "cache").sync()
            os._exit(9)
    os.waitpid(pid, 0)
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert sweep(tmp_path / "cache") == 1
    assert list((tmp_path / "cache").iterdir()) == [scratch.folder]


NAMES = st.sampled_from(["src/a.py", "src/run.sh", "link", "new", "src/deep/x", "src", "ü/é"])
STATES = st.one_of(
    st.none(),
    st.builds(FileState, st.sampled_from([Mode.FILE, Mode.EXECUTABLE]), st.binary(max_size=3)),
    st.builds(FileState, st.just(int(Mode.SYMLINK)), st.sampled_from([b"a", b"../x"])),
)


def clear_of_folders(states: dict[str, FileState | None]) -> bool:
    taken = (*states, "src/a.py")
    return not any(other.startswith(f"{name}/") for name, state in states.items() if state for other in taken)


@given(
    st.lists(
        st.tuples(st.dictionaries(NAMES, STATES, max_size=3).filter(clear_of_folders), NAMES), max_size=4
    )
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_shown_and_done_the_tree_is_the_person_s_again(
    scratch: Scratch, steps: list[tuple[dict[str, FileState | None], str]]
) -> None:
    mine = files(scratch.root)
    for states, meddled in steps:
        scratch.show(states)
        path = scratch.tree / meddled
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()
        if path.parent.is_dir() and not os.path.lexists(path):
            path.write_bytes(b"meddled")
        scratch.settle()
    scratch.show({})
    scratch.settle()
    assert files(scratch.tree) == mine == files(scratch.root)


def test_a_file_that_is_not_as_it_was_taken_is_told_at_once_and_followed(scratch: Scratch) -> None:
    first = scratch.generation()
    assert scratch.generation() == first
    (scratch.root / "unknown.log").write_text("x")
    assert scratch.generation() == first
    (scratch.root / "src" / "a.py").write_text("b\n")
    second = scratch.generation()
    assert second != first
    scratch.sync()
    assert (scratch.tree / "src" / "a.py").read_text() == "b\n"
    assert scratch.generation() == second


class Counting(GitListing):
    """How often git was asked for all files."""

    def __init__(self, repo: Repo) -> None:
        super().__init__(repo)
        self.asked = 0
        self.tracked = self._counted

    def _counted(self) -> list[str]:
        self.asked += 1
        return self._repo.tracked()


def test_git_is_asked_again_only_when_it_may_list_other_files(scratch: Scratch, tmp_path: Path) -> None:
    opened = Repo(discover(scratch.root))
    listing = Counting(opened)
    made = Scratch(scratch.root, listing, tmp_path / "second")
    made.sync()
    assert listing.asked == 1
    (scratch.root / "src" / "a.py").write_text("other\n")
    (scratch.root / "src" / "x.log").write_text("ignored\n")
    assert made.sync() == 1
    assert (listing.asked, (made.tree / "src" / "a.py").read_text()) == (1, "other\n")
    (scratch.root / "src" / "new.py").write_text("new\n")
    assert made.sync() == 1
    assert (listing.asked, (made.tree / "src" / "new.py").read_text()) == (2, "new\n")
    (scratch.root / ".gitignore").write_text("new.py\n")
    made.sync()
    assert not (made.tree / "src" / "new.py").exists()
    assert (made.tree / "src" / "x.log").exists()
    made.close()
    opened.close()


def test_a_tree_that_found_no_room_is_made_whole_once_there_is_some(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scratch.root / "src" / "a.py").write_text("other\n")
    with monkeypatch.context() as full:
        full.setattr("agent.evidence.runs.scratch.SPARE_BYTES", 1 << 60)
        with pytest.raises(StateError):
            scratch.sync()
    scratch.sync()
    assert (scratch.tree / "src" / "a.py").read_text() == "other\n"
