"""The map is true: every package has its place in docs/architecture.md, and every module of those that have folders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "docs" / "architecture.md").read_text("utf-8")


@pytest.mark.parametrize("package", ["core", "evidence", "llm"])
def test_every_module_stands_in_the_row_of_its_folder(package: str) -> None:
    rows = re.findall(rf"^\| `({package}(?:/\w+)?)`[^|]*\|[^|]*\|([^|]*)\|$", MAP, re.M)
    named = {folder: sorted(re.findall(r"`(\w+)`", modules)) for folder, modules in rows}
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "agent" / package).rglob("*.py")):
        if path.stem != "__init__" and path.parent.name != "inside":
            found.setdefault(path.parent.relative_to(ROOT / "agent").as_posix(), []).append(path.stem)
    assert named == found


def test_every_package_has_its_row() -> None:
    packages = {path.parent.name for path in (ROOT / "agent").glob("*/__init__.py")}
    rows = set(re.findall(r"^\| `agent/(\w+)`", MAP, re.M))
    assert packages == rows
