"""A decision taken back: what was written is undone or applied again; a no, an edit, or a yes to what was in the files
already opens its chunk once more; the parts of a split are one chunk again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core import events as ev
from agent.core.frontend import CardOffer
from agent.core.sessions import steps
from agent.core.sessions.session import Item, State, Status
from agent.core.sessions.state import GONE, OPEN
from agent.loop.summary import reverse_note

if TYPE_CHECKING:
    from agent.loop.driver import Driver

TAKEN_OUT = frozenset({Status.APPROVED, Status.APPLIED, Status.PRESENT, Status.UNDONE})
"""What a way back is once the files were changed by it, or had nothing of it."""


def can_reopen(state: State, item: Item) -> bool:
    """A no and an undo in a review are taken back by going to the chunk, but for a no that took something out.

    So is what did not fit looked at again, unless it waits for another one.
    """
    if item.status not in (Status.REJECTED, Status.UNDONE, Status.BLOCKED) or not steps.is_review(state):
        return False
    if item.status is Status.BLOCKED:
        needs = item.chunk.needs
        return not (needs and any(one.status in GONE and one.chunk.id in needs for one in state.items))
    back = state.way_back(item.chunk.id)
    return back is None or back.status not in TAKEN_OUT


def undo(driver: Driver, chunk_id: str = "", status: Status = Status.APPLIED) -> None:
    """Take back an applied chunk (or, with UNDONE, apply an undone one again); the latest by default."""
    card = driver.offered.card if isinstance(driver.offered, CardOffer) else None
    if card is not None and card.edited and not chunk_id and status is Status.APPLIED:
        driver.offered = None
        driver.record(ev.Reopened(card.chunk.id, "as it was before your edit"), sync=True)
        return
    if not chunk_id and status is Status.APPLIED and _join(driver):
        return
    kept = driver.state.item(driver.state.last_kept)
    if status is Status.APPLIED and kept is not None and chunk_id in ("", kept.chunk.id):
        open_again(driver, kept.chunk.id, "you took back your yes")
        return
    refused = driver.state.item(driver.state.last_refused)
    is_refused = status is Status.APPLIED and refused is not None and chunk_id in ("", refused.chunk.id)
    if is_refused and refused is not None:
        if not reopen(driver, refused):
            _tell_no_stands(driver, refused)
        return
    item = driver.state.item(chunk_id) if chunk_id else _latest(driver, status)
    if item is None or not item.counts_as(status) or not item.writes:
        driver.offered = None
        driver.tell(f"There is nothing to take back{f' as {chunk_id}' if chunk_id else ''}.", "warning")
        return
    driver.offered = None
    event = driver.parts.desk.undo(driver.state, item)
    note = reverse_note(driver.state, item)
    driver.record(event, sync=True)
    if note and isinstance(event, ev.Undone) and not event.redo:
        driver.tell(note, "warning")
    if isinstance(event, ev.Undone) and not event.redo and steps.is_review(driver.state):
        open_again(driver, item.chunk.id, ev.TOOK_BACK)


def _join(driver: Driver) -> bool:
    """Take back the split that came last, if nothing was decided since."""
    split = driver.state.splits[-1] if driver.state.splits else None
    items = [item for item in driver.state.items if split and item.chunk.id in split.parts]
    if split is None or not all(item.status is Status.PENDING for item in items):
        return False
    for part in split.parts:
        driver.parts.examiner.leave(part)
    driver.offered = None
    driver.record(ev.ChunksJoined(split.chunk, split.parts), sync=True)
    return True


def reopen(driver: Driver, item: Item) -> bool:
    """Take back a no, as long as nobody was told of it, and nothing was taken out of the files because of it.

    Nobody is told of a diff, or while the proposal has open chunks.
    """
    back = driver.state.way_back(item.chunk.id)
    if _is_told(driver, item) or (back is not None and back.status in TAKEN_OUT):
        return False
    if back is not None:
        driver.parts.examiner.leave(back.chunk.id)
    open_again(driver, item.chunk.id, "you took back your no")
    return True


def _is_told(driver: Driver, item: Item) -> bool:
    """True when the model has the decisions of this chunk's proposal."""
    beside = [other for other in driver.state.items if other.proposal == item.proposal]
    return not (steps.is_review(driver.state) or any(other.status in OPEN for other in beside))


def _tell_no_stands(driver: Driver, refused: Item) -> None:
    """Why the no that was said last stays. What was written before it is not meant by `u`."""
    driver.offered = None
    latest = _latest(driver, Status.APPLIED)
    hint = f"/undo {latest.chunk.id} takes back what was applied last" if latest else ""
    words = f"Your no to chunk {refused.chunk.id} stays: the model knows of it. Nothing was taken back."
    driver.tell(words, "warning", hint)


def open_again(driver: Driver, chunk: str, reason: str) -> None:
    driver.offered = None
    driver.record(ev.Reopened(chunk, reason), sync=True)
    driver.record(ev.Focused(chunk))


def _latest(driver: Driver, status: Status) -> Item | None:
    by_id = {item.chunk.id: item for item in driver.state.items if item.counts_as(status)}
    recent = [chunk for chunk in driver.state.written if chunk in by_id]
    return by_id[recent[-1]] if recent else None
