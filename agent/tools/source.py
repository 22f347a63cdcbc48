"""What the read-only tools need of a repository, and the rules on what a model may see of it.

A model's path is data: it is brought into the one spelling that git uses, then looked up among the files that
git lists (tracked, or untracked and not ignored). What is not listed, or is secret by its name, is withheld.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol as Interface

import msgspec

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.core.secrets import is_secret_path, redact
from agent.core.text import line_text, name_to_bytes, sniff, split_lines
from agent.ports import Cancel

LARGE_BYTES = 8 * 1024 * 1024
NEAR_AMONG = 20_000
NEAR_PERCENT = 60
MISSING = "there is no such file"


class Hits(msgspec.Struct, frozen=True):
    """Line numbers (from 1) by path. `stopped` says why the search did not look everywhere."""

    lines: dict[str, list[int]]
    stopped: str = ""
    invalid: str = ""
    """Not empty: the pattern was not understood, and why."""


class Source(Interface):
    """Read-only view of one work tree."""

    @property
    def root(self) -> str: ...

    def names(self, under: str = "") -> Sequence[str]:
        """Files that git tracks, or would if asked: untracked and not ignored. Sorted.

        `under` is a file or folder: only it and what is below it, which costs much less in a large repository.
        """

    def read(self, path: str) -> FileState | None:
        """The file now, None when absent; no link is followed. Raises PathRefused."""

    def find(self, pattern: str, *, regex: bool, any_case: bool, under: str, cancel: Cancel) -> Hits:
        """Where a text or a regular expression occurs in text files, within a time box."""

    def recent(self, path: str, count: int) -> Sequence[str]:
        """One line for each of the last commits of `path` ("" for all), newest first."""


class Page(msgspec.Struct, frozen=True):
    """A text file as a model may see it: lines without endings, secrets withheld."""

    path: str
    lines: tuple[str, ...]
    digest: str
    secrets: int = 0
    crlf: bool = False


class Unseen(msgspec.Struct, frozen=True):
    """Why a file is not shown. `withheld`: it exists and was kept back on purpose."""

    path: str
    reason: str
    withheld: bool = False


def normal(path: str, root: str) -> str | None:
    """A model's spelling of a path as git spells it, "" for the top; None when it is not inside."""
    text = path.strip().strip("`")
    if text.startswith("/"):
        top = root.rstrip("/") + "/"
        if not (text + "/").startswith(top):
            return None
        text = text[len(top) :]
    clean = posixpath.normpath(text) if text else "."
    if clean == ".." or clean.startswith(("../", "/")) or "\0" in clean:
        return None
    return "" if clean == "." else clean


def shown(path: str) -> str:
    """A path for a model: bytes that are not UTF-8 as escapes, because no wire carries them."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class View:
    """One look at a work tree: the files that git listed when it was made, and their text as it is now."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._below: dict[str, tuple[str, ...]] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All listed files."""
        return tuple(self.source.names())

    @cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(self.names)

    def __contains__(self, path: str) -> bool:
        return path in self._all if "names" in self.__dict__ else path in self.below(path)

    def below(self, path: str) -> tuple[str, ...]:
        """The listed file `path`, or those in the folder `path`."""
        if not path:
            return self.names
        if path not in self._below:
            self._below[path] = tuple(self.source.names(path))
        return self._below[path]

    def is_folder(self, path: str) -> bool:
        return not path or any(name != path for name in self.below(path))

    def exists(self, path: str) -> bool:
        return self._size(path) is not None

    def _size(self, path: str) -> int | None:
        try:
            return os.lstat(os.fsencode(self.source.root) + b"/" + name_to_bytes(path)).st_size
        except (OSError, ValueError):
            return None

    def near(self, path: str, count: int = 3) -> list[str]:
        """Listed files that may have been meant: the same name elsewhere first, then similar ones."""
        last = PurePosixPath(path).name
        open_names = [name for name in self.names if not is_secret_path(name)]
        same = [name for name in open_names if PurePosixPath(name).name == last]
        if same:
            return same[:count]
        from rapidfuzz import fuzz, process  # here: few names are wrong, and it is long to import

        similar = process.extract(
            path, open_names[:NEAR_AMONG], scorer=fuzz.ratio, limit=count, score_cutoff=NEAR_PERCENT
        )
        return [name for name, _, _ in similar]

    def page(self, path: str) -> Page | Unseen:
        """The text of one file, or why it is not shown."""
        if is_secret_path(path):
            return Unseen(path, "its name is one of files that hold keys", withheld=True)
        size = self._size(path)
        if size is None:
            return Unseen(path, MISSING)
        if path not in self:
            reason = (
                "it is a folder"
                if self.is_folder(path)
                else "git ignores it, or it is not of this repository"
            )
            return Unseen(path, reason, withheld=not self.is_folder(path))
        if size > LARGE_BYTES:
            return Unseen(path, f"it is too large ({size:,} bytes); search it instead")
        try:
            state = self.source.read(path)
        except PathRefused as refused:
            return Unseen(path, refused.message, withheld=True)
        return Unseen(path, MISSING) if state is None else _opened(path, state)


def _opened(path: str, state: FileState) -> Page | Unseen:
    if state.mode == Mode.SYMLINK:
        target = state.data.decode("utf-8", "backslashreplace")
        return Unseen(path, f"it is a symbolic link to {target}, which is not followed")
    if state.mode == Mode.SUBMODULE:
        return Unseen(path, "it is a submodule")
    encoding = sniff(state.data)
    if encoding is None:
        return Unseen(path, f"it is binary ({len(state.data):,} bytes)")
    raw = split_lines(state.data, encoding)
    lines = [line_text(line, encoding) for line in raw]
    if lines:
        lines[0] = lines[0].removeprefix("\ufeff")
    text, secrets = redact("\n".join(lines))
    crlf = bool(raw) and raw[0].decode(encoding.codec, "replace").endswith("\r\n")
    return Page(path, tuple(text.split("\n")) if lines else (), state.digest, secrets, crlf)
