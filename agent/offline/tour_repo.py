"""The throw-away repository of `copair tour`: a copy of the example, committed, and gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import git
from gitdb.db import LooseObjectDB

from agent.io.process import start

SUBJECT = "Start the shop"
GUIDE = git.Actor("copair tour", "tour@copair.invalid")
PREFIX = "copair-tour-"
WATCHER = "import shutil, sys; sys.stdin.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"
"""Its standard input ends when the process that holds the other end does."""
NO_COPY = shutil.ignore_patterns("__pycache__", ".*_cache", ".git")
EXCLUDED = "__pycache__/\n.pytest_cache/\n.ruff_cache/\n"


@contextmanager
def prepare_tour() -> Iterator[tuple[Path, Path]]:
    """A fresh repository with one commit, and a folder for the state of the tour's session.

    Both are in one temporary folder that is removed on leaving, however this process ends.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder, _watched(folder):
        root, state = Path(folder).resolve() / "shop", Path(folder).resolve() / "state"
        state.mkdir()
        packaged = resources.files("agent") / "_tour"
        if packaged.is_dir():
            with resources.as_file(packaged) as example:
                shutil.copytree(example, root, ignore=NO_COPY)
        else:
            shutil.copytree(Path(__file__).resolve().parents[2] / "examples" / "tour", root, ignore=NO_COPY)
        with _no_git_variables():
            _commit(root)
        yield root, state


@contextmanager
def _watched(folder: str) -> Iterator[None]:
    """A process of its own that removes `folder` once we are gone: also after a hang-up or SIGKILL."""
    argv = [sys.executable, "-I", "-S", "-c", WATCHER, folder]
    env = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    watcher = start(argv, cwd=Path(folder).parent, env=env, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        watcher.communicate()


@contextmanager
def _no_git_variables() -> Iterator[None]:
    """GitPython and git follow GIT_DIR and its like: started from a hook, they would lead into the person's repository."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
    os.environ["GIT_CONFIG_GLOBAL"] = os.environ["GIT_CONFIG_SYSTEM"] = os.devnull
    try:
        yield
    finally:
        del os.environ["GIT_CONFIG_GLOBAL"], os.environ["GIT_CONFIG_SYSTEM"]
        os.environ.update(kept)


def _commit(root: Path) -> None:
    """One commit by GitPython, in its own process: no template, no hook, no signing, and no identity of the person."""
    # The option counts as unsafe because a template brings hooks; this one is empty, so that the person's brings none.
    repository = git.Repo.init(
        root, odbt=LooseObjectDB, template="", initial_branch="main", allow_unsafe_options=True
    )
    try:
        info = root / ".git" / "info"
        info.mkdir(exist_ok=True)
        (info / "exclude").write_text(EXCLUDED, encoding="utf-8")
        files = sorted(path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
        repository.index.add([path.relative_to(root).as_posix() for path in files])
        repository.index.commit(SUBJECT, author=GUIDE, committer=GUIDE, skip_hooks=True)
    finally:
        repository.close()
