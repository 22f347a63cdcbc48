"""Both texts of a change that does not fit, between marks."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.hunk import FileState, Mode
from agent.core.lines.merge import BEFORE, MIDDLE, OURS, THEIRS, has_marks, merge, merge_states
from agent.core.lines.place import transplant_states
from agent.core.lines.splice import transplant
from agent.core.outcome import Clash
from agent.core.text import split_lines

LINES = st.tuples(
    st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"e\r\n"]), max_size=12),
    st.sampled_from([[], [b"a"], [b"z"]]),
).map(lambda parts: (*parts[0], *parts[1]))


def lines(text: str) -> tuple[bytes, ...]:
    return tuple(split_lines(text.encode()))


B = "||||||| before the chunk\n"


def merged_text(base: str, target: str, current: str) -> str:
    return b"".join(merge(lines(base), lines(target), lines(current))).decode()


def test_the_parts_stand_between_marks_and_all_else_is_as_the_person_has_it() -> None:
    current = "1\nZWEI\n3\n4\nmine\n5\n6\n7\n8\n9\n"
    merged = merged_text("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\ntwo\n3\n4\n5\n6\n7\n8\nnine\n", current)
    assert merged == (
        f"1\n<<<<<<< your file\nZWEI\n{B}2\n=======\ntwo\n>>>>>>> the chunk\n3\n4\nmine\n5\n6\n7\n8\n"
        "<<<<<<< your file\n9\n=======\nnine\n>>>>>>> the chunk\n"
    )


def test_a_last_line_without_its_end_gets_one_between_marks_and_the_last_mark_has_none() -> None:
    merged = merge(lines("a\r\nb"), lines("a\r\nc"), lines("a\r\nd"))
    assert b"".join(merged) == (
        b"a\r\n<<<<<<< your file\r\nd\r\n||||||| before the chunk\r\nb\r\n=======\r\nc\r\n>>>>>>> the chunk"
    )


def test_of_a_base_that_is_another_version_only_the_lines_of_the_change_are_shown() -> None:
    """The base has a table that the file does not have: nearly all of it was shown as the chunk."""
    table = "".join(f"key{n} = {n}\n" for n in range(90))
    base = f"[project]\nname = 'x'\nversion = '2.0'\n{table}[tool]\nline = 88\n"
    target = base.replace("2.0", "2.1")
    assert merged_text(base, target, "[tool]\nline = 88\n") == (
        f"<<<<<<< your file\n{B}version = '2.0'\n=======\nversion = '2.1'\n>>>>>>> the chunk\n[tool]\nline = 88\n"
    )
    mine = "# mine\n# and mine\nversion = '1.9'\nother = 1\n[tool]\nline = 88\n"
    assert merged_text(base, target, mine) == (
        f"# mine\n# and mine\n<<<<<<< your file\nversion = '1.9'\n{B}version = '2.0'\n=======\nversion = '2.1'\n"
        ">>>>>>> the chunk\nother = 1\n[tool]\nline = 88\n"
    )


@pytest.mark.parametrize(
    ("base", "target", "current", "parts"),
    [
        ("1\n2\n3\n", "1\nTWO\n3\n", "a\nb\nc\n", ("b\n", "2\n", "TWO\n")),  # by their count
        ("1\n2\n", "1\nNEW\n2\n", "a\nb\nc\n", ("", "", "NEW\n")),  # nothing is in its place
        ("1\n2\n", "1\nNEW\n2\n", "1\nMINE\n2\n", ("MINE\n", "", "NEW\n")),
        ("1\n2\n3\n", "1\n3\n", "1\nMINE\n2\n3\n", ("2\n", "2\n", "")),  # what is beside it stays out
    ],
)
def test_what_stands_at_the_place_of_a_change(
    base: str, target: str, current: str, parts: tuple[str, str, str]
) -> None:
    ours, before, theirs = parts
    third = f"{B}{before}" if before != ours else ""
    marked = f"<<<<<<< your file\n{ours}{third}=======\n{theirs}>>>>>>> the chunk\n"
    assert marked in merged_text(base, target, current)


@given(LINES, LINES, LINES)
def test_with_your_side_of_each_mark_the_file_is_as_it_was(
    base: tuple[bytes, ...], target: tuple[bytes, ...], current: tuple[bytes, ...]
) -> None:
    assert with_your_side(merge(base, target, current), current) == b"".join(current)


@given(LINES, LINES, LINES, st.sampled_from(["utf-8-sig", "utf-16"]))
def test_so_it_is_in_other_encodings(
    base: tuple[bytes, ...], target: tuple[bytes, ...], current: tuple[bytes, ...], codec: str
) -> None:
    sides = (base, target, current)
    states = [FileState(Mode.FILE, ("ä" + b"".join(side).decode()).encode(codec)) for side in sides]
    if not isinstance(transplant_states(*states, "f"), Clash):
        return
    merged = merge_states(*states)
    assert merged is not None
    mine = tuple(split_lines(states[2].data.decode(codec).encode()))
    kept = with_your_side(tuple(split_lines(merged.data.decode(codec).encode())), mine)
    assert kept.decode().encode(codec) == states[2].data


def with_your_side(merged: tuple[bytes, ...], current: tuple[bytes, ...]) -> bytes:
    """The text with the first part of each pair of marks in its place."""
    ends = b"\r\n" if any(line.endswith(b"\r\n") for line in current) else b"\n"
    kept: list[bytes] = []
    inside = True
    for line in merged:
        mark = line.rstrip(b"\r\n").decode()
        if mark in (OURS, BEFORE, MIDDLE, THEIRS):
            inside = mark in (OURS, THEIRS)
            if mark == THEIRS and not line.endswith(b"\n"):
                kept[-1] = kept[-1].removesuffix(ends)
        elif inside:
            kept.append(line)
    return b"".join(kept)


@given(LINES, LINES, LINES)
def test_no_line_of_the_change_is_lost_where_it_does_not_fit(
    base: tuple[bytes, ...], target: tuple[bytes, ...], current: tuple[bytes, ...]
) -> None:
    if not isinstance(transplant(base, target, current), Clash):
        return
    merged = merge(base, target, current)
    assert all(line.endswith(b"\n") for line in merged[:-1])
    # What it changes nothing in is not in it where the file does not have it.
    assert bare(target) <= bare(merged) | bare(base)
    assert has_marks(b"".join(merged))


def bare(lines: Iterable[bytes]) -> set[bytes]:
    return {line.rstrip(b"\r\n") for line in lines}


def test_what_came_behind_a_last_line_that_lost_its_end_is_not_glued_to_it() -> None:
    assert merged_text("k\n1\n2\nz\n", "T\n1\n2\nz", "C\n1\n2\nz\nmore\n") == (
        f"<<<<<<< your file\nC\n{B}k\n=======\nT\n>>>>>>> the chunk\n1\n2\n"
        f"<<<<<<< your file\nz\nmore\n{B}z\n=======\nz\n>>>>>>> the chunk\n"
    )


@pytest.mark.parametrize("bom", [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"])
def test_marks_are_written_as_the_file_is(bom: bytes) -> None:
    codec = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}[bom]
    base, target, current = (FileState(Mode.FILE, bom + f"ü{x}\r\n".encode(codec)) for x in "aTC")
    merged = merge_states(base, target, current)
    assert merged is not None
    assert merged.data.startswith(bom)
    assert merged.data.removeprefix(bom).decode(codec) == (
        "<<<<<<< your file\r\nüC\r\n||||||| before the chunk\r\nüa\r\n=======\r\nüT\r\n>>>>>>> the chunk\r\n"
    )
    assert has_marks(merged.data)
    assert not has_marks(current.data)


def test_texts_that_are_encoded_differently_are_not_put_into_one() -> None:
    base, target, current = (FileState(Mode.FILE, data) for data in (b"a\n", "ä\n".encode(), b"\xfc\n"))
    assert merge_states(base, target, current) is None
    assert merge_states(base, target, None) is None


@pytest.mark.parametrize("last", ["x\n", "xx\n"], ids=["even", "odd"])
def test_ascii_is_not_put_into_utf_16(last: str) -> None:
    """Read as UTF-16 it has no lines: of an odd length it cannot be read at all, of an even one both were mixed."""
    base, target = (FileState(Mode.FILE, f"a\n{word}\nc\n{last}".encode()) for word in ("b", "B"))
    wide = FileState(Mode.FILE, f"a\nb\nc\n{last}".encode("utf-16"))
    assert merge_states(base, target, wide) is None
    assert transplant_states(base, target, wide, "f") == Clash(
        "f", "the file's encoding was changed meanwhile"
    )


def test_an_empty_text_is_as_the_others_are() -> None:
    empty = FileState(Mode.FILE, b"")
    target, current = (FileState(Mode.FILE, word.encode("utf-16")) for word in ("T\n", "C\n"))
    merged = merge_states(empty, target, current)
    assert merged is not None
    assert merged.data.decode("utf-16") == (f"<<<<<<< your file\nC\n{B}=======\nT\n>>>>>>> the chunk\n")
    assert has_marks(merged.data)


def test_long_lines_are_not_compared_to_their_end() -> None:
    """200 times 200 lines of 2,000 characters took 2.5 s, and a card is drawn many times."""
    base, current = (
        tuple(b"%d %s\n" % (n, word * 1000) for n in range(at, at + 200))
        for word, at in ((b"ab", 0), (b"ba", 500))
    )
    target = (*base[:100], b"T\n", *base[101:])
    start = time.process_time()
    assert with_your_side(merge(base, target, current), current) == b"".join(current)
    assert time.process_time() - start < 1.5


def test_many_conflicts_do_not_take_long() -> None:
    """8,000 lines of which every fourth was changed on both sides took 9 s when each was looked at against all."""
    base = tuple(b"%d\n" % n for n in range(40_000))
    target, current = (
        tuple(word + line if at % 4 == 0 else line for at, line in enumerate(base)) for word in (b"T", b"C")
    )
    start = time.process_time()
    assert merge(base, target, current).count(b"=======\n") == 10_000
    assert time.process_time() - start < 5
