"""What decisions, writes and undos do to the state of a session; the part of the fold that concerns chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.review import Approve, Ask, Defer, Edit, Reject, Revise, Split
from agent.core.sessions.state import Item, SplitUp, State, Status


def chunk_key(chunk: Chunk) -> str:
    """The same for two chunks that would do the same to the same places, whatever they are called."""
    return repr([(c.path, c.kind, c.hunks, c.mode, c.new_path) for c in chunk.changes])


def put_item(state: State, chunk_id: str, **fields: object) -> State:
    items = tuple(
        msgspec.structs.replace(item, **fields) if item.chunk.id == chunk_id else item for item in state.items
    )
    return msgspec.structs.replace(state, items=items)


def split(state: State, event: ev.ChunkSplit) -> State:
    """The parts stand in the place of the whole, and what needs or uses it needs and uses them."""
    items: list[Item] = []
    ids = tuple(part.id for part in event.parts)
    for whole in state.items:
        # An undo of the whole is none of a part: taken back, it would write the other parts too.
        parts = [
            msgspec.structs.replace(whole, chunk=part, evidence=(), set_id="", writes=())
            for part in event.parts
        ]
        items.extend(parts if whole.chunk.id == event.chunk else [_renamed(whole, event.chunk, ids)])
    focus = ids[0] if state.focus == event.chunk and ids else state.focus
    splits = (*state.splits, SplitUp(event.chunk, ids, state.items))
    parted = state.parted | {event.chunk: ids}
    return msgspec.structs.replace(state, items=tuple(items), focus=focus, splits=splits, parted=parted)


def edited(state: State, event: ev.ChunkEdited) -> State:
    """The person's version stands on the card, under a title of its own if it has one."""
    own = {"edited": event.states, "edited_over": event.over, "difference": event.difference}
    # An undo is one of the version before this: applied again, it would stand under the name of this one.
    state = put_item(state, event.chunk, **own, set_id="", writes=())
    state = msgspec.structs.replace(state, splits=())
    item = state.item(event.chunk)
    if item is None or not event.title:
        return state
    chunk = msgspec.structs.replace(item.chunk, title=event.title)
    return put_item(state, event.chunk, chunk=chunk, named=item.named or item.chunk.title)


def decided(state: State, event: ev.Decided) -> State:
    item = state.item(event.chunk)
    if item is None:
        return state
    focus = state.focus if isinstance(event.decision, Ask) else event.chunk
    refused = event.chunk if isinstance(event.decision, Reject) else ""
    splits = state.splits if isinstance(event.decision, Ask) else ()
    state = msgspec.structs.replace(
        state, focus=focus, splits=splits, requests_since_said=0, last_refused=refused, last_kept=""
    )
    match event.decision:
        case Approve(digest=digest):
            return put_item(
                state, event.chunk, status=Status.APPROVED, approved_digest=digest, attempts=item.attempts + 1
            )
        case Reject(reason=reason):
            state = msgspec.structs.replace(state, refused=state.refused | {chunk_key(item.chunk)})
            return _late(put_item(state, event.chunk, status=Status.REJECTED, reason=reason), event.chunk)
        case Defer():
            return put_item(state, event.chunk, status=Status.DEFERRED, reason="put off by the person")
        case Revise(note=note):
            return _revised(state, item, note)
        case Ask(text=text):
            note = (
                f'The person asks about chunk {item.chunk.id} "{item.chunk.title}", still undecided: {text}'
            )
            return msgspec.structs.replace(
                state, asking=item.chunk.id, notes=(*state.notes, note), wants_reply=True, failure=None
            )
        case Edit() | Split():
            return state


def joined(state: State, event: ev.ChunksJoined) -> State:
    """What was split stands in the place of its parts again, and the others need and use it as they did."""
    if not state.splits or (state.splits[-1].chunk, state.splits[-1].parts) != (event.chunk, event.parts):
        return state
    before = {item.chunk.id: item for item in state.splits[-1].before}
    items: list[Item] = []
    for item in state.items:
        old = before.get(item.chunk.id)
        if item.chunk.id == event.parts[0]:
            items.append(before[event.chunk])
        elif item.chunk.id not in event.parts:
            # What was cut meanwhile was not there before, and needs the parts.
            whole = old.chunk if old else _rejoined(item.chunk, event)
            items.append(msgspec.structs.replace(item, chunk=whole))
    focus = event.chunk if state.focus in event.parts else state.focus
    parted = {chunk: parts for chunk, parts in state.parted.items() if chunk != event.chunk}
    return msgspec.structs.replace(
        state, items=tuple(items), focus=focus, splits=state.splits[:-1], parted=parted
    )


def with_parts(item: Item, parted: Mapping[str, tuple[str, ...]]) -> Item:
    """`item`, which was cut later than chunks were split, needing and using the parts of these."""
    for whole, parts in parted.items():
        item = _renamed(item, whole, parts)
    return item


def _rejoined(chunk: Chunk, event: ev.ChunksJoined) -> Chunk:
    def whole(name: str) -> str:
        return event.chunk if name in event.parts else name

    needs = tuple(dict.fromkeys(whole(need) for need in chunk.needs))
    uses = dict.fromkeys(msgspec.structs.replace(use, chunk=whole(use.chunk)) for use in chunk.uses)
    return msgspec.structs.replace(chunk, needs=needs, uses=tuple(uses))


def _renamed(item: Item, whole: str, parts: Sequence[str]) -> Item:
    """`item`, needing and using the parts where it did the chunk that was split."""
    chunk = item.chunk
    needs = [new for need in chunk.needs for new in (parts if need == whole else [need])]
    uses = [
        msgspec.structs.replace(use, chunk=new)
        for use in chunk.uses
        for new in (parts if use.chunk == whole else [use.chunk])
    ]
    return msgspec.structs.replace(
        item, chunk=msgspec.structs.replace(chunk, needs=tuple(needs), uses=tuple(uses))
    )


def _revised(state: State, item: Item, note: str) -> State:
    """A revision drops what is undecided of its proposal; the note goes to the model."""
    items = tuple(
        msgspec.structs.replace(other, status=Status.DROPPED, reason="dropped by a revision")
        if other.proposal == item.proposal
        and other.status in (Status.PENDING, Status.DEFERRED, Status.BLOCKED)
        else other
        for other in state.items
    )
    words = (
        f'About chunk {item.chunk.id} "{item.chunk.title}" the person says: {note} Propose it again, changed.'
    )
    return msgspec.structs.replace(
        state,
        items=items,
        notes=(*state.notes, words),
        wants_reply=True,
        failure=None,
        refused=state.refused | {chunk_key(item.chunk)},
    )


def written(state: State, event: ev.Wrote | ev.WriteRefused | ev.Blocked | ev.Present) -> State:
    match event:
        case ev.Wrote():
            state = put_item(
                state, event.chunk, status=Status.APPLIED, set_id=event.set_id, writes=event.writes, reason=""
            )
            return _late(_known(state, event.chunk, event.read), event.chunk)
        case ev.WriteRefused(drifted=True):
            state = msgspec.structs.replace(state, focus=event.chunk)
            return put_item(state, event.chunk, status=Status.PENDING, approved_digest="")
        case ev.WriteRefused():
            # No fault of the change: /later brings it back when there is room, or the file may be written.
            return put_item(state, event.chunk, status=Status.DEFERRED, reason=event.reason)
        case ev.Blocked():
            if event.left:
                state = _kept(state, event.chunk)
            return _late(
                put_item(state, event.chunk, status=Status.BLOCKED, reason=event.reason), event.chunk
            )
        case ev.Present():
            if state.source.startswith("review"):  # elsewhere nobody was asked
                state = _kept(state, event.chunk)
            return put_item(state, event.chunk, status=Status.PRESENT, reason="is in the tree already")


def _kept(state: State, chunk_id: str) -> State:
    """A yes that wrote nothing is what `u` takes back."""
    return msgspec.structs.replace(state, splits=(), last_refused="", last_kept=chunk_id)


def _known(state: State, chunk_id: str, digests: dict[str, str]) -> State:
    """Files that the model has read and that we wrote: it knows of the change, so they did not drift."""
    known = {path: digest for path, digest in digests.items() if path in state.read}
    return msgspec.structs.replace(state, read={**state.read, **known}, written=(*state.written, chunk_id))


def undone(state: State, event: ev.Undone | ev.UndoRefused) -> State:
    item = state.item(event.chunk)
    if item is None or isinstance(event, ev.UndoRefused):
        return state
    status = Status.APPLIED if event.redo else Status.UNDONE
    state = put_item(state, event.chunk, status=status, set_id=event.set_id, writes=event.writes)
    state = _known(state, event.chunk, event.read)
    state = msgspec.structs.replace(
        state, splits=(), committed=state.committed - {event.chunk}, last_refused="", last_kept=""
    )
    done = "applied chunk {0} again" if event.redo else "undid chunk {0}"
    note = f'The person {done.format(event.chunk)} "{item.chunk.title}".'
    return msgspec.structs.replace(state, notes=(*state.notes, note))


def reopened(state: State, chunk_id: str) -> State:
    """Undecided again, and so is what was blocked because of it. One that is undecided loses the person's version.

    What would have taken it out of the tree, after a no to what is there, is not proposed any more. Of what was
    undone, and then may have been blocked, the undo is kept, for a redo.
    """
    item = state.item(chunk_id)
    if item is None:
        return state
    if item.status is Status.REJECTED:
        state = _without_way_back(state, chunk_id)
    is_undone = item.status in (Status.UNDONE, Status.BLOCKED)
    left = state.written if is_undone else tuple(chunk for chunk in state.written if chunk != chunk_id)
    state = msgspec.structs.replace(
        state,
        written=left,
        splits=(),
        committed=state.committed - {chunk_id},
        refused=state.refused - {chunk_key(item.chunk)},
        last_refused="",
        last_kept="",
    )
    state = put_item(state, chunk_id, status=Status.PENDING, approved_digest="", reason="")
    if not is_undone:
        state = put_item(state, chunk_id, set_id="", writes=())
    if item.status is Status.PENDING:
        chunk = msgspec.structs.replace(item.chunk, title=item.named or item.chunk.title)
        state = put_item(state, chunk_id, chunk=chunk, named="", edited=None, edited_over={}, difference="")
    names = {chunk_id}
    for other in state.items:
        if other.status is Status.BLOCKED and not names.isdisjoint(_rests_on(other.chunk)):
            names.add(other.chunk.id)
            state = put_item(state, other.chunk.id, status=Status.PENDING, reason="")
    return state


def _without_way_back(state: State, chunk_id: str) -> State:
    back = state.way_back(chunk_id)
    if back is None:
        return state
    return msgspec.structs.replace(
        state,
        items=tuple(item for item in state.items if item.chunk.id != back.chunk.id),
        sources=tuple(source for source in state.sources if source.id != back.proposal),
    )


def _rests_on(chunk: Chunk) -> set[str]:
    return {*chunk.needs, *(use.chunk for use in chunk.uses)}


def _late(state: State, chunk_id: str) -> State:
    """A decision after the result of its proposal was sent goes to the model as a person's message."""
    item = state.item(chunk_id)
    if item is None or any(call.id == state.source_of(item).call_id for call in state.calls):
        return state
    if not state.source_of(item).call_id:
        return state
    reason = f": {item.reason}" if item.reason else ""
    note = f'Chunk {chunk_id} "{item.chunk.title}" was {item.status}{reason}.'
    return msgspec.structs.replace(state, notes=(*state.notes, note), wants_reply=True)
