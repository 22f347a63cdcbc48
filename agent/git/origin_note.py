"""What is noted in the state of a repository about which one it is, and where it stood.

Times are those of files that git writes once, so that they are the same wherever the repository goes. A repository
that is moved on its disk also keeps the number of its folder (the inode); a copy gets another.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from agent.io import durable
from agent.io.calls import Calls
from agent.io.paths import make_private

NAME = "origin.json"
SECOND = 1_000_000_000
TRACES = ("description", "info/exclude", "hooks/pre-commit.sample", "refs/remotes/origin/HEAD")
"""Files of a git directory that come from the template, and the last one that `git clone` writes."""


class Origin(msgspec.Struct, frozen=True):
    """`times` in nanoseconds, by the name of the trace; `head` is empty on an unborn branch.

    `path` is the real path of the common git directory, empty in notes of older versions; `inode` and `device` are its
    folder's, 0 where the system has none. `roots` are the places at which the main work tree stood.
    """

    times: dict[str, int]
    head: str
    path: str = ""
    inode: int = 0
    device: int = 0
    roots: tuple[str, ...] = ()

    def shares_a_time(self, now: dict[str, int], *, precisely: bool = False) -> bool:
        """`precisely`: times of whole seconds do not count."""
        return any(
            now.get(name) == time and (time % SECOND or not precisely) for name, time in self.times.items()
        )

    def shares_all_times(self, now: dict[str, int]) -> bool:
        both = self.times.keys() & now.keys()
        return bool(both) and all(self.times[name] == now[name] for name in both)


def noted(state: Path) -> Origin | None:
    """What is noted; None when nothing is, or it cannot be read."""
    try:
        return parsed((state / NAME).read_bytes())
    except OSError:
        return None


def parsed(data: bytes) -> Origin | None:
    """None for what is no note."""
    try:
        return msgspec.convert(json.loads(data), Origin)
    except (ValueError, msgspec.ValidationError):
        return None


def write_note(state: Path, origin: Origin, calls: Calls | None = None) -> None:
    """Raises OSError, StateError."""
    make_private(state)
    durable.replace(state / NAME, json.dumps(msgspec.to_builtins(origin)).encode("ascii"), calls)


def times_of(common_dir: Path) -> dict[str, int]:
    """The times of the traces that are there."""
    found = {}
    for name in TRACES:
        try:
            found[name] = (common_dir / name).lstat().st_mtime_ns
        except OSError:
            continue
    return found
