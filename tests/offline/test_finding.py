from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.chunk import Chunk
from agent.core.hunk import FileState, Mode, Write, writes_digest
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.offline.finding import FindingChecks
from agent.offline.ruff import Ruff
from agent.ports import Cancel


def state(text: str | None) -> FileState | None:
    return None if text is None else FileState(Mode.FILE, text.encode())


def examine(root: Path, old: str | None, new: str | None, path: str = "a.py") -> list[Evidence]:
    writes = [Write(path, state(old), state(new))]
    return list(FindingChecks(Ruff(root)).examine(Chunk("c1", "t", "w", ()), writes, [], Cancel()))


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> None:
    (tmp_path / "ruff.toml").write_text('[lint]\nselect = ["F"]\n')


def test_a_finding_that_is_gone_is_verified_and_bound_to_the_bytes(tmp_path: Path) -> None:
    (evidence,) = examine(tmp_path, "import os\nx = 1\n", "x = 1\n")
    assert (evidence.kind, evidence.verdict) == (EvidenceKind.FINDING, Verdict.VERIFIED)
    assert evidence.summary == "ruff F401: 1 finding → none"
    assert evidence.before == "a.py:1 F401 `os` imported but unused"
    assert evidence.after == "none"
    assert evidence.digest == writes_digest([Write("a.py", state("import os\nx = 1\n"), state("x = 1\n"))])


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("import os\n", "import re\n", Verdict.PARTLY),
        ("import os\n", "print(undefined)\n", Verdict.CONTRADICTED),
        ("x = 1\n", "import os\nx = 1\n", Verdict.UNVERIFIED),
        ("import os\n", "def f(:\n", Verdict.CONTRADICTED),
    ],
)
def test_what_came_anew_is_not_called_verified(tmp_path: Path, old: str, new: str, verdict: Verdict) -> None:
    (evidence,) = examine(tmp_path, old, new)
    assert evidence.verdict is verdict


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("import os\nx = 1\n", "import os\nx = 2\n", "a.py"),
        ("import os\n\nx = 1\n", "\n\nimport os\nx = 1\n", "a.py"),
        ("import os\n", "x\n", "a.txt"),
        (None, "x = 1\n", "a.py"),
    ],
)
def test_where_ruff_sees_no_difference_there_is_no_evidence(
    tmp_path: Path, old: str | None, new: str | None, path: str
) -> None:
    assert examine(tmp_path, old, new, path) == []


def test_nothing_is_written(tmp_path: Path) -> None:
    examine(tmp_path, "import os\n", "x = 1\n")
    assert [path.name for path in tmp_path.iterdir()] == ["ruff.toml"]
