"""What evidence costs: a warm check in a large repository beyond the test's own time, and the API check cold and warm.

    python -m tests.benchmarks.evidence [FILES]

The scratch tree is made once and told apart. Overheads are seconds, and ratios to the bare test run.
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
from agent.evidence.api import ApiChecker
from agent.evidence.project_env import ProjectEnv
from agent.evidence.run import Limits
from tests.support.lab import ENVIRONMENT, LEX, PYTEST, TESTS, Lab, pytest_check

RUNS = 5
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


def check(files: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "repo"
        root.mkdir()
        build(root, files)
        bare = best(
            lambda: subprocess.run([PYTEST, "-q"], cwd=root, env=ENVIRONMENT, check=True, capture_output=True)
        )
        lab = Lab(root, Path(folder) / "home", Limits())
        lab.store.accept([pytest_check(root)])
        print(f"scratch tree of {files} files: {best(lab.bench.warm, 1):.2f} s, once")
        writes = lab.change(lex_py=LEX + "\n\ndef more():\n    return 1\n")
        print(
            f"{(piece := lab.check(writes)).verdict}: {piece.summary} ({piece.after}), sandbox {piece.sandbox}"
        )
        warm = best(lambda: lab.check(writes))
        over = warm - 2 * bare
        print(
            f"warm check, before and after: {warm:.2f} s; two bare runs: {2 * bare:.2f} s; beyond them {over:.2f} s"
        )
        print(f"ratio to the bare runs: {warm / (2 * bare):.2f}")
        lab.close()


def api() -> None:
    site, stdlib = (Path(sysconfig.get_path(name)) for name in ("purelib", "stdlib"))
    checker = ApiChecker(Path("nowhere"), lambda: ProjectEnv((site,), stdlib, ".venv", True), tuple)
    writes = [Write("main.py", None, FileState(Mode.FILE, API.encode()))]
    print(f"API check: cold {best(lambda: list(checker.examine(writes)), 1):.3f} s", end=", ")
    print(f"warm {best(lambda: list(checker.examine(writes))):.3f} s")


if __name__ == "__main__":
    api()
    check(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
