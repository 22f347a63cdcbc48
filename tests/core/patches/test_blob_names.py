"""The names of blobs are those that git gives them, in repositories of both kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.patches.blob_names import EMPTY_BLOBS, Hash, blob_name, same_blob

GitIn = Callable[..., bytes]


@pytest.mark.parametrize("kind", Hash)
@pytest.mark.parametrize("data", [b"", b"one\n", b"\0\xff" * 999])
def test_git_gives_a_blob_the_same_name(tmp_path: Path, git_in: GitIn, kind: Hash, data: bytes) -> None:
    git_in(tmp_path, "init", "-q", f"--object-format={kind}")
    name = git_in(tmp_path, "hash-object", "--stdin", stdin=data).decode().strip()
    assert blob_name(data, kind) == name
    assert (name in EMPTY_BLOBS) == (data == b"")
    assert len(blob_name(None, kind)) == len(name)
    assert same_blob(data, name)
    assert same_blob(data, name[:7])
    assert not same_blob(data, name[:6])
    assert not same_blob(data + b"x", name)
