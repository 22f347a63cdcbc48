"""Splicing, diffing and carrying hunks over a drift: by example and by random trial."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.hunk import Hunk
from agent.core.lines.splice import diff, numbered, position, splice, transplant
from agent.core.outcome import Clash
from agent.core.text import Lines, split_lines

few = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"  d\n"]), max_size=12).map(tuple)
many = st.lists(st.integers(0, 40).map(lambda n: b"%d\n" % n), max_size=30, unique=True).map(tuple)
texts = st.one_of(few, many)


def lines_of(text: str) -> Lines:
    return split_lines(text.encode())


def reverse(hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """Hunks over what `splice(base, hunks)` gives, that restore the base."""
    turned = []
    offset = 0
    for hunk in sorted(hunks, key=position):
        turned.append(Hunk(hunk.start + offset, hunk.new, hunk.old, hunk.seq))
        offset += len(hunk.new) - len(hunk.old)
    return tuple(turned)


@given(texts, texts)
@settings(max_examples=200)
def test_diff_then_splice_is_the_target(old: Lines, new: Lines) -> None:
    hunks = diff(old, new)
    assert splice(old, hunks) == new
    assert splice(new, reverse(hunks)) == old
    for left, right in itertools.pairwise(hunks):
        assert left.end < right.start


@given(few, few, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_any_order_and_any_subset_of_hunks_is_one_splice(
    old: Lines, new: Lines, order: random.Random
) -> None:
    hunks = list(diff(old, new))
    order.shuffle(hunks)
    assert splice(old, hunks) == new
    kept = [hunk for hunk in hunks if order.random() < 0.5]
    once = splice(old, kept)
    assert splice(once, reverse(kept)) == old


def test_insertions_at_one_place_are_ordered_by_seq_and_precede_a_replacement() -> None:
    hunks = [Hunk(1, (), (b"2\n",), 2), Hunk(1, (b"b\n",), (b"B\n",)), Hunk(1, (), (b"1\n",), 1)]
    assert splice((b"a\n", b"b\n"), hunks) == (b"a\n", b"1\n", b"2\n", b"B\n")


@pytest.mark.parametrize(
    "hunks",
    [
        [Hunk(0, (b"a\n", b"b\n"), ()), Hunk(1, (b"b\n",), (b"x\n",))],
        [Hunk(0, (b"b\n",), ())],
        [Hunk(3, (), (b"x\n",))],
    ],
    ids=["overlap", "other lines", "past the end"],
)
def test_hunks_that_do_not_stand_over_the_lines_are_refused(hunks: list[Hunk]) -> None:
    with pytest.raises(ValueError, match="line"):
        splice((b"a\n", b"b\n"), hunks)


def test_an_inserted_function_is_one_hunk_that_starts_at_its_head() -> None:
    old = lines_of("def a():\n    return 1\n\ndef c():\n    return 1\n")
    new = lines_of("def a():\n    return 1\n\ndef b():\n    return 1\n\ndef c():\n    return 1\n")
    assert diff(old, new) == (Hunk(3, (), lines_of("def b():\n    return 1\n\n")),)


def test_two_edits_in_a_huge_file_are_found_at_once() -> None:
    old = tuple(b"line %d\n" % (n % 700) for n in range(50_000))
    new = (*old[:10], b"x\n", *old[10:40_000], *old[40_003:])
    start = time.process_time()
    hunks = diff(old, new)
    assert time.process_time() - start < 1
    assert splice(old, hunks) == new


@pytest.mark.parametrize("kinds", [1, 2, 3, 700], ids=str)
def test_unlike_files_do_not_take_long(kinds: int) -> None:
    dice = random.Random(7)
    old = tuple(b"%d\n" % dice.randrange(kinds) for _ in range(20_000))
    new = tuple(b"%d\n" % dice.randrange(kinds) for _ in range(19_000))
    start = time.process_time()
    assert splice(old, diff(old, new)) == new
    assert time.process_time() - start < 3


@given(texts, texts)
def test_without_drift_the_target_results(base: Lines, target: Lines) -> None:
    assert transplant(base, target, base) == target
    assert transplant(base, target, target) == target


@given(few, few, few)
@settings(max_examples=200)
def test_a_transplant_taken_back_is_the_drifted_file_again(base: Lines, target: Lines, now: Lines) -> None:
    carried = transplant(base, target, now)
    if not isinstance(carried, Clash):
        assert transplant(carried, now, carried) == now


@given(many, many, st.data())
@settings(max_examples=200)
def test_a_transplant_never_lands_at_a_wrong_place(base: Lines, drifted: Lines, data: st.DataObject) -> None:
    """With unique lines the right place is known: right behind the same line, right before the same line."""
    at = data.draw(st.integers(0, len(base)))
    target = (*base[:at], b"new\n", *base[at:])
    carried = transplant(base, target, drifted)
    if isinstance(carried, Clash):
        return
    where = carried.index(b"new\n")
    assert carried[:where] + carried[where + 1 :] == drifted
    assert carried[where - 1 : where] == base[at - 1 : at] if at else where == 0
    assert carried[where + 1 : where + 2] == base[at : at + 1]


def test_a_change_follows_its_lines_when_others_come_before_them() -> None:
    base, target = lines_of("a\nb\nc\nd\n"), lines_of("a\nb\nC\nd\n")
    assert transplant(base, target, lines_of("0\n1\na\nb\nc\nd\n")) == lines_of("0\n1\na\nb\nC\nd\n")


@pytest.mark.parametrize(
    ("base", "target", "now"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", "a\nbb\nc\n"),
        ("a\nb\nc\n", "a\nnew\nb\nc\n", "a2\nb\nc\n"),
        ("a\nb\nc\n", "a\nnew\nb\nc\n", "a\nb2\nc\n"),
        ("a\nb\nc\n", "a\nc\n", "a\nb\nc2\n"),
        ("a\nb\nc\n", "a\nB\nc\n", "x\nb\ny\n"),
        ("a\n}\n}\nb\n", "a\n}\n}!\nb\n", "a\n}\n}\n}\nb\n"),
        ("a\n}\n}\nb\n", "a\n}\nnew\n}\nb\n", "a\n}\n}\n}\nb\n"),
        ("a\nb\n", "a\nb\nc\n", "a\nb\nx\n"),
        ("a\nb", "a\nb\nc\n", "a\nb\n"),
        ("a\nb\nc\nd\n", "a\nd\n", "a\nb\nnew\nc\nd\n"),
        ("a\nb\nc\n", "a\nX\nY\nc\n", "a\nX\nmine\nb\nc\n"),
        ("a\nb\nb\nb\nc\n", "a\nb\nb\nb\nb\nc\n", "a\nmine\nb\nb\nc\n"),
        ("a\nrm -rf build\n", "a\nrm -rf build", "a\nrm -rf build\n/home/me\n"),
    ],
)
def test_a_change_that_drift_touches_clashes(base: str, target: str, now: str) -> None:
    assert isinstance(transplant(lines_of(base), lines_of(target), lines_of(now), "f"), Clash)


def test_what_is_there_already_is_not_made_twice() -> None:
    base, target = lines_of("a\nb\nc\nd\ne\nf\n"), lines_of("a\nB\nc\nd\nE\nf\n")
    now = lines_of("0\na\nB\nc\nd\ne\nf\n")
    assert transplant(base, target, now) == lines_of("0\na\nB\nc\nd\nE\nf\n")


def test_lines_that_moved_past_blank_ones_are_not_replaced_one_by_one() -> None:
    old, new = lines_of("a\n\nb\n\nc\n"), lines_of("z\n\na\n\nb\n")
    assert sum(hunk.changed for hunk in diff(old, new)) == 4


def test_lines_that_were_replaced_where_they_stand_are_hunks_of_their_own() -> None:
    old, new = lines_of("a\nx\nx\nb\nx\nc\n"), lines_of("A\nx\nx\nB\nx\nC\n")
    assert [(hunk.start, len(hunk.old), len(hunk.new)) for hunk in diff(old, new)] == [
        (0, 1, 1),
        (3, 1, 1),
        (5, 1, 1),
    ]


def test_what_touches_comes_behind_all_that_is_put_in_above_it() -> None:
    above = Hunk(0, (b"a\n",), (b"x\n", b"y\n"), 3)
    assert numbered(Hunk(1, (), (b"z\n",)), above).seq == 5
    assert numbered(Hunk(1, (), (b"z\n",), 9), above).seq == 9
    assert numbered(Hunk(2, (), (b"z\n",)), above).seq == numbered(Hunk(2, (), (b"z\n",)), None).seq == 0
