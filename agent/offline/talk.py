"""Reads a conversation back: what the person said, what was asked and answered, what became of each proposal.

The built-in peers keep no state of their own: everything they know of a session is in the history of the request,
so that resuming and replaying give the same replies. The sentences that are recognised here are those of
`agent.core.sessions.session` and `agent.core.sessions.steps`; a test holds the two together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from agent.core.dialog import AssistantMessage, Message, ToolCall, ToolResult, UserMessage


class Instruction(msgspec.Struct, frozen=True):
    text: str


class Asked(msgspec.Struct, frozen=True):
    """A question of the person about a pending chunk: to be answered in words."""

    title: str
    text: str


class Revised(msgspec.Struct, frozen=True):
    title: str
    note: str


class Outcome(msgspec.Struct, frozen=True):
    """What became of one chunk: `applied`, `rejected`, `deferred`, `undone`, ..."""

    title: str
    status: str
    reason: str = ""


class Answered(msgspec.Struct, frozen=True):
    """The answer to a question of ours; `refused` when it was never asked."""

    question: dict[str, Any]
    text: str
    refused: bool = False


class Reply(msgspec.Struct, frozen=True):
    """A reply of ours: its proposals and questions, and the number of calls."""

    text: str
    calls: tuple[ToolCall, ...]


class Failed(msgspec.Struct, frozen=True):
    """A proposal of ours that never became a card."""

    arguments: dict[str, Any]
    message: str


ANSWERS = "The person answers: "

Turn = Instruction | Asked | Revised | Outcome | Answered | Reply | Failed

_ABOUT = re.compile(r'The person asks about chunk \S+ "(.*)", still undecided: (.*)', re.DOTALL)
_REVISE = re.compile(r'About chunk \S+ "(.*)" the person says: (.*) Propose it again, changed\.', re.DOTALL)
_LATE = re.compile(r'Chunk \S+ "(.*)" was ([a-z]+)(?:: (.*))?\.', re.DOTALL)
_UNDO = re.compile(r'The person (undid|applied) chunk \S+ (?:again )?"(.*)"\.', re.DOTALL)
_ROW = re.compile(r'chunk \S+ "(.*)": ([a-z]+)[^(\n]*(?:\((.*)\))?.*')
_FILE = re.compile(r"\S.*, (?:all [0-9]+ lines|lines [0-9]+-[0-9]+ of [0-9]+|[0-9]+ files).*:")


def turns(history: Sequence[Message]) -> list[Turn]:
    """The conversation, oldest first."""
    found: list[Turn] = []
    calls: dict[str, ToolCall] = {}
    for message in history:
        match message:
            case UserMessage(text=text):
                found += _person(text)
            case AssistantMessage(text=text, calls=made):
                calls |= {call.id: call for call in made}
                found.append(Reply(text, made))
            case ToolResult():
                found += _result(message, calls.get(message.call_id))
    return found


def arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments of a call of ours; empty when they cannot be read."""
    try:
        read = json.loads(call.args_json or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _result(message: ToolResult, call: ToolCall | None) -> list[Turn]:
    made = arguments(call) if call else {}
    if message.name == "ask":
        return [Answered(made, message.content.removeprefix(ANSWERS), message.is_error)]
    if message.name != "propose":
        return []
    rows = [_ROW.match(line) for line in message.content.split("\n")]
    outcomes: list[Turn] = [Outcome(row[1], row[2], row[3] or "") for row in rows if row]
    return outcomes or [Failed(made, message.content)]


def _person(text: str) -> list[Turn]:
    """A message of the person: sentences and decisions, one a paragraph; mentioned files follow at the end."""
    found: list[Turn] = []
    said: list[str] = []
    for paragraph in text.split("\n\n"):
        if _FILE.fullmatch(paragraph.split("\n")[0]):
            break
        if about := _ABOUT.fullmatch(paragraph):
            found.append(Asked(about[1], about[2]))
        elif revise := _REVISE.fullmatch(paragraph):
            found.append(Revised(revise[1], revise[2]))
        elif late := _LATE.fullmatch(paragraph):
            found.append(Outcome(late[1], late[2], late[3] or ""))
        elif undo := _UNDO.fullmatch(paragraph):
            found.append(Outcome(undo[2], "undone" if undo[1] == "undid" else "applied"))
        elif not paragraph.startswith("[changed since") and paragraph.strip():
            said.append(paragraph.strip())
    return [*found, Instruction("\n\n".join(said))] if said else found
