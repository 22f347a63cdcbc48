"""What a review has applied and the files have no more: another branch is checked out, or it was thrown away.

Asked when a review goes on: what is gone is offered again, or the rest of the stack would end without it.
"""

from __future__ import annotations

import msgspec

from agent.core import events as ev
from agent.core.errors import PathRefused
from agent.core.sessions.session import Item, State, Status
from agent.core.text import digest
from agent.loop.desk import Desk

THERE = (Status.APPLIED, Status.PRESENT)


def gone(desk: Desk, state: State) -> list[Item]:
    """The chunks that were applied or there, and that could be applied now once more, in the order of the stack.

    What the person has changed since is no more looked at: it can be neither there nor gone. A file that is as the
    last write left it is not read into.
    """
    suspects = _suspects(desk, state)
    state = msgspec.structs.replace(
        state,
        items=tuple(
            msgspec.structs.replace(item, status=Status.PENDING) if item in suspects else item
            for item in state.items
        ),
    )
    found: list[Item] = []
    for item in suspects:
        if isinstance(desk.writes(state, item), tuple):
            found.append(item)
        else:
            items = tuple(item if other.chunk.id == item.chunk.id else other for other in state.items)
            state = msgspec.structs.replace(state, items=items)
    return found


def _suspects(desk: Desk, state: State) -> list[Item]:
    """Those of files that are not as the last write left them."""
    there = [item for item in state.items if item.status in THERE]
    by_id = {item.chunk.id: item for item in there}
    last = {
        write.path: write.new
        for chunk in state.written
        for write in (by_id[chunk].writes if chunk in by_id else ())
    }
    same = {path for path, stored in last.items() if _is_same(desk, path, stored)}
    return [item for item in there if not same.issuperset(item.chunk.paths)]


def _is_same(desk: Desk, path: str, stored: ev.StoredState | None) -> bool:
    try:
        now = desk.read([path])[path]
    except PathRefused:
        return False
    if now is None or stored is None:
        return now is None and stored is None
    return now.mode == stored.mode and digest(now.data) == stored.blob
