"""Brackets by line."""

from __future__ import annotations

from agent.core.code.brackets import Balance, first_lines, words
from agent.core.code.grammar import GRAMMARS
from agent.core.text import Lines, split_lines

SCRIPT = b"""\
a(function () {
  b("} in a string", `a ${
    c}
  `);
  /* {
   */
}, [
  1,
]);
"""


def found(text: bytes) -> tuple[Lines, list[int] | None]:
    lines = split_lines(text)
    return lines, first_lines(words(GRAMMARS["javascript"], text, len(lines)))


def test_lines_belong_to_the_first_one_whose_brackets_they_close() -> None:
    assert found(SCRIPT)[1] == [0, 1, 1, 1, 4, 4, 0, 7, 0]


def test_two_headers_that_one_line_closes_come_together() -> None:
    assert found(b"a(\n{\n}) + b(\n1)\n")[1] == [0, 0, 0, 0]


def test_a_text_with_half_of_a_pair_is_not_whole() -> None:
    lines, _ = found(SCRIPT)
    balance = Balance([(lines, words(GRAMMARS["javascript"], SCRIPT, len(lines)))])
    assert balance.holds(lines)
    assert balance.holds(lines[:1] + lines[6:])
    assert not balance.holds(lines[:5] + lines[6:])
    assert not balance.holds(lines[1:])
    assert balance.same(lines[1:4], [])
    assert not balance.same(lines[:1], [])


def test_nothing_is_told_where_a_line_means_two_things() -> None:
    text = b"a({\n});\n/*\n});\n*/\n"
    lines, _ = found(text)
    balance = Balance([(lines, words(GRAMMARS["javascript"], text, len(lines)))])
    assert not balance.usable
    assert balance.holds(lines[:1])
