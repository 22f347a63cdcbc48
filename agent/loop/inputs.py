"""What comes in: each thing of the inbox becomes events, or is told why it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from agent.core import events as ev
from agent.core.dialog import FaultKind, ToolCall
from agent.core.errors import CopairError
from agent.core.frontend import (
    NO_MODEL,
    TO_MODEL,
    AnswerIn,
    CardOffer,
    Command,
    Decide,
    Input,
    Interrupt,
    Move,
    Quit,
    RunChecks,
    Say,
    Undo,
    WorkOffer,
)
from agent.core.lines.stack import AlreadyPresent
from agent.core.review import Answer
from agent.core.sessions import steps
from agent.core.sessions.session import Status
from agent.loop.decisions import decide
from agent.loop.errand import ToolEnded, label
from agent.loop.examiner import EvidenceFound, ExaminationOver
from agent.loop.taking_back import can_reopen, open_again, reopen, undo
from agent.loop.turn import Streamed, StreamEnded
from agent.ports import ToolOutput

if TYPE_CHECKING:
    from agent.loop.driver import Driver

GOODBYES = frozenset({"q", "quit", "exit"})
"""Said alone they end the session; nobody wants a model to think about them."""

SHOWN = frozenset({Status.PENDING, Status.DEFERRED})
"""Chunks that have a card."""


class StackCut(msgspec.Struct, frozen=True):
    """The rest of the diff that is reviewed was cut, or cannot be; `grow` brings it in."""

    grow: Callable[[Driver], None]


def take(
    driver: Driver,
    thing: Input | Streamed | StreamEnded | ToolEnded | EvidenceFound | ExaminationOver | StackCut,
) -> None:
    """Do what one thing of the inbox means for the session that is running."""
    match thing:
        case Streamed(turn=number, event=event):
            if driver.turn and number == driver.turn.number and (tick := driver.turn.feed(event)):
                driver.parts.frontend.tick(tick)
        case StreamEnded(turn=number):
            _turn_over(driver, number)
        case ToolEnded(errand=errand, output=output):
            if errand is driver.errand:
                driver.errand = None
                driver.record(_answered(errand.call, output))
        case EvidenceFound(chunk=chunk, evidence=evidence):
            driver.record(ev.Examined(chunk, evidence))
        case StackCut(grow=grow):
            grow(driver)
        case ExaminationOver():
            pass  # the card that is open is offered again, without the sign of work
        case Decide():
            decide(driver, thing)
        case AnswerIn(call_id=call_id, answer=answer):
            _answer(driver, call_id, answer)
        case Say(text=text) if text.strip() in GOODBYES:
            _quit(driver, "quit")
        case Say(text=text) if text.startswith("/"):
            name, _, argument = text[1:].partition(" ")
            _command(driver, name, argument)
        case Say(text=text):
            _say(driver, text)
        case Interrupt():
            _interrupt(driver)
        case Undo(chunk=chunk):
            undo(driver, chunk)
        case Move(by=by, to=to):
            move(driver, by, to)
        case RunChecks(chunk=chunk):
            _run_checks(driver, chunk)
        case Command(name=name, argument=argument):
            _command(driver, name, argument)
        case Quit(reason=reason):
            _quit(driver, reason)


def _answer(driver: Driver, call_id: str, answer: Answer) -> None:
    asked = driver.state.question
    if asked is None or asked.call_id != call_id:
        driver.tell("That question is not open any more.", "warning")
        return
    options = asked.question.options
    if answer.choice is not None and answer.choice not in range(len(options)):
        driver.offered = None
        driver.tell(f"There are {len(options)} options.", "warning")
        return
    words = options[answer.choice] if answer.choice is not None else answer.text
    driver.record(ev.Answered(call_id, answer, f"The person answers: {words}"), sync=True)


def _turn_over(driver: Driver, number: int) -> None:
    if driver.turn is None or number != driver.turn.number or not driver.state.streaming:
        return
    event = driver.turn.result(driver.state.protocol, driver.parts.clock.monotonic())
    if isinstance(event, ev.Replied):
        event = msgspec.structs.replace(event, dollars=driver.parts.price(event.usage))
    driver.record(event, sync=True)
    if isinstance(event, ev.Replied) and driver.state.failure:
        driver.tell(
            driver.state.failure.message, "warning", "nothing of it is used; say how to go on, or /retry"
        )
    elif isinstance(event, ev.Replied) and not event.calls and not event.text.strip():
        driver.tell("The model sent no words and no proposal.", "warning", "say it again in other words")


def _say(driver: Driver, text: str) -> None:
    if driver.state.question is not None:
        driver.tell("Answer the question first, or take free text as the answer.", "warning")
        return
    if driver.parts.model is None and steps.is_review(driver.state):
        driver.offered = None
        driver.tell(NO_MODEL, "warning", TO_MODEL)
        return
    try:
        sent, read, lines = driver.parts.mention(text)
    except CopairError as error:
        driver.tell(error.message, "error", error.hint)
        return
    for line in lines:
        driver.tell(line)
    driver.offered = None
    driver.record(ev.Said(text, sent, read), sync=True)


def _answered(call: ToolCall, output: ToolOutput) -> ev.ToolAnswered:
    return ev.ToolAnswered(
        call.id,
        call.name,
        output.content,
        output.line,
        output.is_error,
        output.read,
        output.withheld,
        output.ran,
    )


def _interrupt(driver: Driver) -> None:
    """Stop the stream, or the tool that runs: its call is answered as stopped, and so are those behind it."""
    idle = driver.errand is None and not driver.state.streaming
    if idle and driver.state.growing and isinstance(driver.offered, WorkOffer):
        _quit(driver, "interrupted")
        return
    errand = driver.errand
    _stop_work(driver)
    if isinstance(driver.offered, CardOffer) and driver.parts.examiner.is_checking(
        driver.offered.card.chunk.id
    ):
        driver.parts.examiner.stop(driver.offered.card.chunk.id)
        driver.tell("The check was stopped; t runs it again.")
    if errand is not None:
        driver.record(ev.TurnFailed(FaultKind.CANCELLED, label(errand.call)), sync=True)


def _stop_work(driver: Driver) -> None:
    if driver.turn is not None and driver.state.streaming:
        driver.turn.cancel.cancel()
    if driver.errand is not None:
        driver.errand.cancel.cancel()
        driver.errand = None


def move(driver: Driver, by: int = 0, to: str = "") -> None:
    """Show another card: `by` further, or the chunk `to`; one that was refused in a review is opened again."""
    shown = [item for item in driver.state.items if item.status in SHOWN]
    ids = [item.chunk.id for item in shown]
    here = driver.offered.card.chunk.id if isinstance(driver.offered, CardOffer) else ""
    if not to and here in ids:
        to = ids[(ids.index(here) + by) % len(ids)]
    closed = driver.state.item(to) if to not in ids else None
    if closed is not None and can_reopen(driver.state, closed):
        if closed.status is Status.REJECTED:
            reopen(driver, closed)
        else:
            open_again(driver, to, "you went back to it")
        return
    if to not in ids:
        driver.offered = None
        driver.tell("That chunk is not open." if to else "There is no other open chunk.", "warning")
        return
    driver.offered = None
    driver.record(ev.Focused(to))


def _run_checks(driver: Driver, chunk_id: str) -> None:
    item = driver.state.item(chunk_id)
    if item is None:
        driver.offered = None
        driver.tell(f"There is no chunk {chunk_id}.", "warning", "/list shows the stack")
        return
    if driver.state.growing:
        driver.tell("The rest of the diff is still being cut; the checks run after that.")
        return
    writes = driver.parts.desk.writes(driver.state, item)
    if isinstance(writes, tuple):
        driver.examine(item, writes, again=True)
    elif isinstance(writes, AlreadyPresent) and steps.is_review(driver.state):
        desk = driver.parts.desk
        if out := desk.taken_out(driver.state, item):
            driver.examine(item, desk.shown(driver.state, item), again=True, out=out)


def _command(driver: Driver, name: str, argument: str) -> None:
    driver.offered = None
    run = driver.parts.commands.get(name)
    if run is None:
        driver.tell(f"There is no command /{name}.", "warning", "/help lists them")
        return
    try:
        run(driver, argument)
    except CopairError as error:
        driver.tell(error.message, "error", error.hint)


def _quit(driver: Driver, reason: str) -> None:
    _stop_work(driver)
    driver.record(ev.Ended(driver.parts.clock.now(), reason), sync=True)
