"""Reads objects through one `git cat-file --batch` that is kept open, and writes blobs. Names are object ids."""

from __future__ import annotations

import subprocess
import threading
import weakref

from agent.core.errors import GitFailed
from agent.git.command import Git
from agent.io.process import kill, start


class Objects:
    """The object database of one repository. Safe to use from several threads; `close` ends the process."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: weakref.finalize[[subprocess.Popen[bytes]], Objects] | None = None
        self._lock = threading.Lock()

    def read(self, name: str) -> bytes:
        """The content of an object. Raises GitFailed when it is missing."""
        found = self.find(name)
        if found is None:
            raise GitFailed(f"the object {name} is missing from the repository", hint="see `git fsck`")
        return found[1]

    def find(self, name: str) -> tuple[str, bytes] | None:
        """Type and content of what `name` (an id, or `REV:` without newlines) means; None when missing."""
        if "\n" in name:
            return None
        with self._lock:
            try:
                return self._ask(name.encode("utf-8", "surrogateescape"))
            except (BrokenPipeError, EOFError) as error:
                self._end()
                raise GitFailed("git cat-file ended too early", hint="see `git fsck`") from error

    def _ask(self, name: bytes) -> tuple[str, bytes] | None:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("started without pipes")
        process.stdin.write(name + b"\n")
        process.stdin.flush()
        head = process.stdout.readline()
        if not head:
            raise EOFError
        words = head.rstrip(b"\n").split(b" ")
        if len(words) != 3 or not words[2].isdigit():
            # "NAME missing", "NAME ambiguous"
            return None
        size = int(words[2])
        data = process.stdout.read(size + 1)
        if len(data) != size + 1:
            raise EOFError
        return words[1].decode(), data[:-1]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            argv = ["git", "cat-file", "--batch"]
            env = self._git.environment()
            self._process = start(argv, cwd=self._git.root, env=env, stderr=subprocess.DEVNULL)
            self._stop = weakref.finalize(self, _stop, self._process)
        return self._process

    def write_blob(self, data: bytes) -> str:
        """Store `data` as it is (no filter, no line ending conversion) and return its id."""
        arguments = ("-w", "--no-filters", "--stdin")
        return self._git.run("hash-object", *arguments, stdin=data).strip().decode()

    def write_file(self, path: bytes, data: bytes) -> str:
        """Store `data` as git would store the file `path`: line endings converted, drivers off."""
        arguments = (b"-w", b"--path=" + path, b"--stdin")
        return self._git.run("hash-object", *arguments, stdin=data).strip().decode()

    def _end(self) -> None:
        if self._stop is not None:
            self._stop()
        self._process = self._stop = None

    def close(self) -> None:
        with self._lock:
            self._end()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Also run when an `Objects` is forgotten, or the program ends."""
    kill(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
