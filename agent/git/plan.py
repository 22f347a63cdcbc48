"""Compares a set of writes with the work tree, and plans where each new file is prepared. Changes nothing."""

from __future__ import annotations

import errno
import secrets
import stat
from collections.abc import Iterable, Sequence

import msgspec

from agent.core.errors import PathRefused
from agent.core.events import StoredState
from agent.core.hunk import FileState, Mode, Write
from agent.core.lines.renames import find_renames
from agent.core.outcome import Drifted, Refused
from agent.core.text import name_to_bytes
from agent.git.collisions import folded
from agent.git.paths import Fenced
from agent.git.repo import Repo
from agent.git.sets import Step
from agent.git.transaction import join
from agent.io.files import TEMPORARY, Found, Parts
from agent.ports import BlobStore

WRITABLE = 0o222
HINTS = {
    errno.ENOSPC: "make room on the disk, then try again",
    errno.EDQUOT: "make room in your quota, then try again",
    errno.EACCES: "make the file and its folder writable, then try again",
    errno.EPERM: "the file or its folder is protected; make it writable, then try again",
    errno.EROFS: "the file system is mounted read-only",
    errno.ENOTDIR: "a file is where a folder would be needed",
    errno.ENAMETOOLONG: "choose a shorter name",
}


class Look(msgspec.Struct, frozen=True):
    """What was found where the set is to be written; all as the approval names it."""

    changes: tuple[Write, ...]
    """Those that change something."""
    fenced: dict[str, Fenced]
    found: dict[str, Found]


def refused(path: str, error: OSError) -> Refused:
    reason = error.strerror or str(error)
    return Refused(path, reason, HINTS.get(error.errno or 0, ""))


def compare(repo: Repo, writes: Sequence[Write], *, twins: bool) -> Look | Drifted | Refused:
    """Fence every path and compare it, bytes and mode, with what the approval was given for."""
    if len({write.path for write in writes}) != len(writes):
        return Refused(writes[0].path, "one file is written twice in one set")
    leaving = {write.path for write in writes if write.new is None}
    new = (write.path for write in writes if write.old is None)
    check_new = repo.fence.newcomers(new, leaving, twins=twins)
    fenced: dict[str, Fenced] = {}
    found: dict[str, Found] = {}
    drifted = []
    for write in writes:
        try:
            fenced[write.path] = repo.fence.check(write.path)
            if write.old is None:
                check_new(fenced[write.path])
            now = _find(repo, fenced[write.path], write, leaving)
            if (now.state if now else None) != write.old:
                drifted.append(write.path)
            if now is not None:
                found[write.path] = now
            if write.old != write.new:
                _check_place(repo, fenced[write.path], now, leaving)
        except PathRefused as error:
            return Refused(write.path, error.message, error.hint)
        except OSError as error:
            return refused(write.path, error)
        if reason := unwritable(write.new):
            return Refused(write.path, reason, "use git itself")
    if drifted:
        return Drifted(tuple(drifted))
    return Look(tuple(write for write in writes if write.old != write.new), fenced, found)


def unwritable(state: FileState | None) -> str:
    """Why no file can be made of `state`; empty when one can."""
    if state is None or state.mode in (Mode.FILE, Mode.EXECUTABLE):
        return ""
    if state.mode != Mode.SYMLINK:
        return "submodules are not written"
    return "a link cannot lead to such a name" if not state.data or b"\0" in state.data else ""


def _find(repo: Repo, fenced: Fenced, write: Write, leaving: set[str]) -> Found | None:
    parts = fenced.parts
    if write.old is None and any(join(parts[:number]) in leaving for number in range(1, len(parts))):
        # Below a file or link that the same set deletes; that one is compared by itself.
        return None
    if write.old is None and _is_folder(repo, parts):
        below = write.path + "/"
        if any(path.startswith(below) for path in leaving):
            # Its files are deleted by the same set; it must be empty when the file moves in.
            return None
    found = repo.tree.find(parts)
    if found is None or write.old is not None:
        return found
    same = any(folded(name_to_bytes(path)) == folded(name_to_bytes(write.path)) for path in leaving)
    if same and parts[-1] not in repo.tree.names(parts[:-1]):
        # A file system that ignores case shows the old name of a rename under the new one.
        return None
    return found


def _is_folder(repo: Repo, parts: Parts) -> bool:
    try:
        with repo.tree.folder(parts[:-1]) as above:
            status = repo.tree.status(above, parts[-1])
    except (FileNotFoundError, NotADirectoryError):
        return False
    return status is not None and stat.S_ISDIR(status.st_mode)


def _check_place(repo: Repo, fenced: Fenced, found: Found | None, leaving: set[str]) -> None:
    """A file where a folder is needed, or no write bit: "do not change me", also to root, whom bits do not stop."""
    hint = "make it writable (chmod u+w), then try again"
    if found is not None and stat.S_ISREG(found.status.st_mode) and not found.status.st_mode & WRITABLE:
        raise PathRefused(f"{fenced.path} is read-only", hint=hint)
    depth = _standing(repo, fenced.parts, leaving)
    with repo.tree.folder(fenced.parts[:depth]) as folder:
        if not folder.status().st_mode & WRITABLE:
            raise PathRefused(f"the folder of {fenced.path} is read-only", hint=hint)
        blocking = join(fenced.parts[: depth + 1])
        is_parent = depth < len(fenced.parts) - 1 and blocking not in leaving
        if is_parent and repo.tree.status(folder, fenced.parts[depth]) is not None:
            raise PathRefused(
                f"{blocking} is a file, so nothing can be below it", hint="delete or rename it first"
            )


def likes(look: Look) -> dict[str, Found]:
    """The file whose owner and bits each new one takes: the one it replaces, or that it was renamed from."""
    before = {write.path: write.old for write in look.changes}
    after = {write.path: write.new for write in look.changes}
    moved = find_renames(before, after)
    return dict(look.found) | {new: look.found[old] for old, new in moved.items()}


def steps(repo: Repo, look: Look, blobs: BlobStore) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """The steps in order, with their temporary names, and the folders to be made. Stores all contents."""
    token = secrets.token_hex(6)
    changed = {write.path for write in look.changes}
    made: dict[str, None] = {}
    planned = []
    for number, write in enumerate(sorted(look.changes, key=_turn)):
        parts = look.fenced[write.path].parts
        depth = _standing(repo, parts, changed)
        temporary = join((*parts[:depth], TEMPORARY + f"{token}-{number}".encode()))
        planned.append(Step(write.path, temporary, _store(write.old, blobs), _store(write.new, blobs)))
        if write.new is not None:
            made |= {
                join(parts[:n]): None for n in range(1, len(parts)) if not _stands(repo, parts[:n], changed)
            }
    return tuple(planned), tuple(made)


def _turn(write: Write) -> int:
    """Deletions make room for creations, also of a folder in place of a file."""
    return 0 if write.new is None else 1 if write.old is None else 2


def _store(state: FileState | None, blobs: BlobStore) -> StoredState | None:
    return StoredState(state.mode, blobs.put(state.data)) if state else None


def _standing(repo: Repo, parts: Parts, changed: Iterable[str]) -> int:
    """How deep the path's folders exist and stay folders: there is where its temporary file can be."""
    depth = 0
    while depth < len(parts) - 1 and _stands(repo, parts[: depth + 1], changed):
        depth += 1
    return depth


def _stands(repo: Repo, folder: Parts, changed: Iterable[str]) -> bool:
    if any(join(folder[:number]) in changed for number in range(1, len(folder) + 1)):
        return False
    try:
        with repo.tree.folder(folder):
            return True
    except (FileNotFoundError, NotADirectoryError):
        return False
