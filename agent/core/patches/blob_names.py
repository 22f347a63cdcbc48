"""git's object names of blobs, in both of its hashes: told, compared, and those of nothing."""

from __future__ import annotations

import hashlib
from enum import StrEnum


class Hash(StrEnum):
    """How a repository names its objects; the values are git's own (`extensions.objectFormat`)."""

    SHA1 = "sha1"
    SHA256 = "sha256"


def blob_name(data: bytes | None, kind: Hash = Hash.SHA1) -> str:
    """The object name of a blob; zeros, as many as a name has, for a file that is absent."""
    if data is None:
        return "0" * len(blob_name(b"", kind))
    return hashlib.new(kind, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def same_blob(data: bytes, name: str) -> bool:
    """True when `name`, perhaps abbreviated, is git's object name of `data`, in either of its hashes."""
    return len(name) >= 7 and any(blob_name(data, kind).startswith(name) for kind in Hash)


EMPTY_BLOBS = tuple(blob_name(b"", kind) for kind in Hash)
"""The names of the empty blob."""
