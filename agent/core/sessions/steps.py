"""What to start next: the one place that decides the order of things, and the only one that builds an Approval.

`next_step` is pure. The driver (`agent.loop`) does what it says, journals what came of it, and asks again.
"""

from __future__ import annotations

import msgspec

from agent.core import events as ev
from agent.core.dialog import FaultKind, ToolCall
from agent.core.lines.stack import blocked_by
from agent.core.review import Verdict
from agent.core.sessions.named import titled
from agent.core.sessions.session import Item, State, Status, evolve
from agent.core.sessions.state import GONE, next_card

FORMAT_ERRORS = 2
"""Unusable proposals in a row that go back to the model before the person is asked."""
QUESTIONS_FIRST = 3
QUESTIONS = 4
REQUESTS = 30
"""Requests that one sentence of the person may cause without a decision of theirs between."""


class Limits(msgspec.Struct, frozen=True):
    questions_first: int = QUESTIONS_FIRST
    questions: int = QUESTIONS
    requests: int = REQUESTS
    max_tokens: int | None = None
    max_dollars: float | None = None


class Approval(msgspec.Struct, frozen=True):
    """A yes to exactly the writes with this digest. `set_id` is written at most once, ever."""

    chunk: str
    digest: str
    set_id: str


class CallModel(msgspec.Struct, frozen=True, tag=True):
    may_propose: bool = True


class RunTool(msgspec.Struct, frozen=True, tag=True):
    call: ToolCall


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """Match and cut a `propose` call against the files as they are."""

    call: ToolCall


class PutQuestion(msgspec.Struct, frozen=True, tag=True):
    """An `ask` call within the budget becomes a question card."""

    call: ToolCall


class Finish(msgspec.Struct, frozen=True, tag=True):
    call: ToolCall


class Answer(msgspec.Struct, frozen=True, tag=True):
    """Answer a call without running anything."""

    call: ToolCall
    content: str
    is_error: bool = False


class OfferQuestion(msgspec.Struct, frozen=True, tag=True):
    asked: ev.Asked


class OfferCard(msgspec.Struct, frozen=True, tag=True):
    chunk: str


class Block(msgspec.Struct, frozen=True, tag=True):
    chunk: str
    reason: str


class WriteChunk(msgspec.Struct, frozen=True, tag=True):
    approval: Approval


class Prompt(msgspec.Struct, frozen=True, tag=True):
    """Nothing to do: the person speaks. `reason` says why when they would expect more to happen."""

    reason: str = ""


class WaitReply(msgspec.Struct, frozen=True, tag=True):
    pass


class WaitChunks(msgspec.Struct, frozen=True, tag=True):
    """All that is cut so far is decided; the rest of the diff comes."""


class Stop(msgspec.Struct, frozen=True, tag=True):
    pass


Effect = (
    CallModel | RunTool | Prepare | PutQuestion | Finish | Answer | OfferQuestion | OfferCard | Block | WriteChunk
    | Prompt     | WaitReply | WaitChunks | Stop
)  # fmt: skip


def next_step(state: State, limits: Limits | None = None) -> Effect:
    """The one thing to start now."""
    limits = limits or Limits()
    if state.ended:
        return Stop()
    if state.streaming:
        return WaitReply()
    for item in state.items:
        if item.status is Status.APPROVED:
            return WriteChunk(_approval(state, item))
    if state.question is not None:
        return OfferQuestion(state.question)
    if state.calls:
        return _answer_call(state, state.calls[0], limits)
    if state.open_items and not state.asking:
        return _offer(state, state.open_items)
    return _speak(state, limits)


def blocks(state: State, limits: Limits | None = None) -> list[ev.Blocked]:
    """The chunks that are blocked now, one after another: what waits for one waits for what that waits for."""
    found: list[ev.Blocked] = []
    while isinstance(step := next_step(state, limits), Block):
        found.append(ev.Blocked(step.chunk, step.reason))
        state = evolve(state, found[-1])
    return found


def is_review(state: State) -> bool:
    """True when the chunks come from a diff and not from a conversation."""
    return state.source.startswith("review")


def _approval(state: State, item: Item) -> Approval:
    return Approval(item.chunk.id, item.approved_digest, f"{state.session}.{item.chunk.id}.{item.attempts}")


def _answer_call(state: State, call: ToolCall, limits: Limits) -> Effect:
    if state.failure is not None and state.failure.kind == FaultKind.CANCELLED and not state.of_call(call.id):
        return Answer(call, "Stopped by the person.", True)
    match call.name:
        case "propose":
            return _answer_propose(state, call)
        case _ if state.asking:
            return Answer(
                call, "Not run: the person asked a question first. Call it again if you need it.", True
            )
        case "ask":
            early = not any(item.set_id for item in state.items)
            if state.questions >= limits.questions or (
                early and state.questions_before_first >= limits.questions_first
            ):
                return Answer(
                    call,
                    "Your questions for this task are used up. "
                    "Go on with your own recommendation and list it under assumes.",
                    True,
                )
            return PutQuestion(call)
        case "finish":
            return Finish(call)
        case _:
            return RunTool(call)


def _answer_propose(state: State, call: ToolCall) -> Effect:
    mine = state.of_call(call.id)
    if not mine and (not state.may_propose or state.asking):
        return Answer(
            call, "Not in this turn: answer the person's question in words. Nothing was changed.", True
        )
    if not mine:
        return Prepare(call)
    open_here = tuple(item for item in mine if item.status is Status.PENDING)
    if open_here and not state.asking:
        return _offer(state, state.open_items)
    return Answer(call, report(mine))


def _offer(state: State, candidates: tuple[Item, ...]) -> Effect:
    gone = {item.chunk.id: item for item in state.items if item.status in GONE}
    for item in candidates:
        # What a model proposed as one thing makes no sense in parts; of a diff each part was somebody's work.
        wanted = {*item.chunk.needs, *(use.chunk for use in item.chunk.uses)}
        words = {name: titled(state, gone[name]) for name in wanted if name in gone}
        reason = words and blocked_by(item.chunk, words, uses=bool(state.source_of(item).call_id))
        if reason:
            return Block(item.chunk.id, reason)
    return OfferCard(next_card(state, candidates).chunk.id)


def _speak(state: State, limits: Limits) -> Effect:
    """The model's turn when there is something for it, else the person's."""
    if is_review(state) and not (state.notes or state.results or state.wants_reply):
        return WaitChunks() if state.growing else Prompt("all decided")
    if state.failure is not None and state.failure.kind == FaultKind.CANCELLED:
        return Prompt("stopped; say how to go on, or /retry")
    if state.failure is not None:
        return Prompt("the last request failed; say something, or /retry")
    if not state.wants_reply:
        return Prompt()
    if state.format_errors > FORMAT_ERRORS:
        return Prompt("the model's proposals could not be used; say how to go on")
    if state.requests_since_said >= limits.requests:
        return Prompt(f"{limits.requests} requests went out for one instruction; say how to go on")
    used = state.usage.input_total + state.usage.output
    if limits.max_tokens is not None and used >= limits.max_tokens:
        return Prompt(
            f"the limit of {limits.max_tokens} tokens is reached ({used} used); raise it with /max-tokens"
        )
    if limits.max_dollars is not None and state.dollars >= limits.max_dollars:
        return Prompt(f"the limit of ${limits.max_dollars:.2f} is reached (${state.dollars:.2f} spent)")
    return CallModel(may_propose=not state.asking)


def report(items: tuple[Item, ...]) -> str:
    """What became of the chunks of one proposal, for the model: each with its reason or difference."""
    lines = []
    for item in items:
        words = {Status.PENDING: "pending, not decided yet", Status.DEFERRED: "deferred"}.get(
            item.status, item.status.value
        )
        line = f'chunk {item.chunk.id} "{item.chunk.title}": {words}'
        if item.reason:
            line += f" ({item.reason})"
        if item.difference and item.status is Status.APPLIED:
            line += f"; the person edited it before, the difference:\n{item.difference}"
        lines.append(line)
        lines += [
            f"  found by copair: {evidence.summary} (contradicted)"
            for evidence in item.evidence
            if evidence.verdict is Verdict.CONTRADICTED
        ]
    return "\n".join(lines)
