"""Which files of the work tree a scratch tree has, and which stay out: keys, environments, what is no file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol as Interface

from agent.core.hunk import FileState, Mode
from agent.core.secrets import is_secret_path
from agent.core.testfile import is_test_path
from agent.core.text import name_from_bytes
from agent.evidence.runs.copying import stamp
from agent.git.repo import Repo

_EXAMPLES = ("example", "sample", "template", "dist", "test", "fixture")


class Listing(Interface):
    """What git says about the files of the work tree."""

    def mark(self) -> object:
        """Another value once the index has changed."""

    def tracked(self) -> list[str]: ...

    def untracked(self) -> list[str]:
        """Neither tracked nor ignored; a nested repository ends with a slash."""

    def ignored_units(self) -> list[str]:
        """Ignored files and folders, a wholly ignored folder as one name with a slash at its end."""

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` that git ignores."""


class GitListing:
    """The listing of a repository, through the narrow adapter to git."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self.tracked, self.untracked, self.ignored = repo.tracked, repo.untracked, repo.ignored

    def mark(self) -> object:
        place = self._repo.place
        files = (place.git_dir / "index", place.common_dir / "info" / "exclude", place.common_dir / "config")
        return tuple(stamp(os.fsencode(file)) for file in files)

    def ignored_units(self) -> list[str]:
        options = ("--others", "--ignored", "--exclude-standard", "--directory")
        names = self._repo.git.run("ls-files", "-z", *options).split(b"\0")[:-1]
        return [name_from_bytes(name) for name in names]


def is_environment(place: Path) -> bool:
    """A folder with installed packages: ignored by git, needed by checks."""
    return place.is_dir() and (place.name == "node_modules" or (place / "pyvenv.cfg").is_file())


def may_show(path: str, state: FileState | None) -> bool:
    """Only files below the tree, as the fence of the work tree has it too; a submodule is no file."""
    parts = path.split("/")
    is_inside = not any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    return is_inside and (state is None or state.mode != Mode.SUBMODULE)


def holds_keys(path: str, *, tracked: bool) -> bool:
    """Keys stay out. What is tracked as an example or for a test is no secret."""
    if not is_secret_path(path):
        return False
    name = path.rpartition("/")[2].lower()
    return not (tracked and (is_test_path(path) or any(word in name for word in _EXAMPLES)))
