"""Changes the real index the way git does: a whole new file, under `index.lock`, moved over the old one.

The change is made to a private copy by git itself, so flags, extensions and all other entries are kept as git
keeps them. If the index changed meanwhile the work is done again from the new one. The copy keeps the time of
the original, else git would overlook edits of the same second (git's Documentation/technical/racy-git). The
lock is a link to a file of ours, so that after a crash only our own lock is removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agent.core.errors import RepositoryError
from agent.io.calls import Calls, Folder
from agent.io.paths import make_private
from agent.ports import Place

TRIES = 3
OWN = "index.copair-"


class IndexBusy(RepositoryError):
    """Another git process holds the lock, or keeps changing the index."""


class IndexFile:
    """The index of one work tree."""

    def __init__(self, place: Place, calls: Calls | None = None) -> None:
        self._path = place.git_dir / "index"
        self._lock = place.git_dir / "index.lock"
        self._scratch = place.state / "scratch"
        self._calls = calls or Calls()

    @contextlib.contextmanager
    def copy(self, token: str) -> Iterator[tuple[dict[str, str], Path]]:
        """A private copy and the variables that make git use it. Removed at the end, with what git put beside it."""
        folder = make_private(self._scratch / token)
        private = folder / "index"
        try:
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(self._path, private)
            yield {"GIT_INDEX_FILE": str(private)}, private
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def change(self, token: str, edit: Callable[[Mapping[str, str]], None]) -> None:
        """Run `edit` on a copy and put the result in place. `edit` may raise, then nothing was changed.

        Raises IndexBusy, OSError.
        """
        for _ in range(TRIES):
            with self.copy(token) as (variables, private):
                before = _bytes(private)
                edit(variables)
                after = _bytes(private)
                if after == before or self._replace(token, before, after or b""):
                    return
        raise IndexBusy("the index keeps changing", hint="try again when the other git process is done")

    @contextlib.contextmanager
    def hold(self, token: str) -> Iterator[None]:
        """Hold git's own lock, as `git commit` does: no other git changes the index meanwhile, nor commits.

        Raises IndexBusy.
        """
        ready = self._ready(token)
        try:
            os.close(os.open(ready, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self._take_lock(ready)
            yield
        finally:
            self.tidy()

    def put(self, token: str, data: bytes) -> None:
        """Replace the index by `data` while `hold` is on. Raises OSError."""
        fresh = self._ready(f"{token}.new")
        bits = _permissions(self._path)
        try:
            with Folder.open(self._path.parent) as folder:
                fd = self._calls.create(folder, os.fsencode(fresh.name), data, bits)
                try:
                    self._calls.permit(fd, bits)
                    self._calls.sync(fd)
                finally:
                    os.close(fd)
                self._calls.note("index")
                fresh.replace(self._path)
                with contextlib.suppress(OSError):
                    self._calls.sync_folder(folder)
        finally:
            fresh.unlink(missing_ok=True)

    def _replace(self, token: str, before: bytes | None, after: bytes) -> bool:
        """Put `after` in place if the index still is `before`."""
        with self.hold(token):
            if _bytes(self._path) != before:
                return False
            self.put(token, after)
        return True

    def _take_lock(self, ready: Path) -> None:
        try:
            self._calls.note("lock")
            os.link(ready, self._lock)
        except FileExistsError as error:
            raise IndexBusy(
                "another git process is working with the index",
                hint=f"wait for it; if none is running, remove {self._lock}",
                untouched="the index was left as it is",
            ) from error

    def _ready(self, token: str) -> Path:
        return self._path.with_name(f"{OWN}{token}")

    def leftovers(self) -> list[Path]:
        """Our files beside the index. While copair's write lock is held they are those of a dead process."""
        return list(self._path.parent.glob(f"{OWN}*"))

    def tidy(self) -> None:
        """Remove what a change left when it was stopped: its files, and the lock if it is a link to one of them."""
        for ours in self.leftovers():
            with contextlib.suppress(FileNotFoundError):
                if self._lock.samefile(ours):
                    self._lock.unlink()
            ours.unlink(missing_ok=True)
        shutil.rmtree(self._scratch, ignore_errors=True)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _permissions(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0o644
