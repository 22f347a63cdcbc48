"""Whole sessions against a real llama.cpp server: what it says is unknown, what copair does with it is not.

A relay on loopback stands between the two and counts what goes through; copair runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import running_engine
from tests.support.relay import Relay

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]
GitIn = Callable[..., bytes]
PATIENCE = 120.0
"""Seconds for one reply of the engine on one thread."""
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|.)")


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with running_engine() as url:
        yield url


@pytest.fixture
def relay(engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    made = Relay(engine)
    monkeypatch.setenv("OPENAI_BASE_URL", made.url)
    yield made
    made.close()


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    (repo / "staged.txt").write_text("staged\n")
    git_in(repo, "add", "staged.txt")
    (repo / "new.txt").write_text("untracked\n")
    return repo


def facts(root: Path, git_in: GitIn) -> list[bytes]:
    """Everything that no word of a model may change."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return [
        (root / ".git/index").read_bytes(),
        git_in(root, "for-each-ref"),
        git_in(root, "stash", "list"),
        *(str(path).encode() + path.read_bytes() for path in files),
    ]


class Lines:
    """copair over `--jsonl`: `next_offer` reads until something can be answered; `send` answers."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent", *arguments, "--jsonl"],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.seen: list[dict[str, Any]] = []

    def next_offer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.seen.append(json.loads(line))
            if self.seen[-1].get("offer", {}).get("type", "work") != "work":
                return self.seen[-1]
        raise AssertionError(self.seen[-3:])

    def send(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()

    def of(self, key: str, kind: str) -> list[dict[str, Any]]:
        return [line[key] for line in self.seen if line.get(key, {}).get("type") == kind]

    def end(self) -> tuple[int, bytes]:
        self.send({"input": {"type": "quit"}})
        out, err = self._process.communicate(timeout=30)
        self.seen += [json.loads(line) for line in out.split(b"\n") if line]
        return self._process.returncode, err


def refuse(offer: dict[str, Any]) -> dict[str, Any]:
    """No to a card, the first option of a question."""
    if offer["offer"]["type"] == "card":
        return {"id": offer["id"], "decision": {"type": "reject", "reason": "no"}}
    return {"id": offer["id"], "answer": {"choice": 0}}


@pytest.mark.parametrize("protocol", ["tools", "text"])
def test_a_session_streams_changes_nothing_without_a_yes_and_goes_on(
    project: Path, git_in: GitIn, relay: Relay, protocol: str
) -> None:
    before = facts(project, git_in)
    lines = Lines(project, "chat", "Say in one line what calc.py does.", "--protocol", protocol)
    answered = 0
    for turn in range(2):
        while (offer := lines.next_offer())["offer"]["type"] != "prompt":
            lines.send(refuse(offer))
        assert relay.requests > answered, "the sentence did not reach the engine"
        answered = relay.requests
        if turn == 0:
            lines.send({"id": offer["id"], "text": "And now say hello."})
    code, err = lines.end()
    assert (code, err) == (0, b"")
    streamed = "".join(tick["text"] for tick in lines.of("tick", "text"))
    assert len(lines.of("tick", "text")) > 2
    assert streamed == "".join(relay.deltas)
    assert len(lines.of("event", "replied")) + len(lines.of("event", "turn_failed")) == relay.requests
    assert not lines.of("event", "wrote")
    assert facts(project, git_in) == before


class Tty:
    """copair in a pseudo-terminal of its own; `text` is all that it ever printed, without escapes."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, "-m", "agent", *arguments])
        self._raw = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return
            self._raw += data

    @property
    def text(self) -> str:
        return ESCAPES.sub("", self._raw.decode("utf-8", "replace"))

    def wait(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, self.text[-3000:]
            time.sleep(0.02)

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self) -> int:
        """Wait for its end; the exit code."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            done, status = os.waitpid(self._pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        raise AssertionError(f"it did not end:\n{self.text[-3000:]}")


def test_its_words_are_on_the_screen_while_it_speaks_and_ctrl_c_keeps_the_session(
    project: Path, git_in: GitIn, relay: Relay
) -> None:
    before = facts(project, git_in)
    tty = Tty(project, "chat", "Count slowly from one to five hundred in words.", "--protocol", "text")
    tty.wait(lambda: any(w in tty.text for w in re.findall(r"[A-Za-z]{3,}", "".join(relay.deltas))))
    if b"[DONE]" not in relay.told:
        tty.press("\x03")
    tty.wait(lambda: "› " in tty.text.rpartition("Ctrl-C stops")[2])
    asked = relay.requests
    tty.press("Say hello.\r")
    tty.wait(lambda: relay.requests > asked)
    tty.press("\x03")
    time.sleep(1)
    for _ in range(3):
        tty.press("\x04")
        time.sleep(0.5)
    assert tty.end() == 0
    assert facts(project, git_in) == before
