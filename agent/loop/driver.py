"""One session: takes one thing from the inbox, journals what it means, starts what `next_step` says.

The driver owns the inbox and the state; threads and frontends only put things on the inbox. Whatever is not an
answer to what is offered right now is told so and changes nothing.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

import msgspec

from agent.core import events as ev
from agent.core import request, steps
from agent.core.errors import CopairError
from agent.core.frontend import (
    AnswerIn,
    CardOffer,
    Command,
    Decide,
    Input,
    Interrupt,
    Move,
    Notice,
    Offer,
    PromptOffer,
    QuestionOffer,
    Quit,
    RunChecks,
    Say,
    Undo,
    Working,
    WorkOffer,
)
from agent.core.hunk import Write
from agent.core.outcome import Clash
from agent.core.review import Approve, Ask, Defer, Edit, Reject, Revise, Split
from agent.core.session import Item, State, Status, evolve
from agent.core.stack import AlreadyPresent
from agent.loop.desk import Desk
from agent.loop.examiner import EvidenceFound, Examiner
from agent.loop.prepare import prepare, question_of
from agent.loop.turn import Streamed, StreamEnded, Turn, start
from agent.ports import Clock, Frontend, Journal, Model, ToolBox

MAX_OUTPUT_TOKENS = 8192


class Session(msgspec.Struct):
    """What a session is made of; wired in `cli.py`."""

    model: Model | None
    system: str
    tools: ToolBox
    journal: Journal
    frontend: Frontend
    desk: Desk
    clock: Clock
    examiner: Examiner
    mention: Callable[[str], tuple[str, dict[str, str], tuple[str, ...]]]
    """Expands @mentions: the text to send, digests of the files in it, and lines for the screen."""
    switch_model: Callable[[str], tuple[Model, str]]
    """A model by name with its system prompt, for `/model`. Raises CopairError."""
    place: str = ""
    limits: steps.Limits = steps.Limits()
    commands: dict[str, Callable[[Driver, str], None]] = {}
    """The `/commands`, each given the driver and its argument."""
    after_write: Callable[[Driver, str], None] | None = None
    """Called with the chunk after each write (`commit = "each"`)."""


class Driver:
    def __init__(self, parts: Session, inbox: queue.SimpleQueue[Any], state: State | None = None) -> None:
        self.parts = parts
        self.inbox = inbox
        self.state = state or State()
        self._turn: Turn | None = None
        self._turns = 0
        self._offered: Offer | None = None
        self._notes: tuple[str, ...] = ()

    def run(self) -> State:
        """Until the session has ended. The inbox may hold input already."""
        while True:
            waiting = self._advance()
            if self.state.ended:
                self.parts.examiner.close()
                self.parts.frontend.close()
                return self.state
            if waiting:
                self._take(self.inbox.get())

    def record(self, event: ev.Event, *, sync: bool = False) -> None:
        """Journal, evolve, show. In this order: what is not in the journal did not happen."""
        self.parts.journal.append(event, sync=sync)
        self.state = evolve(self.state, event)
        self.parts.frontend.emit(event)

    def tell(self, text: str, level: str = "info", hint: str = "") -> None:
        self.parts.frontend.tick(Notice(level, text, hint))

    # What next_step says

    def _advance(self) -> bool:
        """Do one step; True when it is now for somebody else to act."""
        effect = steps.next_step(self.state, self.parts.limits)
        match effect:
            case steps.Stop():
                return False
            case steps.WaitReply():
                self._offer(WorkOffer())
                return True
            case steps.Prompt(reason=reason):
                return self._prompt(reason)
            case steps.OfferQuestion(asked=asked):
                self._offer(
                    QuestionOffer(
                        asked.call_id, asked.question, self.state.questions, self.parts.limits.questions
                    )
                )
                return True
            case steps.OfferCard(chunk=chunk):
                return self._offer_card(chunk)
            case steps.CallModel(may_propose=may_propose):
                self.call_model(may_propose)
            case steps.RunTool(call=call):
                self._run_tool(call.id, call.name, call.args_json)
            case steps.Prepare(call=call):
                self.parts.frontend.tick(Working("matching the proposal"))
                event = prepare(self.state, call, self.parts.desk)
                self.record(event, sync=isinstance(event, ev.Proposed))
            case steps.PutQuestion(call=call):
                self.record(question_of(call))
            case steps.Finish(call=call):
                self._finish(call.id, call.args_json)
            case steps.Answer(call=call, content=content, is_error=is_error):
                self.record(ev.ToolAnswered(call.id, call.name, content, is_error=is_error))
            case steps.Block(chunk=chunk, reason=reason):
                self.record(ev.Blocked(chunk, reason))
            case steps.WriteChunk(approval=approval):
                self._write(approval)
        return False

    def _offer(self, offer: Offer) -> None:
        if offer != self._offered:
            self._offered = offer
            self.parts.frontend.offer(offer)

    def _prompt(self, reason: str) -> bool:
        if self.state.source.startswith("review") and not self.state.open_items:
            self.record(ev.Ended(self.parts.clock.now(), "done"), sync=True)
            return False
        if not self.inbox.empty():
            # What came already is taken first; a prompt in between would be answered by mistake.
            return True
        deferred = sum(item.status is Status.DEFERRED for item in self.state.items)
        self._offer(PromptOffer(self.parts.place, reason, deferred))
        return True

    def _offer_card(self, chunk_id: str) -> bool:
        item = self._item(chunk_id)
        writes = self.parts.desk.writes(self.state, item)
        match writes:
            case Clash(path=path, reason=reason):
                self.record(ev.Blocked(chunk_id, f"{path}: {reason}"))
                return False
            case AlreadyPresent():
                self.record(ev.Present(chunk_id))
                return False
        card = self.parts.desk.card(self.state, item, writes, self._notes)
        shown = self._offered.card if isinstance(self._offered, CardOffer) else None
        if shown and shown.chunk.id == chunk_id and shown.digest != card.digest:
            self._notes = ("the files changed while the card was open: this is a new card",)
            card = msgspec.structs.replace(card, notes=self._notes)
        self._offer(CardOffer(card))
        self._examine(item, writes)
        return True

    def _examine(self, item: Item, writes: tuple[Write, ...], *, again: bool = False) -> None:
        before = self.parts.desk.tests_before(self.state, item)
        self.parts.examiner.start(item.chunk, writes, before, self.inbox, again=again)

    def call_model(self, may_propose: bool) -> None:
        """Send what is due and stream the reply."""
        if self.parts.model is None:
            self.record(ev.TurnFailed("no model", "no model is configured", "copair connect finds one"))
            return
        changed = self._changed_files()
        messages = request.outgoing(self.state, tuple(changed))
        window = self.parts.model.context_tokens
        if request.must_compact(self.state, window, messages, MAX_OUTPUT_TOKENS):
            history, dropped = request.compact(self.state.history)
            self.record(ev.EpochStarted(history, dropped, f"the window of {window} tokens was filling up"))
        self.record(ev.Requested(messages, may_propose, changed))
        wanted = request.build(self.state, self.parts.system, self.parts.tools.tools(), MAX_OUTPUT_TOKENS)
        self._turns += 1
        self._turn = Turn(self._turns, started=self.parts.clock.monotonic())
        self._offer(WorkOffer())
        start(self.parts.model, wanted, self._turn, self.inbox)

    def _changed_files(self) -> dict[str, str | None]:
        now = {path: self.parts.desk.digest(path) for path in self.state.read}
        return {path: new for path, new in now.items() if (new or "") != self.state.read[path]}

    def _run_tool(self, call_id: str, name: str, args_json: str) -> None:
        self.parts.frontend.tick(Working(name))
        turn = self._turn or Turn(0, started=0.0)
        output = self.parts.tools.run(name, args_json, turn.cancel)
        self.record(
            ev.ToolAnswered(
                call_id, name, output.content, output.line, output.is_error, output.read, output.withheld
            )
        )

    def _finish(self, call_id: str, args_json: str) -> None:
        try:
            summary = str(msgspec.json.decode(args_json or "{}").get("summary", ""))
        except (msgspec.DecodeError, AttributeError):
            summary = ""
        self.record(ev.Finished(call_id, summary))

    def _write(self, approval: steps.Approval) -> None:
        event = self.parts.desk.write(self.state, approval)
        self._notes = ()
        self._offered = None
        if isinstance(event, ev.WriteRefused) and event.drifted:
            self._notes = (f"{', '.join(event.paths)} changed while the card was open: this is a new card",)
        self.record(event, sync=True)
        if isinstance(event, ev.Wrote) and self.parts.after_write:
            self.parts.after_write(self, event.chunk)

    # What comes in

    def _take(self, thing: Input | Streamed | StreamEnded | EvidenceFound) -> None:
        match thing:
            case Streamed(turn=number, event=event):
                if self._turn and number == self._turn.number and (tick := self._turn.feed(event)):
                    self.parts.frontend.tick(tick)
            case StreamEnded(turn=number):
                self._turn_over(number)
            case EvidenceFound(chunk=chunk, evidence=evidence):
                self.record(ev.Examined(chunk, evidence))
            case Decide():
                self._decide(thing)
            case AnswerIn(call_id=call_id, answer=answer):
                asked = self.state.question
                if asked and asked.call_id == call_id:
                    words = (
                        asked.question.options[answer.choice] if answer.choice is not None else answer.text
                    )
                    self.record(ev.Answered(call_id, answer, f"The person answers: {words}"), sync=True)
            case Say(text=text):
                self._say(text)
            case Interrupt():
                self._interrupt()
            case Undo(chunk=chunk):
                self.undo(chunk)
            case Move(by=by, to=to):
                self._move(by, to)
            case RunChecks(chunk=chunk):
                self._run_checks(chunk)
            case Command(name=name, argument=argument):
                self._command(name, argument)
            case Quit(reason=reason):
                self._quit(reason)

    def _turn_over(self, number: int) -> None:
        if self._turn is None or number != self._turn.number or not self.state.streaming:
            return
        event = self._turn.result(self.state.protocol, self.parts.clock.monotonic())
        self.record(event, sync=True)

    def _item(self, chunk_id: str) -> Item:
        item = self.state.item(chunk_id)
        if item is None:
            raise CopairError(f"there is no chunk {chunk_id}", hint="/list shows the stack")
        return item

    def _decide(self, decide: Decide) -> None:
        open_card = self._offered.card if isinstance(self._offered, CardOffer) else None
        if open_card is None:
            self.tell("No card is open; nothing was done.", "warning")
            return
        if (decide.chunk, decide.digest) != (open_card.chunk.id, open_card.digest):
            self._offered = None
            self.tell("That card is not open any more; nothing was done.", "warning")
            return
        item = self._item(decide.chunk)
        # Whatever comes of it, the frontend has closed the card: what is next is offered anew.
        self._notes, self._offered = (), None
        match decide.decision:
            case Approve(digest=digest) if digest != open_card.digest:
                self.tell("That yes was for another version; nothing was done.", "warning")
                return
            case Approve() if missing := self._missing(item):
                self.tell(f"It needs chunk {missing} first; nothing was done.", "warning")
                return
            case Ask() | Revise() if self.parts.model is None:
                self.tell(
                    "No model is configured to answer; the card stays.", "warning", "copair connect finds one"
                )
                return
            case Edit(states=states):
                self.record(self.parts.desk.edited(self.state, item, states), sync=True)
                return
            case Split():
                self._split(item)
                return
            case Approve() | Reject() | Revise() | Defer() | Ask():
                pass
        self.parts.examiner.stop(decide.chunk)
        self.record(ev.Decided(decide.chunk, decide.decision), sync=True)

    def _missing(self, item: Item) -> str:
        """A chunk that this one needs and that is not in the tree yet."""
        there = {i.chunk.id for i in self.state.items if i.status in (Status.APPLIED, Status.PRESENT)}
        return ", ".join(need for need in item.chunk.needs if need not in there)

    def _split(self, item: Item) -> None:
        parts = self.parts.desk.split(self.state, item)
        if len(parts) < 2:
            self.tell("It cannot be split further.", "warning")
            return
        self.record(ev.ChunkSplit(item.chunk.id, parts), sync=True)

    def _say(self, text: str) -> None:
        if self.state.question is not None:
            self.tell("Answer the question first, or take free text as the answer.", "warning")
            return
        try:
            sent, read, lines = self.parts.mention(text)
        except CopairError as error:
            self.tell(error.message, "error", error.hint)
            return
        for line in lines:
            self.tell(line)
        self._offered = None
        self.record(ev.Said(text, sent, read), sync=True)

    def _interrupt(self) -> None:
        if self._turn is not None and self.state.streaming:
            self._turn.cancel.cancel()

    def undo(self, chunk_id: str = "", status: Status = Status.APPLIED) -> None:
        """Take back an applied chunk (or, with UNDONE, apply an undone one again); the latest by default."""
        item = self.state.item(chunk_id) if chunk_id else self._latest(status)
        if item is None or item.status is not status or not item.writes:
            self._offered = None
            self.tell(f"There is nothing to take back{f' as {chunk_id}' if chunk_id else ''}.", "warning")
            return
        self._offered = None
        self.record(self.parts.desk.undo(self.state, item), sync=True)

    def _latest(self, status: Status) -> Item | None:
        by_id = {item.chunk.id: item for item in self.state.items if item.status is status}
        recent = [chunk for chunk in self.state.written if chunk in by_id]
        return by_id[recent[-1]] if recent else None

    def _move(self, by: int, to: str) -> None:
        shown = [i for i in self.state.items if i.status in (Status.PENDING, Status.DEFERRED)]
        ids = [item.chunk.id for item in shown]
        here = self._offered.card.chunk.id if isinstance(self._offered, CardOffer) else ""
        if not to and here in ids:
            to = ids[(ids.index(here) + by) % len(ids)]
        if to not in ids:
            self._offered = None
            self.tell("There is no other open chunk.", "warning")
            return
        self._offered = None
        self.record(ev.Focused(to))

    def _run_checks(self, chunk_id: str) -> None:
        item = self._item(chunk_id)
        writes = self.parts.desk.writes(self.state, item)
        if isinstance(writes, tuple):
            self._examine(item, writes, again=True)

    def _command(self, name: str, argument: str) -> None:
        self._offered = None
        run = self.parts.commands.get(name)
        if run is None:
            self.tell(f"There is no command /{name}.", "warning", "/help lists them")
            return
        try:
            run(self, argument)
        except CopairError as error:
            self.tell(error.message, "error", error.hint)

    def _quit(self, reason: str) -> None:
        self._interrupt()
        self.record(ev.Ended(self.parts.clock.now(), reason), sync=True)
