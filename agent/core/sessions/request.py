"""What goes to the model: a stable prefix that only grows, within the window.

`system`, `tools` and what was sent before never change within an epoch, so provider caches hit. When the
window fills up a new epoch starts: older tool results are dropped in a fixed way and opaque provider items are
left out; the person's words, questions, answers and decisions never are.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent.core.dialog import (
    AssistantMessage,
    Message,
    Protocol,
    Request,
    Tool,
    ToolResult,
    UserMessage,
)
from agent.core.sessions.session import UNUSABLE
from agent.core.sessions.state import State

CHARS_PER_TOKEN = 3.5
KEEP_RESULTS = 4
"""Tool results at the end of the history that a new epoch keeps whole."""
AGAIN = "[Your last reply did not come to its end and is not used. Reply again, whole.]"
"""For a request that is sent again: the model must know, and a request that ends with its words is refused by some
servers, unless it is to go on after a pause of its own.
"""
FILL = 0.85
"""A new epoch starts when a request would fill more than this part of the window."""


def outgoing(state: State, changed: Sequence[str]) -> tuple[Message, ...]:
    """The messages that the next request adds: answers to calls first, then one message of the person.

    `changed` are the files that differ from what the model has read.
    """
    words = list(state.notes)
    if changed:
        names = ", ".join(changed)
        words.append(f"[changed since you read them; read again before you edit: {names}]")
    if _ends_unused(state):
        words.append(AGAIN)
    if state.protocol is Protocol.TEXT:
        words = [*(_as_text(result) for result in state.results), *words]
        return (UserMessage("\n\n".join(words)),) if words else ()
    said = (UserMessage("\n\n".join(words)),) if words else ()
    return (*state.results, *said)


def _ends_unused(state: State) -> bool:
    """True when the history ends with words of the model that the last failure made useless."""
    failure = state.failure
    cut = failure is not None and (failure.text.strip() or failure.kind in UNUSABLE)
    return bool(cut) and isinstance(state.history[-1], AssistantMessage)


def build(state: State, system: str, tools: Sequence[Tool], max_output_tokens: int = 8192) -> Request:
    """The request for `state`, whose history holds everything that is to be sent."""
    text = state.protocol is Protocol.TEXT
    return Request(
        system=system,
        tools=() if text else tuple(tools),
        history=_without_calls(state.history) if text else state.history,
        max_output_tokens=max_output_tokens,
        cache_key=f"copair-{state.session}-{state.epoch}",
    )


def _as_text(result: ToolResult) -> str:
    return f"[{result.name}] {result.content}"


def _without_calls(history: Sequence[Message]) -> tuple[Message, ...]:
    """For a model without tool calls: a history that began with another model loses its calls, not its words."""
    messages: list[Message] = []
    for message in history:
        match message:
            case AssistantMessage(text=text, calls=calls):
                names = ", ".join(call.name for call in calls)
                messages.append(AssistantMessage(text or f"(called {names or 'nothing'})"))
            case ToolResult():
                messages.append(UserMessage(_as_text(message)))
            case UserMessage():
                messages.append(message)
    return tuple(messages)


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Tokens of `messages` by length, before a provider has told."""
    return int(sum(map(_length, messages)) / CHARS_PER_TOKEN)


def _length(message: Message) -> int:
    match message:
        case AssistantMessage(text=text, calls=calls):
            return len(text) + sum(len(call.args_json) + len(call.name) for call in calls)
        case ToolResult(content=content):
            return len(content)
        case UserMessage(text=text):
            return len(text)


def must_compact(state: State, window: int | None, added: Sequence[Message], max_output_tokens: int) -> bool:
    """True when the next request would not fit: by the last usage that the provider told, else by length."""
    if window is None:
        return False
    known = state.last_input_tokens or estimate_tokens(state.history)
    room = window * FILL - min(max_output_tokens, window // 4)
    return known + estimate_tokens(added) > room and len(state.history) > KEEP_RESULTS


def compact(history: Sequence[Message]) -> tuple[tuple[Message, ...], int]:
    """The history of a new epoch and how many tool results were dropped from it."""
    results = [index for index, message in enumerate(history) if isinstance(message, ToolResult)]
    old = {i for i in results[:-KEEP_RESULTS] if _droppable(history[i])}
    messages: list[Message] = []
    for index, message in enumerate(history):
        if index in old and isinstance(message, ToolResult):
            messages.append(msgspec.structs.replace(message, content="[dropped to make room; call it again]"))
        elif isinstance(message, AssistantMessage):
            messages.append(msgspec.structs.replace(message, raw=None))
        else:
            messages.append(message)
    return tuple(messages), len(old)


def _droppable(message: Message) -> bool:
    """Answers of the person and what became of proposals stay; what was looked up can be looked up again."""
    return isinstance(message, ToolResult) and message.name not in ("ask", "propose", "finish")
