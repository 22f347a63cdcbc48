"""Titles of chunks that no model named."""

from __future__ import annotations

import pytest

from agent.core.cutting.titles import title
from agent.core.hunk import ChangeKind, FileChange, Hunk
from agent.core.text import split_lines


def named(path: str, new: bytes, old: bytes = b"") -> str:
    hunk = Hunk(0, split_lines(old), split_lines(new))
    return title([FileChange(path, ChangeKind.MODIFY, (hunk,))], ("",)).partition(":")[0]


@pytest.mark.parametrize(
    ("path", "new", "expected"),
    [
        ("a.py", b"import os\nfrom x import y\n", "imports of a.py"),
        ("a.js", b'const fs = require("fs")\n', "imports of a.js"),
        ("a.c", b"#include <x.h>\n", "imports of a.c"),
        ("a.py", b"# how many\nLIMIT: int = 3\n", "LIMIT"),
        ("a.py", b"SIZES = {\n    1: 2,\n}\nlast = 1\n", "SIZES, last"),
        ("a.js", b"export const handler = () => {}\n", "handler"),
        ("a.py", b"LIMIT = 3\nmain()\n", "a.py"),
        ("a.py", b"if x == 3:\n    y = 2\n", "a.py"),
        ("a.py", b"x == 3\n", "a.py"),
        ("a.md", b"LIMIT = 3\n", "a.md"),
        ("a.py", b"    total = 3\n", "a.py"),
    ],
)
def test_lines_outside_of_definitions_are_named_by_what_they_are(
    path: str, new: bytes, expected: str
) -> None:
    assert named(path, new) == expected


def test_what_goes_is_named_when_nothing_comes() -> None:
    assert named("a.py", b"", b"import os\n") == "imports of a.py"
    assert named("a.py", b"LIMIT = 3\n", b"import os\n") == "LIMIT"
