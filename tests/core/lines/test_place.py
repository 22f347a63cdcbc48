"""Whole files: outcomes of change sets and three-way placing, by example and by random trial."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Mode
from agent.core.lines.place import changes_between, outcome, transplant_states
from agent.core.outcome import Clash, States

texts = st.lists(st.sampled_from(["a\n", "b\r\n", "ü\n", "\n", "no end"]), max_size=8).map("".join)
contents = st.one_of(
    texts.map(str.encode),
    texts.map(lambda t: b"\xff\xfe" + t.encode("utf-16-le")),
    texts.map(lambda t: t.encode("latin-1")),
    st.sampled_from([b"\0binary", b"\0other\n", b""]),
)
tails = st.tuples(st.lists(st.sampled_from("abc"), max_size=6), st.sampled_from(["", "\n"]))
files = st.one_of(
    st.none(),
    st.builds(FileState, st.sampled_from([Mode.FILE, Mode.EXECUTABLE]), contents),
    st.builds(FileState, st.just(Mode.SYMLINK), st.sampled_from([b"a", b"b/c"])),
)


def text(content: str, mode: int = Mode.FILE) -> FileState:
    return FileState(mode, content.encode())


@given(
    st.dictionaries(st.sampled_from("abc"), files),
    st.dictionaries(st.sampled_from("abc"), files),
    st.randoms(use_true_random=False),
)
@settings(max_examples=200)
def test_the_outcome_of_the_changes_is_what_they_were_made_from(
    before: States, after: States, order: random.Random
) -> None:
    after = {path: after.get(path, before.get(path)) for path in {**before, **after}}
    changes = list(changes_between(before, after))
    order.shuffle(changes)
    assert {p: s for p, s in outcome(before, changes).items() if s} == {p: s for p, s in after.items() if s}


@given(files, files, files)
@settings(max_examples=200)
def test_placing_is_exact_without_drift_and_can_be_taken_back(
    expected: FileState | None, target: FileState | None, current: FileState | None
) -> None:
    assert transplant_states(expected, target, expected, "f") == target
    placed = transplant_states(expected, target, current, "f")
    if not isinstance(placed, Clash):
        assert transplant_states(placed, current, placed, "f") == current


@given(tails, tails, tails, st.booleans())
@settings(max_examples=300)
def test_no_line_is_made_that_is_in_neither_text(
    expected: tuple[list[str], str], target: tuple[list[str], str], current: tuple[list[str], str], wide: bool
) -> None:
    """Where the end of a file loses its newline, what comes after it meanwhile would be glued to it."""

    def state(lines: list[str], end: str) -> FileState:
        content = "\n".join(lines) + (end if lines else "")
        data = b"\xff\xfe" + content.encode("utf-16-le") if wide else content.encode()
        return FileState(Mode.FILE, data)

    states = [state(*one) for one in (expected, target, current)]
    placed = transplant_states(*states, "f")
    if isinstance(placed, FileState):
        codec = "utf-16" if wide else "utf-8"  # the mark is of no line
        read, *others = ({*one.data.decode(codec).splitlines(keepends=True)} for one in (placed, *states))
        assert read <= set().union(*others)


def test_renaming_and_changing_one_file_gives_the_same_in_any_order_and_subset() -> None:
    base: States = {"a": text("1\n2\n3\n")}
    rename = FileChange("a", ChangeKind.RENAME, new_path="b")
    first = FileChange("a", ChangeKind.MODIFY, (Hunk(0, (b"1\n",), (b"one\n",)),))
    mode = FileChange("a", ChangeKind.MODE, mode=Mode.EXECUTABLE)
    assert outcome(base, [rename, first]) == outcome(base, [first, rename])
    assert outcome(base, [first, rename, mode]) == {"a": None, "b": text("one\n2\n3\n", Mode.EXECUTABLE)}
    assert outcome(base, [rename]) == {"a": None, "b": text("1\n2\n3\n")}
    assert outcome(base, [first]) == {"a": text("one\n2\n3\n")}
    assert outcome(base, []) == base


def test_two_files_can_change_their_names_with_each_other() -> None:
    swap = [
        FileChange("a", ChangeKind.RENAME, new_path="b"),
        FileChange("b", ChangeKind.RENAME, new_path="a"),
    ]
    base: States = {"a": text("A"), "b": text("B")}
    assert outcome(base, swap) == {"a": text("B"), "b": text("A")}
    with pytest.raises(ValueError, match="exists already"):
        outcome(base, swap[:1])


def test_pieces_that_create_one_file_share_its_absent_base() -> None:
    pieces = [FileChange("n", ChangeKind.CREATE, (Hunk(0, (), (b"%d\n" % i,), i),)) for i in range(3)]
    assert outcome({"n": None}, reversed(pieces)) == {"n": text("0\n1\n2\n")}
    assert outcome({}, [pieces[2], pieces[0]]) == {"n": text("0\n2\n")}


def test_a_renamed_file_is_found_again_as_a_rename() -> None:
    before: States = {"a": text("1\n2\n")}
    after: States = {"a": None, "b": text("1\n2!\n", Mode.EXECUTABLE)}
    changes = changes_between(before, after, {"a": "b"})
    assert [change.kind for change in changes] == [ChangeKind.RENAME, ChangeKind.MODE, ChangeKind.MODIFY]
    assert outcome(before, changes) == after


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([FileChange("no", ChangeKind.MODIFY)], "does not exist"),
        ([FileChange("a", ChangeKind.CREATE)], "exists already"),
        ([FileChange("a", ChangeKind.MODIFY, (Hunk(0, (b"x\n",), ()),))], "does not stand"),
        ([FileChange("a", ChangeKind.RENAME, new_path=n) for n in "bc"], "renamed twice"),
        ([FileChange(n, ChangeKind.RENAME, new_path="c") for n in "ab"], "two files"),
        ([FileChange("a", ChangeKind.MODE, mode=m) for m in (Mode.FILE, Mode.EXECUTABLE)], "two modes"),
    ],
)
def test_changes_that_do_not_stand_over_the_base_are_refused(changes: list[FileChange], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        outcome({"a": text("1\n"), "b": text("2\n")}, changes)


def test_content_and_mode_are_placed_each_for_itself() -> None:
    base, target = text("a\nb\nc\nd\n"), text("a\nB\nc\nd\n")
    drifted = text("0\na\nb\nc\nd\n", Mode.EXECUTABLE)
    assert transplant_states(base, target, drifted, "f") == text("0\na\nB\nc\nd\n", Mode.EXECUTABLE)
    assert transplant_states(base, text("a\nb\nc\nd\n", Mode.EXECUTABLE), text("x\n"), "f") == text(
        "x\n", Mode.EXECUTABLE
    )


def test_utf_16_files_are_placed_by_lines() -> None:
    def wide(content: str) -> FileState:
        return FileState(Mode.FILE, b"\xff\xfe" + content.encode("utf-16-le"))

    placed = transplant_states(wide("a\nb\nĊ\n"), wide("a\nB\nĊ\n"), wide("0\n1\na\nb\nĊ\n"), "f")
    assert placed == wide("0\n1\na\nB\nĊ\n")
    assert transplant_states(wide("a\nb\nĊ\n"), wide("a\nB\nĊ\n"), wide("a\nb\nĊ\n1\n"), "f") == wide(
        "a\nB\nĊ\n1\n"
    )


@pytest.mark.parametrize(
    ("expected", "target", "current"),
    [
        (text("a\n"), text("b\n"), None),
        (None, text("b\n"), text("c\n")),
        (text("a\n"), None, text("c\n")),
        (text("a\n"), text("b\n"), FileState(Mode.SYMLINK, b"a\n")),
        (
            FileState(Mode.FILE, b"\0\na\nb\n"),
            FileState(Mode.FILE, b"\0\na\nB\n"),
            FileState(Mode.FILE, b"\0\n1\na\nb\n"),
        ),
        (FileState(Mode.FILE, b"x\na\nb\n"), text("x\na\nü\n"), FileState(Mode.FILE, b"\xfc\nx\na\nb\n")),
        (FileState(Mode.SYMLINK, b"a"), FileState(Mode.SYMLINK, b"b"), FileState(Mode.SYMLINK, b"c")),
    ],
    ids=["gone", "came", "delete", "became a link", "binary", "encoding", "link"],
)
def test_what_cannot_be_placed_without_guessing_clashes(
    expected: FileState | None, target: FileState | None, current: FileState | None
) -> None:
    assert isinstance(transplant_states(expected, target, current, "f"), Clash)


def test_what_was_compared_before_says_nothing_of_a_file_that_is_renamed() -> None:
    before: States = {"a": text("1\n2\n")}
    after: States = {"a": None, "b": text("1\n2!\n")}
    known = {"a": changes_between(before, {"a": None})}
    assert changes_between(before, after, {"a": "b"}, known) == changes_between(before, after, {"a": "b"})


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_line(codec: str) -> None:
    """Else a first line that went would be one with the next, and nothing could be put in behind that."""
    base, target, current = "one\ntwo\nthree\n", "one\ntwo\nnew\nthree\n", "two\nthree\nmine\n"
    states = (FileState(Mode.FILE, words.encode(codec)) for words in (base, target, current))
    placed = transplant_states(*states, "f")
    assert placed == FileState(Mode.FILE, "two\nnew\nthree\nmine\n".encode(codec))
