"""Locks against other copair processes, on files in the state folder; the system frees them when a process dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import StateError
from agent.io.paths import make_private

if TYPE_CHECKING:
    from filelock import FileLock


class Locked(StateError):
    """Another copair process holds the lock."""


def lock(path: Path, *, wait_seconds: float, what: str) -> FileLock:
    """Take the lock; the caller releases it. `what` is for the message. Raises Locked, StateError."""
    from filelock import FileLock, Timeout  # here: what only reads needs no lock, and it is long to import

    make_private(path.parent)
    taken = FileLock(path, mode=0o600, thread_local=False)
    try:
        taken.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise Locked(
            f"another copair process is using {what}",
            hint="wait until it is done, or end it",
            untouched="nothing was written",
        ) from error
    except OSError as error:
        raise StateError(f"cannot lock {path}: {error.strerror}", untouched="nothing was written") from error
    return taken


@contextlib.contextmanager
def locked(path: Path, *, wait_seconds: float, what: str) -> Iterator[None]:
    """Hold the lock for a `with` block. Raises Locked, StateError."""
    taken = lock(path, wait_seconds=wait_seconds, what=what)
    try:
        yield
    finally:
        taken.release()


def is_locked(path: Path, *, wait_seconds: float = 0) -> bool:
    """True when a living process holds the lock, and for longer than `wait_seconds`: who asks this holds it too."""
    if not path.exists():
        return False
    try:
        lock(path, wait_seconds=wait_seconds, what=str(path)).release()
    except Locked:
        return True
    except StateError:
        return False  # of another user, as after a `sudo`: who wants to go on with it is told
    return False
