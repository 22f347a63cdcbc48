"""What the blob store gives back is exactly what was put, or an error."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import StateError
from agent.io.blobs import PACKED, Blobs
from agent.io.calls import Calls


@given(st.binary(max_size=300))
def test_what_was_put_comes_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"))
    assert blobs.get(blobs.put(data)) == data
    assert blobs.get(blobs.put(data)) == data


@given(st.lists(st.binary(max_size=40), min_size=PACKED, max_size=2 * PACKED))
def test_many_come_back_from_one_file(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("blobs")
    digests = Blobs(folder).put_all(contents)
    assert Blobs(folder).put_all(contents) == digests
    assert [Blobs(folder).get(name) for name in digests] == contents
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1


def test_a_damaged_pack_is_never_believed(tmp_path: Path) -> None:
    contents = [b"%d" % number for number in range(PACKED)]
    digests = Blobs(tmp_path).put_all(contents)
    (pack,) = (path for path in tmp_path.rglob("*") if path.is_file())
    whole = pack.read_bytes()
    for damaged in (b"", whole[:10], whole[:-1], b'{"\xff": [0, 1]}\n', whole[:5] + b"\xff" + whole[6:]):
        pack.write_bytes(damaged)
        with pytest.raises(StateError):
            Blobs(tmp_path).get(digests[-1])
    pack.write_bytes(whole[:-1])
    assert Blobs(tmp_path).put_all(contents) == digests
    assert [Blobs(tmp_path).get(name) for name in digests] == contents


def test_blobs_are_private(tmp_path: Path) -> None:
    Blobs(tmp_path / "state" / "blobs").put(b"secret")
    Blobs(tmp_path / "state" / "blobs").put_all([b"secret"] * PACKED)
    for path in (tmp_path / "state", *(tmp_path / "state").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0


def test_a_missing_blob_is_a_state_error(tmp_path: Path) -> None:
    with pytest.raises(StateError):
        Blobs(tmp_path).get("0" * 64)


def test_a_damaged_blob_is_never_returned(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    one, two = blobs.put(b"one"), blobs.put(b"two")
    first = next((tmp_path / one[:2]).iterdir())
    first.write_bytes(next((tmp_path / two[:2]).iterdir()).read_bytes())
    with pytest.raises(StateError, match="damaged"):
        blobs.get(one)


def test_a_full_disk_leaves_no_half_blob(tmp_path: Path) -> None:
    def full(name: str) -> None:
        if name == "write":
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        Blobs(tmp_path, Calls(full)).put(b"data")
    with pytest.raises(OSError, match="No space"):
        Blobs(tmp_path, Calls(full)).put_all([b"data"] * PACKED)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_two_threads_may_put_the_same_bytes_at_once(tmp_path: Path) -> None:
    wait = threading.Barrier(2, timeout=5)

    def together(name: str) -> None:
        if name == "sync":
            wait.wait()

    with ThreadPoolExecutor(2) as pool:
        puts = [pool.submit(Blobs(tmp_path, Calls(together)).put, b"data") for _ in range(2)]
        assert len({put.result() for put in puts}) == 1
    assert Blobs(tmp_path).get(puts[0].result()) == b"data"
    assert list(tmp_path.rglob("*.tmp")) == []
