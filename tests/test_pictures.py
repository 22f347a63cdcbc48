"""The pictures of the README are what the program shows today."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"

pytestmark = pytest.mark.timeout(240)


def test_pictures_are_drawn_from_real_sessions_as_they_are_now(tmp_path: Path) -> None:
    script = str(PICTURES / "make.py")
    subprocess.run(
        [sys.executable, script, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    drawn = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.svg")}
    assert drawn.keys() == {path.name for path in PICTURES.glob("*.svg")}
    for name, text in drawn.items():
        assert text == (PICTURES / name).read_text("utf-8"), f"{name}: run python docs/pictures/make.py"


def test_the_readme_shows_every_picture() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.findall(r"docs/pictures/([\w-]+\.svg)", readme)
    assert sorted(set(shown)) == sorted(path.name for path in PICTURES.glob("*.svg"))


def test_pictures_load_nothing_and_run_nothing() -> None:
    for path in PICTURES.glob("*.svg"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script|@import|url\(https?:|href=", text)
