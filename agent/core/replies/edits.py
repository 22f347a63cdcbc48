"""Edits as a model makes them, and what came of them: the values between parsing a reply and a proposal."""

from __future__ import annotations

import msgspec

from agent.core.chunk import Because, Quote
from agent.core.outcome import States


class ModelEdit(msgspec.Struct, frozen=True):
    """One edit, in one form: `old` and `new`, `content`, `delete`, `rename_to`, or `patch`.

    `literal`: `old` is a piece of text that may start and end inside a line. `patch` is a unified diff or a
    `*** Begin Patch` block and names its files itself. `insert_after` puts `new` behind that line (0: the top).
    """

    because: str = ""
    path: str = ""
    old: str | None = None
    new: str | None = None
    content: str | None = None
    delete: bool = False
    rename_to: str | None = None
    patch: str | None = None
    literal: bool = False
    insert_after: int | None = None


class FormatError(msgspec.Struct, frozen=True):
    """The arguments or the reply cannot be read; `message` tells the model what to do."""

    message: str


class ProposeArgs(msgspec.Struct, frozen=True):
    """What a `propose` call says, checked for form but not against any file."""

    why: str
    title: str
    edits: tuple[ModelEdit, ...]
    assumes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    serves: str = ""


class EditProblem(msgspec.Struct, frozen=True):
    """Why an edit does not fit the files; `message` is for the model, `index` counts the edits from 0."""

    index: int
    path: str
    message: str


class Resolved(msgspec.Struct, frozen=True):
    """The files that the edits touch, before and after, and for each edit why it is made and how it matched.

    Both have the same paths. `renames` maps old names to new ones. `details` says what was settled by us: a path
    that was completed, a hunk that stood elsewhere.
    """

    before: States
    after: States
    because: tuple[Because, ...]
    renames: dict[str, str] = {}
    details: tuple[str, ...] = ()
