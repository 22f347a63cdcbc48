"""Puts the fragments of Chat Completions tool calls together.

The first fragment of a call carries id and name, later ones only text of the arguments. Servers differ: Gemini
sends no index and whole calls, some repeat id and name, some give every call the index 0 or no id at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agent.core.dialog import Fault, FaultKind, StreamEvent, ToolArgsDelta, ToolCallEnd, ToolCallStart
from agent.llm.transport import loose
from agent.llm.transport.sse import Malformed
from agent.llm.wires.ids import usable_id


class _Call:
    """One call while it is being sent. `server_id` as it came, `id` as the session knows it."""

    def __init__(self, server_id: str, taken: set[str]) -> None:
        self.server_id = server_id
        self.id = usable_id(server_id, taken)
        self.name = ""
        self.args: list[str] = []
        self.held: list[str] = []
        """Fragments that came before the name."""
        self.extra: dict[str, Any] = {}

    @property
    def args_json(self) -> str:
        joined = "".join(self.args)
        return "" if joined.strip() in ("", "null") else joined


class Calls:
    """The calls of one reply, in order. Ids in `taken` are not given out again."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._twice = ""

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, fragments: list[Any]) -> Iterator[StreamEvent]:
        for fragment in fragments:
            fields = loose.obj(fragment)
            if fields:
                yield from self._fragment(fields)

    def _fragment(self, fields: loose.Object) -> Iterator[StreamEvent]:
        function = loose.obj(fields.get("function"))
        name = loose.text(function.get("name"))
        call = self._find(loose.index(fields.get("index")), loose.text(fields.get("id")), name)
        call.extra.update({key: value for key, value in fields.items() if key not in _OWN})
        if name and not call.name:
            call.name = name
            yield ToolCallStart(call.id, name)
        arguments = function.get("arguments")
        # Some servers send the arguments as an object instead of its text.
        text = json.dumps(arguments) if isinstance(arguments, dict) else loose.text(arguments)
        if text:
            call.args.append(text)
            call.held.append(text)
        if call.name:
            held, call.held = call.held, []
            for part in held:
                yield ToolArgsDelta(call.id, part)

    def _find(self, index: int | None, server_id: str, name: str) -> _Call:
        """The call that a fragment belongs to; a new one when it belongs to none."""
        known = self._by_index.get(index) if index is not None else self._without_index(server_id, name)
        if known is not None and not (server_id and known.server_id and server_id != known.server_id):
            known.server_id = known.server_id or server_id
            return known
        if server_id and any(call.server_id == server_id for call in self._calls):
            self._twice = server_id
        call = _Call(server_id, self._taken)
        self._taken = self._taken | {call.id}
        self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _without_index(self, server_id: str, name: str) -> _Call | None:
        """Without an index a name starts a call, unless it repeats that of a call which is still open."""
        same = next((call for call in self._calls if server_id and call.server_id == server_id), None)
        if same is not None:
            whole = bool(name) and bool(same.args) and not loose.arguments_problem("".join(same.args))
            return None if whole else same
        if server_id or name or not self._calls:
            return None
        return self._calls[-1]

    def ends(self, where: str) -> list[ToolCallEnd]:
        """The finished calls. Raises Malformed when one of them cannot be trusted."""
        if self._twice:
            raise Malformed(_broken(f"{where} sent two tool calls with one id"))
        for call in self._calls:
            if not call.name:
                raise Malformed(_broken(f"{where} sent a tool call without a name"))
            problem = loose.arguments_problem(call.args_json)
            if problem:
                raise Malformed(_broken(f"{where} sent a call of {call.name} whose arguments {problem}"))
        return [ToolCallEnd(call.id, call.name, call.args_json) for call in self._calls]

    def raw(self) -> list[dict[str, Any]]:
        """The calls as they go back: what the server sent, unknown fields included, ids filled in."""
        return [
            {
                **call.extra,
                "id": call.server_id or call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": loose.arguments_text(call.args_json)},
            }
            for call in self._calls
        ]


_OWN = frozenset({"index", "id", "type", "function"})


def _broken(message: str) -> Fault:
    return Fault(FaultKind.SERVER, message, "nothing of this reply is used; say it again", retryable=True)
