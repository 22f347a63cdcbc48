"""Reads objects through `git cat-file --batch`, which is kept open, and writes blobs. Names are object ids."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from agent.core.errors import GitFailed
from agent.git.command import Git
from agent.io.process import kill, start

AT_ONCE = 60
"""So many are asked for before the first answer is read: their names fit into the smallest pipe, of 4 KiB."""

FEW = 4
"""Fewer blobs than this are written one by one."""

AHEAD = 1 << 20
"""Bytes of answers that wait in a pipe: no more than a user may have without asking."""

HELPERS = 2
"""Processes that share a long list of objects: finding a loose one takes git longer than reading it takes us."""


class Stored(msgspec.Struct, frozen=True):
    """An object as it is stored. `kind` is `blob`, `tree`, `commit` or `tag`."""

    oid: str
    kind: str
    data: bytes


class Objects:
    """The object database of one repository. Safe to use from several threads; `close` ends the processes."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._helpers = [_CatFile(git) for _ in range(HELPERS)]
        self._lock = threading.Lock()

    def read(self, name: str) -> bytes:
        """The content of an object. Raises GitFailed when it is missing."""
        return self.read_all([name])[0]

    def read_all(self, names: Sequence[str]) -> list[bytes]:
        """The contents of objects, in order, without waiting for each. Raises GitFailed when one is missing."""
        found: list[bytes] = []
        for name, item in zip(names, self._ask([name.encode() for name in names]), strict=True):
            if item is None:
                raise GitFailed(f"the object {name} is missing from the repository", hint="see `git fsck`")
            found.append(item.data)
        return found

    def find(self, name: str) -> Stored | None:
        """What `name` (an id or any revision, without newlines) means; None when missing."""
        return None if "\n" in name else self._ask([name.encode("utf-8", "surrogateescape")])[0]

    def _ask(self, names: Sequence[bytes]) -> list[Stored | None]:
        """Each of them, None when missing."""
        groups = [names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE)]
        found: list[Stored | None] = []
        with self._lock:
            try:
                for at, group in enumerate([*groups, *[()] * (HELPERS - 1)]):
                    if group:
                        self._helpers[at % HELPERS].ask(group)
                    if at >= HELPERS - 1 and (asked := at - HELPERS + 1) < len(groups):
                        found += self._helpers[asked % HELPERS].answers(len(groups[asked]))
            except BaseException as error:
                # Whatever was asked and not read would be taken for the answers to the next question.
                self._end()
                if isinstance(error, BrokenPipeError | EOFError):
                    raise self._ended_early() from error
                raise
        return found

    def _ended_early(self) -> GitFailed:
        """`cat-file` ends at what a partial clone has not fetched: nothing here asks a server for it."""
        if self._git.run("config", "--get-regexp", r"^remote\..*\.promisor$", ok=(0, 1)):
            return GitFailed(
                "this is a partial clone that has not fetched all that is asked for",
                hint="let git fetch it first, for example by `git log -1 -p REV`",
            )
        return GitFailed("git cat-file ended too early", hint="see `git fsck`")

    def write_blob(self, data: bytes) -> str:
        """Store `data` as it is (no filter, no line ending conversion) and return its id."""
        arguments = ("-w", "--no-filters", "--stdin")
        return self._git.run("hash-object", *arguments, stdin=data).strip().decode()

    def write_blobs(self, contents: Sequence[bytes]) -> list[str]:
        """`write_blob` of each, in order; of many by one process, which reads them from a folder of ours."""
        with tempfile.TemporaryDirectory(prefix="copair-") as folder:
            if len(contents) < FEW or "\n" in folder:
                return [self.write_blob(data) for data in contents]
            paths = [Path(folder) / str(number) for number in range(len(contents))]
            for path, data in zip(paths, contents, strict=True):
                path.write_bytes(data)
            names = b"".join(os.fsencode(path) + b"\n" for path in paths)
            return (
                self._git.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names)
                .decode()
                .split()
            )

    def write_file(self, path: bytes, data: bytes) -> str:
        """Store `data` as git would store the file `path`: line endings converted, drivers off."""
        arguments = (b"-w", b"--path=" + path, b"--stdin")
        return self._git.run("hash-object", *arguments, stdin=data).strip().decode()

    def _end(self) -> None:
        for helper in self._helpers:
            helper.end()

    def close(self) -> None:
        with self._lock:
            self._end()


class _CatFile:
    """One `git cat-file --batch`, started when it is first asked and kept open."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: weakref.finalize[[subprocess.Popen[bytes]], _CatFile] | None = None

    def ask(self, names: Sequence[bytes]) -> None:
        """No more names than a pipe holds."""
        process = self._running()
        if process.stdin is None:
            raise AssertionError("started without pipes")
        process.stdin.write(b"".join(name + b"\n" for name in names))
        process.stdin.flush()

    def answers(self, count: int) -> list[Stored | None]:
        """To what was asked, None for what is missing. Raises EOFError."""
        if self._process is None or self._process.stdout is None:
            raise AssertionError("nothing was asked")
        stdout = self._process.stdout
        return [_answer(stdout) for _ in range(count)]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            argv = ["git", "cat-file", "--batch"]
            env = self._git.environment()
            self._process = start(argv, cwd=self._git.root, env=env, stderr=subprocess.DEVNULL)
            _widen(self._process.stdout)
            self._stop = weakref.finalize(self, _stop, self._process)
        return self._process

    def end(self) -> None:
        if self._stop is not None:
            self._stop()
        self._process = self._stop = None


def _widen(pipe: IO[bytes] | None) -> None:
    """Let git read ahead while what it found before is taken. Only Linux can, and grants so much to most."""
    if sys.platform == "linux" and pipe is not None:
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, AHEAD)


def _answer(stdout: IO[bytes]) -> Stored | None:
    head = stdout.readline()
    if not head:
        raise EOFError
    words = head.rstrip(b"\n").split(b" ")
    if len(words) != 3 or not words[2].isdigit():
        # "NAME missing", "NAME ambiguous"
        return None
    size = int(words[2])
    data = stdout.read(size + 1)
    if len(data) != size + 1:
        raise EOFError
    return Stored(words[0].decode(), words[1].decode(), data[:-1])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Also run when an `Objects` is forgotten, or the program ends."""
    kill(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            # What was written to it and not read yet has nowhere to go.
            with contextlib.suppress(OSError):
                pipe.close()
