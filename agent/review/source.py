"""What is to be reviewed, as file states before and after, whatever it was read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from agent.core.hunk import FileChange, FileState
from agent.core.outcome import States

Progress = Callable[[str, int, int], None]
"""What is going on, how many are done, of how many."""

Read = Callable[[str], FileState | None]
"""A file as it is now, None when absent. Raises PathRefused."""


class LeftOut(msgspec.Struct, frozen=True):
    """A path of the input that is not reviewed, and why. Nothing will happen to it."""

    path: str
    reason: str


UNCOMMITTED = "uncommitted"
"""How the `spec` of uncommitted work begins."""


class Source(msgspec.Struct, frozen=True):
    """A difference. Paths that are missing in `after` do not change; None is an absent file.

    `label` is for people ("commit 1a2b3c4: Subject"), `spec` names the input exactly, so that a session over the
    same input can be gone on with.
    """

    label: str
    spec: str
    before: States
    after: States
    renames: dict[str, str] = {}
    left_out: tuple[LeftOut, ...] = ()
    onto: str = "worktree"
    """Where it goes when the person does not say: `worktree` or `index`."""
    opening: str = ""
    """The file whose chunks come first, of a large difference (`opening.py`); empty when none is chosen."""
    opening_end: int = 0
    """Only what is above this line of that file comes first, because the file is huge; 0: all of it."""
    needed: Mapping[str, frozenset[str]] = {}
    """Files whose changes need all changes of others, where these come first; by path."""
    known: Mapping[str, Sequence[FileChange]] = {}
    """What happens to files that keep their name, where that has been found out already; by path."""
    nothing: str = ""
    """What is said when it changes nothing; empty: that nothing changes in what `label` says."""

    @property
    def is_uncommitted(self) -> bool:
        """True when the same `spec` is another difference as soon as a file changes."""
        return self.spec.startswith(UNCOMMITTED)

    @property
    def unchanged(self) -> str:
        """In words that it changes nothing."""
        return self.nothing or f"nothing changes in {self.label}"
