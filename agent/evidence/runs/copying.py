"""File work below the scratch tree: stamps, copies that share blocks where the file system can, removal without links.

Never a hard link: a check that writes in place would write into the person's file. Nothing here follows a link at
the place where it writes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agent.core.hunk import FileState, Mode

Stamp = tuple[int, int, int, int, int]
"""Mode, size, modification and change time in nanoseconds, inode: equal stamps are the same bytes."""

FICLONE = 0x40049409
CLONES_NOT = {errno.EOPNOTSUPP, errno.EXDEV, errno.ENOTTY, errno.EINVAL, errno.ENOSYS, errno.EPERM}
RACY_NANOSECONDS = 50_000_000


def stamp(path: bytes) -> Stamp | None:
    """What is at `path` now, no link followed; None when nothing is, or it is a folder."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    return (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def is_settled(found: Stamp) -> bool:
    """False for a file touched so lately that another write could leave the same stamp (git's racy rule)."""
    return time.time_ns() - max(found[2], found[3]) > RACY_NANOSECONDS


class Copier:
    """Copies files; asks the file system to share blocks until it has said no once."""

    def __init__(self) -> None:
        self._clones = True

    def copy(self, source: bytes, target: bytes, *, keeps_time: bool) -> Stamp | None:
        """Make `target` a copy with the same bits; the stamp of `source`, None when it is no file."""
        found = stamp(source)
        if found is None or not (stat.S_ISREG(found[0]) or stat.S_ISLNK(found[0])):
            return None
        make_room(target)
        if stat.S_ISLNK(found[0]):
            os.symlink(os.readlink(source), target)
            return found
        flags = (
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        )
        bits = stat.S_IMODE(found[0]) & 0o777 | 0o600
        try:
            with open(source, "rb") as reading, open(os.open(target, flags, bits), "wb") as writing:
                if not self._clone(reading.fileno(), writing.fileno()):
                    shutil.copyfileobj(reading, writing, 1 << 20)
            os.chmod(target, bits)
            if keeps_time:
                os.utime(target, ns=(found[2], found[2]))
        except (FileNotFoundError, PermissionError):
            remove(target)
            return None
        return found

    def _clone(self, source: int, target: int) -> bool:
        if not self._clones:
            return False
        try:
            import fcntl

            fcntl.ioctl(target, FICLONE, source)
        except ImportError:
            self._clones = False
        except OSError as error:
            if error.errno not in CLONES_NOT:
                raise
            self._clones = False
        return self._clones


def put(target: bytes, state: FileState | None) -> None:
    """Make `target` hold exactly `state`, with a time of now so that builds see the change."""
    if state is None:
        remove(target)
        return
    make_room(target)
    if state.mode == Mode.SYMLINK:
        os.symlink(state.data, target)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    bits = 0o755 if state.mode == Mode.EXECUTABLE else 0o644
    with open(os.open(target, flags, bits), "wb") as file:
        file.write(state.data)


def make_room(target: bytes) -> None:
    """Nothing at `target`, and real folders above it: what stands in the way there is removed."""
    remove(target)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        above = os.path.dirname(target)
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        remove(above)
        os.makedirs(os.path.dirname(target), exist_ok=True)


def remove(path: bytes | Path) -> None:
    """Remove a file, a link or a whole folder, also where a check took the rights away."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except (IsADirectoryError, PermissionError):
        if not os.path.islink(path) and os.path.isdir(path):
            shutil.rmtree(path, onerror=_force)


def _force(function: Callable[..., Any], path: str, _: object) -> None:
    """A folder without rights is opened and asked again; what still stays is left to the next sweep."""
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, 0o700)
            shutil.rmtree(path, ignore_errors=True)
        else:
            function(path)


def walk(top: bytes, enter: Callable[[bytes], bool]) -> Iterator[tuple[bytes, Stamp | None]]:
    """Everything below `top` by its relative name; a folder that `enter` refuses is named with None, not entered."""
    folders = [b""]
    while folders:
        folder = folders.pop()
        for entry in _entries(os.path.join(top, folder)):
            name = folder + entry.name
            if not entry.is_dir(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield (
                    name,
                    (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino),
                )
            elif enter(name):
                folders.append(name + b"/")
            else:
                yield name, None


def _entries(folder: bytes) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except PermissionError:
        os.chmod(folder, 0o700)
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []
