"""Cutting: how often a half-applied stack does not parse, against git's hunks; and time and memory on large diffs.

Material: every commit of this repository, and releases of PyPI and npm packages as commits, fetched by pip and
npm (what cannot be had is named and left out). A state is broken when a file in it does not parse that parses
before and after the whole. Run by `python -m tests.benchmarks.cut`.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import pexpect

from agent.core.code.grammar import grammar_of, parses
from agent.core.cutting.cut import cut
from agent.core.errors import CopairError
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk
from agent.core.lines.place import changes_between, outcome
from agent.core.outcome import States
from agent.core.patches.patch import Patch
from agent.core.patches.unified import parse
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.git.repo import Repo
from agent.review.commits import read_commits
from agent.review.script import Wanted, list_stack, open_stack
from agent.review.source import Source

Row = tuple[str, float, float]
Steps = Iterable[Sequence[FileChange]]
WHEELS = {
    "requests": ("2.28.0", "2.31.0", "2.32.3"),
    "click": ("7.1.2", "8.0.0", "8.1.0"),
    "attrs": ("21.4.0", "22.2.0", "23.2.0"),
    "flask": ("1.1.4", "2.0.0", "2.3.0"),
    "httpx": ("0.22.0", "0.25.0"),
    "jinja2": ("2.11.3", "3.0.3", "3.1.2"),
    "pybind11": ("2.9.0", "2.10.4", "2.11.1", "2.13.6"),
    "pytest": ("6.2.5", "7.0.0", "7.4.0"),
    "werkzeug": ("1.0.1", "2.0.3", "2.3.0"),
}
PACKAGES = {
    "commander": ("9.0.0", "10.0.0", "11.0.0"),
    "express": ("4.17.0", "4.18.0", "4.19.0"),
    "fastify": ("4.20.0", "5.0.0"),
    "immer": ("9.0.21", "10.0.0", "10.1.1"),
    "react-native-svg": ("12.0.0", "13.0.0", "14.0.0", "15.0.0"),
}
ROUNDS = 5
NO_LIMIT = float("inf")


def commit(root: Path) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "gc.auto=0"]
    for arguments in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", "all", "--allow-empty"]):
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True)


def histories(folder: Path, names: Collection[str] = ()) -> Iterator[Path]:
    """Repositories whose commits are releases, the first one empty; of these packages, or all."""
    for name, versions in [*WHEELS.items(), *PACKAGES.items()]:
        if names and name not in names:
            continue
        root = folder / name
        root.mkdir()
        commit(root)
        for version in versions:
            found = _fetch(name, version, folder / f"{name}-{version}")
            if found is None:
                sys.stderr.write(f"left out: {name} {version} cannot be fetched\n")
                continue
            subprocess.run(["git", "rm", "-rfq", "--ignore-unmatch", "."], cwd=root, check=True)
            _unpack(found, root)
            commit(root)
        yield root


def _fetch(name: str, version: str, into: Path) -> Path | None:
    into.mkdir()
    if name in PACKAGES:
        command = ["npm", "pack", "-s", f"{name}@{version}"]
    else:
        pip = [sys.executable, "-m", "pip", "-q", "download", "--no-deps", "--only-binary", ":all:"]
        command = [*pip, f"{name}=={version}"]
    try:
        subprocess.run(command, cwd=into, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return next(into.iterdir(), None)


def _unpack(archive: Path, root: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(root, [name for name in wheel.namelist() if ".dist-info/" not in name])
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="data")


def sources(root: Path) -> Iterator[tuple[str, Source]]:
    """Every commit with one parent, and its name."""
    repo = Repo(discover(root))
    listed = subprocess.run(
        ["git", "rev-list", "--min-parents=1", "--max-parents=1", "HEAD"],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.split():
        try:
            source = read_commits(repo, name, "worktree")
        except CopairError as error:
            sys.stderr.write(f"left out: {name[:12]} of {root.name}: {error.message}\n")
            continue
        if source is not None:
            yield name, source
    repo.close()


def _reads(path: str, state: FileState | None, whole: FileState | None) -> bool:
    """True when a state of a file parses, in the language that the `whole` is in."""
    grammar = grammar_of(path, whole.data) if whole is not None else None
    return state is None or grammar is None or parses(grammar, state.data)


def broken(source: Source, steps: Steps) -> int:
    """After how many of these steps some file does not parse that does before and after all of them."""
    done: dict[str, list[FileChange]] = {}
    known: dict[str, bool] = {}
    goals: dict[str, FileState | None] = {}
    bad: set[str] = set()
    count = 0
    for step in steps:
        for change in step:
            done.setdefault(change.path, []).append(change)
        for path in {change.path for change in step}:
            base = source.before.get(path)
            new_path = source.renames.get(path, path)
            if path not in known:
                goals[path] = goal = source.after.get(new_path, base) or base
                known[path] = _reads(path, base, goal) and _reads(new_path, goal, goal)
            states: States = outcome({path: base}, done[path])
            fine = not known[path] or all(_reads(name, state, goals[path]) for name, state in states.items())
            (bad.discard if fine else bad.add)(path)
        count += bool(bad)
    return count


def git_hunks(root: Path, name: str, source: Source) -> Iterator[Sequence[FileChange]]:
    """Commit `name` as git shows it: its own hunks with three lines of context, in the order of the files."""
    command = ["git", "diff-tree", "-p", "-r", "-M", "--full-index", f"{name}^", name]
    shown = parse(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)
    assert isinstance(shown, Patch), shown
    hunks = {file.old_path: file.hunks for file in shown.files if file.new_path is not None}
    for change in changes_between(source.before, source.after, source.renames):
        if change.kind is not ChangeKind.MODIFY:
            yield [change]
            continue
        for hunk in hunks[change.path]:
            own = Hunk((hunk.old_start or 1) - 1, hunk.old, hunk.new)
            yield [FileChange(change.path, change.kind, (own,))]


def breakages() -> list[Row]:
    ours = theirs = steps = commits = 0
    with tempfile.TemporaryDirectory() as folder:
        own = Path(__file__).resolve().parents[2]
        for root in (own, *histories(Path(folder))):
            before = ours, theirs
            for name, source in sources(root):
                chunks = cut(source.before, source.after, renames=source.renames)
                ours += broken(source, [chunk.changes for chunk in chunks])
                theirs += broken(source, git_hunks(root, name, source))
                steps += len(chunks)
                commits += 1
            sys.stderr.write(f"{root.name}: {ours - before[0]} broken, git {theirs - before[1]}\n")
    return [
        (f"broken states of {commits} commits in {steps} chunks", ours, NO_LIMIT),
        ("broken states with git's hunks", theirs, NO_LIMIT),
        ("broken states / those with git's hunks", ours / max(1, theirs), 0.5),
    ]


def large(root: Path, hunks: int, per_file: int = 50) -> None:
    """A repository whose last commit has so many hunks."""
    root.mkdir()
    for grown in ("", " + 1"):
        for number in range(hunks // per_file):
            folder = root / f"part{number % 10}"
            folder.mkdir(exist_ok=True)
            text = "\n\n".join(
                f"def function_{number}_{at}(first, second):\n    value = first + {at}\n    for item in range(value):\n"
                f"        second += item\n    total = value * second{grown}\n    if total > 10:\n        return None\n"
                "    return total\n"
                for at in range(per_file)
            )
            (folder / f"mod{number}.py").write_text(text)
        commit(root)


def listed(root: Path) -> None:
    """Read, cut, order and list the last commit; print the seconds and the most memory, in MB, that it took."""
    idle = _most()
    gc.disable()  # as the command does meanwhile
    began = time.perf_counter()
    place = discover(root)
    repo = Repo(place)
    opened = open_stack(repo, lambda _: WorkTree(place), Wanted("HEAD", root, lambda: b""))
    list_stack(opened, repo.place.object_hash)
    seconds = time.perf_counter() - began
    repo.close()
    sys.stdout.write(f"{seconds} {(_most() - idle) / 1024}\n")


def _most() -> int:
    """The most memory so far, in KB. (`ru_maxrss` would begin with that of the parent, which is large here.)"""
    status = Path("/proc/self/status").read_text().split("\n")
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def _measure(root: Path) -> tuple[float, float]:
    """Seconds and MB of `listed` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.cut", str(root)]
    own = Path(__file__).resolve().parents[2]
    printed = subprocess.run(command, cwd=own, check=True, capture_output=True, text=True).stdout.split()
    return float(printed[0]), float(printed[1])


def _stat(root: Path) -> float:
    began = time.perf_counter()
    subprocess.run(["git", "diff", "--stat", "HEAD~1", "HEAD"], cwd=root, check=True, capture_output=True)
    return time.perf_counter() - began


def _compared(root: Path) -> tuple[float, float]:
    """Seconds of a listing, and that by those of git's own."""
    pairs = [(_measure(root)[0], _stat(root)) for _ in range(ROUNDS)]
    ours, git = (statistics.median(column) for column in zip(*pairs, strict=True))
    return ours, ours / git


def _environ(home: str) -> dict[str, str]:
    """For a copair of this folder that knows no person."""
    environ = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color"}
    return environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONSAFEPATH": "1"}


def _command(root: Path) -> float:
    """Seconds of the whole command that lists the last commit, with its start, by those of git's own."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "agent", "review", "HEAD", "--json"]
        began = time.perf_counter()
        subprocess.run(command, cwd=root, env=_environ(home), check=True, capture_output=True)
        seconds = time.perf_counter() - began
    return seconds / _stat(root)


def _first_card(root: Path) -> float:
    """Seconds from the start of a review to its first card on a terminal, by those of a bare interpreter."""
    with tempfile.TemporaryDirectory() as home:
        environ = _environ(home)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare = time.perf_counter() - began
        words = ["-m", "agent", "review", "HEAD"]
        began = time.perf_counter()
        with pexpect.spawn(sys.executable, words, cwd=root, env=environ, dimensions=(30, 100)) as screen:
            while screen.expect([r"\x1b\[6n", "y keep"], timeout=60) == 0:
                screen.send("\x1b[1;1R")
            seconds = time.perf_counter() - began
            screen.close(force=True)
    return seconds / bare


def scale() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        roots = [Path(folder) / str(hunks) for hunks in (5_000, 10_000, 20_000)]
        for root in roots:
            large(root, int(root.name))
        large(few := Path(folder) / "few", 50)
        large(files := Path(folder) / "files", 10_000, per_file=1)
        large(some := Path(folder) / "some", 10_000, per_file=10)
        large(one := Path(folder) / "one", 2_000, per_file=2_000)
        ours, ratio = _compared(roots[1])
        memory = [_measure(root)[1] for root in roots]
        cards = [
            statistics.median(_first_card(root) for _ in range(ROUNDS))
            for root in (few, roots[1], files, one)
        ]
        of_files, of_some = _compared(files)[1], _compared(some)[1]
        whole = statistics.median(_command(roots[1]) for _ in range(ROUNDS))
    return [
        ("10,000 hunks listed, seconds", ours, NO_LIMIT),
        ("10,000 hunks listed / git diff --stat", ratio, 10),
        ("10,000 hunks listed by the command, with its start / git diff --stat", whole, NO_LIMIT),
        ("10,000 hunks in as many files listed / git diff --stat", of_files, 10),
        ("10,000 hunks in 1,000 files listed / git diff --stat", of_some, 10),
        ("first card of 50 hunks / python -c pass", cards[0], 45),
        ("first card of 10,000 hunks / python -c pass", cards[1], 45),
        ("first card of 10,000 files / python -c pass", cards[2], 45),
        ("first card of 2,000 hunks in one file / python -c pass", cards[3], 45),
        ("10,000 hunks listed, MB", memory[1], NO_LIMIT),
        ("memory of 20,000 hunks / of 10,000", memory[2] / memory[1], 2.2),
        ("memory of 10,000 hunks / of 5,000", memory[1] / memory[0], 2.2),
    ]


def run() -> list[Row]:
    return [*breakages(), *scale()]


if __name__ == "__main__":
    if len(sys.argv) == 2:
        listed(Path(sys.argv[1]))
    else:
        for name, value, limit in run():
            sys.stdout.write(f"{name}: {value:.2f} (at most {limit:g})\n")
