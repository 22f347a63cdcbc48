"""The map is true: every package and every module of the core has its place in docs/architecture.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_every_module_of_the_core_stands_in_one_row() -> None:
    section = MAP.partition("## The core, by subject")[2].partition("\n## ")[0]
    named = re.findall(r"`(\w+)`", section)
    modules = {path.stem for path in (ROOT / "agent" / "core").glob("*.py")} - {"__init__"}
    assert sorted(named) == sorted(modules)


def test_every_package_has_its_row() -> None:
    packages = {path.parent.name for path in (ROOT / "agent").glob("*/__init__.py")}
    rows = set(re.findall(r"^\| `agent/(\w+)`", MAP, re.M))
    assert packages == rows
