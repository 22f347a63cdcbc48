"""Seals every test off: home, state, git configuration, dates, editor, keys and terminal of the machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared", settings(), deadline=None)
settings.load_profile("shared")  # machines are shared: no random trial fails because it was slow

KEPT = {
    "PATH",
    "LANG",
    "TMPDIR",
    "SYSTEMROOT",
    "VIRTUAL_ENV",
    "CI",
    "COPAIR_ENGINE",
    "PYTHONHASHSEED",
    "LD_LIBRARY_PATH",
}


@pytest.fixture(autouse=True)
def hermetic_seal(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A home of its own for each test; nothing of the machine's configuration or keys is seen."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name not in KEPT and not name.startswith("PYTEST"):
            monkeypatch.delenv(name)
    values = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_DATE": "1700000000 +0000",
        "GIT_EDITOR": ":",
        "EDITOR": ":",
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n"
    )
    yield home


@pytest.fixture
def git_in() -> Callable[..., bytes]:
    """`git_in(folder, "status", "--porcelain")`: run the real git there and return what it printed."""

    def run(folder: Path, *arguments: str | bytes, stdin: bytes = b"", check: bool = True) -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=check
        ).stdout

    return run


@pytest.fixture
def repo(tmp_path: Path, git_in: Callable[..., bytes]) -> Path:
    """An empty repository (unborn branch) with a folder of its own."""
    root = tmp_path / "repo"
    root.mkdir()
    git_in(root, "init", "-q")
    return root
