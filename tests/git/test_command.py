"""A run of git that gives no whole answer is an error that says why, and is never taken for an answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.errors import RepositoryError
from agent.git.command import execute

ENV = {"PATH": os.environ["PATH"]}


def test_a_folder_that_is_gone_is_said_and_not_taken_for_a_missing_git(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="there is no such folder") as caught:
        execute(["--version"], cwd=tmp_path / "gone", env=ENV)
    assert "install" not in caught.value.hint


def test_a_missing_git_is_to_be_installed(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="cannot be run") as caught:
        execute(["--version"], cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert "install git" in caught.value.hint


def test_an_output_that_may_lack_its_end_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho one\nsleep 2 2>/dev/null &\n")
    (tmp_path / "git").chmod(0o755)
    with pytest.raises(RepositoryError, match="still holds its output"):
        execute(["ls-files"], cwd=tmp_path, env={"PATH": f"{tmp_path}:{ENV['PATH']}"})
