from __future__ import annotations

from pathlib import Path

import pytest

from agent.tools.toolbox import Tools
from agent.tools.worktree import WorkTree


@pytest.fixture
def files(repo: Path) -> Path:
    (repo / "src").mkdir()
    (repo / "src" / "a.py").write_text("one\ntwo\nthree\n")
    (repo / "my file.txt").write_text("spaced\n")
    (repo / ".env").write_text("KEY=1\n")
    return repo


def test_a_mentioned_file_is_sent_and_its_size_is_said(files: Path, tools: Tools) -> None:
    said = tools.mention("fix @src/a.py, please")
    assert said.sent == "fix @src/a.py, please\n\nsrc/a.py, all 3 lines:\none\ntwo\nthree"
    assert list(said.read) == ["src/a.py"]
    assert said.notices == ("read src/a.py, all 3 lines (36 characters sent)",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@src/a.py:2", "lines 2-2 of 3:\ntwo"),
        ("see @src/a.py:2-3.", "lines 2-3 of 3:\ntwo\nthree"),
        ("(@src/a.py)", "all 3 lines"),
        ('what is @"my file.txt"?', "spaced"),
        ("@src", "src/, 1 files:\na.py"),
        ("why @src/a.py?", "all 3 lines"),
    ],
)
def test_forms_of_a_mention(files: Path, tools: Tools, text: str, shown: str) -> None:
    sent = tools.mention(text).sent
    assert sent.startswith(text + "\n\n")
    assert shown in sent


@pytest.mark.parametrize(
    "text", ["mail ada@src/a.py", "use @dataclass here", "no mention", "@ alone", "a @@src/a.py"]
)
def test_other_at_signs_are_left_alone(files: Path, tools: Tools, text: str) -> None:
    said = tools.mention(text)
    assert (said.sent, said.notices) == (text, ())


def test_a_secret_file_is_withheld_and_the_notice_says_so(files: Path, tools: Tools) -> None:
    said = tools.mention("@.env")
    assert "KEY=1" not in said.sent
    assert said.withheld == 1
    assert said.notices[0].startswith(".env: withheld")


def test_a_missing_file_is_said(files: Path, tools: Tools) -> None:
    assert tools.mention("@src/b.py").notices == ("@src/b.py: there is no such file; sent as you typed it",)
    assert tools.mention("@../x.py").sent == "@../x.py"


def test_mentions_are_looked_up_in_the_persons_folder_first(files: Path, source: WorkTree) -> None:
    (files / "a.py").write_text("top\n")
    assert "one" in Tools(source, prefix="src/").mention("@a.py").sent
    assert "spaced" in Tools(source, prefix="src/").mention('@"my file.txt"').sent


def test_a_file_is_sent_once_and_capped(files: Path, tools: Tools) -> None:
    (files / "big.txt").write_text("0123456789\n" * 9000)
    said = tools.mention("@big.txt and @big.txt")
    assert said.sent.count("all ") + said.sent.count("lines 1-") == 1
    assert len(said.sent) < 17_000
    assert "left out" in said.sent
