"""The read-only tools that a model may call: each reads a little, says what it left out, and never asks or writes.

Owns the way from a call's arguments to text. What a model may see is decided in `agent.tools.source`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent.core.dialog import Tool
from agent.core.errors import CopairError
from agent.core.secrets import redact
from agent.ports import Cancel, ToolOutput
from agent.tools.mention import Mentioned, mention
from agent.tools.outline import outline
from agent.tools.reading import read
from agent.tools.searching import search
from agent.tools.source import Source, View, normal, shown
from agent.tools.specs import read_tools

COMMITS = 12
COMMIT_CHARS = 160


class Arguments(msgspec.Struct):
    """Arguments of all four tools; what a tool does not use is empty."""

    path: str | None = None
    text: str | None = None


class Tools:
    """`ports.ToolBox` over one work tree. `prefix` is the person's folder in it, for their mentions."""

    def __init__(self, source: Source, prefix: str = "") -> None:
        self._source = source
        self._prefix = prefix
        self._tools = read_tools()

    def tools(self) -> Sequence[Tool]:
        return self._tools

    def run(self, name: str, args_json: str, cancel: Cancel) -> ToolOutput:
        """What the tool found. What the model got wrong is said to it, not raised."""
        try:
            arguments = msgspec.json.decode(args_json or "{}", type=Arguments)
        except (msgspec.DecodeError, UnicodeError) as error:
            return ToolOutput(
                f"The arguments of {name} cannot be read: {error}", f"{name}: bad arguments", True
            )
        try:
            return self._run(name, arguments.path or "", arguments.text or "", cancel)
        except CopairError as error:
            return ToolOutput(f"{name} failed: {error.message}", f"{name}: {error.message}", True)

    def _run(self, name: str, path: str, text: str, cancel: Cancel) -> ToolOutput:
        match name:
            case "read":
                return read(View(self._source), path)
            case "search":
                return search(View(self._source), text, path, cancel)
            case "outline":
                return outline(View(self._source), path)
            case "history":
                return self._history(path)
            case _:
                known = ", ".join(tool.name for tool in self._tools)
                return ToolOutput(
                    f"There is no tool {name}. There are: {known}.", f"{name}: no such tool", True
                )

    def _history(self, wanted: str) -> ToolOutput:
        path = normal(wanted, self._source.root)
        if path is None:
            return ToolOutput(f"{shown(wanted)} is not inside the repository.", f"{wanted}: refused", True)
        commits = self._source.recent(path, COMMITS + 1)
        where = f" of {shown(path)}" if path else ""
        if not commits:
            return ToolOutput(f"There are no commits{where}.", f"history{where}: none")
        text, secrets = redact("\n".join(line[:COMMIT_CHARS] for line in commits[:COMMITS]))
        more = "\n[left out: older commits]" if len(commits) > COMMITS else ""
        return ToolOutput(
            f"last commits{where}:\n{text}{more}",
            f"history{where}: {min(len(commits), COMMITS)} commits",
            withheld=secrets,
        )

    def mention(self, text: str) -> Mentioned:
        """What the person said, with the files that they mentioned by `@name`."""
        return mention(View(self._source), text, self._prefix) if "@" in text else Mentioned(text)
