"""Tells which files below a folder were touched, by the kernel's word (Linux inotify): cost follows the change.

Also tells of writes through another mount of the same folder, as the sandbox has one. A writable memory map is told
when its file is closed. Where there is no inotify, or it lost count, `touched` says None: then everything is looked at.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable

MASK = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800  # modify .. move_self
OVERFLOW = 0x4000
ONLY_FOLDER = 0x01000000
HEAD = struct.Struct("iIII")


class Watch:
    """Watches the folders `names` (relative, b"" for the top) below `top`; not what is made in new folders."""

    def __init__(self, top: bytes) -> None:
        self._top = top
        self._library = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
        self._fd = (
            self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC) if self._library is not None else -1
        )
        self._folders: dict[int, bytes] = {}
        self._watched: set[bytes] = set()
        self._is_sure = self._fd >= 0

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._is_sure = -1, False

    def follow(self, folders: Iterable[bytes]) -> None:
        """Watch these folders too. A folder that was watched and made anew is watched anew."""
        for folder in folders:
            if folder not in self._watched and self._is_sure and self._library is not None:
                path = os.path.join(self._top, folder)
                watch = self._library.inotify_add_watch(self._fd, path, MASK | ONLY_FOLDER)
                if watch < 0:
                    self._is_sure = False  # no such folder, or too many watches for this user
                    return
                self._folders[watch] = folder
                self._watched.add(folder)

    def touched(self) -> set[bytes] | None:
        """Names touched since the last call, files and folders; None when that is not known."""
        if not self._is_sure:
            return None
        names: set[bytes] = set()
        while block := self._read():
            offset = 0
            while offset < len(block):
                watch, mask, _, length = HEAD.unpack_from(block, offset)
                name = block[offset + HEAD.size : offset + HEAD.size + length].rstrip(b"\0")
                offset += HEAD.size + length
                folder = self._folders.get(watch)
                if mask & OVERFLOW or folder is None or not name:
                    # Lost count, or a watched folder itself was changed, moved or removed.
                    self._is_sure = False
                    return None
                names.add(folder + b"/" + name if folder else name)
        return names

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return b""
