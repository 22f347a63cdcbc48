"""What makes a change risky is judged by what its file is for."""

from __future__ import annotations

import pytest

from agent.core.cutting.risk import assess
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
