"""What makes a change risky is judged by what its file is for."""

from __future__ import annotations

import pytest

from agent.core.cutting.risk import DEPENDENCIES, assess, assess_all
from agent.core.hunk import ChangeKind, FileChange, Hunk

NEAR = "near secrets or permissions"


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("LICENSE.txt", False),
        ("docs/manual.md", False),
        ("NOTICE", False),
        ("src/login.py", True),
        ("requirements.txt", True),
        ("passwords.txt", True),
    ],
)
def test_prose_is_near_no_secrets(path: str, near: bool) -> None:
    lines = (b"permission is granted to whoever has the password\n",)
    change = FileChange(path, ChangeKind.CREATE, (Hunk(0, (), lines),))
    assert (NEAR in assess([change]).reasons) is near


@pytest.mark.parametrize(
    ("path", "line", "names"),
    [
        ("pyproject.toml", 'version = "1.2.3"', False),
        ("pyproject.toml", "[tool.ruff]", False),
        ("pyproject.toml", 'select = ["E", "F"]', False),
        ("package.json", '  "version": "1.2.3",', False),
        ("package.json", '    "test": "jest"', False),
        ("pyproject.toml", '    "httpx>=0.27",', True),
        ("pyproject.toml", '    "httpx",', True),
        ("pyproject.toml", "dependencies = [", True),
        ("package.json", '    "lodash": "^4.17.0",', True),
        ("requirements.txt", "httpx", True),
        ("Cargo.toml", 'serde = { version = "1" }', True),
        ("go.mod", "\tgithub.com/x/y v1.2.3", True),
    ],
)
def test_only_lines_that_may_name_a_dependency_are_said_to(path: str, line: str, names: bool) -> None:
    change = FileChange(path, ChangeKind.MODIFY, (Hunk(0, (), (line.encode() + b"\n",)),))
    assert (DEPENDENCIES in assess([change]).reasons) is names
    assert (DEPENDENCIES in assess_all([[change]])[0].reasons) is names


@pytest.mark.parametrize(
    ("path", "line"),
    [(".github/CONTRIBUTING.md", "x"), (".github/sponsor.svg", "<svg/>"), ("a.js", "regexp.exec(text);")],
)
def test_what_runs_nothing_is_not_risky_for_its_name(path: str, line: str) -> None:
    change = FileChange(path, ChangeKind.MODIFY, (Hunk(0, (), (line.encode() + b"\n",)),))
    assert assess([change]).reasons == ()
