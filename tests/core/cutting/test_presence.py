"""Which chunks are in a file already: read from its lines alone, however many ways there are to read them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.chunk import Budget, Chunk
from agent.core.cutting.cut import cut
from agent.core.cutting.presence import MAX_WAYS, present
from agent.core.hunk import FileState, Mode
from agent.core.lines.place import outcome
from agent.core.outcome import States


def file(text: str) -> FileState:
    return FileState(Mode.FILE, text.encode())


def some_of(chunks: tuple[Chunk, ...], choice: random.Random) -> list[Chunk]:
    """A random half, closed under needs."""
    taken: list[Chunk] = []
    for chunk in chunks:
        if set(chunk.needs) <= {other.id for other in taken} and choice.random() < 0.5:
            taken.append(chunk)
    return taken


FUNCTIONS = "".join(
    f"def f{n}(x):\n" + "".join(f"    y{line} = x + {n} * {line}\n" for line in range(20)) + "\n\n"
    for n in range(3 * MAX_WAYS)
)


@pytest.mark.parametrize(("old", "new"), [(FUNCTIONS, ""), ("", FUNCTIONS)], ids=["goes", "comes"])
@pytest.mark.parametrize("seed", range(3))
def test_any_half_of_a_long_run_of_lines_is_told_from_the_other(old: str, new: str, seed: int) -> None:
    before, after = (
        {"a.py": file(f"first = 1\n{old}last = 1\n")},
        {"a.py": file(f"first = 1\n{new}last = 1\n")},
    )
    chunks = cut(before, after)
    assert len(chunks) > 2 * MAX_WAYS
    taken = some_of(chunks, random.Random(seed))
    current = outcome(before, [change for chunk in taken for change in chunk.changes])
    assert present(chunks, before, after, current) == {chunk.id for chunk in taken}


LINES = ["a = 1\n", "b = 2\n", "\n", "def f():\n", "    pass\n"]
texts = st.lists(st.sampled_from(LINES), max_size=20).map("".join)


@given(texts, texts, st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_what_is_said_to_be_there_gives_the_file(old: str, new: str, choice: random.Random) -> None:
    before, after = {"a.py": file(old)}, {"a.py": file(new)}
    chunks = cut(before, after, budget=Budget(lines=2, hard_lines=5))
    taken = some_of(chunks, choice)
    current = outcome(before, [change for chunk in taken for change in chunk.changes])
    there = present(chunks, before, after, current)
    given_by = [change for chunk in chunks if chunk.id in there for change in chunk.changes]
    assert outcome(before, given_by) == current


F, G = "def f():\n    x = 2\n\n", "def g():\n    return 1\n\n"


@pytest.mark.parametrize(
    ("old", "new"), [(F, F + G + G + "    return 1\n\n"), (F, G + G + G + "    return 1\n\n\n")]
)
def test_blocks_that_are_alike_are_told_apart_as_far_as_the_file_shows(old: str, new: str) -> None:
    before, after = {"a.py": file(old)}, {"a.py": file(new)}
    chunks = cut(before, after, budget=Budget(lines=3, hard_lines=30))
    assert any(len(change.hunks) > 1 for chunk in chunks for change in chunk.changes)
    for seed in range(20):
        taken = some_of(chunks, random.Random(seed))
        current = outcome(before, [change for chunk in taken for change in chunk.changes])
        there = present(chunks, before, after, current)
        given_by = [change for chunk in chunks if chunk.id in there for change in chunk.changes]
        assert outcome(before, given_by) == current


@pytest.mark.parametrize(
    ("now", "there"),
    [(F + G, True), (F + G.replace("g", "mine"), True), ("mine\n" * 9, False), ("", False)],
)
def test_a_rename_is_there_only_where_the_other_file_is_of_the_first(now: str, *, there: bool) -> None:
    before: States = {"a.py": file(F + G), "b.py": None}
    after: States = {"a.py": None, "b.py": file(F + G)}
    (chunk,) = cut(before, after, renames={"a.py": "b.py"})
    found = present([chunk], before, after, {"a.py": None, "b.py": file(now)})
    assert (chunk.id in found) is there
