"""The values of weakened tests. What finds them is in `weakened.py`."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Weakness(StrEnum):
    """How tests demand less. CHANGED and CONFIGURED may be right; neither is evidence for the change."""

    DELETED = "assertion deleted"
    LOOSENED = "assertion loosened"
    REMOVED = "test removed"
    SKIPPED = "test skipped"
    CHANGED = "expectation changed"
    CONFIGURED = "test configuration edited"
    DETECTS = "code looks whether it is under test"


OUTRIGHT = frozenset(
    (Weakness.DELETED, Weakness.LOOSENED, Weakness.REMOVED, Weakness.SKIPPED, Weakness.DETECTS)
)
"""What no honest change needs without a word about it."""


class Weakened(msgspec.Struct, frozen=True):
    """One finding. `name` is the test or the section, may be empty; `line` is 1-based in the file that has it."""

    kind: Weakness
    path: str
    name: str = ""
    line: int = 0
    detail: str = ""

    @property
    def text(self) -> str:
        """`test_lex: assertion deleted`, for one line of a card."""
        what = f"{self.name or self.path}: {self.kind}"
        return f"{what} ({self.detail})" if self.detail else what
