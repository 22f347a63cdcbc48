"""The journal's tagged union: everything that happened in a session, in order. Versioned.

State is only ever a fold of these events (`session.evolve`). Streaming text is a tick and is not here. File
contents are in the blob store and named here by their digest.
"""

from __future__ import annotations

import msgspec

from agent.core.chunk import Chunk
from agent.core.dialog import Message, Protocol, RawItems, Stop, ToolCall, Usage
from agent.core.review import Answer, Decision, Evidence, Question, Ran

VERSION = 1


class StoredState(msgspec.Struct, frozen=True):
    """A `FileState` by reference: git mode and the blob's digest (`text.digest` of the bytes)."""

    mode: int
    blob: str


StoredStates = dict[str, StoredState | None]


class StoredWrite(msgspec.Struct, frozen=True):
    path: str
    old: StoredState | None
    new: StoredState | None


class Started(msgspec.Struct, frozen=True, tag="started"):
    version: int
    session: str
    time: float
    root: str
    head: str
    model: str
    protocol: Protocol
    source: str = "model"
    """Where chunks come from: `model`, `offline`, `tour`, or `review ARG`."""
    onto: str = "worktree"
    label: str = ""
    """What is reviewed, for people."""
    work_tree: str = ""
    """Which one it is about, wherever that stands now (`Place.work_tree`); older versions wrote `root` alone."""


class Resumed(msgspec.Struct, frozen=True, tag="resumed"):
    time: float
    model: str
    protocol: Protocol


class ModelChanged(msgspec.Struct, frozen=True, tag="model_changed"):
    model: str
    protocol: Protocol


class Said(msgspec.Struct, frozen=True, tag="said"):
    """A sentence of the person. `sent` is what the model gets: with the mentioned files behind it."""

    text: str
    sent: str
    read: dict[str, str] = {}


class Requested(msgspec.Struct, frozen=True, tag="requested"):
    """A request went out; `messages` are added to the history by it (decisions, changed files)."""

    messages: tuple[Message, ...] = ()
    may_propose: bool = True
    changed: dict[str, str | None] = {}
    """Files that changed since the model read them, with their digest now; they are named once."""


class Replied(msgspec.Struct, frozen=True, tag="replied"):
    text: str
    calls: tuple[ToolCall, ...]
    stop: Stop
    usage: Usage
    raw: RawItems | None = None
    seconds: float = 0.0
    dollars: float | None = None
    """What the request cost; None when the price is not known."""


class TurnFailed(msgspec.Struct, frozen=True, tag="turn_failed"):
    """No usable reply: fault, cut, or cancelled by the person. `text` is what was said until then."""

    kind: str
    message: str
    hint: str = ""
    text: str = ""
    usage: Usage = Usage()


class ToolAnswered(msgspec.Struct, frozen=True, tag="tool_answered"):
    call_id: str
    name: str
    content: str
    line: str = ""
    is_error: bool = False
    read: dict[str, str] = {}
    withheld: int = 0
    ran: Ran = Ran.NOTHING
    """How the check ended that this tool ran."""


class Proposed(msgspec.Struct, frozen=True, tag="proposed"):
    """Chunks over one base, in the order to be decided. Named again, a proposal grows by more chunks and bases."""

    proposal: str
    call_id: str
    chunks: tuple[Chunk, ...]
    bases: StoredStates
    more: bool = False
    """The rest of it is still being cut."""


class ProposalRefused(msgspec.Struct, frozen=True, tag="proposal_refused"):
    """A proposal never became a card; `message` goes back to the model. `edit_key` names the failing edit."""

    call_id: str
    message: str
    edit_key: str = ""


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    call_id: str
    question: Question


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    call_id: str
    answer: Answer
    text: str
    """The answer in words, as the model gets it."""


class Decided(msgspec.Struct, frozen=True, tag="decided"):
    chunk: str
    decision: Decision


class Focused(msgspec.Struct, frozen=True, tag="focused"):
    """The person moved to this chunk; a deferred one is open again."""

    chunk: str


class ChunkSplit(msgspec.Struct, frozen=True, tag="chunk_split"):
    """`chunk` is replaced by `parts`, in its place."""

    chunk: str
    parts: tuple[Chunk, ...]


class ChunksJoined(msgspec.Struct, frozen=True, tag="chunks_joined"):
    """The split of `chunk` into `parts` is taken back: it stands in their place again."""

    chunk: str
    parts: tuple[str, ...]


class ChunkEdited(msgspec.Struct, frozen=True, tag="chunk_edited"):
    """The person's own version of a chunk: what will be written instead, and the difference as a diff.

    `over` are the files that it was made of: what they get meanwhile stays. `title` says what it touches, where no
    model gave the chunk one.
    """

    chunk: str
    states: StoredStates
    difference: str
    over: StoredStates = {}
    title: str = ""


class Wrote(msgspec.Struct, frozen=True, tag="wrote"):
    """An approved set is on the disk."""

    chunk: str
    set_id: str
    digest: str
    writes: tuple[StoredWrite, ...]
    time: float = 0.0
    read: dict[str, str] = {}
    """`FileState.digest` of what is there now, by path: the model knows these files as they are."""
    left: tuple[str, ...] = ()
    """Files with what was saved into the old ones while they were replaced."""


class WriteRefused(msgspec.Struct, frozen=True, tag="write_refused"):
    """Nothing was written. `drifted`: the files were not as shown, a new card follows."""

    chunk: str
    reason: str
    paths: tuple[str, ...] = ()
    drifted: bool = False


class Blocked(msgspec.Struct, frozen=True, tag="blocked"):
    """The chunk cannot be placed, or what it needs was refused. Of several at once, a `Noted` behind them tells."""

    chunk: str
    reason: str
    is_told: bool = False
    """One of several that the same decision blocks."""
    left: bool = False
    """The person was shown that it does not fit, and left it."""


class Present(msgspec.Struct, frozen=True, tag="present"):
    """The chunk's lines are in the tree already; nothing was written."""

    chunk: str


TOOK_BACK = "you took it back"
"""The reason of a chunk that is open again because its undo was recorded before."""


class Reopened(msgspec.Struct, frozen=True, tag="reopened"):
    """It waits for a decision again: what was applied is not in the files any more, or for the `reason`.

    In a review an undo is followed by this.
    """

    chunk: str
    reason: str = ""


class Undone(msgspec.Struct, frozen=True, tag="undone"):
    """An applied set was taken back (or, when `redo`, an undo was). `set_id` is the set of this write."""

    chunk: str
    set_id: str
    writes: tuple[StoredWrite, ...]
    redo: bool = False
    time: float = 0.0
    read: dict[str, str] = {}
    left: tuple[str, ...] = ()


class UndoRefused(msgspec.Struct, frozen=True, tag="undo_refused"):
    chunk: str
    reason: str


class Examined(msgspec.Struct, frozen=True, tag="examined"):
    chunk: str
    evidence: Evidence


class Committed(msgspec.Struct, frozen=True, tag="committed"):
    """`note` says what else is to know of the commit: a hook changed it, the index follows later."""

    chunks: tuple[str, ...]
    commit: str
    subject: str
    note: str = ""


class EpochStarted(msgspec.Struct, frozen=True, tag="epoch"):
    """The window was filling up: the history goes on from `history`; older tool results were dropped."""

    history: tuple[Message, ...]
    dropped: int
    reason: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The model says that the task is done."""

    call_id: str
    summary: str


class Noted(msgspec.Struct, frozen=True, tag="noted"):
    """Something the person was told (recovery, lock, budget). `level`: info, warning, error."""

    level: str
    text: str
    hint: str = ""


class CutShort(msgspec.Struct, frozen=True, tag="cut_short"):
    """The rest of the diff that is reviewed cannot be read: no more chunks come."""

    text: str
    hint: str = ""


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    time: float
    reason: str
    """`quit`, `done`, `hang-up`, `error`."""


Event = (
    Started
    | Reopened
    | Resumed
    | ModelChanged
    | Said
    | Requested
    | Replied
    | TurnFailed
    | ToolAnswered
    | Proposed
    | ProposalRefused
    | Asked
    | Answered
    | Decided
    | Focused
    | ChunkSplit
    | ChunksJoined
    | ChunkEdited
    | Wrote
    | WriteRefused
    | Blocked
    | Present
    | Undone
    | UndoRefused
    | Examined
    | Committed
    | EpochStarted
    | Finished
    | Noted
    | CutShort
    | Ended
)
