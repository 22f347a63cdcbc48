"""The state of a session as values: what was said, what is proposed and decided, what still has to go out."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.dialog import Message, Protocol, ToolCall, ToolResult, Usage
from agent.core.review import Evidence
from agent.core.scrutiny.run_claims import Runs


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
LEFT = OPEN | {Status.DEFERRED, Status.BLOCKED}
"""What is tried again when a review goes on."""

GONE = frozenset({Status.REJECTED, Status.BLOCKED, Status.DROPPED, Status.UNDONE})
"""What blocks the chunks that need it."""

BACK = "-back"
"""How the id of a chunk goes on that takes back what was in the tree already."""


class Item(msgspec.Struct, frozen=True):
    """One chunk in the stack and what became of it."""

    chunk: Chunk
    proposal: str
    status: Status = Status.PENDING
    reason: str = ""
    approved_digest: str = ""
    edited: ev.StoredStates | None = None
    edited_over: ev.StoredStates = {}
    """The files that the person's version was made of; empty in sessions of older versions."""
    difference: str = ""
    named: str = ""
    """Its title before the person's version had one of its own."""
    set_id: str = ""
    writes: tuple[ev.StoredWrite, ...] = ()
    """What was written last: the applied set, or the undo of it."""
    evidence: tuple[Evidence, ...] = ()
    attempts: int = 0
    """Approvals so far; part of the set id, so that no set is ever written twice."""

    @property
    def is_taken_back(self) -> bool:
        """Open again after an undo: `writes` is that undo, which a redo takes back."""
        return self.status is Status.PENDING and bool(self.writes)

    def counts_as(self, status: Status) -> bool:
        """Whether it has this status; what was undone in a review and is open again counts as undone too."""
        return self.status is status or (status is Status.UNDONE and self.is_taken_back)


class SplitUp(msgspec.Struct, frozen=True):
    """A split that can be taken back: what was split, its parts, and all chunks as they were before."""

    chunk: str
    parts: tuple[str, ...]
    before: tuple[Item, ...]


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
    growing: bool = False
    """More chunks of the diff that is reviewed are being cut."""
    cut_short: bool = False
    """The session was left while more were cut, or they cannot be read: these are missing in its stack."""
    focus: str = ""
    """The chunk that the person moved to or decided last: its card is shown, or that of the next open one behind it.
    Empty: the first open one."""
    last_refused: str = ""
    """The chunk that the person said no to, while nothing else was decided since."""
    last_kept: str = ""
    """The chunk of a review that was in the files already and that the person kept, or that did not fit and that they
    left, while nothing else was decided since."""
    splits: tuple[SplitUp, ...] = ()
    """Splits while nothing was decided since; the latest is last."""
    parted: dict[str, tuple[str, ...]] = {}
    """Chunks that were split, in this order, and their parts: what is cut later may need them."""
    written: tuple[str, ...] = ()
    """Chunks in the order of their writes and undos; the latest is last."""
    runs: Runs = Runs()
    """What ran over the files: whether a claim of the model stands."""
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

    def way_back(self, chunk_id: str) -> Item | None:
        """What takes this chunk out of the tree again, once the person said no to what is there."""
        return self.item(f"{chunk_id}{BACK}")

    def of_call(self, call_id: str) -> tuple[Item, ...]:
        """The items that the proposal of this call brought."""
        names = {source.id for source in self.sources if source.call_id == call_id}
        return tuple(item for item in self.items if item.proposal in names)

    def source_of(self, item: Item) -> Source:
        return next(source for source in self.sources if source.id == item.proposal)

    @property
    def open_items(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.status in OPEN)


def next_card(state: State, candidates: tuple[Item, ...]) -> Item:
    """The first at or behind the chunk that the person moved to or decided last; at the end the first of all."""
    ids = [item.chunk.id for item in state.items]
    at = ids.index(state.focus) if state.focus in ids else 0
    later = set(ids[at:])
    return next((item for item in candidates if item.chunk.id in later), candidates[0])


def waiting_for(state: State, item: Item) -> list[Item]:
    """The open chunks behind `item` that are blocked when it is refused, also by one another, in their order."""
    names, found = {item.chunk.id}, []
    for other in state.items[state.items.index(item) + 1 :]:
        uses = other.chunk.uses if state.source_of(other).call_id else ()
        wants = names.intersection(other.chunk.needs) or any(use.chunk in names for use in uses)
        if wants and other.status in (Status.PENDING, Status.DEFERRED):
            names.add(other.chunk.id)
            found.append(other)
    return found


def has_left(state: State) -> bool:
    """Whether a review has something to go on with. What waits for something that was refused is not left."""
    stuck: set[str] = set()
    for item in state.items:
        waits = item.status is Status.BLOCKED and not stuck.isdisjoint(item.chunk.needs)
        if waits or item.status in (Status.REJECTED, Status.UNDONE, Status.DROPPED):
            stuck.add(item.chunk.id)
    return any(item.status in LEFT and item.chunk.id not in stuck for item in state.items)
