"""Files below one root folder, reached component by component without following a link.

Reads a file as git sees it (mode and bytes), and has the steps of which an atomic write is made: a finished
temporary file, an exchange or a move that replaces nothing, the removal of what was displaced. Refuses folders
that are links, other repositories, or kept out by their identity (the git directory under any name). Names are
bytes, `parts` are the components below the root. It does not know git's index, approvals or transactions.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.io.calls import HAS_FOLDER_FDS, NO_FOLLOW, READ, Calls, Folder

Parts = tuple[bytes, ...]
TEMPORARY = b".copair-"
MAX_BYTES = 512 << 20
"""Larger files are refused: contents are held in memory."""
GIT = b".git"
LOST_ATTRIBUTE = {errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENODATA}


class BehindLink(PathRefused):
    """A folder on the way is a symbolic link."""


class Found(msgspec.Struct, frozen=True):
    """A file as it was at one moment. `status` tells whether it is still the same one, untouched."""

    state: FileState
    status: os.stat_result
    attributes: tuple[tuple[str, bytes], ...] = ()


def shown(parts: Parts) -> str:
    """The path for messages (not yet sanitised)."""
    return b"/".join(parts).decode("utf-8", "surrogateescape")


def git_mode(status: os.stat_result) -> int:
    """The mode that git stores for a regular file or a link."""
    if stat.S_ISLNK(status.st_mode):
        return Mode.SYMLINK
    return Mode.EXECUTABLE if status.st_mode & stat.S_IXUSR else Mode.FILE


def permissions(mode: int, like: int | None) -> int:
    """Permission bits for a file of git mode `mode` that takes the place of one with the bits `like`.

    Without `like` these are what `open` gets; the umask takes its part. Odd bits survive: only when
    executable changes are the x bits set (where there is an r bit) or cleared.
    """
    executable = mode == Mode.EXECUTABLE
    if like is None:
        return 0o777 if executable else 0o666
    if executable == bool(like & stat.S_IXUSR):
        return like
    return like | (like & 0o444) >> 2 if executable else like & ~0o111


class Tree:
    """The files below `root`. `kept_out` are folders that are never entered, by whatever name."""

    def __init__(self, root: Path, calls: Calls | None = None, kept_out: Sequence[Path] = ()) -> None:
        self._root = os.fsencode(root)
        self._kept_out = kept_out
        self.calls = calls or Calls()

    @contextlib.contextmanager
    def folder(self, parts: Parts) -> Iterator[Folder]:
        """The open folder `parts`. Raises PathRefused, FileNotFoundError, NotADirectoryError."""
        folder = Folder(self._root, self._open(self._root, None))
        try:
            for number, name in enumerate(parts, 1):
                inner = self._enter(folder, name, parts[:number])
                folder.close()
                folder = inner
            yield folder
        finally:
            folder.close()

    def _open(self, path: bytes, at: int | None) -> int | None:
        if not HAS_FOLDER_FDS:
            return None
        flags = os.O_RDONLY | os.O_DIRECTORY | (NO_FOLLOW if at is not None else 0)
        return os.open(path, flags, dir_fd=at)

    def _enter(self, folder: Folder, name: bytes, parts: Parts) -> Folder:
        status = self.status(folder, name)
        if status is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), shown(parts))
        if stat.S_ISLNK(status.st_mode):
            raise BehindLink(f"{shown(parts)} is a symbolic link; copair does not write through links")
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), shown(parts))
        path, at = folder.at(name)
        inner = Folder(folder.path + b"/" + name, self._open(path, at))
        try:
            self._allow(inner, parts)
        except PathRefused:
            inner.close()
            raise
        return inner

    def _allow(self, inner: Folder, parts: Parts) -> None:
        # By what was opened, not by what was looked at before: the name may have changed its meaning.
        status = os.fstat(inner.fd) if inner.fd is not None else os.lstat(inner.path)
        for kept in self._kept_out:
            # Looked at each time: our own folder may be made after we were.
            with contextlib.suppress(OSError):
                if os.path.samestat(status, kept.stat()):
                    raise PathRefused(f"{shown(parts)} belongs to git or to copair itself")
        if self.status(inner, GIT) is not None:
            raise PathRefused(f"{shown(parts)} is a repository of its own (a submodule or a nested one)")

    def status(self, folder: Folder, name: bytes) -> os.stat_result | None:
        path, at = folder.at(name)
        try:
            return os.stat(path, dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def tells_case_apart(self) -> bool:
        """Whether `a` and `A` are two files here. macOS has ways of its own to take two names for one."""
        with self.folder(()) as root:
            return sys.platform != "darwin" and self.status(root, GIT.upper()) is None

    def names(self, parts: Parts) -> list[bytes]:
        """What is in a folder. Raises as `folder`."""
        with self.folder(parts) as folder:
            listing = os.scandir(folder.fd if folder.fd is not None else folder.path)
            with listing:
                return [os.fsencode(entry.name) for entry in listing]

    def find(self, parts: Parts) -> Found | None:
        """The file `parts`, None when there is none. Raises PathRefused for what is neither file nor link."""
        try:
            with self.folder(parts[:-1]) as folder:
                return self.find_in(folder, parts[-1], parts)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def find_in(self, folder: Folder, name: bytes, parts: Parts) -> Found | None:
        status = self.status(folder, name)
        if status is None:
            return None
        path, at = folder.at(name)
        if stat.S_ISLNK(status.st_mode):
            return Found(FileState(Mode.SYMLINK, os.readlink(path, dir_fd=at)), status)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise PathRefused(f"{shown(parts)} is {kind}")
        fd = os.open(path, READ, dir_fd=at)
        with open(fd, "rb", closefd=True) as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise PathRefused(f"{shown(parts)} is no regular file")
            if status.st_size > MAX_BYTES:
                raise PathRefused(f"{shown(parts)} is larger than {MAX_BYTES >> 20} MiB")
            return Found(FileState(git_mode(status), file.read()), status, _attributes(fd))

    def prepare(self, folder: Folder, name: bytes, state: FileState, like: Found | None) -> None:
        """Make `name`, whole and durable, with the owner, bits and attributes of `like`."""
        if state.mode == Mode.SYMLINK:
            self.calls.symlink(folder, name, state.data)
            return
        keep = like if like is not None and stat.S_ISREG(like.status.st_mode) else None
        bits = permissions(state.mode, stat.S_IMODE(keep.status.st_mode) if keep else None)
        fd = self.calls.create(folder, name, state.data, 0o600 if keep else bits)
        try:
            if keep is not None:
                _adopt(fd, keep)
                self.calls.permit(fd, bits)
            self.calls.sync(fd)
        finally:
            os.close(fd)


def _attributes(fd: int) -> tuple[tuple[str, bytes], ...]:
    """Extended attributes (access lists among them); none where the system has none."""
    if not hasattr(os, "listxattr"):
        return ()
    try:
        return tuple((name, os.getxattr(fd, name)) for name in os.listxattr(fd))
    except OSError as error:
        if error.errno not in LOST_ATTRIBUTE:
            raise
        return ()


def _adopt(fd: int, like: Found) -> None:
    """Give the open file the owner, group and attributes of `like`, as far as we may."""
    mine, theirs = os.fstat(fd), like.status
    if (mine.st_uid, mine.st_gid) != (theirs.st_uid, theirs.st_gid) and hasattr(os, "fchown"):
        # Only root may give files away; the group alone can often be kept.
        with contextlib.suppress(PermissionError):
            os.fchown(fd, -1, theirs.st_gid)
        with contextlib.suppress(PermissionError):
            os.fchown(fd, theirs.st_uid, -1)
    wanted = dict(like.attributes)
    for name, _ in _attributes(fd):
        # Its folder may give a new file an access list that the old one has not.
        if name not in wanted:
            with contextlib.suppress(OSError):
                os.removexattr(fd, name)
    for name, value in wanted.items():
        try:
            os.setxattr(fd, name, value)
        except OSError as error:
            if error.errno not in LOST_ATTRIBUTE:
                raise
