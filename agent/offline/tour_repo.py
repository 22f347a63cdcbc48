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

from agent.core.errors import GitFailed
from agent.io.process import run, start

SUBJECT = "Start the shop"
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


def _commit(root: Path) -> None:
    """git with an identity for these calls alone, and without the person's configuration, template and hooks."""
    kept = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
    env = {name: os.environ[name] for name in kept if name in os.environ} | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "HOME": str(root),
        "GIT_AUTHOR_NAME": "copair tour",
        "GIT_AUTHOR_EMAIL": "tour@copair.invalid",
        "GIT_COMMITTER_NAME": "copair tour",
        "GIT_COMMITTER_EMAIL": "tour@copair.invalid",
    }
    _git(root, env, "init", "-q", "--template=", "--initial-branch=main")
    info = root / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "exclude").write_text(EXCLUDED, encoding="utf-8")
    _git(root, env, "add", "--all")
    _git(root, env, "commit", "-q", "--no-gpg-sign", "-m", SUBJECT)


def _git(root: Path, env: dict[str, str], *arguments: str) -> None:
    ran = run(["git", *arguments], cwd=root, env=env, timeout_seconds=60)
    if ran.status != 0:
        raise GitFailed(f"git {arguments[0]} failed in {root}", stderr=ran.stderr, status=ran.status)
