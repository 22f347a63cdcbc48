"""Whether the state found for a place is of the repository that is there, or of one that stood there before.

State is found by a path, and a path can get another repository. What tells them apart is what git wrote once and
nothing changes later, and the commit that was checked out when the state was begun: a repository that has one of them
is the same, also after it was moved away and back, restored, or rewritten. What is of another is put aside whole.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from agent.core.errors import GitFailed, StateError
from agent.git.origin_note import Origin, noted, times_of, write_note
from agent.git.repo import Repo
from agent.io import journal
from agent.io.calls import Calls
from agent.io.locks import is_locked, locked
from agent.ports import MAIN

WAIT_SECONDS = 10.0
"""So long another process may take to move state."""

ASKED_SECONDS = 0.5
"""A lock that is held for less is asked for by another process, which lists the sessions."""


def note_origin(repo: Repo, calls: Calls | None = None) -> None:
    """Note which repository the state is of, and where that stands; what began without a commit gets its first.

    Where that cannot be written, nothing else can.
    """
    state = repo.place.state
    known = noted(state)
    now = _as_it_is(repo, known)
    if now != known:
        with contextlib.suppress(OSError, StateError):
            write_note(state, now, calls)


def _as_it_is(repo: Repo, known: Origin | None) -> Origin:
    place = repo.place
    times = times_of(place.common_dir)
    if known and known.shares_a_time(times):
        times = known.times
    elif known and (known.times or known.head) and not has_object(repo, known.head):
        return known  # it is taken for the same, but nothing says so
    head = (known.head if known else "") or repo.head().commit or ""
    roots = known.roots if known else ()
    if place.work_tree == MAIN and str(place.root) not in roots:
        roots = (*roots, str(place.root))
    folder = place.common_dir.stat()
    return Origin(times, head, str(place.common_dir), folder.st_ino, folder.st_dev, roots)


def has_object(repo: Repo, name: str, *, unknown: bool = False) -> bool:
    """True when the repository has this object; `unknown` is the answer when git cannot tell."""
    if not name:
        return False
    try:
        return repo.objects.find(name) is not None
    except GitFailed:
        return unknown


def put_aside(repo: Repo) -> Path | None:
    """Where the state of another repository lies now, that stood here before; None when there is none of it.

    Raises StateError when a session over it is open, or it cannot be moved.
    """
    if not _is_foreign(repo):
        return None
    state = repo.place.state
    with moving(state):
        # Put aside meanwhile by another process, it is not there any more, or ours: of a session that is open.
        return _put_aside(state) if _is_foreign(repo) else None


def moving(state: Path) -> contextlib.AbstractContextManager[None]:
    """One process at a time moves state, whichever repository it is of. Raises Locked, StateError."""
    return locked(state.with_name("moving.lock"), wait_seconds=WAIT_SECONDS, what="this repository")


def is_open(state: Path) -> bool:
    """True when a session over it is open, or something is written."""
    locks = [state / "write.lock", *journal.folder(state).glob("*.lock")]
    return any(is_locked(lock, wait_seconds=ASKED_SECONDS) for lock in locks)


def free_name(state: Path, word: str) -> Path:
    numbered: Iterator[Path] = (state.with_name(f"{state.name}-{word}-{n}") for n in itertools.count(1))
    return next(path for path in numbered if not path.exists())


def _put_aside(state: Path) -> Path:
    aside = free_name(state, "before")
    if is_open(state):
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
    origin = noted(repo.place.state)
    return origin is not None and not _is_of(origin, repo)


def _is_of(origin: Origin, repo: Repo) -> bool:
    now = times_of(repo.place.common_dir)
    # Whole seconds may be of an archive or an image, which give the same ones to all repositories.
    if origin.shares_a_time(now, precisely=bool(origin.head)):
        return True
    if origin.head:
        return has_object(repo, origin.head, unknown=True)  # nothing is moved on a guess
    return not (now and origin.times)  # nothing to tell them apart by
