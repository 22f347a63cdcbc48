"""What a review has applied and the files have no more: another branch is checked out, or it was thrown away.

Asked when a review goes on: what is gone is offered again, or the rest of the stack would end without it.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from agent.core import events as ev
from agent.core.errors import PathRefused
from agent.core.hunk import FileState
from agent.core.lines.place import file_lines
from agent.core.lines.stack import AlreadyPresent
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


def is_out(desk: Desk, item: Item) -> bool:
    """True when the files have nothing of what was written last for `item`, also in no other place."""
    try:
        if not isinstance(desk.back(item), AlreadyPresent):
            return False
        now = desk.read(done.path for done in item.writes)
    except PathRefused:
        return False
    old = desk.load({done.path: done.old for done in item.writes})
    new = desk.load({done.path: done.new for done in item.writes})
    return not any(_has_more(now[path], old[path], new[path]) for path in now)


def _has_more(now: FileState | None, old: FileState | None, new: FileState | None) -> bool:
    """True when a file has more than `old` of a line that `new` has more of."""
    have, before, after = (Counter(file_lines(state) if state else ()) for state in (now, old, new))
    return any(line.strip() and have[line] > before[line] for line in after - before)


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
