"""What a session did, in a few lines for its end."""

from __future__ import annotations

from agent.core.review import TAKEN_BACK
from agent.core.sessions.named import chunk_name
from agent.core.sessions.session import Item, State, Status
from agent.core.sessions.state import has_left

ORDER = (
    Status.APPLIED,
    Status.PRESENT,
    Status.UNDONE,
    Status.REJECTED,
    Status.DEFERRED,
    Status.BLOCKED,
    Status.PENDING,
)
CUT_SHORT = "the diff was not cut to its end: copair review of the same goes through the rest"


def summary(state: State, *, resumable: bool = True) -> tuple[str, ...]:
    """One line with the counts, then the chunk that is open next, and how to go on. Empty when nothing was proposed."""
    if not state.items:
        return ()
    counts = [f"{len(found)} {status_word(state, s)}" for s in ORDER if (found := _with(state, s))]
    open_items = [
        *_with(state, Status.PENDING),
        *_with(state, Status.APPROVED),
        *_with(state, Status.DEFERRED),
    ]
    lines = [", ".join(counts)]
    lines += [f"  next: {chunk_name(state, item)}  {item.chunk.title}" for item in open_items[:1]]
    if state.growing or state.cut_short:
        lines.append(f"  {CUT_SHORT}")
    elif resumable and (open_items or (state.source.startswith("review") and has_left(state))):
        lines.append("  copair resume goes on here")
    return tuple(lines)


def status_word(state: State, status: Status) -> str:
    """What became of a chunk, for people: what goes into the index is staged."""
    staged = {Status.APPLIED: "staged", Status.PRESENT: "staged already", Status.UNDONE: TAKEN_BACK}
    return staged.get(status, status.value) if state.onto == "index" else status.value


def reverse_note(state: State, item: Item) -> str:
    """What is to know of an undo of `item`, by the state before it: that it is no undo of a commit. Else empty."""
    if item.chunk.id not in state.committed:
        return ""
    where = "is staged" if state.onto == "index" else "lies in your files"
    return f"It was committed before: its reverse {where}, and is in no commit yet."


def _with(state: State, status: Status) -> list[Item]:
    return [item for item in state.items if item.status is status]
