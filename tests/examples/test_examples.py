"""Every folder of `examples/` runs here: a new one needs a test of its own below."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from agent.offline.tour import prepare_tour
from agent.offline.tour_script import LARGE_PROPOSAL, NEW_TOTALS, OLD_TOTAL

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TRIED = {"tour"}


def run(root: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    ).stdout


def test_every_example_has_its_test() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == TRIED


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
