"""Helpers of the git tests: everything of a repository that must survive, as one comparable value."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agent.core.hunk import FileState, Mode


def file(data: bytes, mode: int = Mode.FILE) -> FileState:
    return FileState(mode, data)


def contents(root: Path, skip: tuple[bytes, ...] = (b".git",)) -> dict[str, tuple[int, bytes]]:
    """Every file below `root` with mode and bytes; forgotten temporary files show."""
    found = {}
    for folder, folders, names in os.walk(os.fsencode(root)):
        folders[:] = [name for name in folders if name not in skip]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            data = os.readlink(path) if stat.S_ISLNK(status.st_mode) else read(path)
            found[os.fsdecode(os.path.relpath(path, os.fsencode(root)))] = (status.st_mode, data)
    return found


def read(path: bytes) -> bytes:
    if not stat.S_ISREG(os.lstat(path).st_mode):
        return b""
    with open(path, "rb") as handle:
        return handle.read()
