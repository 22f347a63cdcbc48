"""Changes that only parse when they are cut the right way, and in the right order."""

from __future__ import annotations

import pytest

from agent.core.chunk import Budget, Chunk
from agent.core.code.grammar import grammar_of, parses
from agent.core.code.sheet import Sheet
from agent.core.cutting.cut import cut
from agent.core.cutting.passage import merged
from agent.core.cutting.soundness import Allowance, Checker
from agent.core.hunk import FileState, Hunk, Mode
from agent.core.lines.place import outcome
from agent.core.lines.splice import diff, splice
from agent.core.text import split_lines


def lines_of(text: str) -> tuple[bytes, ...]:
    return split_lines(text.encode())


def state(text: str) -> FileState:
    return FileState(Mode.FILE, text.encode())


def body(count: int, indent: str, line: str) -> str:
    return "".join(f"{indent}{line.replace('N', str(at))}\n" for at in range(count))


DEDENTED = "".join(
    f"def f{n}(x):\n    if x:\n        return {n}\n\n    value = x + {n}\n    return value\n\n\n"
    for n in range(30)
)
INDENTED = "".join(f"    {line}\n" if line else "\n" for line in DEDENTED.split("\n"))

METHODS = "".join(f"  m{n}(a) {{\n    one({n});\n    return two(a);\n  }}\n\n" for n in range(20))
ASSIGNED = "".join(
    f"  p.m{n} = function (a) {{\n    one({n});\n    return two(a);\n  }};\n\n" for n in range(20)
)
REWRITTEN = "".join(
    f"  step({n});\n  if (x > {n}) {{\n    call({n}, function () {{\n      more();\n    }});\n  }}\n"
    for n in range(12)
)

CASES = {
    "a block that loses its indentation": (
        "a.py",
        f"import sys\n\nif sys.version_info[0] == 2:\n    import old\nelse:\n{INDENTED}\n\nlast = 1\n",
        f"import sys\n\n{DEDENTED}last = 1\n",
    ),
    "a block that gets one": (
        "a.py",
        f"import sys\n\n\n{DEDENTED}last = 1\n",
        f"import sys\n\nif sys:\n{INDENTED}\n\nlast = 1\n",
    ),
    "a function that becomes a class": (
        "a.js",
        f"const A = (function () {{\n  const p = {{}};\n\n{ASSIGNED}  return p;\n}})();\n",
        f"class A {{\n{METHODS}}}\n",
    ),
    "the closing bracket of one definition taken for that of another": (
        "a.ts",
        f"export function f() {{\n  return new A();\n}}\n\nclass A {{\n{METHODS}}}\n",
        f"export function f() {{\n{REWRITTEN}}}\n",
    ),
    "a long literal": (
        "a_test.go",
        "",
        "package a\n\nfunc TestA(t *testing.T) {\n\tcases := []struct {\n\t\tname string\n\t}{\n"
        + body(90, "\t\t", "{\n\t\t\tname: `N`,\n\t\t},")
        + "\t}\n\tfor _, c := range cases {\n\t\trun(c)\n\t}\n}\n",
    ),
    "a long macro": (
        "a.rs",
        "",
        "macro_rules! all {\n"
        + body(40, "    ", "(fN $name:ident) => {\n        impl $name {\n            fn fN() {}\n        }\n    };")
        + "}\n",
    ),
    "a call that is as long as the file": (
        "a.js",
        "",
        "load({1: [function (require) {\n"
        + body(60, "  ", "one(N);\n  two(function () {\n    f();\n  });")
        + "}, {}]});\n",
    ),
    "a long switch": (
        "a.c",
        "",
        "int f(int x)\n{\n  switch (x) {\n"
        + body(60, "  ", "case N:\n    if (x) {\n      g(N);\n    }\n    break;")
        + "  }\n  return 0;\n}\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_file_parses_after_every_chunk(case: str) -> None:
    path, old, new = CASES[case]
    before = {path: state(old) if old else None}
    chunks = cut(before, {path: state(new)})
    broken = [chunk.title for at, chunk in enumerate(chunks) if not reads(path, before, chunks[: at + 1])]
    assert not broken
    assert all(chunk.changed_lines <= Budget().hard_lines for chunk in chunks)
    assert outcome(before, [c for chunk in chunks for c in chunk.changes])[path] == state(new)


def reads(path: str, before: dict[str, FileState | None], chunks: tuple[Chunk, ...]) -> bool:
    found = outcome(before, [change for chunk in chunks for change in chunk.changes])[path]
    grammar = grammar_of(path)
    assert found is not None
    assert grammar is not None
    return parses(grammar, found.data)


def checker(path: str, old: str, new: str) -> Checker:
    sheets = [Sheet(path, lines_of(text)) for text in (old, new)]
    return Checker(sheets[0], sheets[1], Allowance(1_000_000))


def test_a_line_that_ends_the_block_it_is_put_into_is_not_judged_by_that_block_alone() -> None:
    old = "if a:\n    b = 1\n    c = 2\n    d = 3\n    e = 4\nelse:\n    f = 5\n"
    new = old.replace("    c = 2\n", "def c():\n    g = 2\n")
    judge = checker("a.py", old, old)
    assert not judge.sound(diff(lines_of(old), lines_of(new)))


def test_a_change_that_evens_out_the_brackets_of_its_surroundings_only_is_not_sound() -> None:
    old = "function f() {\n  one(() => {\n    a();\n    b();\n  });\n  two();\n}\n"
    judge = checker("a.js", old, old)
    opened, closed = old.replace("two();", "two(() => {"), old.replace("    b();\n", "    b(); });\n")
    first, second = diff(lines_of(old), lines_of(opened)), diff(lines_of(old), lines_of(closed))
    assert not judge.sound([*first, *second], second)


def test_lines_that_touch_are_one_hunk_unless_something_comes_between_them() -> None:
    above, below = Hunk(0, (b"a\n",), (b"x\n",)), Hunk(1, (b"b\n",), (), 1)
    assert merged([below, above]) == (Hunk(0, (b"a\n", b"b\n"), (b"x\n",)),)
    between, behind = Hunk(1, (), (b"y\n",), 1), Hunk(1, (b"b\n",), (), 2)
    assert merged([behind, above]) == (above, behind)
    assert splice((b"a\n", b"b\n"), [*merged([behind, above]), between]) == (b"x\n", b"y\n")
