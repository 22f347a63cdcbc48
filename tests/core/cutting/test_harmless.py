"""What is taken for harmless by the signs of its lines parses in every state; what may not is not taken for it."""

from __future__ import annotations

import itertools

import pytest

from agent.core.code.grammar import PYTHON, parses
from agent.core.cutting.harmless import is_harmless
from agent.core.hunk import Hunk
from agent.core.lines.splice import diff, splice
from agent.core.text import split_lines


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total = a\n", "total = b\n"),
        ("total = a * b\n", "total = (a * b) + 1  # why\n"),
        ("    f(x, y)\n    g()\n", "    f(x, z)\n    h()\n"),
        ("x = 'a'\n", 'x = "a"\n'),
        ("", "    log(first)\n"),
        ("    log(first)\n    done = 1\n", ""),
        ("for (a of b) {\n", "for (c of d) {\n"),
    ],
)
def test_lines_that_stay_lines_of_their_kind_are_harmless(old: str, new: str) -> None:
    assert is_harmless(Hunk(3, split_lines(old.encode()), split_lines(new.encode())))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = f(a,\n", "x = f(a)\n"),
        ("a = 1\n", "if a:\n"),
        ("a = 1\n", "    a = 1\n"),
        ("one,\n", "one\n"),
        ("x = 1\n", 'x = """\n'),
        ("x = 1\n", "x = 1 \\\n"),
        ("a\n", "b\nc\n"),
        ("", "else:\n"),
        ("", "@cached\n"),
        ("", "#endif\n"),
        ("", "if x:\n    f()\n"),
        ("", "}\n"),
        ("", "\n"),
        ("", "/* a */\n"),
        ("", "one,\n"),
    ],
)
def test_what_may_belong_to_the_lines_around_it_is_not(old: str, new: str) -> None:
    assert not is_harmless(Hunk(3, split_lines(old.encode()), split_lines(new.encode())))


def test_harmless_hunks_parse_in_every_combination() -> None:
    old = b"def f(a):\n    g()\n    b = a\n    if b:\n        c = [b]\n        d()\n        log(c)\n    return b\nx = f(1)\n"
    new = b"def f(e):\n    g()\n    b = (e)\n    if b:\n        c = [b, 1]\n        d()\n    return b\nx = f(1)\nprint(x)\n"
    lines = split_lines(old)
    hunks = diff(lines, split_lines(new))
    assert len(hunks) == 5
    assert all(map(is_harmless, hunks))
    for count in range(len(hunks) + 1):
        for some in itertools.combinations(hunks, count):
            assert parses(PYTHON, b"".join(splice(lines, some)))
