"""Definitions that go or come are taken out or put in whole, whatever lines they share with others."""

from __future__ import annotations

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.core.chunk import Budget
from agent.core.code.sheet import Sheet
from agent.core.cutting.alignment import by_definitions
from agent.core.cutting.cut import cut
from agent.core.hunk import FileState, Hunk, Mode
from agent.core.lines.place import outcome
from agent.core.lines.splice import diff, position, splice
from agent.core.outcome import States
from agent.core.text import split_lines

SMALL = Budget(lines=4, hard_lines=40)


def aligned(old: bytes, new: bytes, budget: Budget = SMALL, path: str = "a.py") -> tuple[Hunk, ...]:
    before, after = split_lines(old), split_lines(new)
    hunks = diff(before, after)
    found = tuple(by_definitions(hunks, Sheet(path, before), Sheet(path, after), budget))
    assert list(found) == sorted(found, key=position)
    assert splice(before, found) == after
    for one, two, three in zip(found, found[1:], found[2:], strict=False):
        assert two.old or not (one.old and three.old and one.end == three.start)
    return found


def function(name: str, *body: str) -> bytes:
    lines = [f"def {name}(given):", *(f"    {line}" for line in body), "", ""]
    return "\n".join(lines).encode()


LEFT = function("left", "out = []", "for one in given:", "    out.append(one)", "return out")
RIGHT = function("right", "found = {}", "while given.more():", "    found[1] = 2", "return out")
KEPT = function("kept", "return given")


def test_a_definition_that_goes_is_one_hunk_beside_one_that_is_renamed() -> None:
    renamed = KEPT.replace(b"kept", b"renamed")
    gone, other = aligned(LEFT + KEPT, renamed)
    assert (gone.old, gone.new) == (split_lines(LEFT), ())
    assert (other.old, other.new) == ((b"def kept(given):\n",), (b"def renamed(given):\n",))


def test_a_definition_that_comes_where_another_goes_shares_no_line_with_it() -> None:
    come, gone = aligned(KEPT + LEFT, KEPT + RIGHT)
    assert (come.start, come.old, b"".join(come.new)) == (gone.start, (), RIGHT)
    assert (b"".join(gone.old), gone.new) == (LEFT, ())


def test_a_definition_of_the_same_name_elsewhere_is_another_one() -> None:
    """The old `two` goes although there is a new one: this one stands where `one` stood."""
    old = function("one", "x = given", "return out") + KEPT + LEFT.replace(b"left", b"two")
    new = RIGHT.replace(b"right", b"two") + KEPT
    headers = [
        (line[:7], bool(hunk.old) and bool(hunk.new))
        for hunk in aligned(old, new)
        for line in hunk.old + hunk.new
        if line.startswith(b"def ")
    ]
    assert headers == [(b"def two", False), (b"def one", False), (b"def two", False)]


def test_a_definition_of_which_much_stays_is_renamed_and_stays_as_it_was_matched() -> None:
    renamed = LEFT.replace(b"left", b"other").replace(b"append(one)", b"append(two)")
    before, after = split_lines(LEFT + KEPT), split_lines(renamed + KEPT)
    assert aligned(LEFT + KEPT, renamed + KEPT) == diff(before, after)


def test_no_chunk_gives_a_header_the_body_of_another_definition() -> None:
    old, new = KEPT + LEFT + RIGHT, KEPT + function("fresh", "seen = set()", "return out") + RIGHT
    chunks = cut(
        {"a.py": FileState(Mode.FILE, old)}, {"a.py": FileState(Mode.FILE, new)}, budget=Budget(lines=5)
    )
    heads = [
        {line.split(b"(")[0] for line in side if line.startswith(b"def ")}
        for chunk in chunks
        for hunk in chunk.changes[0].hunks
        for side in (hunk.old, hunk.new)
    ]
    assert sorted(map(sorted, filter(None, heads))) == [[b"def fresh"], [b"def left"]]


@given(st.integers(0, 2**32))
@example(14314538)
@example(123911)
@example(275)
@example(0)
@settings(max_examples=300)
def test_whatever_is_lined_up_anew_does_the_same(seed: int) -> None:
    chance = random.Random(seed)
    words = ["out = []", "return out", "pass", "", "use(given)", "x = given.a + 1", "# why", '"""Says."""']

    def text() -> bytes:
        parts = []
        for _ in range(chance.randrange(8)):
            body = [chance.choice(words) for _ in range(chance.randrange(1, 8))]
            part = function(f"f{chance.randrange(6)}", "pass", *body)
            if chance.random() < 0.3:
                inner = b"".join(b"    " + line if line.strip() else line for line in part.splitlines(True))
                part = b"class C%d:\n" % chance.randrange(3) + inner
            parts.append(part)
        return b"".join(parts)[: None if chance.random() < 0.8 else -1]

    old, new, budget = text(), text(), Budget(lines=chance.choice([1, 4, 25]), hard_lines=30)
    aligned(old, new, budget)
    before: States = {"a.py": FileState(Mode.FILE, old)}
    after: States = {"a.py": FileState(Mode.FILE, new)}
    changes = [change for chunk in cut(before, after, budget=budget) for change in chunk.changes]
    chance.shuffle(changes)
    assert outcome(before, changes) == after
