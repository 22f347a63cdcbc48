"""A conversation with a built-in peer without the driver: applies what it proposes and answers as the session would."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.core.dialog import (
    AssistantMessage,
    Done,
    Fault,
    Message,
    Request,
    TextDelta,
    ToolArgsDelta,
    ToolCall,
    ToolCallEnd,
    ToolChoice,
    ToolResult,
    UserMessage,
)
from agent.core.hunk import FileState, Mode
from agent.ports import Cancel, Model


def listing(root: Path) -> Callable[[], Sequence[str]]:
    def names() -> Sequence[str]:
        files = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts]
        return sorted(str(path.relative_to(root)) for path in files)

    return names


def reader(root: Path) -> Callable[[str], FileState | None]:
    def read(path: str) -> FileState | None:
        full = root / path
        try:
            mode = os.lstat(full).st_mode
        except OSError:
            return None
        if stat.S_ISLNK(mode):
            return FileState(Mode.SYMLINK, os.fsencode(os.readlink(full)))
        return FileState(Mode.FILE, full.read_bytes())

    return read


class Scene:
    """`say` and `result` add to the history and fetch the next reply; `call` is what the peer called last."""

    def __init__(self, model: Model, root: Path) -> None:
        self.model = model
        self.root = root
        self.history: list[Message] = []
        self.text = ""
        self.call: ToolCall | None = None
        self.cards = 0

    @property
    def arguments(self) -> dict[str, Any]:
        assert self.call is not None, f"no call; it said: {self.text}"
        loaded: dict[str, Any] = json.loads(self.call.args_json)
        return loaded

    def say(self, text: str, tool_choice: ToolChoice = ToolChoice.AUTO) -> None:
        self.history.append(UserMessage(text))
        self._reply(tool_choice)

    def result(self, content: str, is_error: bool = False, more: str = "") -> None:
        assert self.call is not None
        self.history.append(ToolResult(self.call.id, self.call.name, content, is_error))
        if more:
            self.history.append(UserMessage(more))
        self._reply(ToolChoice.AUTO)

    def answer(self, words: str) -> None:
        self.result(f"The person answers: {words}")

    def option(self, index: int) -> None:
        self.answer(self.arguments["options"][index])

    def decide(self, status: str, reason: str = "") -> None:
        """`applied` writes the edits; every old text must be there exactly once."""
        self.cards += 1
        if status == "applied":
            self.apply()
        title = self.arguments["title"]
        self.result(f'chunk c{self.cards} "{title}": {status}' + (f" ({reason})" if reason else ""))

    def revise(self, note: str) -> None:
        self.cards += 1
        title = self.arguments["title"]
        self.result(
            f'chunk c{self.cards} "{title}": dropped (dropped by a revision)',
            more=f'About chunk c{self.cards} "{title}" the person says: {note} Propose it again, changed.',
        )

    def apply(self) -> None:
        for edit in self.arguments["edits"]:
            path = self.root / edit["path"]
            if edit.get("content") is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(edit["content"].encode())
                continue
            text = path.read_bytes().decode()
            assert text.count(edit["old"]) == 1, f"{edit['path']}: {edit['old']!r} is not unique"
            path.write_bytes(text.replace(edit["old"], edit["new"]).encode())

    def _reply(self, tool_choice: ToolChoice) -> None:
        request = Request("", (), tuple(self.history), tool_choice)
        self.text, self.call = "", None
        fragments = ""
        last: object = None
        calls: list[ToolCall] = []
        for last in self.model.stream(request, Cancel()):
            match last:
                case TextDelta(text=text):
                    self.text += text
                case ToolArgsDelta(fragment=fragment):
                    fragments += fragment
                case ToolCallEnd(id=id, name=name, args_json=args_json):
                    assert fragments == args_json
                    fragments = ""
                    calls.append(ToolCall(id, name, args_json))
                case Fault():
                    raise AssertionError(last)
                case _:
                    pass
        assert isinstance(last, Done)
        assert len(calls) <= 1
        self.call = calls[0] if calls else None
        self.history.append(AssistantMessage(self.text, tuple(calls)))
