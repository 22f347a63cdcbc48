"""Ids of tool calls: ours are unique over a whole conversation, whatever a server sends.

Some servers number the calls of each reply from zero, some send no id. The session finds calls by their id, so a
repeated or missing one gets another here; what goes back to the server is its own again.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from agent.core.dialog import AssistantMessage, Message
from agent.core.sessions.session import is_synthetic


def taken_ids(history: Collection[Message]) -> set[str]:
    """Ids of all calls in `history`."""
    return {call.id for message in history if isinstance(message, AssistantMessage) for call in message.calls}


def usable_id(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or a new id when it is missing, taken, or one of those that the session makes itself."""
    if wanted and wanted not in taken and not is_synthetic(wanted):
        return wanted
    return f"call_{secrets.token_hex(8)}"


def server_ids(message: AssistantMessage, theirs: list[str]) -> dict[str, str]:
    """Our ids of the calls of a reply to those that the server gave them; both lists have the same order."""
    return {call.id: other for call, other in zip(message.calls, theirs, strict=False) if other}
