from __future__ import annotations

import pytest

from agent.offline.wish import inside, understand

NAMES = ["src/a.py", "src/b/c.py", "top.py", "docs/F401.md"]


@pytest.mark.parametrize(
    ("text", "codes", "paths"),
    [
        ("fix F401 in src/", ("F401",), ("src",)),
        ("E711 and f401, please", ("E711", "F401"), ()),
        ("PLR2004 in @src/a.py", ("PLR2004",), ("src/a.py",)),
        ("fix `src/b`", (), ("src/b",)),
        ("top.py.", (), ("top.py",)),
        ("the python3 code in v2 at http://x/F401", (), ()),
        ("fix src", (), ()),
        ("all of ./", (), ("",)),
    ],
)
def test_codes_and_paths(text: str, codes: tuple[str, ...], paths: tuple[str, ...]) -> None:
    wish = understand(text, NAMES)
    assert (wish.codes, wish.paths) == (codes, paths)


@pytest.mark.parametrize(
    "text", ["write a parser", "why is it slow?", "hello", "fix the failing test", "fix all tests"]
)
def test_what_it_does_not_know_is_not_understood(text: str) -> None:
    assert not understand(text, NAMES).understood


@pytest.mark.parametrize(
    "text",
    [
        "lint it",
        "ruff",
        "clean up the imports",
        "show the findings",
        "F401",
        "stop",
        "fix all",
        "Fix them all.",
    ],
)
def test_what_it_knows_is_understood(text: str) -> None:
    assert understand(text, NAMES).understood


def test_a_path_is_inside_a_folder_only_at_a_slash() -> None:
    assert inside("src/a.py", ("src",))
    assert not inside("src2/a.py", ("src",))
    assert inside("anything", ())
    assert inside("anything", ("",))
