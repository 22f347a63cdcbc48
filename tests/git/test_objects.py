"""Objects are read in order however many are asked for, and after an answer that nobody waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.errors import GitFailed
from agent.core.hunk import Mode
from agent.git.discover import discover
from agent.git.objects import AT_ONCE, FEW, HELPERS
from agent.git.repo import Repo

GitIn = Callable[..., bytes]


@pytest.fixture
def opened(repo: Path) -> Iterator[Repo]:
    with Repo(discover(repo)) as found:
        yield found


def stored(repo: Path, git_in: GitIn, contents: list[bytes]) -> list[str]:
    """The ids of blobs with these contents."""
    folder = repo.parent / "contents"
    folder.mkdir()
    for number, data in enumerate(contents):
        (folder / str(number)).write_bytes(data)
    names = "".join(f"{folder / str(number)}\n" for number in range(len(contents)))
    oids = git_in(repo, "hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names.encode())
    return oids.decode().split()


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1, AT_ONCE * HELPERS + 1, AT_ONCE * 5 + 7])
def test_many_objects_come_in_the_order_in_which_they_were_asked_for(
    repo: Path, git_in: GitIn, opened: Repo, count: int
) -> None:
    contents = [b"%d\n" % number * (number % 3) for number in range(count)]
    oids = stored(repo, git_in, contents)
    assert opened.objects.read_all(oids) == contents
    assert opened.objects.read_all(oids[::-1]) == contents[::-1]


def test_large_objects_block_nobody(repo: Path, git_in: GitIn, opened: Repo) -> None:
    contents = [bytes([65 + number]) * 300_000 for number in range(4)]
    oids = stored(repo, git_in, contents)
    assert opened.objects.read_all(oids * AT_ONCE) == contents * AT_ONCE


@pytest.mark.parametrize("at", [0, AT_ONCE - 1, AT_ONCE, AT_ONCE * 3])
def test_a_missing_object_is_named_and_the_next_question_gets_its_own_answer(
    repo: Path, git_in: GitIn, opened: Repo, at: int
) -> None:
    contents = [b"%d\n" % number for number in range(AT_ONCE * 3)]
    oids = stored(repo, git_in, contents)
    with pytest.raises(GitFailed, match="1234567890"):
        opened.objects.read_all([*oids[:at], "1234567890" * 4, *oids[at:]])
    assert opened.objects.read_all(oids) == contents


def test_after_an_interrupted_question_the_next_one_gets_its_own_answer(
    repo: Path, git_in: GitIn, opened: Repo
) -> None:
    contents = [b"%d\n" % number for number in range(AT_ONCE * 3)]
    oids = stored(repo, git_in, contents)

    class Interrupting(str):
        __slots__ = ()

        def encode(self, *_: str) -> bytes:  # type: ignore[override]
            return Name(str.encode(self))

    class Name(bytes):
        def __add__(self, other: object) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened.objects.read_all([*oids[: AT_ONCE + 5], Interrupting(oids[-1])])
    assert opened.objects.read_all(oids) == contents


def test_files_are_checked_out_together_as_each_is_alone(repo: Path, git_in: GitIn, opened: Repo) -> None:
    (repo / ".gitattributes").write_bytes(
        b"*.txt text eol=crlf\n*.id ident\n*.wide working-tree-encoding=UTF-16LE\n"
    )
    contents = [b"a\nb\n", b"no newline", b"", b"\n", b"missing\n", b"$Id$\n", "é\n".encode(), b"\0\n\n"]
    names = ["a.txt", "b c.txt", "-d.txt", "é.txt", "x missing", "e.id", "f.wide", "bin.dat", "new\nline.txt"]
    oids = stored(repo, git_in, contents)
    entries = [(name, Mode.FILE, oid) for name in names for oid in oids if name != "f.wide" or oid == oids[6]]
    found = opened.checked_out_all([*entries, ("link.txt", Mode.SYMLINK, oids[0])])
    alone = [git_in(repo, "cat-file", "--filters", f"--path={name}", oid) for name, _, oid in entries]
    assert [state.data for state in found] == [*alone, contents[0]]
    assert found[0].data == b"a\r\nb\r\n"
    assert {state.mode for state in found[:-1]} == {Mode.FILE}


def test_a_missing_object_is_no_file_that_is_checked_out(repo: Path, git_in: GitIn, opened: Repo) -> None:
    (oid,) = stored(repo, git_in, [b"a\n"])
    with pytest.raises(GitFailed, match="missing"):
        opened.checked_out_all([("a", Mode.FILE, oid), ("b", Mode.FILE, "1234567890" * 4)])


@pytest.mark.parametrize("count", [0, 1, FEW - 1, FEW, 50])
def test_blobs_are_stored_as_they_are_however_many_there_are(
    repo: Path, git_in: GitIn, opened: Repo, count: int
) -> None:
    git_in(repo, "config", "core.autocrlf", "true")
    contents = [b"%d\r\n\0" % number * (number % 3) for number in range(count)]
    oids = opened.objects.write_blobs(contents)
    assert [git_in(repo, "cat-file", "blob", oid) for oid in oids] == contents


@pytest.mark.parametrize("name", [" x.txt", "\tx.txt", "\x0bx.txt", "x.txt\r", "x\n.txt", "x.txt "])
def test_a_file_is_checked_out_by_the_attributes_of_its_own_name(
    repo: Path, git_in: GitIn, opened: Repo, name: str
) -> None:
    (repo / ".gitattributes").write_text("* text\nx.txt eol=crlf\n")
    files = {"x.txt": b"a\r\nb\r\n", name: b"a\nb\n"}
    for path, data in files.items():
        (repo / path).write_bytes(data)
    git_in(repo, "add", "-A")
    entries = [(entry.path, entry.mode, entry.oid) for entry in opened.entries(files)]
    found = {
        entry[0]: state.data for entry, state in zip(entries, opened.checked_out_all(entries), strict=True)
    }
    assert found == files
