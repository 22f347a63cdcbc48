"""What evidence costs: a warm check in a large repository beyond the test's own time, and the API check cold and warm.

    python -m tests.benchmarks.evidence [FILES]

The scratch tree is made once and told apart. What a check costs beyond its tests is told in seconds, as the promise is,
and as a ratio to bare runs of the same tests, taken in turn with it: the best of each.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.core.hunk import FileState, Mode, Write
from agent.evidence.lookup.api import ApiChecker
from agent.evidence.lookup.project_env import ProjectEnv
from agent.evidence.runs.run import Limits
from tests.support.lab import ENVIRONMENT, LEX, PYTEST, TESTS, Lab, pytest_check

Row = tuple[str, float, float]
NO_LIMIT = float("inf")
RUNS = 7
API = """
import httpx, json
with httpx.Client(timeout=3) as c:
    c.stream('GET', 'x', json={})
httpx.fetch()
json.parse('')
"""


def build(root: Path, files: int) -> None:
    """A repository of `files` small files, a hundred to a folder, and one test file."""
    for number in range(files):
        folder = root / f"pkg{number // 5000}" / f"part{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"m{number}.py").write_text(f"value = {number}\n")
    (root / "tests").mkdir()
    (root / "lex.py").write_text(LEX)
    (root / "tests" / "test_lex.py").write_text(TESTS)
    (root / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n")
    (root / "pytest.ini").write_text("[pytest]\npythonpath = .\ntestpaths = tests\n")
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def best(work: Callable[[], object], times: int = RUNS) -> float:
    """The shortest of some runs, in seconds."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def checks(files: int) -> list[Row]:
    """A chunk in a repository of so many files, before and after, against the bare test run of the same moment."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "repo"
        root.mkdir()
        build(root, files)
        lab = Lab(root, Path(folder) / "home", Limits())
        lab.store.accept([pytest_check(root)])
        once = best(lab.bench.warm, 1)
        writes = lab.change(lex_py=LEX + "\n\ndef more():\n    return 1\n")
        piece = lab.check(writes)
        assert (piece.summary, piece.after) == ("passed before and after", "2 passed"), piece
        other = root / "pkg0" / "part0" / "m0.py"

        def bare() -> None:
            subprocess.run([PYTEST, "-q"], cwd=root, env=ENVIRONMENT, check=True, capture_output=True)

        def moved() -> None:
            other.write_text(other.read_text() + "# more\n")
            lab.check(writes)

        rounds = [
            (best(bare, 1) * 2, best(lambda: lab.check(writes), 1), best(moved, 1)) for _ in range(RUNS)
        ]
        runs, warm, changed = (min(column) for column in zip(*rounds, strict=True))
        lab.close()
    return [
        (f"scratch tree of {files} files, once, seconds", once, NO_LIMIT),
        ("warm check beyond its two test runs, seconds", warm - runs, 0.3),
        ("warm check / its two test runs", warm / runs, 2),
        ("beyond them when a file of the person's has changed, seconds", changed - runs, 1),
    ]


def api() -> list[Row]:
    """The look-up of what one file uses, without and with what was read before."""
    site, stdlib = (Path(sysconfig.get_path(name)) for name in ("purelib", "stdlib"))
    checker = ApiChecker(Path("nowhere"), lambda: ProjectEnv((site,), stdlib, ".venv", True), tuple)
    writes = [Write("main.py", None, FileState(Mode.FILE, API.encode()))]
    cold = best(lambda: list(checker.examine(writes)), 1)
    warm = best(lambda: list(checker.examine(writes)))
    return [
        ("API check, cold, seconds", cold, 1),
        ("API check, warm, seconds", warm, 0.1),
        ("API check, warm / cold", warm / cold, 0.2),
    ]


def run(files: int = 50_000) -> list[Row]:
    return [*api(), *checks(files)]


if __name__ == "__main__":
    for name, value, limit in run(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000):
        sys.stdout.write(f"{name}: {value:.3f} (at most {limit:g})\n")
