"""Applying one chunk in a repository of 50,000 files, against one `git rev-parse` of the same run.

The bar: at most 3 processes and 5 times that. Run by `python -m tests.benchmarks.apply`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.core.hunk import FileState, Mode, Write
from agent.core.outcome import Applied
from agent.git.apply import WorkTree
from agent.git.discover import discover

FOLDERS = 500
FILES = 100
ROUNDS = 25
Row = tuple[str, float, float]
"""Name, what was measured (a ratio or a count), the most that it may be."""


def build(root: Path) -> None:
    for folder in range(FOLDERS):
        (root / f"d{folder}").mkdir(parents=True)
        for name in range(FILES):
            (root / f"d{folder}" / f"f{name}").write_text(f"{folder} {name}\n")
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0"]
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run() -> list[Row]:
    """Build, measure in turns (so that both see the same machine), and clean up."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        root = Path(folder) / "repo"
        build(root)
        place = discover(root)
        started: list[object] = []
        sys.addaudithook(lambda name, _: started.append(name) if name == "subprocess.Popen" else None)
        most = 0
        parse, modify = [], []
        for number in range(ROUNDS):
            tree = WorkTree(place)
            parse.append(
                seconds(lambda: subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True))
            )
            started.clear()
            modify.append(seconds(lambda tree=tree, number=number: apply_one(tree, number)))
            most = max(most, len(started))
        ratio = statistics.median(modify) / statistics.median(parse)
        return [("apply one chunk / git rev-parse", ratio, 5.0), ("processes for it", float(most), 3.0)]


def apply_one(tree: WorkTree, number: int) -> None:
    path = f"d{number}/f7"
    old = tree.read(path)
    if old is None:
        raise AssertionError(path)
    outcome = tree.write(f"set {number}", [Write(path, old, FileState(Mode.FILE, old.data + b"more\n"))])
    if not isinstance(outcome, Applied):
        raise AssertionError(outcome)


if __name__ == "__main__":
    for name, value, limit in run():
        print(f"{name}: {value:.2f} (limit {limit:g})")
