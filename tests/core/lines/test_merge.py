"""Both texts of a change that does not fit, between marks."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.hunk import FileState, Mode
from agent.core.lines.merge import MIDDLE, OURS, THEIRS, has_marks, merge, merge_states
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


def test_both_texts_stand_where_they_meet_and_the_rest_is_changed() -> None:
    base = lines("1\n2\n3\n4\n5\n6\n7\n8\n9\n")
    target = lines("1\ntwo\n3\n4\n5\n6\n7\n8\nnine\n")
    current = lines("1\nZWEI\n3\n4\nmine\n5\n6\n7\n8\n9\n")
    assert b"".join(merge(base, target, current)).decode() == (
        "1\n<<<<<<< your file\nZWEI\n=======\ntwo\n>>>>>>> the chunk\n3\n4\nmine\n5\n6\n7\n8\nnine\n"
    )


def test_a_last_line_without_its_end_gets_one_between_marks() -> None:
    merged = merge(lines("a\r\nb"), lines("a\r\nc"), lines("a\r\nd"))
    assert b"".join(merged) == (b"a\r\n<<<<<<< your file\r\nd\r\n=======\r\nc\r\n>>>>>>> the chunk\r\n")


@given(LINES, LINES, LINES)
def test_no_line_of_either_side_is_lost_where_a_change_does_not_fit(
    base: tuple[bytes, ...], target: tuple[bytes, ...], current: tuple[bytes, ...]
) -> None:
    if not isinstance(transplant(base, target, current), Clash):
        return
    merged = merge(base, target, current)
    ours, theirs = [], []
    side = ""
    assert all(line.endswith(b"\n") for line in merged[:-1])
    for line in merged:
        mark = line.rstrip(b"\r\n").decode()
        if mark in (OURS, MIDDLE, THEIRS):
            side = {OURS: "ours", MIDDLE: "theirs", THEIRS: ""}[mark]
            continue
        ours += [line] if side != "theirs" else []
        theirs += [line] if side != "ours" else []
    # What is outside of marks has the free changes of both sides: each side is whole within its own.
    assert bare(current) - bare(ours) <= bare(base)
    assert bare(target) - bare(theirs) <= bare(base) | bare(current)
    assert has_marks(b"".join(merged))


def bare(lines: Iterable[bytes]) -> set[bytes]:
    return {line.rstrip(b"\r\n") for line in lines}


def test_what_came_behind_a_last_line_that_lost_its_end_is_not_glued_to_it() -> None:
    merged = merge(lines("k\n1\n2\nz\n"), lines("T\n1\n2\nz"), lines("C\n1\n2\nz\nmore\n"))
    assert b"".join(merged).decode() == (
        "<<<<<<< your file\nC\n=======\nT\n>>>>>>> the chunk\n1\n2\n"
        "<<<<<<< your file\nz\nmore\n=======\nz\n>>>>>>> the chunk\n"
    )


@pytest.mark.parametrize("bom", [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"])
def test_marks_are_written_as_the_file_is(bom: bytes) -> None:
    codec = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}[bom]
    base, target, current = (FileState(Mode.FILE, bom + f"ü{x}\r\n".encode(codec)) for x in "aTC")
    merged = merge_states(base, target, current)
    assert merged is not None
    assert merged.data.startswith(bom)
    assert merged.data.removeprefix(bom).decode(codec) == (
        "<<<<<<< your file\r\nüC\r\n=======\r\nüT\r\n>>>>>>> the chunk\r\n"
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
    assert merged.data.decode("utf-16") == "<<<<<<< your file\nC\n=======\nT\n>>>>>>> the chunk\n"
    assert has_marks(merged.data)


def test_many_conflicts_do_not_take_long() -> None:
    """8,000 lines of which every fourth was changed on both sides took 9 s when each was looked at against all."""
    base = tuple(b"%d\n" % n for n in range(40_000))
    target, current = (
        tuple(word + line if at % 4 == 0 else line for at, line in enumerate(base)) for word in (b"T", b"C")
    )
    start = time.process_time()
    assert merge(base, target, current).count(b"=======\n") == 10_000
    assert time.process_time() - start < 5
