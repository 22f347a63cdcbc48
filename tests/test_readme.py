"""Every command of the README runs, without a network, in a repository of the kind that it speaks of."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.ui.keys import KEYS
from tests.support.cli import copair_applies

pytestmark = pytest.mark.timeout(180)
GitIn = Callable[..., bytes]
README = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SET_UP = "python3 -m venv"
"""The two lines that install: CI runs them as they stand."""
CODES = {"copair connect --dry-run": {0, 1}, "copair check-model": {0, 1}}
"""Without a model on this machine these say so and fail."""


def commands(block: str) -> list[str]:
    return [line for line in block.split("\n") if line.strip() and not line.startswith(SET_UP)]


def code(command: str) -> set[int]:
    """The exit codes that are right: those of the table, the one that its comment names, or 0."""
    bare, _, comment = command.partition("#")
    said = re.match(r" (\d+):", comment)
    return CODES.get(bare.strip(), {int(said[1]) if said else 0})


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    """A Python repository with a branch, its patch file, an applied chunk and a change that is not committed."""
    (repo / "a.py").write_text("import os\nimport sys\n\nprint(sys.argv)\n")
    (repo / "pyproject.toml").write_text("[tool.pytest.ini_options]\n[tool.ruff]\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    git_in(repo, "checkout", "-qb", "feature")
    (repo / "b.py").write_text("def b() -> int:\n    return 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "second")
    git_in(repo, "checkout", "-q", "main")
    (repo / "feature.patch").write_bytes(git_in(repo, "diff", "main", "feature"))
    assert copair_applies(repo, "fix F401").returncode == 0
    return repo


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if commands(block)], ids=lambda b: b.split("  ")[0]
)
def test_the_commands_of_a_block_run_one_after_another(block: str, project: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands(block):
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=project,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )
        assert ran.returncode in code(command), f"{command}\n{ran.stdout}{ran.stderr}"
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("ending", [r".*pytest", r".*copair tour"])
def test_two_commands_do_all_the_set_up(ending: str) -> None:
    assert len(re.findall(rf"^python3 {ending}", README, re.MULTILINE)) == 1
    assert README.count(SET_UP) == 2


def test_the_keys_of_a_card_are_all_told() -> None:
    table = README.partition("### Keys on a card")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(.)`", table)) == {key.act.value for key in KEYS}


def test_every_link_leads_somewhere() -> None:
    root = Path(__file__).resolve().parents[1]
    for page in (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
