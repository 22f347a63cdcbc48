"""The tools over a real repository."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.git.command import Git
from agent.tools.toolbox import Tools
from agent.tools.worktree import WorkTree


def plain_reader(root: Path) -> Callable[[str], FileState | None]:
    def read(path: str) -> FileState | None:
        full = os.fsencode(root) + b"/" + path.encode("utf-8", "surrogateescape")
        parent = os.path.dirname(full)
        if os.path.realpath(parent) != parent:
            raise PathRefused(f"{path} lies behind a symbolic link")
        try:
            mode = os.lstat(full).st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(mode):
            return FileState(Mode.SYMLINK, os.readlink(full))
        return FileState(Mode.FILE, Path(os.fsdecode(full)).read_bytes())

    return read


@pytest.fixture
def source(repo: Path) -> WorkTree:
    return WorkTree(Git(repo, repo / ".git", repo / ".git"), plain_reader(repo))


@pytest.fixture
def tools(source: WorkTree) -> Tools:
    return Tools(source)
