"""The map is true: every package and every module of the core has its place in docs/architecture.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_every_module_of_the_core_stands_in_the_row_of_its_folder() -> None:
    section = MAP.partition("## The core, by subject")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(core(?:/\w+)?)`[^|]*\|[^|]*\|([^|]*)\|$", section, re.M)
    named = {folder: sorted(re.findall(r"`(\w+)`", modules)) for folder, modules in rows}
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "agent" / "core").rglob("*.py")):
        if path.stem != "__init__":
            found.setdefault(path.parent.relative_to(ROOT / "agent").as_posix(), []).append(path.stem)
    assert named == found


def test_every_package_has_its_row() -> None:
    packages = {path.parent.name for path in (ROOT / "agent").glob("*/__init__.py")}
    rows = set(re.findall(r"^\| `agent/(\w+)`", MAP, re.M))
    assert packages == rows
