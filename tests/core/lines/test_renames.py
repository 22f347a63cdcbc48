"""Renames are found by contents, then by most of the lines, quickly however many there are."""

from __future__ import annotations

from agent.core.hunk import FileState, Mode
from agent.core.lines import renames
from agent.core.lines.renames import find_renames

ROWS = b"".join(b"row %d\n" % n for n in range(30))


def file(data: bytes, mode: int = Mode.FILE) -> FileState:
    return FileState(mode, data)


def moved(old: dict[str, FileState], new: dict[str, FileState]) -> dict[str, str]:
    """The renames where all of `old` goes and all of `new` comes."""
    before = {**old, **dict.fromkeys(new)}
    return find_renames(before, {**dict.fromkeys(old), **new})


def test_the_same_contents_go_before_like_ones_and_the_same_name_before_others() -> None:
    old = {"a/x": file(ROWS), "a/y": file(ROWS), "a/z": file(ROWS + b"z\n")}
    new = {"b/y": file(ROWS), "b/x": file(ROWS), "b/w": file(ROWS + b"w\n")}
    assert moved(old, new) == {"a/x": "b/x", "a/y": "b/y", "a/z": "b/w"}


def test_what_has_little_in_common_or_is_of_another_kind_is_no_rename() -> None:
    assert moved({"a": file(ROWS)}, {"b": file(b"row 1\nother\n")}) == {}
    assert moved({"a": file(b"")}, {"b": file(b"")}) == {}
    assert moved({"a": file(b"x")}, {"b": file(b"x", Mode.SYMLINK)}) == {}
    assert moved({"a": file(b"x\n")}, {"b": file(b"x\n", Mode.EXECUTABLE)}) == {"a": "b"}
    assert find_renames({"a": file(ROWS), "b": file(ROWS)}, {"a": None}) == {}


def test_many_files_that_move_are_found_without_comparing_each_with_each() -> None:
    count = renames.MAX_PAIRS // 10
    old = {f"a/{n}": file(b"%d\n" % n + ROWS) for n in range(count)}
    new = {f"b/{n}": file(b"%d\n" % n + ROWS) for n in range(count)}
    assert moved(old, new) == {f"a/{n}": f"b/{n}" for n in range(count)}
