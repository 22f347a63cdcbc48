"""Finds the state of a repository that was moved, and takes it to where the repository stands now.

Looked for only where a repository has no state of its own yet, and by what is noted in the others (`origin_note`).
Taken is what is certainly its own: that of the very folder, which kept its number on the disk, or of one that went to
another disk and left nothing behind. What may as well be of a copy is only told of. Never taken: state whose noted
place still holds the repository, or over which a session is open; and nothing is put to sessions that are here already.

The folder is moved in one step, and what is noted in it afterwards: a note of another place is what is left to do.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agent.core.errors import StateError
from agent.git.origin import free_name, has_object, is_open, moving, note_origin
from agent.git.origin_note import NAME, SECOND, Origin, noted, parsed, times_of, write_note
from agent.git.repo import Repo
from agent.io import journal
from agent.io.calls import Calls
from agent.io.locks import Locked
from agent.io.paths import state_name

FOLDERS = re.compile(r"[0-9a-f]{32}(-before-[0-9]+)?")
BEGUN = frozenset((NAME, "write.lock", "history"))
"""All that is in state in which nothing was done yet, beside an empty folder of sessions."""


class Found(msgspec.Struct, frozen=True):
    """State of a repository that does not stand any more where the state says."""

    state: Path
    origin: Origin
    is_sure: bool


def follow(repo: Repo, calls: Calls | None = None) -> list[str]:
    """Take over what is of this repository. What the person is to be told: sentences.

    Raises StateError when a session over it is open, or it cannot be moved.
    """
    calls = calls or Calls()
    state, here = repo.place.state, str(repo.place.common_dir)
    own, unused = noted(state), _is_unused(state)
    told = []
    if unused or own is None or not own.path:
        found = _find(repo)
        if unused and found and found[0].is_sure:
            found = _take(repo, calls)
            unused = False
        told = [_words(one, state, unused=unused) for one in found]
        own = noted(state)
    if own and own.path and own.path != here:
        note_origin(repo, calls)
        came = f"this repository was at {_work_tree(own.path)}; its sessions and checks come with it"
        told.insert(0, came)
    return told


def _words(one: Found, here: Path, *, unused: bool) -> str:
    subject = "this repository" if one.is_sure else "this repository, or one that it is a copy of,"
    old = _work_tree(one.origin.path)
    if not unused:
        return f"{subject} has other sessions, from when it was at {old}: they are kept in {one.state}"
    first = f"move {here} away, and then " if here.exists() else ""
    return (
        f"{subject} was at {old}: its sessions are kept in {one.state}; "
        f"to have them here, {first}rename that folder to {here}"
    )


def _take(repo: Repo, calls: Calls) -> list[Found]:
    """Move the state that is surely ours to its place, if no other process did it; what else there is."""
    state = repo.place.state
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(moving(state))
        except Locked:
            raise
        except StateError as error:
            raise _cannot(_find(repo)[0], error.message) from error
        found = _find(repo)
        if not (found and found[0].is_sure and _is_unused(state)):
            return []
        try:
            _move(found[0], state, calls)
        except OSError as error:
            raise _cannot(found[0], error.strerror or str(error)) from error
        return found[1:]


def _cannot(one: Found, reason: str) -> StateError:
    return StateError(
        f"the sessions from when this repository was at {_work_tree(one.origin.path)} "
        f"cannot be taken here from {one.state}: {reason}",
        hint="make the state folder writable",
        untouched="they are there as they were",
    )


def _move(one: Found, state: Path, calls: Calls) -> None:
    """Raises OSError, StateError."""
    if is_open(one.state):
        raise StateError(
            f"a copair session from when this repository was at {_work_tree(one.origin.path)} is still open",
            hint="end it first; then its sessions come here",
            untouched="nothing was touched",
        )
    if noted(one.state) != one.origin:
        write_note(one.state, one.origin, calls)  # its name tells where it was, and is lost by the move
    if state.exists():
        calls.note("rename")
        state.rename(free_name(state, "unused"))
    calls.note("rename")
    one.state.rename(state)


def _find(repo: Repo) -> list[Found]:
    """State of what was this repository, or may have been, elsewhere: the sure ones first, then the newest."""
    own, now = repo.place.state, times_of(repo.place.common_dir)
    found = []
    for state, noted_there in _of_these_times(own, now):
        origin = _placed(noted_there, state)
        if origin.path and _is_gone(origin, repo) and not _is_unused(state):
            is_sure = _is_sure(origin, repo, now)
            if is_sure is not None:
                found.append(Found(state, origin, is_sure))
    return sorted(found, key=lambda one: (one.is_sure, _newest(one.state)), reverse=True)


def _of_these_times(own: Path, now: dict[str, int]) -> Iterator[tuple[Path, Origin]]:
    marks = [b"%d" % time for time in now.values()]
    for path in sorted(own.parent.glob(f"*/{NAME}")):
        if path.parent == own or not FOLDERS.fullmatch(path.parent.name):
            continue
        with contextlib.suppress(OSError):
            data = path.read_bytes()
            # There may be thousands, and all but one are of others.
            origin = parsed(data) if any(mark in data for mark in marks) else None
            if origin is not None and origin.shares_a_time(now):
                yield path.parent, origin


def _placed(origin: Origin, state: Path) -> Origin:
    """With the place that an older version did not note: the one of a session, where the name of the folder proves it."""
    if origin.path:
        return origin
    for info in journal.sessions(state):
        path = os.path.join(info.root, ".git")  # noqa: PTH118 - as it was, nothing is resolved or put right
        if state.name.startswith(state_name(os.fsencode(path))):
            return msgspec.structs.replace(origin, path=path, roots=(info.root,))
    return origin


def _is_gone(origin: Origin, repo: Repo) -> bool:
    """True when nothing is there any more, or another repository, or what leads to this one."""
    path = Path(origin.path)
    try:
        if path.samefile(repo.place.common_dir):
            return True
        (path / "HEAD").lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # who cannot look does not know
    there = times_of(path)
    return bool(there) and not origin.shares_a_time(there)


def _is_sure(origin: Origin, repo: Repo, now: dict[str, int]) -> bool | None:
    """True when it is certainly the same repository, False when it may be a copy, None when it is neither."""
    folder = repo.place.common_dir.stat()
    proves = origin.shares_a_time(now, precisely=bool(origin.head)) or has_object(repo, origin.head)
    if proves and origin.inode and origin.inode == folder.st_ino:
        return True
    if not origin.shares_all_times(now) or (origin.head and not has_object(repo, origin.head)):
        return None
    same_disk = origin.inode != 0 and origin.device == folder.st_dev
    precise = any(time % SECOND for time in origin.times.values())
    return bool(origin.head) and precise and not same_disk and _is_left(origin)


def _is_left(origin: Origin) -> bool:
    """True when there is nothing at the noted place, and the disk that it was on is there to say so."""
    if os.path.lexists(origin.path):
        return False
    above = next((folder for folder in Path(origin.path).parents if folder.exists()), None)
    return not origin.device or (above is not None and above.stat().st_dev == origin.device)


def _is_unused(state: Path) -> bool:
    """True when nothing was done in it yet."""
    try:
        names = {path.name for path in state.iterdir()}
        left = {path.name for path in journal.folder(state).iterdir()} if "sessions" in names else set()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return names <= BEGUN | {"sessions"} and all(name.endswith(".lock") for name in left)


def _newest(state: Path) -> float:
    return max((info.time for info in journal.sessions(state)), default=0.0)


def _work_tree(path: str) -> Path:
    """Where a person knows the repository with this git directory to be."""
    return Path(path).parent if Path(path).name == ".git" else Path(path)
