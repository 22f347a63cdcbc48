"""The system calls that change files, each behind one method: the seam where tests fail or kill us.

A name is always given with its open folder, so nothing here walks a path. `exchange` and `move_new` never
destroy what lies at the target: they are renameat2 on Linux and renameatx_np on macOS (untested), and are made
of link and rename where the system has neither (Windows: untested), with a short window that the callers check.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
READ = os.O_RDONLY | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW | getattr(os, "O_BINARY", 0)
HAS_FOLDER_FDS = os.open in os.supports_dir_fd
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}

_Rename = Callable[[int, bytes, int, bytes, int], int]


class Folder:
    """An open folder. Its names are reached through its descriptor, or by path where that cannot be done."""

    def __init__(self, path: bytes, fd: int | None) -> None:
        self.path = path
        self.fd = fd

    def at(self, name: bytes) -> tuple[bytes, int | None]:
        """`name` as the `os` functions want it: what to pass as path and as dir_fd."""
        return (name, self.fd) if self.fd is not None else (self.path + b"/" + name, None)

    def status(self) -> os.stat_result:
        return os.fstat(self.fd) if self.fd is not None else os.lstat(self.path)

    @classmethod
    def open(cls, path: Path) -> Folder:
        """A folder of our own, by its path; close it. Folders of a repository are opened by `files.Tree`."""
        return cls(os.fsencode(path), os.open(path, os.O_RDONLY | os.O_DIRECTORY) if HAS_FOLDER_FDS else None)

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@cache
def _library_rename() -> tuple[_Rename, int, int] | None:
    """The rename with flags of this system, and its flags for "do not replace" and "exchange"."""
    if not HAS_FOLDER_FDS or sys.platform not in ("linux", "darwin"):
        return None
    import ctypes  # here: what only reads needs none of it

    name, no_replace, exchange = ("renameat2", 1, 2) if sys.platform == "linux" else ("renameatx_np", 4, 2)
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return function, no_replace, exchange


class Calls:
    """`before(name)` runs ahead of each call; it may raise OSError, or end the process."""

    def __init__(self, before: Callable[[str], None] = lambda name: None, *, flags: bool = True) -> None:
        self._before = before
        self._flags = flags

    def note(self, name: str) -> None:
        """A change that is made elsewhere (a record in the state folder) counts as a call too."""
        self._before(name)

    def create(self, folder: Folder, name: bytes, data: bytes, permissions: int) -> int:
        """Create `name` with `data`; the descriptor stays open for `fsync` and modes."""
        self._before("create")
        path, at = folder.at(name)
        fd = os.open(path, CREATE, permissions, dir_fd=at)
        try:
            view = memoryview(data)
            while view:
                self._before("write")
                view = view[os.write(fd, view) :]
        except BaseException:
            os.close(fd)
            raise
        return fd

    def symlink(self, folder: Folder, name: bytes, target: bytes) -> None:
        self._before("symlink")
        path, at = folder.at(name)
        os.symlink(target, path, dir_fd=at)

    def permit(self, fd: int, permissions: int) -> None:
        self._before("permit")
        if hasattr(os, "fchmod"):
            os.fchmod(fd, permissions)

    def sync(self, fd: int) -> None:
        self._before("sync")
        os.fsync(fd)

    def sync_folder(self, folder: Folder) -> None:
        self._before("sync_folder")
        if folder.fd is not None:
            os.fsync(folder.fd)

    def make_folder(self, folder: Folder, name: bytes) -> None:
        self._before("make_folder")
        path, at = folder.at(name)
        os.mkdir(path, dir_fd=at)

    def remove_folder(self, folder: Folder, name: bytes) -> None:
        self._before("remove_folder")
        path, at = folder.at(name)
        os.rmdir(path, dir_fd=at)

    def remove(self, folder: Folder, name: bytes) -> None:
        self._before("remove")
        path, at = folder.at(name)
        os.unlink(path, dir_fd=at)

    def move_new(self, source: Folder, name: bytes, target: Folder, new_name: bytes) -> None:
        """Rename; FileExistsError when `new_name` exists already."""
        self._before("move_new")
        if self._flagged(source, name, target, new_name, exchange=False):
            return
        if self._link(source, name, target, new_name):
            self.remove(source, name)

    def exchange(self, source: Folder, name: bytes, target: Folder, other: bytes) -> None:
        """Both names change their files in one step; FileNotFoundError when one is missing."""
        self._before("exchange")
        if self._flagged(source, name, target, other, exchange=True):
            return
        aside = name + b"~"
        self._link(target, other, source, aside)
        self._before("exchange-rename")
        self._replace(source, name, target, other)
        self._before("exchange-aside")
        self._replace(source, aside, source, name)

    def _flagged(self, source: Folder, name: bytes, target: Folder, other: bytes, *, exchange: bool) -> bool:
        rename = _library_rename() if self._flags else None
        if rename is None or source.fd is None or target.fd is None:
            return False
        import ctypes  # imported already

        function, no_replace, swap = rename
        if function(source.fd, name, target.fd, other, swap if exchange else no_replace) == 0:
            return True
        code = ctypes.get_errno()
        if code in UNSUPPORTED:
            # The file system has no such flag (EPERM is also "not allowed": the fallback says it again).
            return False
        raise OSError(code, os.strerror(code), os.fsdecode(other))

    def _link(self, source: Folder, name: bytes, target: Folder, new_name: bytes) -> bool:
        """Link, or move where there are no hard links; True when the old name is still there."""
        (old, old_at), (new, new_at) = source.at(name), target.at(new_name)
        try:
            os.link(old, new, src_dir_fd=old_at, dst_dir_fd=new_at, follow_symlinks=False)
            return True
        except (NotImplementedError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in UNSUPPORTED:
                raise
        with contextlib.suppress(FileNotFoundError):
            os.stat(new, dir_fd=new_at, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fsdecode(new_name))
        os.rename(old, new, src_dir_fd=old_at, dst_dir_fd=new_at)
        return False

    def _replace(self, source: Folder, name: bytes, target: Folder, new_name: bytes) -> None:
        (old, old_at), (new, new_at) = source.at(name), target.at(new_name)
        os.replace(old, new, src_dir_fd=old_at, dst_dir_fd=new_at)
