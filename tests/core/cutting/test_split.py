"""One chunk split further, as the person asked."""

from __future__ import annotations

import pytest

from agent.core.chunk import Budget, Chunk
from agent.core.cutting.cut import cut
from agent.core.cutting.split import numbered_as, split
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Mode
from agent.core.lines.place import file_lines, outcome
from agent.core.outcome import States
from agent.core.text import BOMS_UTF16, MARKS

LONG = "".join(f"line {n} of a text\n" for n in range(120))


def text(words: str, codec: str = "utf-8") -> FileState:
    return FileState(Mode.FILE, words.encode(codec))


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
@pytest.mark.parametrize("old", [None, text(""), text("head\n", "utf-16")], ids=["new", "empty", "changed"])
def test_every_part_of_a_text_can_be_split_whatever_its_encoding(codec: str, old: FileState | None) -> None:
    start = "head\n" if old is not None and old.data else ""
    before: States = {"a.txt": None if old is None else text(start, codec if start else "utf-8")}
    after = {"a.txt": text(start + LONG, codec)}
    chunks = cut(before, after)
    parts = [part for chunk in chunks for part in split(chunk, before)]
    assert len(parts) >= 2 * len(chunks)
    assert outcome(before, [change for part in parts for change in part.changes]) == after


@pytest.mark.parametrize("recode", [("utf-8", "utf-16"), ("utf-16", "utf-8")])
def test_a_text_that_is_recoded_is_not_split_for_half_of_it_would_be_no_text(recode: tuple[str, str]) -> None:
    before: States = {"a.txt": text(LONG, recode[0])}
    (chunk,) = cut(before, {"a.txt": text(LONG, recode[1])})
    assert split(chunk, before) == (chunk,)


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("line", ["", "x"])
def test_a_byte_order_mark_stays_the_first_and_only_one_of_a_file_that_has_a_line_at_most(
    mark: bytes, line: str
) -> None:
    codec = next((name for bom, name in BOMS_UTF16 if bom == mark), "utf-8")
    little, much = (FileState(Mode.FILE, mark + words.encode(codec)) for words in (line, f"{LONG}\n{LONG}"))
    for old, new in ((little, much), (much, little)):
        before: States = {"a.txt": old}
        chunks = cut(before, {"a.txt": new}, budget=Budget(lines=4, hard_lines=8))
        parts = split(chunks[0], before, Budget(lines=4, hard_lines=8)) if len(chunks) == 1 else chunks
        named = {part.id: part for part in parts}
        for part in parts:
            wanted = {part.id}
            while missing := {need for name in wanted for need in named[name].needs} - wanted:
                wanted |= missing
            state = outcome(before, [change for name in wanted for change in named[name].changes])["a.txt"]
            assert state is not None
            lines = file_lines(state)
            assert lines[0].startswith(mark)
            assert not any(other.startswith(mark) for other in lines[1:])


def test_what_comes_behind_a_last_line_without_an_end_needs_it_gone() -> None:
    before: States = {"a.txt": text("one\ntwo\nlast")}
    hunks = Hunk(0, (b"one\n",), (b"ONE\n",)), Hunk(2, (b"last",), ()), Hunk(3, (), (b"new\n",), 1)
    chunk = Chunk("1", "", "", (FileChange("a.txt", ChangeKind.MODIFY, hunks),))
    first, second = split(chunk, before)
    gone, behind = split(second, before)
    assert (first.needs, gone.needs, behind.needs) == ((), (), (gone.id,))


def test_hunks_are_parted_into_two_halves_each_of_which_can_be_split_again() -> None:
    """They went to the smallest pieces at once: eight cards of a line or two."""
    lines = [f"line {n}\n" for n in range(40)]
    before: States = {"a.txt": text("".join(lines))}
    hunks = tuple(Hunk(n * 5, (lines[n * 5].encode(),), (b"A\n", b"B\n")) for n in range(8))
    chunk = Chunk("1", "a.txt: 24 lines", "", (FileChange("a.txt", ChangeKind.MODIFY, hunks),))
    parts = split(chunk, before)
    assert [part.title for part in parts] == ["a.txt (1 of 2): 12 lines", "a.txt (2 of 2): 12 lines"]
    assert [len(part.changes) for part in parts] == [1, 1]
    sizes = []
    while parts != (parts := tuple(one for part in parts for one in split(part, before))):
        sizes.append(len(parts))
        changes = [change for part in parts for change in part.changes]
        assert outcome(before, changes) == outcome(before, chunk.changes)
    assert sizes[:2] == [4, 8]
    assert len({part.id for part in parts}) == len(parts)


def test_the_halves_of_two_new_files_make_one_each() -> None:
    before: States = {"a.txt": None, "b.txt": None}
    creates = tuple(
        FileChange(name, ChangeKind.CREATE, (Hunk(0, (), (b"x\n", b"y\n")),), Mode.FILE) for name in before
    )
    first, second = split(Chunk("1", "New file a.txt: 4 lines", "", creates), before)
    assert [part.paths for part in (first, second)] == [("a.txt",), ("b.txt",)]
    assert second.title == "New file b.txt (2 of 2): 2 lines"
    assert second.needs == ()


@pytest.mark.parametrize(
    ("name", "other", "kept"),
    [
        ("f, g: 3 lines", "f (1 of 8): 2 lines", "f, g (1 of 8): 3 lines"),
        ("f: 3 lines", "f (2.1 of 2): 1 line", "f (2.1 of 2): 3 lines"),
        ("f: 3 lines", "f: 2 lines", "f: 3 lines"),
        ("Delete a.txt (2 lines)", "f (1 of 2): 1 line", "Delete a.txt (2 lines) (1 of 2)"),
    ],
)
def test_the_number_of_a_part_is_kept_in_another_title(name: str, other: str, kept: str) -> None:
    assert numbered_as(name, other) == kept


def test_the_parts_of_a_new_file_that_do_not_make_it_are_not_called_new() -> None:
    before: States = {"d/mod.txt": None}
    (chunk,) = cut(before, {"d/mod.txt": text("a\nb\nc\nd\n")})
    first, second = split(chunk, before)
    assert (first.title, second.title) == (
        "New file d/mod.txt (1 of 2): 2 lines",
        "d/mod.txt (2 of 2): 2 lines",
    )
    assert [part.title for part in split(first, before)] == [
        "New file d/mod.txt (1.1 of 2): 1 line",
        "d/mod.txt (1.2 of 2): 1 line",
    ]


def test_no_two_parts_of_parts_have_one_title() -> None:
    before: States = {"a.txt": text("".join(f"old {n}\n" for n in range(16)))}
    parts = cut(before, {"a.txt": text("".join(f"new {n}\n" for n in range(16)))})
    for _ in range(3):
        parts = tuple(part for chunk in parts for part in split(chunk, before))
        titles = [part.title for part in parts]
        assert len(set(titles)) == len(titles) > 1
    assert parts[-1].title.endswith("(2.2.2 of 2): 2 lines")
