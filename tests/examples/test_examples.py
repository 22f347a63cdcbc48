"""Every folder of `examples/` runs here: a new one needs a test of its own below."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.offline.tour import prepare_tour
from agent.offline.tour_script import LARGE_PROPOSAL, NEW_TOTALS, OLD_TOTAL

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TRIED = {"branch", "jsonl", "patch", "tour"}


def run(root: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    ).stdout


def follow(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """Does what the README of an example says; returns the repository that it made, and all that was printed."""
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    readme = (EXAMPLES / name / "README.md").read_text("utf-8")
    commands = "".join(re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL))
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=EXAMPLES / name,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    (made,) = (path for path in folder.iterdir() if (path / ".git").is_dir())
    return made, ran.stdout


def test_of_a_branch_what_is_harmless_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = follow("branch", tmp_path, monkeypatch)
    before, after = EXAMPLES / "branch" / "before", EXAMPLES / "branch" / "after"
    assert (made / "slugs.py").read_bytes() == (after / "slugs.py").read_bytes()
    assert not (made / ".github").exists()
    tests = (made / "tests" / "test_slugs.py").read_text()
    for test in re.findall(r"def test_\w+", (before / "tests" / "test_slugs.py").read_text()):
        assert test in tests
    assert "left to you: New file .github/workflows/check.yml" in said
    assert "left to you: test_an_empty_title_has_no_slug" in said
    assert "passed" in run(made, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_of_a_patch_one_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = follow("patch", tmp_path, monkeypatch)
    assert "def find(notes, word)" in (made / "notes.py").read_text()
    assert (made / "README.md").read_bytes() == (EXAMPLES / "patch" / "before" / "README.md").read_bytes()
    assert '"outcome": "applied"' in said


def test_a_program_drives_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, said = follow("jsonl", tmp_path, monkeypatch)
    assert (made / "app.py").read_text() == "import sys\n\nprint(len(sys.argv))\n"
    before = EXAMPLES / "jsonl" / "before"
    assert (made / "report.py").read_bytes() == (before / "report.py").read_bytes()
    assert "decided 2 reject" in said
    assert "offline pair" in said


def test_every_example_has_its_test() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == TRIED
    assert all((EXAMPLES / name / "README.md").is_file() for name in TRIED)


def test_the_tours_shop_is_as_its_readme_says() -> None:
    with prepare_tour() as (root, _):
        assert run(root, "-m", "shop.main", "egg=35", "egg=35", "egg=35") == "96\n"
        assert "1 failed, 1 passed" in run(root, "-m", "pytest", "-q", "-p", "no:cacheprovider")
        findings = run(root, "-m", "ruff", "check", "--no-cache", "--output-format", "concise")
        assert findings.count("F401") == 2


def test_the_script_of_the_tour_fits_the_files_of_the_example() -> None:
    basket = (EXAMPLES / "tour" / "shop" / "basket.py").read_text()
    assert basket.count(OLD_TOTAL) == 1
    for new in NEW_TOTALS:
        compile(basket.replace(OLD_TOTAL, new), "basket.py", "exec")
    for edit in LARGE_PROPOSAL["edits"]:
        if "old" in edit:
            assert (EXAMPLES / "tour" / edit["path"]).read_text().count(edit["old"]) == 1
