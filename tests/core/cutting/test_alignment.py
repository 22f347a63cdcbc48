"""Definitions that go or come are taken out or put in whole, whatever lines they share with others."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.core.chunk import Budget, Chunk
from agent.core.code.sheet import Sheet
from agent.core.cutting.alignment import by_definitions
from agent.core.cutting.cut import cut
from agent.core.hunk import FileState, Hunk, Mode
from agent.core.lines.place import outcome
from agent.core.lines.splice import diff, position, splice
from agent.core.outcome import States
from agent.core.text import BOM_UTF8, Lines, split_lines

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


def assert_one_text(base: Lines, lines: Lines) -> None:
    """No line runs on into the next one, and the mark of the file is where it belongs."""
    assert all(line.endswith(b"\n") for line in lines[:-1])
    marks = [line.startswith(BOM_UTF8) for line in lines]
    assert marks[:1] == [base[0].startswith(BOM_UTF8)] if base and lines else True
    assert not any(marks[1:])


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


def test_a_definition_that_is_rewritten_where_it_stands_stays_as_it_was_matched() -> None:
    def both(word: str) -> bytes:
        steps = [f"{word}_{at}(given)" for at in range(8)]
        return KEPT + function("left", *steps[:4], "", *steps[4:], "return out") + RIGHT

    before, after = split_lines(both("read")), split_lines(both("write"))
    assert len(diff(before, after)) == 2
    assert aligned(both("read"), both("write")) == diff(before, after)


def test_one_of_the_same_name_above_keeps_no_definition_from_going_whole() -> None:
    above, renamed = function("left", "yield from given"), KEPT.replace(b"kept", b"renamed")
    gone, _ = aligned(above + LEFT + KEPT, above + renamed)
    assert (gone.old, gone.new) == (split_lines(LEFT), ())


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


@pytest.mark.parametrize("mark", [b"", BOM_UTF8])
@pytest.mark.parametrize(("here", "there"), [(b"", b""), (b"\n", b""), (b"", b"\n"), (b"\n", b"\n")])
def test_what_has_no_line_end_stays_the_last_line_and_a_mark_the_first(
    here: bytes, there: bytes, mark: bytes
) -> None:
    def script(*names: str) -> bytes:
        bodies = [f"  {name}(given);\n  let {name}s = given.{name};\n  return out;\n" for name in names]
        texts = [f"function {name}(given) {{\n{body}}}" for name, body in zip(names, bodies, strict=True)]
        return "\n\n".join(texts).encode()

    for old, new in (("left", "kept"), ("kept", "right")), (("kept", "left"), ("right", "other")):
        before, after = mark + script(*old) + here, mark + script(*new) + there
        aligned(before, after, path="a.js")
        first = {"a.js": FileState(Mode.FILE, before)}
        chunks = cut(first, {"a.js": FileState(Mode.FILE, after)}, budget=Budget(lines=4, hard_lines=8))
        by_id = {chunk.id: chunk for chunk in chunks}
        assert len(chunks) > 1
        for chunk in chunks:
            state = outcome(first, [x for one in closed(chunk, by_id) for x in one.changes])["a.js"]
            assert state is not None
            assert_one_text(split_lines(before), split_lines(state.data))
            assert set(split_lines(state.data)) <= {*split_lines(before), *split_lines(after)}


def closed(chunk: Chunk, by_id: dict[str, Chunk]) -> list[Chunk]:
    """A chunk with all that it needs."""
    found = {chunk.id: chunk}
    for need in chunk.needs:
        found |= {one.id: one for one in closed(by_id[need], by_id)}
    return list(found.values())


def test_thousands_of_definitions_of_one_name_take_linear_time() -> None:
    numbers = range(20_000)
    kept = b"".join(b"K%d = 1\n" % n for n in numbers)
    old = b"".join(b"def f(a):\n    x%d(a)\n    return a\n    y%d(a)\n    pass\n\n" % (n, n) for n in numbers)
    lone = b"if a:\n    return a\n    pass\n\n" * len(numbers)
    new = b"".join(b"K%d = 1\n\ndef f(a):\n    z%d(a)\n" % (n, n) for n in numbers)
    before, after = split_lines(old + kept), split_lines(lone + new)
    hunks, sheets = diff(before, after), (Sheet("a.py", before), Sheet("a.py", after))
    assert [len(sheet.outline.symbols) for sheet in sheets] == [len(numbers)] * 2
    began = time.process_time()
    assert splice(before, by_definitions(hunks, *sheets, Budget())) == after
    assert time.process_time() - began < 4


@given(st.integers(0, 2**32))
@example(14314538)
@example(1270591289)
@example(123911)
@example(275)
@example(0)
@settings(max_examples=300)
def test_whatever_is_lined_up_anew_does_the_same(seed: int) -> None:
    chance = random.Random(seed)
    words = ["out = []", "return out", "pass", "", "use(given)", "x = given.a + 1", "# why", '"""Says."""']

    mark = chance.choice([b"", b"", BOM_UTF8])

    def text() -> bytes:
        parts = []
        for _ in range(chance.randrange(8)):
            body = [chance.choice(words) for _ in range(chance.randrange(1, 8))]
            part = function(f"f{chance.randrange(6)}", "pass", *body)
            if chance.random() < 0.3:
                inner = b"".join(b"    " + line if line.strip() else line for line in part.splitlines(True))
                part = b"class C%d:\n" % chance.randrange(3) + inner
            parts.append(part)
        return mark + b"".join(parts)[: chance.choice([None, None, None, -1, -2])]

    old, new, budget = text(), text(), Budget(lines=chance.choice([1, 4, 25]), hard_lines=30)
    aligned(old, new, budget)
    before: States = {"a.py": FileState(Mode.FILE, old)}
    after: States = {"a.py": FileState(Mode.FILE, new)}
    chunks = cut(before, after, budget=budget)
    by_id = {chunk.id: chunk for chunk in chunks}
    for chunk in chunks if len(old) > len(mark) < len(new) else ():
        state = outcome(before, [change for one in closed(chunk, by_id) for change in one.changes])["a.py"]
        assert_one_text(split_lines(old), split_lines(state.data if state is not None else b""))
        assert state is None or not set(split_lines(state.data)) - {*split_lines(old), *split_lines(new)}
    changes = [change for chunk in chunks for change in chunk.changes]
    chance.shuffle(changes)
    assert outcome(before, changes) == after
