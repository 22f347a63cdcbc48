"""Both texts of a change that does not fit, between marks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.lines.merge import MIDDLE, OURS, THEIRS, has_marks, merge
from agent.core.lines.splice import transplant
from agent.core.outcome import Clash
from agent.core.text import split_lines

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"e\r\n"]), max_size=12).map(tuple)


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
    for line in merged:
        mark = line.rstrip(b"\r\n")
        if mark in (OURS, MIDDLE, THEIRS):
            side = {OURS: "ours", MIDDLE: "theirs", THEIRS: ""}[mark]
            continue
        ours += [line] if side != "theirs" else []
        theirs += [line] if side != "ours" else []
    # What is outside of marks has the free changes of both sides: each side is whole within its own.
    assert set(current) - set(ours) <= set(base)
    assert set(target) - set(theirs) <= set(base) | set(current)
    assert has_marks(b"".join(merged)) == any(line.startswith(OURS) for line in merged)
