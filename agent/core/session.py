"""The state of a session, as a fold of its events. `evolve` is total: every event has its case.

The state knows what was said, what is proposed and decided, and what still has to go to the model. It does
not know files, time or terminals. `steps.next_step` reads it to say what to start next.
"""

from __future__ import annotations

from enum import StrEnum
from functools import reduce

import msgspec

from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.dialog import AssistantMessage, Message, Protocol, Stop, ToolCall, ToolResult, Usage
from agent.core.review import Approve, Ask, Defer, Edit, Evidence, Reject, Revise, Split


class Status(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    """Said yes to, not yet written: the write is the next thing that happens."""
    APPLIED = "applied"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    BLOCKED = "blocked"
    DROPPED = "dropped"
    PRESENT = "present"
    UNDONE = "undone"


OPEN = frozenset({Status.PENDING, Status.APPROVED})


class Item(msgspec.Struct, frozen=True):
    """One chunk in the stack and what became of it."""

    chunk: Chunk
    proposal: str
    status: Status = Status.PENDING
    reason: str = ""
    approved_digest: str = ""
    edited: ev.StoredStates | None = None
    difference: str = ""
    set_id: str = ""
    writes: tuple[ev.StoredWrite, ...] = ()
    """What was written last: the applied set, or the undo of it."""
    evidence: tuple[Evidence, ...] = ()
    attempts: int = 0
    """Approvals so far; part of the set id, so that no set is ever written twice."""


class Source(msgspec.Struct, frozen=True):
    """One proposal: the call that made it and the base that its chunks stand over."""

    id: str
    call_id: str
    bases: ev.StoredStates


class State(msgspec.Struct, frozen=True):
    session: str = ""
    model: str = ""
    protocol: Protocol = Protocol.TOOLS
    source: str = "model"
    onto: str = "worktree"
    history: tuple[Message, ...] = ()
    epoch: int = 0
    streaming: bool = False
    may_propose: bool = True
    calls: tuple[ToolCall, ...] = ()
    """Calls of the last reply that are not answered yet, in order."""
    results: tuple[ToolResult, ...] = ()
    """Answers that go out with the next request."""
    notes: tuple[str, ...] = ()
    """Sentences and decisions of the person that go out with the next request."""
    asking: str = ""
    """The chunk that the person asked about; its answer may not propose."""
    wants_reply: bool = False
    question: ev.Asked | None = None
    items: tuple[Item, ...] = ()
    sources: tuple[Source, ...] = ()
    focus: str = ""
    """The chunk whose card the person moved to; empty: the first open one."""
    written: tuple[str, ...] = ()
    """Chunks in the order of their writes and undos; the latest is last."""
    committed: frozenset[str] = frozenset()
    read: dict[str, str] = {}
    usage: Usage = Usage()
    dollars: float = 0.0
    unpriced: int = 0
    """Replies whose price is not known."""
    last_input_tokens: int = 0
    requests: int = 0
    requests_since_said: int = 0
    replies: int = 0
    questions: int = 0
    questions_before_first: int = 0
    format_errors: int = 0
    failing: dict[str, int] = {}
    """How often the same edit failed, by its key."""
    refused: frozenset[str] = frozenset()
    """Keys of proposals that the person refused: unchanged they are not shown again."""
    failure: ev.TurnFailed | None = None
    withheld: int = 0
    ended: bool = False

    def item(self, chunk_id: str) -> Item | None:
        return next((item for item in self.items if item.chunk.id == chunk_id), None)

    def of_call(self, call_id: str) -> tuple[Item, ...]:
        """The items that the proposal of this call brought."""
        names = {source.id for source in self.sources if source.call_id == call_id}
        return tuple(item for item in self.items if item.proposal in names)

    def source_of(self, item: Item) -> Source:
        return next(source for source in self.sources if source.id == item.proposal)

    @property
    def open_items(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.status in OPEN)


def chunk_key(chunk: Chunk) -> str:
    """The same for two chunks that would do the same to the same places, whatever they are called."""
    return repr([(c.path, c.kind, c.hunks, c.mode, c.new_path) for c in chunk.changes])


def fold(events: list[ev.Event] | tuple[ev.Event, ...], start: State | None = None) -> State:
    """The state after `events`."""
    return reduce(evolve, events, start or State())


def evolve(state: State, event: ev.Event) -> State:
    """The state after one more event."""
    put = msgspec.structs.replace
    match event:
        case ev.Started():
            return put(
                state, session=event.session, model=event.model, protocol=event.protocol,
                source=event.source, onto=event.onto,
            )  # fmt: skip
        case ev.Resumed():
            return _resumed(state, event)
        case ev.ModelChanged():
            return put(state, model=event.model, protocol=event.protocol)
        case ev.Said():
            return _said(state, event)
        case ev.Requested():
            return _requested(state, event)
        case ev.Replied():
            return _replied(state, event)
        case ev.TurnFailed():
            said = (AssistantMessage(event.text),) if event.text.strip() else ()
            return put(
                state, streaming=False, failure=event, history=state.history + said,
                usage=state.usage + event.usage,
            )  # fmt: skip
        case ev.ToolAnswered():
            return _answered(
                put(state, read={**state.read, **event.read}, withheld=state.withheld + event.withheld),
                ToolResult(event.call_id, event.name, event.content, event.is_error),
            )
        case ev.Proposed():
            return _proposed(state, event)
        case ev.ProposalRefused():
            return _proposal_refused(state, event)
        case ev.Asked():
            early = int(not any(item.set_id for item in state.items))
            return put(
                state, question=event, questions=state.questions + 1,
                questions_before_first=state.questions_before_first + early,
            )  # fmt: skip
        case ev.Answered():
            return _answered(put(state, question=None), ToolResult(event.call_id, "ask", event.text))
        case ev.Decided() | ev.ChunkSplit() | ev.ChunkEdited():
            return _decided(state, event)
        case ev.Focused():
            item = state.item(event.chunk)
            state = put(state, focus=event.chunk)
            again = item is not None and item.status is Status.DEFERRED
            return _put_item(state, event.chunk, status=Status.PENDING, reason="") if again else state
        case ev.Wrote() | ev.WriteRefused() | ev.Blocked() | ev.Present():
            return _written(state, event)
        case ev.Undone() | ev.UndoRefused():
            return _undone(state, event)
        case ev.Examined():
            item = state.item(event.chunk)
            return _put_item(state, event.chunk, evidence=(*item.evidence, event.evidence)) if item else state
        case ev.EpochStarted():
            return put(state, history=event.history, epoch=state.epoch + 1, last_input_tokens=0)
        case ev.Finished():
            return put(_answered(state, ToolResult(event.call_id, "finish", "noted")), wants_reply=False)
        case ev.Committed():
            return put(state, committed=state.committed | set(event.chunks))
        case ev.Noted():
            return state
        case ev.Ended():
            return put(state, ended=True, streaming=False)


def _put_item(state: State, chunk_id: str, **fields: object) -> State:
    items = tuple(
        msgspec.structs.replace(item, **fields) if item.chunk.id == chunk_id else item for item in state.items
    )
    return msgspec.structs.replace(state, items=items)


def _said(state: State, event: ev.Said) -> State:
    """A new instruction. What is still undecided is put aside, not lost: it stays in the list as deferred."""
    items = tuple(
        msgspec.structs.replace(item, status=Status.DEFERRED, reason="a new instruction came first")
        if item.status is Status.PENDING
        else item
        for item in state.items
    )
    return msgspec.structs.replace(
        state, items=items, notes=(*state.notes, event.sent), read={**state.read, **event.read},
        wants_reply=True, failure=None, format_errors=0, focus="", requests_since_said=0,
        questions=0 if not state.open_items else state.questions,
        questions_before_first=0 if not state.open_items else state.questions_before_first,
    )  # fmt: skip


def _resumed(state: State, event: ev.Resumed) -> State:
    """A reply that was under way is lost; what was put off in a review is open again."""
    lost = ev.TurnFailed("interrupted", "the session ended before the reply was complete")
    items = state.items
    if state.source.startswith("review"):
        items = tuple(
            msgspec.structs.replace(item, status=Status.PENDING, reason="")
            if item.status is Status.DEFERRED
            else item
            for item in items
        )
    return msgspec.structs.replace(
        state,
        model=event.model,
        protocol=event.protocol,
        items=items,
        streaming=False,
        ended=False,
        failure=lost if state.streaming else state.failure,
    )


def _requested(state: State, event: ev.Requested) -> State:
    read = {**state.read, **{path: digest or "" for path, digest in event.changed.items()}}
    return msgspec.structs.replace(
        state,
        history=state.history + event.messages,
        results=(),
        notes=(),
        streaming=True,
        may_propose=event.may_propose,
        asking="",
        wants_reply=False,
        failure=None,
        read=read,
        requests=state.requests + 1,
        requests_since_said=state.requests_since_said + 1,
    )


def _replied(state: State, event: ev.Replied) -> State:
    usable = event.stop in (Stop.END, Stop.TOOL, Stop.PAUSE)
    native = tuple(call for call in event.calls if not is_synthetic(call.id))
    if usable:
        message = AssistantMessage(event.text, native, event.raw)
    else:
        message = AssistantMessage(event.text or "(no usable reply)")
    return msgspec.structs.replace(
        state,
        streaming=False,
        history=(*state.history, message),
        calls=event.calls if usable else (),
        usage=state.usage + event.usage,
        dollars=state.dollars + (event.dollars or 0.0),
        unpriced=state.unpriced + (event.dollars is None),
        last_input_tokens=event.usage.input_total + event.usage.output,
        replies=state.replies + 1,
        wants_reply=event.stop is Stop.PAUSE,
        failure=None if usable else ev.TurnFailed(event.stop, UNUSABLE[event.stop]),
    )


UNUSABLE = {
    Stop.LENGTH: "the reply was cut at the output limit",
    Stop.REFUSAL: "the model refused to answer",
    Stop.CONTEXT: "the model's window is full",
}


def is_synthetic(call_id: str) -> bool:
    """True for calls that we read out of a model's text: they are answered in text as well."""
    return call_id.startswith("text-")


def _answered(state: State, result: ToolResult) -> State:
    """One call is answered. Answers to calls read out of text go back as text."""
    calls = tuple(call for call in state.calls if call.id != result.call_id)
    state = msgspec.structs.replace(state, calls=calls, wants_reply=True)
    if is_synthetic(result.call_id):
        return msgspec.structs.replace(state, notes=(*state.notes, f"[{result.name}] {result.content}"))
    return msgspec.structs.replace(state, results=(*state.results, result))


def _proposed(state: State, event: ev.Proposed) -> State:
    source = Source(event.proposal, event.call_id, event.bases)
    items = tuple(Item(chunk, event.proposal) for chunk in event.chunks)
    return msgspec.structs.replace(
        state, sources=(*state.sources, source), items=(*state.items, *items), format_errors=0, focus=""
    )


def _proposal_refused(state: State, event: ev.ProposalRefused) -> State:
    failing = dict(state.failing)
    if event.edit_key:
        failing[event.edit_key] = failing.get(event.edit_key, 0) + 1
    state = msgspec.structs.replace(state, format_errors=state.format_errors + 1, failing=failing)
    return _answered(state, ToolResult(event.call_id, "propose", event.message, is_error=True))


def _decided(state: State, event: ev.Decided | ev.ChunkSplit | ev.ChunkEdited) -> State:
    if isinstance(event, ev.ChunkSplit):
        items: list[Item] = []
        for whole in state.items:
            parts = [msgspec.structs.replace(whole, chunk=part, evidence=()) for part in event.parts]
            items.extend(parts if whole.chunk.id == event.chunk else [whole])
        return msgspec.structs.replace(state, items=tuple(items), focus="")
    if isinstance(event, ev.ChunkEdited):
        return _put_item(state, event.chunk, edited=event.states, difference=event.difference)
    item = state.item(event.chunk)
    if item is None:
        return state
    state = msgspec.structs.replace(state, focus="")
    match event.decision:
        case Approve(digest=digest):
            return _put_item(
                state, event.chunk, status=Status.APPROVED, approved_digest=digest, attempts=item.attempts + 1
            )
        case Reject(reason=reason):
            state = msgspec.structs.replace(state, refused=state.refused | {chunk_key(item.chunk)})
            return _late(_put_item(state, event.chunk, status=Status.REJECTED, reason=reason), event.chunk)
        case Defer():
            return _put_item(state, event.chunk, status=Status.DEFERRED, reason="put off by the person")
        case Revise(note=note):
            return _revised(state, item, note)
        case Ask(text=text):
            note = (
                f'The person asks about chunk {item.chunk.id} "{item.chunk.title}", still undecided: {text}'
            )
            return msgspec.structs.replace(state, asking=item.chunk.id, notes=(*state.notes, note))
        case Edit() | Split():
            return state


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
        refused=state.refused | {chunk_key(item.chunk)},
    )


def _written(state: State, event: ev.Wrote | ev.WriteRefused | ev.Blocked | ev.Present) -> State:
    match event:
        case ev.Wrote():
            state = _put_item(
                state, event.chunk, status=Status.APPLIED, set_id=event.set_id, writes=event.writes, reason=""
            )
            return _late(_known(state, event.chunk, event.read), event.chunk)
        case ev.WriteRefused(drifted=True):
            return _put_item(state, event.chunk, status=Status.PENDING, approved_digest="")
        case ev.WriteRefused():
            return _put_item(state, event.chunk, status=Status.BLOCKED, reason=event.reason)
        case ev.Blocked():
            return _late(
                _put_item(state, event.chunk, status=Status.BLOCKED, reason=event.reason), event.chunk
            )
        case ev.Present():
            return _put_item(state, event.chunk, status=Status.PRESENT, reason="is in the tree already")


def _known(state: State, chunk_id: str, digests: dict[str, str]) -> State:
    """Files that the model has read and that we wrote: it knows of the change, so they did not drift."""
    known = {path: digest for path, digest in digests.items() if path in state.read}
    return msgspec.structs.replace(state, read={**state.read, **known}, written=(*state.written, chunk_id))


def _undone(state: State, event: ev.Undone | ev.UndoRefused) -> State:
    item = state.item(event.chunk)
    if item is None or isinstance(event, ev.UndoRefused):
        return state
    status = Status.APPLIED if event.redo else Status.UNDONE
    state = _put_item(state, event.chunk, status=status, set_id=event.set_id, writes=event.writes)
    state = _known(state, event.chunk, event.read)
    state = msgspec.structs.replace(state, committed=state.committed - {event.chunk})
    done = "applied chunk {0} again" if event.redo else "undid chunk {0}"
    note = f'The person {done.format(event.chunk)} "{item.chunk.title}".'
    return msgspec.structs.replace(state, notes=(*state.notes, note))


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
