"""A text that is read anew only where hunks change it is judged as one that is read whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.code.grammar import GRAMMARS, parses
from agent.core.cutting.reparse import Reparser
from agent.core.hunk import Hunk
from agent.core.lines.splice import diff, position, splice
from agent.core.text import split_lines

TEXTS = {
    "javascript": (
        b"class A {\n  f(x) {\n    return `a\n${x}`;\n  }\n}\n\nif (a) {\n  b();\n}\n",
        b"class A {\n  g() {\n    return /[`]/;\n  }\n\n  f(x) {\n    return `b\n`;\n  }\n}\nif (a) { b(); }\nelse {\n}",
    ),
    "c": (
        b"#if A\nint f(void) {\n  return 1;\n}\n#endif\n/* a\n b */\nint x = 1;",
        b"#if A\nint f(void) {\n#if B\n  return 2;\n#endif\n}\n#endif\nint y = 2;\n/* a */ int x;\n",
    ),
    "cpp": (
        b'namespace a {\nclass A {\n  void f() {\n    g(R"x(\n)x");\n  }\n};\n}\n',
        b"namespace a {\ntemplate <class T>\nclass A {\n  void f() {\n    if (x) {\n      g();\n    }\n  }\n};\n}\n",
    ),
    "java": (
        b"class A {\n  /* one\n   two */\n  void f() {\n    g();\n  }\n}\n",
        b"class A {\n  void f() {\n    if (b) {\n      g();\n    }\n  }\n  /* two */\n  int z;\n}",
    ),
    "rust": (
        b'fn a() {\n  let s = r#"x\n"#;\n}\nmod b {\n  fn c() {}\n}\n',
        b"fn a() {\n  let s = 1;\n}\nmod b {\n  fn d() {\n    a();\n  }\n}\n",
    ),
    "go": (
        b"package a\n\nfunc f() {\n\tx := `a\nb`\n}\n",
        b"package a\n\nfunc f() {\n\tif y {\n\t}\n}\n\nfunc g() {}",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
def test_a_text_with_any_hunks_is_read_as_if_it_were_read_whole(name: str, data: st.DataObject) -> None:
    grammar = GRAMMARS[name]
    lines, goal = (split_lines(text) for text in TEXTS[name])
    single = [
        piece
        for hunk in diff(lines, goal)
        for piece in (
            [Hunk(hunk.start, (), (line,), at) for at, line in enumerate(hunk.new)]
            if not hunk.old
            else [hunk]
        )
    ]
    reader = Reparser(grammar, lines)
    for _ in range(6):
        chosen = data.draw(st.lists(st.sampled_from(single), unique_by=id))
        hunks = sorted(chosen, key=position)
        text = b"".join(splice(lines, hunks))
        if not reader.has_fault(hunks):
            assert parses(grammar, text)
        if data.draw(st.booleans()):
            reader.forget()


def test_only_what_is_near_a_change_is_read_anew() -> None:
    """What was found sound is gone on from, so that each step costs what it changes."""
    grammar = GRAMMARS["javascript"]
    lines = tuple(b"f(%d);\n" % at for at in range(2_000))
    hunks = [Hunk(at, (lines[at],), (b"g();\n",)) for at in range(0, 2_000, 100)]
    reader = Reparser(grammar, lines)
    for count in range(len(hunks) + 1):
        assert not reader.has_fault(hunks[:count])
        state = reader._states[-1]
        assert state.data == b"".join(splice(lines, hunks[:count]))
    assert reader.has_fault([Hunk(5, (), (b"}\n",))])
    assert reader._states[-1].data == b"".join(splice(lines, hunks))
