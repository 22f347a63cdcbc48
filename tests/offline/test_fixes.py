from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.offline.fixes import fixed, replacements, silenced
from agent.offline.ruff import Finding, FixEdit, Position


def edit(content: str, row: int, column: int, end_row: int, end_column: int) -> FixEdit:
    return FixEdit(content, Position(row, column), Position(end_row, end_column))


@pytest.mark.parametrize(
    ("text", "edits", "old", "new"),
    [
        ("import os\nimport re\n", [edit("", 1, 1, 2, 1)], "import os\n", ""),
        ("x = a == None\n", [edit("is", 1, 7, 1, 9)], "x = a == None\n", "x = a is None\n"),
        ("é = '😀' == x\n", [edit("is", 1, 9, 1, 11)], "é = '😀' == x\n", "é = '😀' is x\n"),
        ("a\nb", [edit("c", 2, 1, 2, 2)], "b", "c"),
        ("a\n", [edit("b\n", 2, 1, 2, 1)], "a\n", "a\nb\n"),
        ("import b\n", [edit("import a\n", 1, 1, 1, 1)], "import b\n", "import a\nimport b\n"),
        ("x = 1\r\ny = 2\r\n", [edit("3", 2, 5, 2, 6)], "y = 2\r\n", "y = 3\r\n"),
        ("\ufeffimport os\n", [edit("x", 1, 1, 1, 7)], "import os\n", "x os\n"),
    ],
)
def test_a_fix_becomes_whole_lines(text: str, edits: list[FixEdit], old: str, new: str) -> None:
    found = replacements(text, edits)
    assert found is not None
    assert [(one.old, one.new) for one in found] == [(old, new)]


def test_a_line_that_occurs_twice_is_widened_until_it_is_unique() -> None:
    text = "def f():\n    return None\n\n\ndef g():\n    return None\n"
    found = replacements(text, [edit("", 6, 11, 6, 16)])
    assert found is not None
    assert text.count(found[0].old) == 1
    assert text.replace(found[0].old, found[0].new) == "def f():\n    return None\n\n\ndef g():\n    return\n"


def test_a_text_that_is_the_same_everywhere_is_still_placed() -> None:
    found = replacements("x\nx\nx\n", [edit("y", 2, 1, 2, 2)])
    assert found is not None
    assert "x\nx\nx\n".replace(found[0].old, found[0].new) == "x\ny\nx\n"


def test_edits_far_apart_stay_apart() -> None:
    text = "import os\n" + "pass\n" * 5 + "os.x\n"
    found = replacements(text, [edit("import re", 1, 1, 1, 10), edit("re", 7, 1, 7, 3)])
    assert found is not None
    assert [(one.old, one.new) for one in found] == [("import os\n", "import re\n"), ("os.x\n", "re.x\n")]


@pytest.mark.parametrize(
    "edits",
    [
        [edit("", 9, 1, 9, 2)],
        [edit("", 1, 1, 99, 1)],
        [edit("", 2, 1, 1, 1)],
        [edit("", 1, 1, 1, 4), edit("", 1, 2, 1, 5)],
        [edit("", 1, 100, 1, 200)],
        [],
    ],
)
def test_edits_that_do_not_fit_give_nothing(edits: list[FixEdit]) -> None:
    assert not replacements("abcdef\nx\n", edits)


LINES = st.lists(st.sampled_from(["a", "b", "", "  a", "é"]), max_size=8)


@settings(max_examples=200)
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.data())
def test_replacements_make_of_the_file_what_the_fix_says(
    lines: list[str], eol: str, final: bool, data: st.DataObject
) -> None:
    text = eol.join(lines) + (eol if final and lines else "")
    rows = text.count("\n") + 1
    places = data.draw(st.lists(st.tuples(st.integers(1, rows), st.integers(1, 3)), min_size=2, max_size=4))
    places.sort()
    edits = [
        edit(data.draw(st.sampled_from(["", "new", f"new{eol}"])), *start, *end)
        for start, end in zip(places[::2], places[1::2], strict=False)
    ]
    wanted = fixed(text, edits)
    found = replacements(text, edits)
    if found is None:
        return
    for one in found:
        assert text.count(one.old) == 1
        text = text.replace(one.old, one.new)
    assert text == wanted


def test_a_line_is_silenced_for_its_rule_alone() -> None:
    finding = Finding("a.py", "", Position(2, 1), code="F401", noqa_row=2)
    found = silenced("import re\nimport os\r\n", finding)
    assert found is not None
    assert found.new == "import os  # noqa: F401\r\n"


def test_a_line_that_is_silenced_for_another_rule_keeps_that() -> None:
    finding = Finding("a.py", "", Position(1, 1), code="F401")
    found = silenced("import os  # noqa: E402  # why\n", finding)
    assert found is not None
    assert found.new == "import os  # noqa: E402, F401  # why\n"
