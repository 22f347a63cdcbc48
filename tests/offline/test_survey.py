from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.offline.ruff import Ruff
from agent.offline.survey import Survey
from agent.ports import Cancel


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    (tmp_path / "ruff.toml").write_text('[lint]\nselect = ["F"]\n')
    return Survey(tmp_path, Ruff(tmp_path))


def codes(survey: Survey, *paths: str, fresh: bool = False) -> list[str]:
    return [f"{one.path} {one.rule}" for one in survey.look(paths, (), Cancel(), fresh=fresh).findings]


def test_a_changed_file_is_looked_at_again_and_only_it(tmp_path: Path, survey: Survey) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    (tmp_path / "b.py").write_text("import re\n")
    assert codes(survey, "a.py", "b.py") == ["a.py F401", "b.py F401"]
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "ruff.toml").write_text("[lint]\nselect = []\n")
    assert codes(survey, "a.py", "b.py") == ["b.py F401"]
    assert codes(survey, "a.py", "b.py", fresh=True) == []


def test_files_that_are_not_there_themselves_are_left_out(tmp_path: Path, survey: Survey) -> None:
    outside = tmp_path.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "a.py").write_text("import os\n")
    (tmp_path / "link.py").symlink_to(outside / "a.py")
    (tmp_path / "folder").symlink_to(outside)
    os.mkfifo(tmp_path / "pipe.py")
    assert codes(survey, "link.py", "folder/a.py", "pipe.py", "gone.py", "text.txt") == []


def test_an_option_is_a_name(tmp_path: Path, survey: Survey) -> None:
    (tmp_path / "--fix.py").write_text("import os\n")
    assert codes(survey, "--fix.py") == ["--fix.py F401"]
    assert (tmp_path / "--fix.py").read_text() == "import os\n"


def test_more_files_than_one_command_line_holds(tmp_path: Path, survey: Survey) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    names = [f"{folder.name}/{number}.py" for number in range(1500)]
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / names[-1]).write_text("import os\n")
    assert codes(survey, *names) == [f"{names[-1]} F401"]
