"""Which uses a change adds: looked for in the statements that differ, found as if the whole files were compared."""

from __future__ import annotations

import ast
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.evidence.lookup.added import (
    MAX_BYTES,
    _differing,
    _imported_names,
    _sites,
    _statements,
    added_sites,
)

PARTS = [
    "import os\n", "import json as os\n", "from os import path\n", "os.walk(path.a)\n", "a = b.c; b.d()\n", "b.d()\n",
    "@b.deco(key=1)\ndef f(x=os.x):\n    import re\n    return re.sub(x.y)\n",
    "class C(os.B, metaclass=b.M):\n    a = b.c\n    b.d()\n    class D:\n        def g(self):\n            self.z()\n",
    "class C: a = b.c; b.d()\n", "if b.c:\n    b.d()\nelse:\n    from re import sub\n", "x = '''\nb.d()\n'''\n",
    "\f\nb.e()\n",
]  # fmt: skip
code = st.lists(st.sampled_from(PARTS), max_size=6).map("".join)


def added(old: bytes, new: bytes, *, whole: bool) -> Counter[str]:
    """Keys of the uses that `new` has more often than `old`."""
    before, after = ast.parse(old), ast.parse(new)
    known, bound = _imported_names(before), _imported_names(after)
    gone: list[ast.AST] = [before]
    come: list[ast.AST] = [after]
    if known == bound and not whole:
        gone, come = _differing(_statements(before, old), _statements(after, new))
    found = Counter(key for node in come for key, _ in _sites(node, bound))
    found.subtract(key for node in gone for key, _ in _sites(node, known))
    return +found


@given(code, code)
@settings(max_examples=200)
def test_statements_that_both_have_add_nothing(old: str, new: str) -> None:
    sides = old.encode(), new.encode()
    assert added(*sides, whole=False) == added(*sides, whole=True)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_what_differs_is_looked_at(end: str) -> None:
    old = "class C:\n    def f(self):\n        self.a()\n    def g(self):\n        self.b()\n".replace(
        "\n", end
    ).encode()
    new = old.replace(b"self.b()", b"self.c()")
    gone, come = _differing(_statements(ast.parse(old), old), _statements(ast.parse(new), new))
    assert [ast.unparse(node).split("(")[0] for node in (*gone, *come)] == ["def g", "def g"]


def test_what_a_huge_file_had_before_is_not_added_when_it_shrinks() -> None:
    kept = b"import os\nos.walk('.')\n"
    huge = kept + b"# more\n" * (MAX_BYTES // 7)
    assert added_sites(huge, kept) is None
    assert added_sites(kept, kept) is None
    assert added_sites(kept, kept + b"os.stat('.')\n") is not None
