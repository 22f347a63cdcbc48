"""Whether a text parses, as the language itself sees it."""

from __future__ import annotations

import pytest
from tree_sitter import Node

from agent.core.code.grammar import KEPT_COMMENTS, grammar_of, parses, root


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        (b"def f():\n    return 1\n", True),
        (b"nonlocal x\nx = 1\n", True),
        (b"x = 1\nglobal x\n", True),
        (b"# coding: latin-1\nx = '\xe9'\n", True),
        (b"x = '\xe9'\n", False),
        (b"if x:\n", False),
        (b"x\0", False),
        (b"(" * 3000, False),
    ],
)
def test_python_is_judged_by_its_grammar_also_where_a_part_lacks_what_is_around_it(
    text: bytes, valid: bool
) -> None:
    grammar = grammar_of("a.py")
    assert grammar is not None
    assert parses(grammar, text) is valid


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"int f(void);\nstruct a { int class; };\n", "c"),
        (b'#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n', "c"),
        (b"namespace a {\n}\n", "cpp"),
        (b"  template <typename T>\nstruct S;\n", "cpp"),
        (b"std::string f();\n", "cpp"),
    ],
)
def test_a_header_is_of_the_language_that_its_words_show(text: bytes, name: str) -> None:
    grammar = grammar_of("a.h", text)
    assert grammar is not None
    assert grammar.name == name


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_thousands_of_comments_in_a_row_are_thinned_out_and_all_else_stays_where_it_is(end: bytes) -> None:
    """The grammar takes quadratic time for them: a minute for 32,000."""
    run = b"".join(b"    # number %d%s" % (at, end) for at in range(5000))
    head, tail = (
        end.join([b"def f():", b"    return 1", b""]),
        end.join([b"    return 2", b"x = '#'  # own", b""]),
    )
    grammar = grammar_of("a.py")
    assert grammar is not None
    few, many = root(grammar, head + run[: 20 * 16] + tail), root(grammar, head + run + tail)
    assert not many.has_error
    assert (many.end_byte, many.end_point.row) == (len(head + run + tail), 5000 + 4)
    assert [node.type for node in many.children if node.type != "comment"] == [
        node.type for node in few.children if node.type != "comment"
    ]
    found = tokens_of(many, "comment")
    assert KEPT_COMMENTS <= len(found) <= 2 * KEPT_COMMENTS + 1
    assert found[-1].start_byte == (head + run + tail).index(b"# own")


def tokens_of(node: Node, kind: str) -> list[Node]:
    return [
        one for child in node.children for one in ([child] if child.type == kind else tokens_of(child, kind))
    ]
