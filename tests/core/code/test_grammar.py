"""Whether a text parses, as the language itself sees it."""

from __future__ import annotations

import pytest

from agent.core.code.grammar import grammar_of, parses


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
