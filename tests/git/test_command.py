"""A run of git that gives no whole answer is an error that says why, and is never taken for an answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.errors import RepositoryError
from agent.git.command import execute
from agent.io.process import Ran

ENV = {"PATH": os.environ["PATH"]}


def test_a_folder_that_is_gone_is_said_and_not_taken_for_a_missing_git(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="there is no such folder") as caught:
        execute(["--version"], cwd=tmp_path / "gone", env=ENV)
    assert "install" not in caught.value.hint


def test_a_missing_git_is_to_be_installed(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="cannot be run") as caught:
        execute(["--version"], cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert "install git" in caught.value.hint


def test_what_git_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho one\nsleep 20 2>/dev/null &\n")
    (tmp_path / "git").chmod(0o755)
    ran = execute(["ls-files"], cwd=tmp_path, env={"PATH": f"{tmp_path}:{ENV['PATH']}"})
    assert ran.stdout == b"one\n"
    assert ran.seconds < 10


def test_an_output_that_could_not_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def partial(*_: object, **__: object) -> Ran:
        return Ran(0, b"one", b"", partial=True)

    monkeypatch.setattr("agent.git.command.run", partial)
    with pytest.raises(RepositoryError, match="could not be read in time"):
        execute(["ls-files"], cwd=tmp_path, env=ENV)
