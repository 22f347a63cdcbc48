"""What the offline pair knows of a session, read from its history: the wish, the choice, what was tried."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent.offline.plan import Key, key_of
from agent.offline.talk import (
    Answered,
    Asked,
    Failed,
    Instruction,
    Outcome,
    Reply,
    Revised,
    Turn,
    arguments,
)

RULES_FIRST = "Which findings shall I take first?"
HOW_ELSE = "I cannot follow free text. What shall I do with this finding?"
SKIP, SILENCE, LEAVE = "Skip it and go on", "Mark the line with # noqa", "Leave this rule alone"


class Memory(msgspec.Struct, frozen=True):
    """`news` is what came since our last reply. Everything else is since the last instruction, but `tried`."""

    news: tuple[Turn, ...]
    instruction: str = ""
    choice: Answered | None = None
    left: tuple[str, ...] = ()
    """Rules that the person wants left alone."""
    tried: frozenset[Key] = frozenset()
    """Fixes that were offered before; deferred ones may come again after a new instruction."""
    outcomes: tuple[Outcome, ...] = ()
    last: tuple[str, str] = ("", "")
    """Path and rule of the last proposal."""
    last_key: Key = ()
    calls: int = 0


def remember(found: Sequence[Turn]) -> Memory:
    """The memory that the conversation leaves."""
    start = max((i for i, turn in enumerate(found) if isinstance(turn, Instruction)), default=0)
    last_reply = max((i for i, turn in enumerate(found) if isinstance(turn, Reply)), default=-1)
    memory = Memory(news=tuple(found[last_reply + 1 :]), tried=_tried(found, start))
    put = msgspec.structs.replace
    for index, turn in enumerate(found):
        match turn:
            case Instruction(text=text):
                memory = put(memory, instruction=text)
            case Reply(calls=calls):
                memory = put(memory, calls=memory.calls + len(calls))
                for call in calls:
                    if call.name == "propose":
                        memory = put(memory, last=_subject(arguments(call)), last_key=key_of(arguments(call)))
            case Answered(question=question, text=text):
                if index > start and question.get("text") == RULES_FIRST:
                    memory = put(memory, choice=turn)
                if index > start and LEAVE in text:
                    memory = put(memory, left=(*memory.left, memory.last[1]))
            case Outcome():
                if index > start:
                    memory = put(memory, outcomes=(*memory.outcomes, turn))
            case Asked() | Revised() | Failed():
                pass
    return memory


def _subject(made: dict[str, object]) -> tuple[str, str]:
    key = key_of(made)
    return (key[0][0] if key else "", str(made.get("serves", "")).removeprefix("ruff "))


def _tried(found: Sequence[Turn], start: int) -> frozenset[Key]:
    """Keys of all proposals so far, without those that were only put off before the last instruction."""
    tried: dict[Key, bool] = {}
    open_keys: list[Key] = []
    for index, turn in enumerate(found):
        if isinstance(turn, Reply):
            open_keys = [key_of(arguments(call)) for call in turn.calls if call.name == "propose"]
            tried |= dict.fromkeys(open_keys, True)
        if isinstance(turn, Outcome) and turn.status == "deferred" and index < start:
            tried |= dict.fromkeys(open_keys, False)
    return frozenset(key for key, keep in tried.items() if keep)
