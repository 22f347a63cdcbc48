"""Which file a path of a model means."""

from __future__ import annotations

import pytest

from agent.core.replies.paths import locate

KNOWN = ["src/app/main.py", "src/app/util.py", "lib/util.py", "README.md", "a/x.c"]


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("src/app/main.py", "src/app/main.py"),
        ("./src/app/main.py", "src/app/main.py"),
        ("main.py", "src/app/main.py"),
        ("app/main.py", "src/app/main.py"),
        ("/repo/src/app/main.py", "src/app/main.py"),
        ("a/src/app/main.py", "src/app/main.py"),
        ("src\\app\\main.py", "src/app/main.py"),
        ("`README.md`", "README.md"),
        ("other/main.py", "src/app/main.py"),
        ("app/util.py", "src/app/util.py"),
    ],
)
def test_one_file_fits(said: str, path: str) -> None:
    assert locate(said, KNOWN) == path


@pytest.mark.parametrize(
    ("said", "candidates"),
    [
        ("util.py", ("lib/util.py", "src/app/util.py")),
        ("x/util.py", ("lib/util.py", "src/app/util.py")),
        ("none.py", ()),
        ("readme.md", ("README.md",)),
    ],
)
def test_several_or_none_fit(said: str, candidates: tuple[str, ...]) -> None:
    assert locate(said, KNOWN) == candidates
