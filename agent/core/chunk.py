"""A chunk: the smallest thing that a person decides on, with its reasons."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from agent.core.hunk import FileChange
from agent.core.review import Ran

IN_ORDER = "in the order of the files"
"""The `place_reason` of a chunk that has none; a card leaves it out."""


class Grade(StrEnum):
    """How well the text that an edit quotes matched the file; the card shows every grade below EXACT."""

    EXACT = "exact"
    TRAILING_SPACE = "trailing space"
    INDENT = "indent"
    UNICODE = "unicode"


class Budget(msgspec.Struct, frozen=True):
    """How much a person is asked to hold at once. Lines are changed lines."""

    lines: int = 25
    hard_lines: int = 100
    files: int = 3
    why_chars: int = 240


class Because(msgspec.Struct, frozen=True):
    """Why one edit is needed, in the model's words, and how its old text matched."""

    path: str
    text: str
    grade: Grade = Grade.EXACT


class Use(msgspec.Struct, frozen=True):
    """A name that another chunk (by its id) brings in."""

    chunk: str
    name: str


class Quote(msgspec.Struct, frozen=True):
    """What the model relies on, word for word: `name` is a dotted name or a package; empty when it named none."""

    name: str
    text: str


class Chunk(msgspec.Struct, frozen=True):
    """One concern over one base, small enough for one decision.

    `id` is given at birth and kept through rebasing. `needs` are ids of chunks that must be applied before.
    `place_reason` says why it comes where it comes in the stack.
    """

    id: str
    title: str
    why: str
    changes: tuple[FileChange, ...]
    assumes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    because: tuple[Because, ...] = ()
    needs: tuple[str, ...] = ()
    uses: tuple[Use, ...] = ()
    """It can be applied without these, but makes little sense: it uses names that they bring in."""
    serves: str = ""
    ran: Ran = Ran.NOTHING
    """What had run over the files when its words were written: they may say so."""
    place_reason: str = ""
    folded: str = ""
    """Not empty: shown as one folded line for this reason (generated, lock file, binary)."""
    risk: str = ""
    """`low`, `medium` or `high` where chunks were cut from a diff; `risks` says why."""

    @property
    def changed_lines(self) -> int:
        return sum(hunk.changed for change in self.changes for hunk in change.hunks)

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths that it touches, in order, the new names of renames included."""
        names: dict[str, None] = {}
        for change in self.changes:
            names[change.path] = None
            if change.new_path:
                names[change.new_path] = None
        return tuple(names)
