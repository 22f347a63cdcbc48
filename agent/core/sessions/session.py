"""The state of a session, as a fold of its events. `evolve` is total: every event has its case.

The state knows what was said, what is proposed and decided, and what still has to go to the model. It does
not know files, time or terminals. `steps.next_step` reads it to say what to start next.
"""

from __future__ import annotations

from functools import reduce

import msgspec

from agent.core import events as ev
from agent.core.dialog import AssistantMessage, Stop, ToolResult
from agent.core.review import Evidence
from agent.core.scrutiny.run_claims import named, unbacked
from agent.core.sessions.decided import (
    chunk_key,
    decided,
    edited,
    joined,
    put_item,
    reopened,
    split,
    undone,
    with_parts,
    written,
)
from agent.core.sessions.state import OPEN, Item, Source, State, Status, next_card

__all__ = ["OPEN", "Item", "Source", "State", "Status", "chunk_key", "evolve", "fold", "is_synthetic"]


def fold(events: list[ev.Event] | tuple[ev.Event, ...], start: State | None = None) -> State:
    """The state after `events`."""
    return reduce(evolve, events, start or State())


def evolve(state: State, event: ev.Event) -> State:
    """The state after one more event."""
    return msgspec.structs.replace(_evolve(state, event), runs=state.runs.after(event))


def _evolve(state: State, event: ev.Event) -> State:
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
            # What the person said meanwhile goes out next; the failure was not about that.
            failure = None if state.streaming and state.wants_reply else event
            return put(
                state, streaming=False, failure=failure, history=state.history + said,
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
        case ev.Decided():
            return decided(state, event)
        case ev.ChunkSplit():
            return split(state, event)
        case ev.ChunkEdited():
            return edited(state, event)
        case ev.ChunksJoined():
            return joined(state, event)
        case ev.Focused():
            item = state.item(event.chunk)
            state = put(state, focus=event.chunk)
            again = item is not None and item.status is Status.DEFERRED
            return put_item(state, event.chunk, status=Status.PENDING, reason="") if again else state
        case ev.Wrote() | ev.WriteRefused() | ev.Blocked() | ev.Present():
            return written(state, event)
        case ev.Undone() | ev.UndoRefused():
            return undone(state, event)
        case ev.Reopened():
            return reopened(state, event.chunk)
        case ev.Examined():
            item = state.item(event.chunk)
            return put_item(state, event.chunk, evidence=_latest(item.evidence, event)) if item else state
        case ev.EpochStarted():
            return put(state, history=event.history, epoch=state.epoch + 1, last_input_tokens=0)
        case ev.Finished():
            done = put(_answered(state, ToolResult(event.call_id, "finish", "noted")), wants_reply=False)
            return _struck(done, event.summary)
        case ev.Committed():
            return put(state, committed=state.committed | set(event.chunks))
        case ev.CutShort():
            return put(state, growing=False, cut_short=True)
        case ev.Noted():
            return state
        case ev.Ended():
            return put(state, ended=True, streaming=False)


def _latest(evidence: tuple[Evidence, ...], event: ev.Examined) -> tuple[Evidence, ...]:
    """What is found again, by `t` or after a resume, takes the place of what was found before."""

    def key(piece: Evidence) -> tuple[str, ...]:
        return piece.kind, piece.digest, piece.command or piece.summary, piece.where

    found = event.evidence
    if all(key(piece) != key(found) for piece in evidence):
        return (*evidence, found)
    return tuple(found if key(piece) == key(found) else piece for piece in evidence)


def _said(state: State, event: ev.Said) -> State:
    """A new instruction. What is still undecided is put aside, not lost: it stays in the list as deferred."""
    items = tuple(
        msgspec.structs.replace(item, status=Status.DEFERRED, reason="a new instruction came first")
        if item.status is Status.PENDING
        else item
        for item in state.items
    )
    return msgspec.structs.replace(
        state, items=items, splits=(), notes=(*state.notes, event.sent), read={**state.read, **event.read},
        wants_reply=True, failure=None, format_errors=0, focus="", requests_since_said=0,
        questions=0 if not state.open_items else state.questions,
        questions_before_first=0 if not state.open_items else state.questions_before_first,
    )  # fmt: skip


def _resumed(state: State, event: ev.Resumed) -> State:
    """A reply that was under way is lost; what was put off or in the way in a review is tried again.

    The card that was open is the first one: what was put off before it comes after the others.
    """
    lost = ev.TurnFailed("interrupted", "the session ended before the reply was complete")
    items = state.items
    focus = next_card(state, state.open_items).chunk.id if state.open_items else ""
    if state.source.startswith("review"):
        items = tuple(
            msgspec.structs.replace(item, status=Status.PENDING, reason="")
            if item.status in (Status.DEFERRED, Status.BLOCKED)
            else item
            for item in items
        )
    kept = state.item(state.last_kept)
    # What was left because it did not fit is open again without an undo.
    last_kept = state.last_kept if kept is not None and kept.status is Status.PRESENT else ""
    return msgspec.structs.replace(
        state,
        model=event.model,
        protocol=event.protocol,
        items=items,
        last_kept=last_kept,
        splits=(),
        focus=focus,
        streaming=False,
        growing=False,
        cut_short=state.growing or state.cut_short,
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
        _struck(state, event.text),
        streaming=False,
        history=(*state.history, message),
        calls=event.calls if usable else (),
        usage=state.usage + event.usage,
        dollars=state.dollars + (event.dollars or 0.0),
        unpriced=state.unpriced + (event.dollars is None),
        last_input_tokens=event.usage.input_total + event.usage.output,
        replies=state.replies + 1,
        wants_reply=state.wants_reply or event.stop is Stop.PAUSE,
        failure=None if usable else ev.TurnFailed(event.stop, UNUSABLE[event.stop]),
    )


def _struck(state: State, text: str) -> State:
    """The person was told which claims of runs nobody made; with the next request the model is told too."""
    claims = unbacked(text, state.runs.ran)
    if not claims:
        return state
    note = f"[copair struck {named(claims)} from your words: no run says so. Do not claim runs.]"
    return msgspec.structs.replace(state, notes=(*state.notes, note))


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
    fresh = (with_parts(Item(chunk, event.proposal), state.parted) for chunk in event.chunks)
    items = (*state.items, *fresh)
    if any(source.id == event.proposal for source in state.sources):
        state = msgspec.structs.replace(state, items=items, growing=event.more, cut_short=False)
        sources = tuple(
            msgspec.structs.replace(source, bases=source.bases | event.bases)
            if source.id == event.proposal
            else source
            for source in state.sources
        )
        return msgspec.structs.replace(state, sources=sources)
    source = Source(event.proposal, event.call_id, event.bases)
    return msgspec.structs.replace(
        state, items=items, sources=(*state.sources, source), growing=state.growing or event.more,
        format_errors=0, focus="",
    )  # fmt: skip


def _proposal_refused(state: State, event: ev.ProposalRefused) -> State:
    failing = dict(state.failing)
    if event.edit_key:
        failing[event.edit_key] = failing.get(event.edit_key, 0) + 1
    state = msgspec.structs.replace(state, format_errors=state.format_errors + 1, failing=failing)
    return _answered(state, ToolResult(event.call_id, "propose", event.message, is_error=True))
