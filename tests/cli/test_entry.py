"""The command line as a script or a person without a terminal meets it: exit codes, errors, nothing by accident."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import __version__
from agent.__main__ import INTERRUPTED
from agent.cli.app import app
from agent.cli.entry import COMMANDS
from agent.cli.frontends import HELP
from agent.core.errors import Exit
from agent.loop.commands import STANDARD
from tests.support.cli import copair, copair_applies

GitIn = Callable[..., bytes]


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "a.py").write_text("import os\nimport sys\n\nprint(sys.argv)\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


def test_every_command_is_known_to_the_entry() -> None:
    names = {
        info.name or info.callback.__name__.replace("_", "-")
        for info in app.registered_commands
        if info.callback
    }
    assert names == COMMANDS


def test_help_lists_every_command_of_the_prompt() -> None:
    assert set(HELP) == {*STANDARD, "commit", "checks", "help"}


def test_version_and_help_need_no_repository(tmp_path: Path) -> None:
    assert copair(tmp_path, "--version").stdout == f"copair {__version__}\n"
    ran = copair(tmp_path, "--help")
    assert ran.returncode == 0
    assert all(command in ran.stdout for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [("log", "--nope"), ("show",), ("--model",), ("chat", "--protocol", "x", "hi")]
)
def test_wrong_usage_is_exit_code_2(project: Path, arguments: tuple[str, ...]) -> None:
    ran = copair(project, *arguments)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("arguments", [("reveiw",), ("reveiw", "main..x"), ("check",)])
def test_what_is_nearly_a_command_is_not_said_to_the_model(project: Path, arguments: tuple[str, ...]) -> None:
    ran = copair(project, *arguments)
    assert ran.returncode == 2
    assert "there is no command" in ran.stderr
    assert "copair log" not in ran.stderr
    assert json.loads(copair(project, "log", "--json").stdout) == []


def test_outside_a_repository_it_says_so_and_what_to_do(tmp_path: Path) -> None:
    ran = copair(tmp_path, "fix it")
    assert ran.returncode == 1
    assert "is not in a git repository" in ran.stderr
    assert "git init" in ran.stderr


def test_in_a_bare_repository_it_says_why_it_cannot_work(tmp_path: Path, git_in: GitIn) -> None:
    git_in(tmp_path, "init", "-q", "--bare", "x.git")
    ran = copair(tmp_path / "x.git", "fix it")
    assert ran.returncode == 1
    assert "bare" in ran.stderr


def test_at_the_end_of_input_nothing_is_approved(project: Path) -> None:
    before = (project / "a.py").read_bytes()
    ran = copair(project, "fix F401", stdin="")
    assert ran.returncode == 0, ran.stderr
    assert (project / "a.py").read_bytes() == before


def test_a_yes_on_a_pipe_that_does_not_name_the_card_applies_nothing(project: Path) -> None:
    copair(project, "fix F401", stdin="y\ny\n")
    assert (project / "a.py").read_text().startswith("import os\n")


def test_the_offline_pair_fixes_a_finding_after_a_yes_and_log_show_and_undo_know_it(project: Path) -> None:
    ran = copair_applies(project, "fix F401")
    assert ran.returncode == 0, ran.stderr
    assert (project / "a.py").read_text() == "import sys\n\nprint(sys.argv)\n"
    assert "fix F401" in copair(project, "log").stdout
    assert "-import os" in copair(project, "show", "1").stdout
    assert copair(project, "undo").returncode == 0
    assert (project / "a.py").read_text().startswith("import os\n")
    assert copair(project, "undo", "--redo", "1").returncode == 0
    assert not (project / "a.py").read_text().startswith("import os\n")


def test_undo_refuses_when_the_lines_changed_and_says_that_nothing_was_done(project: Path) -> None:
    copair_applies(project, "fix F401")
    (project / "a.py").write_text("import re\n\nprint(re)\n")
    ran = copair(project, "undo")
    assert ran.returncode == 1
    assert "not undone: chunk 1 (" in ran.stderr
    assert (project / "a.py").read_text() == "import re\n\nprint(re)\n"


def test_the_tour_is_left_with_q_and_leaves_nothing_behind(tmp_path: Path, hermetic_seal: Path) -> None:
    ran = copair(tmp_path, "tour", stdin="q\n")
    assert ran.returncode == 0, ran.stderr
    assert not re.search("Traceback", ran.stderr)
    assert not list(tmp_path.iterdir())
    assert not [path for path in hermetic_seal.rglob("*") if path.is_file() and path.name != ".gitconfig"]


def test_a_session_that_was_killed_is_offered_at_the_next_start(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "fix F401"],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("To apply type: "):
                break
        process.kill()
        process.stdout.read()
    ran = copair(project, "fix F401", stdin="")
    assert "was cut off" in ran.stdout
    assert "copair resume " in ran.stdout
    assert (project / "a.py").read_text().startswith("import os\n")


def test_the_exit_code_of_an_interruption_is_the_same_before_all_is_imported() -> None:
    assert Exit.INTERRUPTED == INTERRUPTED
