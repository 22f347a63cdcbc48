"""A model that says random things, sound and unsound, and holds every request that it gets against the wire's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.server import Recorded, Reply
from tests.support.wires import Turn
from tests.trials.world import World

OUTSIDE = (
    "../x",
    "/etc/passwd",
    ".git/hooks/pre-commit",
    ".GIT/config",
    "a.py/x",
    "",
    "src/../../y",
    "a\0b",
    "~/x",
)
CUT = {"chat": "length", "messages": "max_tokens"}


class RandomModel:
    """A step for `ScriptedServer`, to be given as often as it may be asked. `fault` is what a request did wrong."""

    def __init__(self, world: World, wire: str) -> None:
        self._world = world
        self._rng = world.rng
        self._wire = wire
        self._sent: list[Any] = []
        self.fault = ""

    def __call__(self, request: Recorded) -> Reply | Turn:
        try:
            self._sent = check_request(self._wire, request.json, self._sent)
        except (AssertionError, KeyError) as error:
            self.fault = self.fault or f"{error!r}: {request.body.decode()[-1500:]}"
        return self._answer()

    def _answer(self) -> Reply | Turn:
        pick = self._rng.random()
        if pick < 0.03:
            headers = {"retry-after": "0"}
            return Reply(
                status=429,
                headers=headers,
                body=b'{"error":{"message":"slow"}}',
                content_type="application/json",
            )
        if pick < 0.05:
            return Reply(
                status=400, body=b'{"error":{"message":"\x1b[31mno"}}', content_type="application/json"
            )
        if pick < 0.12:
            return Reply(turn=Turn("Let me see", calls=(self._propose(),)), cut=self._rng.randrange(900))
        if pick < 0.14:
            return Turn("and so on", stop=CUT[self._wire])
        calls = tuple(self._call() for _ in range(self._rng.choice((0, 1, 1, 1, 2, 3))))
        words = self._rng.choice(("", "Let me `see`.", "**so**\x1b[2J")) or ("" if calls else "Done.")
        return Turn(words, calls, self._rng.choice(("", "thinking")), fragment=self._rng.choice((1, 9, 999)))

    def _call(self) -> tuple[str, dict[str, Any] | str]:
        name = self._rng.choice([*self._world.texts(), "nope", "../x", ".env"])
        others: list[tuple[str, dict[str, Any] | str]] = [
            ("read", {"path": name}),
            ("read", '{"path": '),
            ("search", {"text": "call", "path": ""}),
            ("outline", {"path": name}),
            ("history", {"path": name}),
            (
                "ask",
                {
                    "text": "Which?",
                    "why_it_matters": "",
                    "options": ["a", "b"],
                    "default": 0,
                    "looked_at": [],
                },
            ),
            ("finish", {"summary": "done"}),
            ("unknown", {}),
        ]
        return self._propose() if self._rng.random() < 0.6 else self._rng.choice(others)

    def _propose(self) -> tuple[str, dict[str, Any] | str]:
        said: dict[str, Any] = {
            "why": "it is wrong",
            "title": "Mend it",
            "assumes": [],
            "risks": [],
            "quotes": [],
        }
        edits = [self._edit() for _ in range(self._rng.choice((1, 1, 1, 2, 4)))]
        whole = {**said, "serves": "", "edits": edits}
        return "propose", json.dumps(whole)[:-9] if self._rng.random() < 0.03 else whole

    def _edit(self) -> dict[str, Any]:
        world, pick = self._world, self._rng.random()
        empty = {
            "because": "so",
            "path": "",
            "old": "",
            "new": "",
            "content": "",
            "delete": False,
            "rename_to": "",
        }
        name = self._rng.choice(world.texts() or ["none.py"])
        if pick < 0.55:
            return empty | {"path": name, **self._replacement(name)}
        if pick < 0.7:
            lines = self._rng.choice((1, 6, 40, 120))
            return empty | {
                "path": world.new_name(),
                "content": "".join(world.line() + "\n" for _ in range(lines)),
            }
        if pick < 0.78:
            return empty | {"path": name, "delete": True}
        if pick < 0.86:
            return empty | {"path": name, "rename_to": world.new_name()}
        return empty | {"path": self._rng.choice(OUTSIDE), "content": "x\n"}

    def _replacement(self, name: str) -> dict[str, str]:
        path = self._world.root / name
        lines = path.read_text().splitlines() if path.exists() else []
        if not lines:
            return {"content": self._world.line() + "\n"}
        at = self._rng.randrange(len(lines))
        old = lines[at : at + self._rng.choice((1, 1, 3))]
        fresh = [self._world.line() for _ in range(self._rng.choice((0, 0, 1, 4, 30)))]
        new = [*old, *fresh] if self._rng.random() < 0.6 else fresh
        return {"old": "\n".join(old) + "\n", "new": "".join(line + "\n" for line in new)}


def check_request(wire: str, body: dict[str, Any], sent: list[Any]) -> list[Any]:
    """The messages of a request, which must be well formed and begin with all that was `sent` before."""
    blocks = list(_blocks(wire, body))
    assert blocks[: len(sent)] == sent, "the prefix changed"
    waiting: list[str] = []
    for kind, name in (_told(role, block) for role, block in blocks):
        if kind == "call":
            assert name not in waiting, "one id for two calls"
            waiting.append(name)
        elif kind == "result":
            assert name in waiting, "a result without its call"
            waiting.remove(name)
        else:
            assert not (kind == "user" and waiting), "a call was not answered at once"
    assert not waiting, "a call was not answered"
    assert _told(*blocks[-1])[0] in ("user", "result"), "the model has the last word"
    return blocks


def _blocks(wire: str, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Role and content, block by block: a message may get further blocks while it is the last one."""
    for message in body["messages"]:
        role, content = message.get("role", ""), message.get("content", "")
        if wire == "messages":
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            for part in parts:
                yield role, {key: value for key, value in part.items() if key != "cache_control"}
        elif wire == "chat" and message.get("tool_calls"):
            yield role, {"content": content}
            for call in message["tool_calls"]:
                json.loads(call["function"]["arguments"])
                yield role, {**call, "type": "tool_use"}
        else:
            yield role, message


def _told(role: str, block: dict[str, Any]) -> tuple[str, str]:
    """What a block is (call, result, or the role that says it), and the id of its call."""
    match block.get("type"):
        case "tool_use":
            return "call", block["id"]
        case "tool_result":
            return "result", block["tool_use_id"]
    return ("result", block["tool_call_id"]) if role == "tool" else (role, "")
