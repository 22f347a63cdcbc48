"""What a decision does: it counts only for the card that is open, with the digest that was on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.core import events as ev
from agent.core.frontend import NO_MODEL, TO_MODEL, Card, CardOffer, Decide
from agent.core.lines.merge import has_marks
from agent.core.lines.stack import AlreadyPresent
from agent.core.outcome import Clash
from agent.core.review import Approve, Ask, Decision, Edit, Reject, Revise, Split
from agent.core.sessions import steps
from agent.core.sessions.named import some_titled
from agent.core.sessions.session import Item, Status

if TYPE_CHECKING:
    from agent.loop.driver import Driver


def decide(driver: Driver, decision: Decide) -> None:
    """Record what was decided of the open card, or say why nothing was."""
    card = _open_card(driver, decision)
    if card is None:
        return
    item = driver.item(decision.chunk)
    # Whatever comes of it, the frontend has closed the card: what is next is offered anew.
    driver.notes, driver.offered = (), None
    refusal = _refusal(driver, card, item, decision.decision)
    if refusal is not None:
        words, hint = refusal
        driver.tell(words, "warning", hint)
    elif card.present and isinstance(decision.decision, Approve | Reject):
        _decide_present(driver, item, decision.decision)
    else:
        _record(driver, card, item, decision.decision)


def _open_card(driver: Driver, decision: Decide) -> Card | None:
    """The card that is open, if it is the one that was decided on; else that is said."""
    card = driver.offered.card if isinstance(driver.offered, CardOffer) else None
    if card is None:
        driver.tell("No card is open; nothing was done.", "warning")
        return None
    if isinstance(decision.decision, Edit) and decision.chunk == card.chunk.id:
        card = driver.shown.get(decision.digest, card)
    if (decision.chunk, decision.digest) != (card.chunk.id, card.digest):
        driver.offered = None
        driver.tell("That card is not open any more; nothing was done.", "warning")
        return None
    return card


def _refusal(driver: Driver, card: Card, item: Item, decision: Decision) -> tuple[str, str] | None:
    """Why a decision is not taken, and a hint; None when it is."""
    match decision:
        case Approve(digest=digest) if digest != card.digest:
            return "That yes was for another version; nothing was done.", ""
        case Approve() | Reject() if card.present and not _is_present(driver, item):
            return "The files changed while the card was open; nothing was done.", ""
        case Approve() if not card.conflict and (missing := _missing(driver, item)):
            return f"It needs chunk {some_titled(driver.state, missing)} first; nothing was done.", ""
        case Ask() | Revise() if driver.parts.model is None:
            return NO_MODEL, TO_MODEL
        case Edit(states=states) if any(state and has_marks(state.data) for state in states.values()):
            return "There are marks of the conflict left in your version; nothing was decided.", ""
        case Edit(states=states) if all(states.get(write.path) == write.old for write in card.writes):
            way = "n offers to take it back" if card.present else "n rejects the chunk"
            return f"Your version changes nothing; {way}.", ""
        case Edit(states=states) if not states or states == {w.path: w.new for w in card.writes}:
            return "Your version is what the card shows already; nothing was decided.", ""
        case _:
            return None


def _is_present(driver: Driver, item: Item) -> bool:
    """Whether what its card shows is in the files as they are now."""
    return isinstance(driver.parts.desk.writes(driver.state, item), AlreadyPresent)


def _decide_present(driver: Driver, item: Item, decision: Approve | Reject) -> None:
    """A yes to what is in the files is a fact; a no offers the way back."""
    chunk = item.chunk.id
    driver.parts.examiner.leave(chunk)
    if isinstance(decision, Approve):
        driver.record(ev.Present(chunk), sync=True)
    else:
        driver.record(ev.Decided(chunk, decision), sync=True)
        driver.record(driver.parts.desk.way_back(driver.state, item), sync=True)


def _record(driver: Driver, card: Card, item: Item, decision: Decision) -> None:
    chunk = item.chunk.id
    match decision:
        case Approve() if card.conflict:
            placed = driver.parts.desk.writes(driver.state, item)
            if isinstance(placed, Clash):
                reason = f"you left it: {placed.path}: {placed.reason}"
                driver.record(ev.Blocked(chunk, reason, left=True), sync=True)
        case Ask(text=text) if steps.is_review(driver.state):
            about = Ask(f"{text}\n\n{driver.parts.desk.as_diff(card)}")
            driver.record(ev.Decided(chunk, about), sync=True)
        case Edit(states=states):
            driver.record(driver.parts.desk.edited(card, states), sync=True)
        case Split():
            _split(driver, item)
        case _:
            driver.parts.examiner.leave(chunk)
            driver.record(ev.Decided(chunk, decision), sync=True)


def _missing(driver: Driver, item: Item) -> list[Item]:
    """The chunks that this one needs and that are not in the tree yet, in the order of the stack."""
    there = (Status.APPLIED, Status.PRESENT)
    needs = set(item.chunk.needs)
    return [other for other in driver.state.items if other.chunk.id in needs and other.status not in there]


def _split(driver: Driver, item: Item) -> None:
    if item.edited is not None:
        driver.tell("Your own version is not split; edit it again to take less of it.", "warning")
        return
    parts = driver.parts.desk.split(driver.state, item)
    if len(parts) < 2:
        driver.tell("It cannot be split further.", "warning")
        return
    driver.record(ev.ChunkSplit(item.chunk.id, parts), sync=True)
