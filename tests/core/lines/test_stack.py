"""What one chunk would write now: over what was applied, under every name of a file, and over drift."""

from __future__ import annotations

import itertools

import pytest

from agent.core.chunk import Chunk
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Mode, Write
from agent.core.lines.stack import AlreadyPresent, Step, blocked_by, place_step, reach, step
from agent.core.outcome import Clash, States


def text(data: bytes) -> FileState:
    return FileState(Mode.FILE, data)


def chunk(name: str, *changes: FileChange, needs: tuple[str, ...] = ()) -> Chunk:
    return Chunk(name, f"title {name}", "", changes, needs=needs)


BASE: States = {"a": text(b"1\n2\n3\n4\n5\n"), "b": None, "other": text(b"x\n")}
FIRST = chunk("first", FileChange("a", ChangeKind.MODIFY, (Hunk(0, (b"1\n",), (b"one\n",)),)))
LAST = chunk("last", FileChange("a", ChangeKind.MODIFY, (Hunk(4, (b"5\n",), (b"five\n",)),)))
MOVED = chunk("moved", FileChange("a", ChangeKind.RENAME, new_path="b"))
OTHER = chunk("other", FileChange("other", ChangeKind.MODIFY, (Hunk(0, (b"x\n",), (b"y\n",)),)))


def test_any_order_of_chunks_ends_in_the_same_files() -> None:
    ends = set()
    for order in itertools.permutations((FIRST, LAST, MOVED, OTHER)):
        files = dict(BASE)
        applied: list[Chunk] = []
        for one in order:
            placed = place_step(step(one, BASE, applied), files)
            assert isinstance(placed, tuple)
            files |= {write.path: write.new for write in placed}
            applied.append(one)
        ends.add(tuple(sorted((path, state.data if state else b"-") for path, state in files.items())))
    assert ends == {(("a", b"-"), ("b", b"one\n2\n3\n4\nfive\n"), ("other", b"y\n"))}


def test_a_step_needs_only_the_files_that_its_chunk_touches_under_all_their_names() -> None:
    names, changes = reach(FIRST, [MOVED, OTHER])
    assert names == {"a", "b"}
    assert changes == MOVED.changes


def test_what_the_person_changed_elsewhere_in_the_file_survives() -> None:
    mine = {"a": text(b"0\n1\n2\n3\n4\n5\n")}
    placed = place_step(step(LAST, BASE, []), mine)
    assert placed == (Write("a", mine["a"], text(b"0\n1\n2\n3\n4\nfive\n")),)


@pytest.mark.parametrize("now", [b"1\n2\n3\n4\n55\n", b"1\n2\n3\n4\n"])
def test_what_the_person_changed_in_these_lines_is_a_clash_and_never_overwritten(now: bytes) -> None:
    assert isinstance(place_step(step(LAST, BASE, []), {"a": text(now)}), Clash)


def test_what_is_there_already_is_not_written_again() -> None:
    there = {"a": text(b"1\n2\n3\n4\nfive\n")}
    assert place_step(step(LAST, BASE, []), there) == AlreadyPresent(("a",))


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("chunks", [[MOVED], [LAST, MOVED]], ids=["moved", "changed and moved"])
def test_a_file_is_moved_with_the_lines_of_the_person(chunks: list[Chunk], back: bool) -> None:
    both = chunk("both", *(change for one in chunks for change in one.changes))
    way = step(both, BASE, [])
    work = Step(way.target, way.expected, way.moved) if back else way
    source, name = ("b", "a") if back else ("a", "b")
    before, after = work.expected[source], work.target[name]
    assert before is not None
    assert after is not None
    mine = text(b"mine\n" + before.data)
    placed = place_step(work, {source: mine, name: None})
    assert isinstance(placed, tuple)
    assert set(placed) == {Write(source, mine, None), Write(name, None, text(b"mine\n" + after.data))}
    other = place_step(work, {source: mine, name: text(b"of another\n")})
    assert isinstance(other, Clash)


def test_a_file_is_not_moved_where_its_changes_meet_lines_of_the_person() -> None:
    both = chunk("both", *LAST.changes, *MOVED.changes)
    found = place_step(step(both, BASE, []), {"a": text(b"1\n2\n3\n4\n55\n"), "b": None})
    assert isinstance(found, Clash)
    assert found.path == "a"


@pytest.mark.parametrize("back", [False, True])
def test_a_file_to_be_moved_that_is_under_neither_name_is_not_made_anew(back: bool) -> None:
    way = step(MOVED, BASE, [])
    work = Step(way.target, way.expected, way.moved) if back else way
    gone: States = {"a": None, "b": None}
    assert place_step(work, gone) == Clash("b" if back else "a", "the file is gone meanwhile")
    assert place_step(work, {**gone, **work.target}) == AlreadyPresent(("a", "b"))
    assert isinstance(place_step(work, {**gone, **work.expected}), tuple)


def test_a_refused_need_is_named_with_its_title() -> None:
    assert (
        blocked_by(chunk("x", needs=("1",)), {"1": "1 (the base)"}) == "needs 1 (the base), which was refused"
    )
    assert blocked_by(chunk("x", needs=("1",)), {"2": "another"}) == ""
