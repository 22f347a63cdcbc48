"""A repository of many kinds of files, and copair's scriptable review over it."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import Exit
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.git.repo import Repo
from agent.git.stage import Index
from agent.ports import Target
from agent.review.script import Opened, Wanted, decide_stack, list_stack, open_stack

GitIn = Callable[..., bytes]
NUMBERS = itertools.count()


class Reviewed:
    """`copair review` on one repository, without a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = self.cwd = root
        self.place = discover(root)
        self.repo = Repo(self.place)

    def target(self, onto: str) -> Target:
        return Index(self.place, twins=True) if onto == "index" else WorkTree(self.place, twins=True)

    def open(
        self, argument: str | None, *, onto: str = "", stdin: bytes = b"", only: Sequence[str] = ()
    ) -> Opened:
        wanted = Wanted(argument, self.cwd, lambda: stdin, onto, only=only)
        return open_stack(self.repo, self.target, wanted)

    def list(
        self, argument: str | None, *, onto: str = "", stdin: bytes = b"", only: Sequence[str] = ()
    ) -> dict[str, Any]:
        opened = self.open(argument, onto=onto, stdin=stdin, only=only)
        text, code = list_stack(opened, self.repo.place.object_hash)
        assert code is Exit.DONE
        found: dict[str, Any] = json.loads(text)
        return found

    def decide(
        self,
        argument: str | None,
        approved: list[str],
        rejected: Sequence[str] = (),
        *,
        onto: str = "",
        stdin: bytes = b"",
        only: Sequence[str] = (),
    ) -> tuple[dict[str, Any], Exit]:
        rows = [{"chunk": chunk, "verdict": "approve"} for chunk in approved]
        rows += [{"chunk": chunk, "verdict": "reject", "reason": "no"} for chunk in rejected]
        opened = self.open(argument, onto=onto, stdin=stdin, only=only)
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        text, code = decide_stack(opened, lines, f"set{next(NUMBERS)}")
        return json.loads(text), code

    def ids(self, argument: str | None, *, onto: str = "", stdin: bytes = b"") -> list[str]:
        return [chunk["id"] for chunk in self.list(argument, onto=onto, stdin=stdin)["chunks"]]


@pytest.fixture
def reviewed(repo: Path) -> Iterator[Reviewed]:
    found = Reviewed(repo)
    yield found
    found.repo.close()


PROGRAM = "".join(f"def f{n}(x):\n    return x + {n}\n\n\n" for n in range(12))


@pytest.fixture
def history(repo: Path, git_in: GitIn) -> Path:
    """Two commits; the second does everything that git can do to a file. HEAD is the first, `work` the second."""
    files: dict[str, bytes] = {
        "program.py": PROGRAM.encode(),
        "windows.txt": b"one\r\ntwo\r\nthree\r\n",
        "latin.txt": "für\nalle\n".encode("latin-1"),
        "moved.txt": b"".join(b"line %d\n" % n for n in range(20)),
        "gone.txt": b"a\nb\n",
        "run.sh": b"echo 1\n",
        "picture.png": b"\0\1\2",
        "noend.txt": b"a\nb",
        "place/inner.txt": b"in\n",
        "thing": b"file\n",
    }
    put(repo, files)
    os.symlink("program.py", repo / "link")
    os.symlink("place", repo / "way")
    put(repo, {"road/inside.txt": b"in\n"})
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "first")
    changed = PROGRAM.replace("x + 3", "x - 3").replace("x + 9", "x * 9") + "def added():\n    return f3(1)\n"
    put(
        repo,
        {
            "program.py": changed.encode(),
            "windows.txt": b"one\r\n2\r\nthree\r\nfour\r\n",
            "latin.txt": "für\nkeinen\nü".encode("latin-1"),
            "noend.txt": b"a\nb\nc\n",
            "picture.png": b"\0\1\2\3",
            "new/deep.py": b"".join(b"def g%d():\n    pass\n\n\n" % n for n in range(30)),
            "empty": b"",
            "package-lock.json": b"{}\n",
            "na\xc3\xafve \xff.txt".encode("latin-1").decode("latin-1"): b"odd name\n",
        },
    )
    (repo / "moved.txt").rename(repo / "renamed.txt")
    (repo / "renamed.txt").write_bytes(
        (repo / "renamed.txt").read_bytes().replace(b"line 7\n", b"line seven\n")
    )
    (repo / "gone.txt").unlink()
    (repo / "run.sh").write_bytes(b"echo 2\n")
    (repo / "run.sh").chmod(0o755)
    (repo / "link").unlink()
    os.symlink("renamed.txt", repo / "link")
    (repo / "place/inner.txt").unlink()
    (repo / "place").rmdir()
    put(repo, {"place": b"now a file\n"})
    (repo / "thing").unlink()
    put(repo, {"thing/inside.txt": b"now a folder\n"})
    (repo / "way").unlink()
    put(repo, {"way/inside.txt": b"now a folder\n"})
    (repo / "road/inside.txt").unlink()
    (repo / "road").rmdir()
    os.symlink("place", repo / "road")
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "second")
    git_in(repo, "branch", "work")
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    return repo


def put(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


@pytest.fixture
def tree_of(git_in: GitIn) -> Callable[[Path], bytes]:
    """The tree that the work tree would be as a commit; the index is left alone."""

    def tree(root: Path) -> bytes:
        index = root / ".git" / "test-index"
        index.unlink(missing_ok=True)
        os.environ["GIT_INDEX_FILE"] = str(index)
        try:
            git_in(root, "add", "-A", "-f")
            return git_in(root, "write-tree").strip()
        finally:
            del os.environ["GIT_INDEX_FILE"]

    return tree
