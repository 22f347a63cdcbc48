"""A one-line fix against a scripted server: tokens that went out, and the time from launch to the changed file.

Tokens are characters of the request bodies / 3.5, for look, propose and end: three requests. The time is compared
with `python -c pass` of the same run, in a repository of 3 files and of 50,000.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.apply import build
from tests.support.server import ScriptedServer
from tests.support.wires import Turn

Row = tuple[str, float, float]
CODE = "def size(text):\n    return len(text.split()) + 1\n\n\ndef first(text):\n    return text.split()[0]\n"
EDIT = {
    "because": "every word is counted already",
    "path": "lex.py",
    "old": "    return len(text.split()) + 1\n",
    "new": "    return len(text.split())\n",
}
CHARS_PER_TOKEN = 3.5
ROUNDS = 5


def _script() -> list[Turn]:
    proposal = {
        "why": "`size` counts one word too many.",
        "title": "Count each word once",
        "assumes": [],
        "risks": [],
    }
    return [
        Turn(calls=(("read", {"path": "lex.py"}),)),
        Turn(calls=(("propose", {**proposal, "serves": "", "edits": [EDIT]}),)),
        Turn(text="Done: `size` counts each word once."),
    ]


def fix(root: Path, home: Path) -> tuple[float, list[int]]:
    """Seconds from launch to the changed file, and the characters of each request."""
    (root / "lex.py").write_text(CODE)
    with ScriptedServer("chat", _script()) as server:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "sk-none",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "agent", "--jsonl", "--model", "m", "size counts wrong"],
            cwd=root, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            seconds = _decide(process, began)
        assert "+ 1" not in (root / "lex.py").read_text()
        return seconds, [len(request.body) for request in server.requests if request.body]


def _decide(process: subprocess.Popen[str], began: float) -> float:
    """Say yes to the first card; when it is written the time is taken, at the next prompt the session ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    seconds = 0.0
    for line in process.stdout:
        message = json.loads(line)
        offer = message.get("offer", {})
        if offer.get("type") == "card" and not seconds:
            answer = {"id": message["id"], "decision": {"type": "approve", "digest": offer["digest"]}}
            process.stdin.write(json.dumps(answer) + "\n")
        elif message.get("event", {}).get("type") == "wrote":
            seconds = time.perf_counter() - began
        elif offer.get("type") == "prompt" and seconds:
            process.stdin.write('{"input": {"type": "quit"}}\n')
        process.stdin.flush()
    return seconds


def _python() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home, small, large = (Path(folder) / name for name in ("home", "small", "large"))
        home.mkdir()
        for root in (small, large):
            root.mkdir()
            (root / "lex.py").write_text(CODE)
        subprocess.run(["git", "init", "-q"], cwd=small, check=True)
        build(large)
        tokens = sum(fix(small, home)[1]) / CHARS_PER_TOKEN
        pairs = [(fix(small, home)[0], fix(large, home)[0], _python()) for _ in range(ROUNDS)]
        few, many, nothing = (statistics.median(column) for column in zip(*pairs, strict=True))
    return [
        ("a one-line fix in three requests, tokens", tokens, 4000),
        ("launch to changed file / python -c pass", few / nothing, 40),
        ("the same in 50,000 files / in 3 files", many / few, 1.5),
    ]


if __name__ == "__main__":
    for name, value, limit in run():
        sys.stdout.write(f"{name}: {value:.2f} (at most {limit})\n")
