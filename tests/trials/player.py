"""Plays a `--jsonl` session with random decisions, and proves that each yes wrote its card and nothing else was changed."""

from __future__ import annotations

import base64
import json
import os
import queue
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from tests.trials.world import Facts, World

SAID = ("fix it", "do @a.py", "look at @nope", "x" * 3000)
COMMANDS = ("undo", "redo", "retry", "later", "list", "cost", "help", "nonsense")
SECONDS = 60


class Player:
    """One session. `yes` are the cards that were approved: what the files were, and what the card would write."""

    def __init__(self, world: World, arguments: list[str], environ: dict[str, str], limit: int = 30) -> None:
        self._world = world
        self._rng = world.rng
        self._limit = limit
        self._words = self._rng.randrange(1, 5)
        self._yes: dict[str, tuple[Facts, dict[str, Any]]] = {}
        self._quiet = world.facts()
        self._done: set[str] = set()
        self._open = ""
        self._busy = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent", *arguments, "--jsonl"],
            cwd=world.root,
            env={
                **os.environ,
                **environ,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "PYTHONSAFEPATH": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def play(self) -> None:
        """To the end of the session, which may be a kill. Fails on a fault, a hang and an unasked-for change."""
        killed = False
        while line := self._lines.get(timeout=SECONDS):
            self._heed(json.loads(line))
            if self._rng.random() < 0.002:
                self._process.kill()
                killed = True
        _, complaint = self._process.communicate(timeout=SECONDS)
        assert "Traceback" not in complaint, complaint
        assert "fault of copair" not in complaint, complaint
        assert killed or self._process.returncode in (0, 1, 2), complaint
        assert killed or self._busy or self._world.facts() == self._quiet, "changed without a yes"

    def _heed(self, message: dict[str, Any]) -> None:
        event = message.get("event", {})
        kind = event.get("type", "")
        if kind == "wrote":
            self._prove(event["digest"])
        if kind == "undone":
            self._quiet = self._world.facts()
        if (
            kind in ("undone", "write_refused", "undo_refused")
            or message.get("tick", {}).get("type") == "notice"
        ):
            self._done.discard(self._open)
            self._busy = False
        offer = message.get("offer")
        if offer is not None and offer["type"] != "work" and message["id"] not in self._done:
            self._open = message["id"]
            self._done.add(self._open)
            self._limit -= 1
            self._send(self._answer(offer) if self._limit > 0 else {"input": {"type": "quit"}})

    def _prove(self, digest: str) -> None:
        before, files = self._yes[digest]
        expected = {name: kept for name, kept in {**before.tree, **files}.items() if kept is not None}
        self._quiet = self._world.facts()
        assert self._quiet == msgspec.structs.replace(before, tree=dict(sorted(expected.items())))

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._limit = 0

    def _answer(self, offer: dict[str, Any]) -> dict[str, Any]:
        if offer["type"] == "question":
            return self._reply(answer=self._rng.choice(({"choice": 0}, {"choice": None, "text": "neither"})))
        if offer["type"] == "card":
            return self._decide(offer)
        assert self._busy or self._world.facts() == self._quiet, "changed without a yes"
        self._words -= 1
        if self._words < 0:
            return {"input": {"type": "quit"}}
        if self._rng.random() < 0.4:
            self._busy = True  # an undo may be under way
            return {"input": {"type": "command", "name": self._rng.choice(COMMANDS)}}
        return self._reply(text=self._rng.choice(SAID))

    def _reply(self, **content: Any) -> dict[str, Any]:
        return {"id": self._open, **content}

    def _decide(self, card: dict[str, Any]) -> dict[str, Any]:
        assert self._busy or self._world.facts() == self._quiet, "changed without a yes"
        if self._rng.random() < 0.1 and not self._yes:
            self._world.change()
        self._quiet = self._world.facts()
        pick = self._rng.random()
        if pick < 0.55:
            self._yes[card["digest"]] = (self._quiet, {name: _kept(new) for name, new in card["new"].items()})
            word = {"word": "apply"} if card["risky"] else {}
            return self._reply(decision={"type": "approve", "digest": card["digest"]}, **word)
        if pick < 0.6:
            self._busy = True
            return {"input": {"type": "undo", "chunk": ""}}
        return self._reply(decision=self._rng.choice(self._others(card)))

    def _others(self, card: dict[str, Any]) -> list[dict[str, Any]]:
        texts = {name: new for name, new in card["new"].items() if new and "text" in new}
        mine = {
            name: {
                "mode": new["mode"],
                "data": base64.b64encode(self._world.edited(new["text"].encode())).decode(),
            }
            for name, new in texts.items()
            if not stat.S_ISLNK(new["mode"])
        }
        edit = {"type": "edit", "states": mine} if mine else {"type": "defer"}
        return [
            {"type": "reject", "reason": "no"}, {"type": "revise", "note": "otherwise"}, {"type": "ask", "text": "why?"},
            {"type": "defer"}, {"type": "split"}, edit,
        ]  # fmt: skip


def _kept(new: dict[str, Any] | None) -> tuple[str, bytes] | None:
    if new is None:
        return None
    data = new["text"].encode() if "text" in new else base64.b64decode(new["base64"])
    return ("link" if stat.S_ISLNK(new["mode"]) else "x" if new["mode"] & 0o100 else "file"), data
