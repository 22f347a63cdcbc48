"""A repository with a small library and its tests, and an examiner over it; pytest of this environment is its check."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from agent.core.chunk import Chunk
from agent.core.hunk import FileState, Mode, Write
from agent.core.review import Evidence, EvidenceKind
from agent.evidence.examiner import Examiner
from agent.evidence.proof.discover import PYTEST_FILES, Check, fingerprint
from agent.evidence.proof.store import CheckStore
from agent.evidence.runs.bench import Bench
from agent.evidence.runs.listing import GitListing
from agent.evidence.runs.run import Limits
from agent.git.discover import discover
from agent.git.repo import Repo
from agent.ports import Cancel

PYTEST = str(Path(sys.executable).with_name("pytest"))
LEX = "def lex(text):\n    return text.split(' ')\n\n\ndef size(text):\n    return len(lex(text))\n"
TESTS = """\
from lex import lex, size


def test_one():
    assert lex('a') == ['a']


def test_size():
    assert size('a b') == 2
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def state(text: str | None) -> FileState | None:
    return None if text is None else FileState(Mode.FILE, text.encode())


def pytest_check(root: Path, *words: str) -> Check:
    def read(path: str) -> bytes | None:
        return (root / path).read_bytes() if (root / path).exists() else None

    return Check(
        "pytest", (PYTEST, *words), PYTEST_FILES, "pytest", fingerprint("pytest", PYTEST_FILES, read)
    )


class Lab:
    """The examiner over one repository; `change` makes writes from what is there to new texts."""

    def __init__(self, root: Path, home: Path, limits: Limits) -> None:
        self.root = root
        self.repo = Repo(discover(root))
        self.bench = Bench(self.repo.place, GitListing(self.repo), home / "cache", ENVIRONMENT)
        self.store = CheckStore(home / "state")
        self.examiner = Examiner(self.bench, self.store, limits=limits)

    def change(self, **texts: str | None) -> tuple[Write, ...]:
        """`lex_py="..."` writes lex.py; double underscores are slashes."""
        writes = []
        for name, text in texts.items():
            path = name.replace("__", "/").replace("_py", ".py").replace("_ini", ".ini").replace("_md", ".md")
            file = self.root / path
            writes.append(Write(path, state(file.read_text()) if file.exists() else None, state(text)))
        return tuple(writes)

    def examine(self, writes: Sequence[Write], base: Sequence[Write] = (), why: str = "") -> list[Evidence]:
        chunk = Chunk(id="c1", title="a chunk", why=why, changes=())
        return list(self.examiner.examine(chunk, writes, base, Cancel()))

    def check(self, writes: Sequence[Write], base: Sequence[Write] = ()) -> Evidence:
        """The one piece of evidence that the check made."""
        (piece,) = [piece for piece in self.examine(writes, base) if piece.kind is EvidenceKind.CHECK]
        return piece

    def close(self) -> None:
        self.examiner.close()
        self.repo.close()


@pytest.fixture
def lab(repo: Path, tmp_path: Path, git_in: Callable[..., bytes]) -> Iterator[Lab]:
    (repo / "lex.py").write_text(LEX)
    (repo / "tests").mkdir()
    (repo / "tests" / "test_lex.py").write_text(TESTS)
    (repo / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (repo / ".gitignore").write_text("*.log\n.venv/\n__pycache__/\n.pytest_cache/\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "start")
    made = Lab(repo, tmp_path / "home", Limits(seconds=20))
    made.store.accept([pytest_check(repo)])
    yield made
    made.close()
