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
from agent.core.dialog import ToolCall, Usage
from agent.core.errors import CopairError
from agent.core.frontend import (
    Card,
    CardOffer,
    Notice,
    Offer,
    PromptOffer,
    QuestionOffer,
    Working,
    WorkOffer,
)
from agent.core.hunk import Write, writes_digest
from agent.core.lines.stack import AlreadyPresent
from agent.core.outcome import Clash
from agent.core.sessions import request, steps
from agent.core.sessions.named import some_titled
from agent.core.sessions.session import Item, State, Status, evolve
from agent.loop import errand
from agent.loop.desk import Desk
from agent.loop.examiner import Examiner
from agent.loop.inputs import take
from agent.loop.prepare import prepare, question_of
from agent.loop.turn import Turn, start
from agent.ports import Clock, Frontend, Journal, Model, ToolBox

MAX_OUTPUT_TOKENS = 8192
CUTTING = "cutting the rest of the diff"


class Session(msgspec.Struct):
    """What a session is made of; wired in `cli/wire.py`."""

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
    price: Callable[[Usage], float | None] = lambda usage: None
    """What one request cost in US dollars; None when that is not known."""
    max_output_tokens: int = MAX_OUTPUT_TOKENS
    warm: Callable[[], None] | None = None
    """Called with the first request: what the first card will need can be made while the model thinks."""
    place: str = ""
    limits: steps.Limits = steps.Limits()
    commands: dict[str, Callable[[Driver, str], None]] = {}
    """The `/commands`, each given the driver and its argument."""
    after_write: Callable[[Driver, str], None] | None = None
    """Called with the chunk after each write (`commit = "each"`)."""
    first_note: str = ""
    """Said once, before the first card."""


class Driver:
    def __init__(self, parts: Session, inbox: queue.SimpleQueue[Any], state: State | None = None) -> None:
        self.parts = parts
        self.inbox = inbox
        self.state = state or State()
        self.turn: Turn | None = None
        self.errand: errand.Errand | None = None
        """The tool that runs for the first of the open calls."""
        self._turns = 0
        self.offered: Offer | None = None
        self.shown: dict[str, Card] = {}
        """The cards of one chunk that were offered, by digest: an edit may be of one that the files outran."""
        self.notes: tuple[str, ...] = ()
        self._old_yes = {item.chunk.id for item in self.state.items if item.status is Status.APPROVED}
        """What an earlier session had a yes for when it ended."""

    def run(self) -> State:
        """Until the session has ended. The inbox may hold input already."""
        while True:
            waiting = self._advance()
            if self.state.ended:
                self.parts.examiner.close()
                self.parts.frontend.close()
                return self.state
            if waiting:
                take(self, self.inbox.get())

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
                self.offer(WorkOffer())
                return True
            case steps.WaitChunks():
                self.offer(WorkOffer(CUTTING))
                return True
            case steps.Prompt(reason=reason):
                return self._prompt(reason)
            case steps.OfferQuestion(asked=asked):
                self.offer(
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
                return self._run_tool(call)
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
            case steps.Block():
                self._block(steps.blocks(self.state, self.parts.limits))
            case steps.WriteChunk(approval=approval):
                self._write(approval)
        return False

    def _block(self, events: list[ev.Blocked]) -> None:
        """Many are told in one line: each would be a line that says the same."""
        if len(events) == 1:
            self.record(events[0])
            return
        for event in events:
            self.record(msgspec.structs.replace(event, is_told=True))
        names = some_titled(self.state, [self.item(event.chunk) for event in events])
        self.record(ev.Noted("info", f"{len(events)} chunks need it and wait with it: {names}"))

    def offer(self, offer: Offer) -> None:
        """Let the person act on `offer`, unless it is what is open."""
        if isinstance(offer, CardOffer) and self.parts.model is None:
            offer = CardOffer(msgspec.structs.replace(offer.card, unanswered=True))
        if offer != self.offered:
            self.offered = offer
            if isinstance(offer, CardOffer):
                self._tell_first()
                known = {
                    digest: card for digest, card in self.shown.items() if card.chunk == offer.card.chunk
                }
                self.shown = known | {offer.card.digest: offer.card}
            self.parts.frontend.offer(offer)

    def _tell_first(self) -> None:
        note, self.parts.first_note = self.parts.first_note, ""
        if note:
            self.tell(note)

    def _prompt(self, reason: str) -> bool:
        if steps.is_review(self.state) and not self.state.open_items:
            self.record(ev.Ended(self.parts.clock.now(), "done"), sync=True)
            return False
        if not self.inbox.empty():
            # What came already is taken first; a prompt in between would be answered by mistake.
            return True
        deferred = sum(item.status is Status.DEFERRED for item in self.state.items)
        self.offer(PromptOffer(self.parts.place, reason, deferred))
        return True

    def _offer_card(self, chunk_id: str) -> bool:
        item = self.item(chunk_id)
        writes = self.parts.desk.writes(self.state, item)
        match writes:
            case Clash(line=line) if (
                line and steps.is_review(self.state) and self._offer_conflict(item, writes)
            ):
                return True
            case Clash(path=path, reason=reason):
                self.record(ev.Blocked(chunk_id, f"{path}: {reason}"))
                self.notes = ()
                return False
            case AlreadyPresent() if steps.is_review(self.state):
                return self._offer_present(item)
            case AlreadyPresent():
                self.record(ev.Present(chunk_id))
                return False
        self.examine(item, writes)
        checking = self._is_checking(chunk_id)
        card = self.parts.desk.card(self.state, item, writes, self.notes, checking=checking)
        shown = self.offered.card if isinstance(self.offered, CardOffer) else None
        if shown and shown.chunk.id == chunk_id and shown.digest != card.digest:
            self.notes = ("the files changed while the card was open: this is a new card",)
            card = msgspec.structs.replace(card, notes=self.notes)
        self.offer(CardOffer(card))
        return True

    def _offer_conflict(self, item: Item, clash: Clash) -> bool:
        """What is reviewed does not fit the file: both texts, for the person to choose. False where there are no lines."""
        desk = self.parts.desk
        writes = desk.conflict(self.state, item)
        if writes:
            where = f"{clash.path}, line {clash.line}: {clash.reason}"
            note = f"It does not fit: {where}. e opens both texts in your editor, n leaves the chunk out."
            self.offer(CardOffer(desk.card(self.state, item, writes, (note,), conflict=True)))
        return bool(writes)

    def _offer_present(self, item: Item) -> bool:
        """What is reviewed is in the tree already: a yes records it, a no offers the way back."""
        where = "staged" if self.state.onto == "index" else "in the tree"
        note = f"It is {where} already: y keeps it, n offers to take it back."
        desk = self.parts.desk
        shown, out = desk.shown(self.state, item), desk.taken_out(self.state, item)
        if out:
            self.examine(item, shown, out=out)
        checking = self._is_checking(item.chunk.id)
        card = desk.card(self.state, item, shown, (note,), checking=checking, out=out)
        self.offer(CardOffer(card))
        return True

    def examine(
        self,
        item: Item,
        writes: tuple[Write, ...],
        *,
        again: bool = False,
        out: tuple[Write, ...] | None = None,
    ) -> None:
        """Start making evidence, unless this very version is being looked at already.

        What is present already is taken out of the files as they are by `out`, and examined as it comes back.
        While the stack grows nothing is examined: evidence rests on the tests in it.
        """
        if self.state.growing:
            return
        desk, state = self.parts.desk, self.state
        self.parts.examiner.start(
            item.chunk,
            [Write(write.path, write.new, write.old) for write in out or ()] or writes,
            lambda: (*desk.tests_before(state, item), *(out or ())),
            self.inbox,
            key=desk.evidence_key(state, item, out),
            again=again,
            digest=writes_digest(writes),
        )

    def _is_checking(self, chunk_id: str) -> bool:
        return self.state.growing or self.parts.examiner.is_checking(chunk_id)

    def call_model(self, may_propose: bool) -> None:
        """Send what is due and stream the reply."""
        if self.parts.model is None:
            self.record(ev.TurnFailed("no model", "no model is configured", "copair connect finds one"))
            return
        if self.parts.warm is not None:
            self.parts.warm()
            self.parts.warm = None
        changed = self._changed_files()
        messages = request.outgoing(self.state, tuple(changed))
        window = self.parts.model.context_tokens
        if request.must_compact(self.state, window, messages, self.parts.max_output_tokens):
            history, dropped = request.compact(self.state.history)
            self.record(ev.EpochStarted(history, dropped, f"the window of {window} tokens was filling up"))
        self.record(ev.Requested(messages, may_propose, changed))
        wanted = request.build(
            self.state, self.parts.system, self.parts.tools.tools(), self.parts.max_output_tokens
        )
        self._turns += 1
        self.turn = Turn(self._turns, started=self.parts.clock.monotonic())
        self.offer(WorkOffer())
        start(self.parts.model, wanted, self.turn, self.inbox)

    def _changed_files(self) -> dict[str, str | None]:
        now = {path: self.parts.desk.digest(path) for path in self.state.read}
        return {path: new for path, new in now.items() if (new or "") != self.state.read[path]}

    def _run_tool(self, call: ToolCall) -> bool:
        if self.errand is None:
            self.errand = errand.start(self.parts.tools, call, self.inbox)
        self.offer(WorkOffer(errand.label(call)))
        return True

    def _finish(self, call_id: str, args_json: str) -> None:
        try:
            summary = str(msgspec.json.decode(args_json or "{}").get("summary", ""))
        except (msgspec.DecodeError, AttributeError):
            summary = ""
        self.record(ev.Finished(call_id, summary))

    def _write(self, approval: steps.Approval) -> None:
        is_old = approval.chunk in self._old_yes
        self._old_yes.discard(approval.chunk)
        event = self._settled(approval) if is_old else self.parts.desk.write(self.state, approval)
        self.notes = ()
        self.offered = None
        if is_old and isinstance(event, ev.WriteRefused):
            self.notes = ("you said yes to this before, and the session ended before it was written",)
        elif isinstance(event, ev.WriteRefused) and event.drifted:
            self.notes = (f"{', '.join(event.paths)} changed while the card was open: this is a new card",)
        self.record(event, sync=True)
        if isinstance(event, ev.Wrote) and self.parts.after_write:
            try:
                self.parts.after_write(self, event.chunk)
            except CopairError as error:
                self.tell(f"Not committed: {error.message}", "error", error.hint)

    def _settled(self, approval: steps.Approval) -> ev.Event:
        """A yes of a session that ended: it was carried out, or the card is shown once more."""
        reason = "the session ended before it was written"
        return self.parts.desk.written_before(approval) or ev.WriteRefused(
            approval.chunk, reason, drifted=True
        )

    def item(self, chunk_id: str) -> Item:
        item = self.state.item(chunk_id)
        if item is None:
            raise CopairError(f"there is no chunk {chunk_id}", hint="/list shows the stack")
        return item
