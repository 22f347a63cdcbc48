"""Content-addressed bytes in the user's state folder: bases and pre-images, kept so that undo is exact.

A blob is on the disk (fsync) before `put` returns, and is checked against its name when it is read. Blobs are
never changed; a damaged one is an error, not a guess.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from agent.core.errors import StateError
from agent.core.text import digest as digest_of
from agent.io.calls import Calls, Folder
from agent.io.paths import make_private


class Blobs:
    """ports.BlobStore in `folder`, two levels deep like git's own."""

    def __init__(self, folder: Path, calls: Calls | None = None) -> None:
        self._folder = folder
        self._calls = calls or Calls()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]

    def put(self, data: bytes, *, durable: bool = True) -> str:
        """Store and return the digest; durably, unless it can be had again elsewhere. Raises OSError and StateError."""
        digest = digest_of(data)
        path = self._path(digest)
        if not path.exists():
            make_private(path.parent)
            self._write(path, zlib.compress(data, 1), durable)
        return digest

    def _write(self, path: Path, data: bytes, durable: bool) -> None:
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        try:
            with Folder.open(path.parent) as folder:
                fd = self._calls.create(folder, os.fsencode(temporary.name), data, 0o600)
                try:
                    if durable:
                        self._calls.sync(fd)
                finally:
                    os.close(fd)
                temporary.replace(path)
                if durable:
                    self._calls.sync_folder(folder)
        finally:
            temporary.unlink(missing_ok=True)

    def get(self, digest: str) -> bytes:
        """Raises StateError when it is missing or damaged."""
        try:
            data = zlib.decompress(self._path(digest).read_bytes())
        except (OSError, zlib.error) as error:
            raise StateError(f"the saved content {digest[:12]} cannot be read: {error}") from error
        if digest_of(data) != digest:
            raise StateError(f"the saved content {digest[:12]} is damaged")
        return data
