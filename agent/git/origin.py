"""Whether the state found for a place is of the repository that is there, or of one that stood there before.

State is found by a path, and a path can get another repository. What tells them apart is what `git init` wrote and
nothing changes later, and the commit that was checked out when the state was begun: a repository that has one of them
is the same, also after it was moved away and back, restored, or rewritten. What is of another is put aside whole.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path

import msgspec

from agent.core.errors import GitFailed, StateError
from agent.git.repo import Repo
from agent.io import durable, journal
from agent.io.locks import locked
from agent.io.paths import make_private

TRACES = ("description", "info/exclude", "hooks/pre-commit.sample")
"""Files of a git directory that come from the template; their times are those of `git init`."""

WAIT_SECONDS = 10.0
"""So long another process may take to put the state aside."""


class Origin(msgspec.Struct, frozen=True):
    """`times` in nanoseconds, by the name of the trace; `head` is empty on an unborn branch."""

    times: dict[str, int]
    head: str


def note_origin(repo: Repo) -> None:
    """Note which repository the state is of, where that is not noted yet; what began without a commit gets its first.

    Where that cannot be written, nothing else can.
    """
    known = _noted(repo)
    if known and known.head:
        return
    head = repo.head().commit or ""
    if known and not head:
        return
    path = _record(repo)
    origin = Origin(known.times if known else _times(repo.place.common_dir), head)
    with contextlib.suppress(OSError, StateError):
        make_private(path.parent)
        durable.replace(path, json.dumps(msgspec.to_builtins(origin)).encode("ascii"))


def put_aside(repo: Repo) -> Path | None:
    """Where the state of another repository lies now, that stood here before; None when there is none of it.

    Raises StateError when a session over it is open, or it cannot be moved.
    """
    if not _is_foreign(repo):
        return None
    state = repo.place.state
    with locked(state.with_name(f"{state.name}.lock"), wait_seconds=WAIT_SECONDS, what="this repository"):
        # Put aside meanwhile by another process, it is not there any more, or ours: of a session that is open.
        return _put_aside(state) if _is_foreign(repo) else None


def _put_aside(state: Path) -> Path:
    numbered = (state.with_name(f"{state.name}-before-{number}") for number in itertools.count(1))
    aside = next(path for path in numbered if not path.exists())
    if any(info.open for info in journal.sessions(state)):
        raise StateError(
            "a copair session over the repository that stood here before is still open",
            hint="end it first",
            untouched="nothing was touched",
        )
    try:
        state.rename(aside)
    except OSError as error:
        raise StateError(
            f"{state} is of a repository that stood here before, and cannot be put aside: {error.strerror}",
            hint="move it away",
            untouched="nothing was touched",
        ) from error
    return aside


def _is_foreign(repo: Repo) -> bool:
    """True when what is noted is of another repository."""
    origin = _noted(repo)
    return origin is not None and not _is_of(origin, repo)


def _noted(repo: Repo) -> Origin | None:
    """What is noted; None when nothing is, or it cannot be read."""
    try:
        return msgspec.convert(json.loads(_record(repo).read_bytes()), Origin)
    except (OSError, ValueError, msgspec.ValidationError):
        return None


def _record(repo: Repo) -> Path:
    return repo.place.state / "origin.json"


def _is_of(origin: Origin, repo: Repo) -> bool:
    now = _times(repo.place.common_dir)
    if any(now.get(name) == time for name, time in origin.times.items()):
        return True
    if origin.head:
        try:
            return repo.objects.find(origin.head) is not None
        except GitFailed:
            return True  # nothing is moved on a guess
    return not (now and origin.times)  # nothing to tell them apart by


def _times(common_dir: Path) -> dict[str, int]:
    found = {}
    for name in TRACES:
        try:
            found[name] = (common_dir / name).lstat().st_mtime_ns
        except OSError:
            continue
    return found
