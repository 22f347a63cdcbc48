"""Content-addressed bytes in the user's state folder: bases and pre-images, kept so that undo is exact.

A blob is on the disk (fsync) before `put` returns, and is checked against its name when it is read. Blobs are
never changed; a damaged one is an error, not a guess. Many that are put together share one file, a pack: a line of
JSON with the place of each, then their bytes.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from agent.core.errors import StateError
from agent.core.text import digest as digest_of
from agent.io import durable
from agent.io.calls import Calls
from agent.io.paths import make_private

PACKED = 32
"""From so many on they share a file: making a file costs more than compressing what is in it."""

Places = dict[str, tuple[int, int]]
"""Digest to start (behind the first line) and length of the compressed bytes."""


class Blobs:
    """ports.BlobStore in `folder`, two levels deep like git's own."""

    def __init__(self, folder: Path, calls: Calls | None = None) -> None:
        self._folder = folder
        self._calls = calls or Calls()
        self._packs: dict[Path, Places] = {}

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]

    def put(self, data: bytes) -> str:
        """Store and return the digest. Raises OSError and StateError."""
        digest = digest_of(data)
        path = self._path(digest)
        if not path.exists():
            make_private(path.parent)
            durable.replace(path, zlib.compress(data, 1), self._calls)
        return digest

    def put_all(self, contents: Sequence[bytes]) -> list[str]:
        """Store all and return their digests; many as one pack. Raises OSError and StateError."""
        if len(contents) < PACKED:
            return [self.put(data) for data in contents]
        digests = [digest_of(data) for data in contents]
        places: Places = {}
        packed: list[bytes] = []
        at = 0
        for digest, data in zip(digests, contents, strict=True):
            if digest not in places:
                packed.append(zlib.compress(data, 1))
                places[digest] = at, len(packed[-1])
                at += len(packed[-1])
        head = msgspec.json.encode(places)
        path = self._folder / "packs" / digest_of(head)
        if not path.exists() or path.stat().st_size != len(head) + 1 + at:
            make_private(path.parent)
            durable.replace(path, b"".join([head, b"\n", *packed]), self._calls)
        return digests

    def get(self, digest: str) -> bytes:
        """Raises StateError when it is missing or damaged."""
        try:
            data = zlib.decompress(self._packed(digest) or self._path(digest).read_bytes())
        except (OSError, zlib.error) as error:
            raise StateError(f"the saved content {digest[:12]} cannot be read: {error}") from error
        if digest_of(data) != digest:
            raise StateError(f"the saved content {digest[:12]} is damaged")
        return data

    def _packed(self, digest: str) -> bytes:
        """The compressed bytes of a blob that lies in a pack; empty when it does not. Raises OSError."""
        if self._path(digest).exists():
            return b""
        for path in sorted(self._folder.glob("packs/" + "[0-9a-f]" * len(digest))):
            if path not in self._packs:
                self._packs[path] = _places(path)
            start, length = self._packs[path].get(digest, (0, 0))
            if length:
                with path.open("rb") as pack:
                    pack.readline()
                    pack.seek(start, os.SEEK_CUR)
                    return pack.read(length)
        return b""


def _places(path: Path) -> Places:
    """What a pack holds; nothing when it is damaged."""
    try:
        with path.open("rb") as pack:
            return msgspec.json.decode(pack.readline(), type=Places)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError):
        return {}
