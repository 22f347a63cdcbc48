"""A random repository with a person in it. Every line is unique, so that nothing lost, doubled or unasked for can hide."""

from __future__ import annotations

import os
import random
import stat
import subprocess
from pathlib import Path

import msgspec

NAMES = (
    "a.py", "src/b.py", "src/deep/c.go", "d.js", "docs/e.md", "f i.txt", "sr\u00e9/g.py", 'quoted "h".txt', "Makefile",
)  # fmt: skip
FORMS = (
    "x_{0} = {0}",
    "def f_{0}(a, b):",
    "    return call_{0}()",
    "# words about {0}",
    "\tif a_{0}:",
    "}} // {0}",
)


class Facts(msgspec.Struct, frozen=True):
    """What nobody may change unasked: files with their kinds, the raw index, refs and configuration."""

    tree: dict[str, tuple[str, bytes]]
    index: bytes
    refs: bytes
    config: bytes


class World:
    def __init__(self, root: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.root = root
        self._lines = 0
        root.mkdir()
        self.git("init", "-q")
        if self.rng.random() < 0.3:
            (root / ".gitattributes").write_text(
                self.rng.choice(("* text=auto\n", "*.py eol=crlf\n", "*.md -text\n"))
            )
        for _ in range(self.rng.randrange(1, 8)):
            self.put(self.new_name(), self.content())
        self.commit("base")
        self.git("checkout", "-q", "-b", "feature")
        for _ in range(self.rng.randrange(1, 6)):
            self.change()
        self.commit("feature")
        self.git("checkout", "-q", "main")

    def git(self, *arguments: str) -> bytes:
        return subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=True).stdout

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def line(self) -> str:
        self._lines += 1
        return self.rng.choice(FORMS).format(f"{self._lines:05d}")

    def content(self) -> bytes:
        ending = "\r\n" if self.rng.random() < 0.15 else "\n"
        text = "".join(self.line() + ending for _ in range(self.rng.choice((0, 1, 5, 20, 60))))
        return (text.rstrip() if self.rng.random() < 0.2 else text).encode()

    def new_name(self) -> str:
        free = [name for name in NAMES if not os.path.lexists(self.root / name)]
        self._lines += 1
        return self.rng.choice([*free, f"new/n{self._lines}.py"])

    def put(self, name: str, data: bytes, mode: int = 0o644) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        path.chmod(mode)

    def texts(self) -> list[str]:
        return [name for name, (kind, _) in self.facts().tree.items() if kind != "link"]

    def change(self) -> None:
        """One thing that a person does to the files."""
        names = self.texts()
        name = self.rng.choice(names) if names else ""
        match self.rng.random():
            case chance if chance < 0.6 and name:
                mode = stat.S_IMODE((self.root / name).stat().st_mode)
                self.put(name, self.edited((self.root / name).read_bytes()), mode)
            case chance if chance < 0.75 or not name:
                self.put(self.new_name(), self.content())
            case chance if chance < 0.83:
                (self.root / name).unlink()
            case chance if chance < 0.9:
                data = (self.root / name).read_bytes()
                (self.root / name).unlink()
                self.put(self.new_name(), data)
            case chance if chance < 0.95:
                (self.root / name).chmod(0o755)
            case _:
                target = self.root / self.new_name()
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to("a.py")

    def edited(self, data: bytes) -> bytes:
        ending = b"\r\n" if b"\r\n" in data else b"\n"
        lines = data.splitlines(keepends=True)
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            at, size = self.rng.randrange(len(lines) + 1), self.rng.choice((0, 1, 1, 3))
            fresh = [self.line().encode() + ending for _ in range(self.rng.choice((0, 1, 2, 12)))]
            if lines and not lines[-1].endswith(b"\n"):
                lines[-1] += ending
            lines[at : at + size] = fresh
        return b"".join(lines)

    def facts(self) -> Facts:
        git = self.root / ".git"
        return Facts(
            dict(sorted(_files(self.root))),
            (git / "index").read_bytes(),
            self.git("for-each-ref") + (git / "HEAD").read_bytes(),
            (git / "config").read_bytes(),
        )


def _files(root: Path) -> list[tuple[str, tuple[str, bytes]]]:
    found = []
    for folder, folders, names in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        for name in [*names, *(each for each in folders if os.path.islink(os.path.join(folder, each)))]:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                kept = ("link", os.fsencode(os.readlink(path)))
            else:
                kept = ("x" if os.stat(path).st_mode & 0o100 else "file", Path(path).read_bytes())
            found.append((os.path.relpath(path, root), kept))
    return found
