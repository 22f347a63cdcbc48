"""What came of trying to write: values, because every one of them is normal work."""

from __future__ import annotations

import msgspec

from agent.core.hunk import FileState


class Applied(msgspec.Struct, frozen=True, tag="applied"):
    """All writes of the set are on the disk. `digest` is `writes_digest` of the set.

    `left`: files beside those that were written, with what was saved into the old ones in the last moment.
    """

    set_id: str
    digest: str
    left: tuple[str, ...] = ()


class Drifted(msgspec.Struct, frozen=True, tag="drifted"):
    """Nothing was written: these paths are not what the approval was given for."""

    paths: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Nothing was written: `path` may not or cannot be written, and why."""

    path: str
    reason: str
    hint: str = ""


class Clash(msgspec.Struct, frozen=True, tag="clash"):
    """A change cannot be placed on what is there now without guessing. `line` is 1-based, 0: the whole file."""

    path: str
    reason: str
    line: int = 0


WriteOutcome = Applied | Drifted | Refused
States = dict[str, FileState | None]
"""File states by path; None is an absent file."""
