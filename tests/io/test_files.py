"""Files are read as git sees them, and no link is followed on the way."""

from __future__ import annotations

import os
import socket
import stat
import struct
from pathlib import Path

import pytest

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.io.calls import Calls, Folder
from agent.io.files import Tree, permissions


def state(root: Path, *parts: bytes) -> FileState | None:
    found = Tree(root).find(parts)
    return found.state if found else None


def test_modes_are_those_of_git(tmp_path: Path) -> None:
    for name, bits in (("plain", 0o640), ("tool", 0o750), ("others", 0o645)):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / name).chmod(bits)
    (tmp_path / "link").symlink_to("plain")
    assert state(tmp_path, b"plain") == FileState(Mode.FILE, b"x")
    assert state(tmp_path, b"tool") == FileState(Mode.EXECUTABLE, b"x")
    assert state(tmp_path, b"others") == FileState(Mode.FILE, b"x")
    assert state(tmp_path, b"link") == FileState(Mode.SYMLINK, b"plain")


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert state(tmp_path, b"no") is None
    assert state(tmp_path, b"no", b"deep") is None
    assert state(tmp_path, b"file", b"below a file") is None


def test_odd_names_work(tmp_path: Path) -> None:
    for name in (b"new\nline", b'quo"te', b"back\\slash", b"\xff\xfe", b" ", b"-rf", "ü".encode()):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(name)
        assert state(tmp_path, name) == FileState(Mode.FILE, name)


def test_a_linked_parent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f").write_bytes(b"x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to("../out")
    with pytest.raises(PathRefused, match="symbolic link"):
        state(tmp_path / "in", b"link", b"f")


@pytest.mark.parametrize("inner", ["dir", "file"])
def test_another_repository_is_refused(tmp_path: Path, inner: str) -> None:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    if inner == "dir":
        (tmp_path / "sub" / ".git").mkdir()
    else:
        (tmp_path / "sub" / ".git").write_text("gitdir: elsewhere")
    with pytest.raises(PathRefused, match="repository of its own"):
        state(tmp_path, b"sub", b"deep", b"f")


def test_a_kept_out_folder_is_refused_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    tree = Tree(tmp_path, kept_out=[tmp_path / "later", tmp_path / "odd"])
    with pytest.raises(PathRefused, match="belongs to git"):
        tree.find((b"odd", b"config"))
    (tmp_path / "later").mkdir()
    with pytest.raises(PathRefused, match="belongs to git"):
        tree.find((b"later", b"x"))


def test_a_file_that_would_not_fit_into_memory_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(PathRefused, match="larger"):
        state(tmp_path, b"huge")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        for name in (b"fifo", b"folder", b"sock"):
            with pytest.raises(PathRefused):
                state(tmp_path, name)


@pytest.mark.parametrize(
    ("mode", "like", "expected"),
    [
        (Mode.FILE, None, 0o666),
        (Mode.EXECUTABLE, None, 0o777),
        (Mode.FILE, 0o640, 0o640),
        (Mode.EXECUTABLE, 0o640, 0o750),
        (Mode.FILE, 0o6750, 0o6640),
        (Mode.EXECUTABLE, 0o2701, 0o2701),
        (Mode.FILE, 0o645, 0o645),
    ],
)
def test_permission_bits_change_only_with_executable(mode: int, like: int | None, expected: int) -> None:
    assert permissions(mode, like) == expected


@pytest.mark.parametrize("flags", [True, False], ids=["renameat2", "link and rename"])
def test_moves_replace_nothing_and_exchanges_lose_nothing(tmp_path: Path, flags: bool) -> None:
    calls = Calls(flags=flags)
    (tmp_path / "a").write_bytes(b"A")
    (tmp_path / "b").write_bytes(b"B")
    tree = Tree(tmp_path, calls)
    with tree.folder(()) as folder:
        with pytest.raises(FileExistsError):
            calls.move_new(folder, b"a", folder, b"b")
        calls.exchange(folder, b"a", folder, b"b")
        assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"B", b"A")
        calls.move_new(folder, b"a", folder, b"c")
        with pytest.raises(FileNotFoundError):
            calls.exchange(folder, b"b", folder, b"a")
    assert sorted(os.listdir(tmp_path)) == ["b", "c"]


def test_a_new_file_takes_bits_and_attributes_of_the_old(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    (tmp_path / "old").chmod(0o604)
    os.setxattr(tmp_path / "old", "user.note", b"kept")
    tree = Tree(tmp_path)
    with tree.folder(()) as folder:
        tree.prepare(folder, b"new", FileState(Mode.FILE, b"y"), tree.find((b"old",)))
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o604
    assert os.getxattr(tmp_path / "new", "user.note") == b"kept"


def access_list(*entries: tuple[int, int, int]) -> bytes:
    """Entries (tag, permissions, id) as the kernel wants them. Source: linux/posix_acl_xattr.h."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_a_new_file_takes_no_access_list_that_only_its_folder_gives(tmp_path: Path) -> None:
    own, user, group, mask, other, nobody = 1, 2, 4, 16, 32, 0xFFFFFFFF
    (tmp_path / "old").write_bytes(b"x")
    (tmp_path / "old").chmod(0o640)
    given = access_list(
        (own, 7, nobody), (user, 7, 1234), (group, 5, nobody), (mask, 7, nobody), (other, 5, nobody)
    )
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", given)
    except OSError as error:
        pytest.skip(f"no access lists here: {error}")
    tree = Tree(tmp_path)
    with tree.folder(()) as folder:
        tree.prepare(folder, b"new", FileState(Mode.FILE, b"y"), tree.find((b"old",)))
    assert os.listxattr(tmp_path / "new") == os.listxattr(tmp_path / "old") == []
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


class Late(Tree):
    """Sees every folder as it was before a link took its place: the look and the opening are two moments."""

    def status(self, folder: Folder, name: bytes) -> os.stat_result | None:
        path, at = folder.at(name)
        return os.stat(path, dir_fd=at) if name == b"link" else super().status(folder, name)


def test_a_link_that_comes_between_the_look_and_the_opening_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f").write_bytes(b"x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to("../out")
    late = Late(tmp_path / "in")
    with pytest.raises((OSError, PathRefused)), late.folder((b"link",)):
        pass
    assert late.find((b"link", b"f")) is None
