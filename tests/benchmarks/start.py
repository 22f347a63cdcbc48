"""How fast copair starts, against a bare interpreter of the same run: `--version`, `--help`, and text at the prompt.

    python -m tests.benchmarks.start

Times are medians of rounds taken in turns. The prompt is measured on a pseudo-terminal: from the start of the process
until a typed letter is shown, and until the line editor stands there with all commands; in a repository of
3 files and in one of 50,000.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pexpect

ROUNDS = 15
FEW, MANY = 3, 50_000
FOLDER_FILES = 100
TYPED = "zq"
ERASED = b"\r\x1b[J"
BARE = [sys.executable, "-c", "pass"]
COPAIR = [sys.executable, "-m", "agent"]
Row = tuple[str, float, float]
"""Name, what was measured, the most that it may be."""


def run() -> list[Row]:
    """Build two repositories, measure in turns, and clean up."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        environ = _environ(home)
        for files in (FEW, MANY):
            _build(Path(folder) / _name(files), files, environ)
        return [*_commands(environ), *_prompts(Path(folder), environ)]


def _name(files: int) -> str:
    return f"with{files}files"


def _environ(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    root = str(Path(__file__).parents[2])
    settings = {"HOME": str(home), "TERM": "xterm-256color", "PYTHONPATH": root, "PYTHONSAFEPATH": "1"}
    return {**kept, **settings, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def _build(root: Path, files: int, environ: Mapping[str, str]) -> None:
    for number in range(files):
        folder = root / f"part{number // FOLDER_FILES}"
        if not number % FOLDER_FILES:
            folder.mkdir(parents=True)
        (folder / f"m{number}.py").write_text(f"value = {number}\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run(["git", *identity, *words], cwd=root, env=environ, check=True)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _commands(environ: Mapping[str, str]) -> list[Row]:
    commands = {"bare": BARE, "version": [*COPAIR, "--version"], "help": [*COPAIR, "--help"]}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            found[name].append(
                _seconds(
                    lambda c=command: subprocess.run(c, env=environ, stdout=subprocess.DEVNULL, check=True)
                )
            )
    middle = {name: statistics.median(times) for name, times in found.items()}
    return [
        ("copair --version / python -c pass", middle["version"] / middle["bare"], 2.5),
        ("copair --help / python -c pass", middle["help"] / middle["bare"], 8.0),
    ]


class _Prompt:
    """One start of bare `copair` on a pseudo-terminal."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        began = time.perf_counter()
        child = pexpect.spawn(
            COPAIR[0], COPAIR[1:], cwd=str(root), env=dict(environ), dimensions=(24, 80), timeout=30
        )
        child.delaybeforesend = None
        child.expect_exact("›".encode())
        child.send(TYPED)
        child.expect_exact(TYPED.encode())
        self.typed_seconds = time.perf_counter() - began
        child.expect_exact(ERASED)  # the line editor takes over
        child.expect_exact(TYPED.encode())
        self.whole_seconds = time.perf_counter() - began
        ran = subprocess.run(["ps", "-o", "rss=", "-p", str(child.pid)], capture_output=True, check=True)
        self.mebibytes = int(ran.stdout) / 1024
        child.close(force=True)


def _prompts(folder: Path, environ: Mapping[str, str]) -> list[Row]:
    bare: list[float] = []
    found: dict[int, list[_Prompt]] = {FEW: [], MANY: []}
    for number in range(ROUNDS):
        bare.append(_seconds(lambda: subprocess.run(BARE, env=environ, check=True)))
        for files in (FEW, MANY) if number % 2 else (MANY, FEW):
            found[files].append(_Prompt(folder / _name(files), environ))
    few, many = found[FEW], found[MANY]
    typed = statistics.median(prompt.typed_seconds for prompt in few)
    whole = statistics.median(prompt.whole_seconds for prompt in few)
    among = statistics.median(prompt.typed_seconds for prompt in many)
    whole_among = statistics.median(prompt.whole_seconds for prompt in many)
    return [
        ("typed text at the prompt, seconds", typed, 0.15),
        ("typed text at the prompt / python -c pass", typed / statistics.median(bare), 5.0),
        (f"typed text among {MANY:,} files / among {FEW}", among / typed, 1.2),
        (f"line editor among {MANY:,} files / among {FEW}", whole_among / whole, 1.2),
        ("memory at the prompt, MiB", max(prompt.mebibytes for prompt in many), 60.0),
    ]


if __name__ == "__main__":
    for name, value, limit in run():
        print(f"{value:10.3f}  (limit {limit:g})  {name}")
