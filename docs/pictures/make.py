"""Draws the pictures of README.md from real sessions: `python docs/pictures/make.py [FOLDER]`.

Each session runs on a throw-away copy of examples/tour with the real driver; a scripted person answers. The suite
draws them again and compares. Needs pytest and ruff beside the interpreter, no network.
"""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from agent.cli.session import TOUR_START
from agent.cli.wire import make_driver, tour_driver
from agent.cli.workbench import Workbench
from agent.core.cards.view import card_view
from agent.core.events import Event
from agent.core.frontend import (
    AnswerIn,
    Card,
    CardOffer,
    Decide,
    Input,
    Notice,
    Offer,
    PromptOffer,
    QuestionOffer,
    Quit,
    Say,
    Tick,
    Undo,
)
from agent.core.review import Answer, Approve, Reject
from agent.evidence.proof.discover import discover
from agent.evidence.proof.store import CheckStore
from agent.llm.scripted import Line as Reply
from agent.llm.scripted import ScriptedModel
from agent.loop.driver import Driver
from agent.offline import tour_script
from agent.offline.tour import prepare_tour
from agent.ui.paint import DARK, Line
from agent.ui.question import question_lines
from agent.ui.story import Story
from agent.ui.svg import card_svg, lines_svg

COLUMNS = 88
FIX = {
    "why": "Each line rounds its own discount down, so three lines lose half a cent each. Taken once from the "
    "sum, the discount is 10 cents and the basket costs 95, as the test says.",
    "title": "Take the discount from the sum",
    "assumes": ["a discount is a whole number of percent"],
    "risks": ["baskets that were paid before would cost up to a few cents less"],
    "serves": "the failing test",
    "edits": [
        {
            "because": "the discount has to be taken from the sum, once",
            "path": tour_script.BASKET,
            "old": tour_script.OLD_TOTAL,
            "new": tour_script.NEW_TOTALS[0],
        }
    ],
}
FINISH: dict[str, Any] = {"summary": ""}

Act = Callable[["Person", Any], Input | None]


class Person:
    """A frontend that asks `act` at each offer, and keeps what stays in the scrollback."""

    def __init__(self, inbox: queue.SimpleQueue[Any], act: Act) -> None:
        self._inbox = inbox
        self._act = act
        self._story = Story()
        self.scrollback: list[Line] = []

    def emit(self, event: Event) -> None:
        for saying in self._story.tell(event):
            text = f"{saying.text}  {saying.hint}".rstrip()
            self.scrollback.append(
                [(DARK[saying.style], f"  {saying.sign} {saying.word}"), ("", f"  {text}")]
            )

    def tick(self, tick: Tick) -> None:
        if isinstance(tick, Notice):
            self.scrollback.append([(DARK["dim"], f"  {tick.text}")])

    def offer(self, offer: Offer) -> None:
        if isinstance(offer, CardOffer):
            self._story.learn(offer.card.chunk.id, card_view(offer.card))
        done = self._act(self, offer)
        if done is not None:
            self._inbox.put(done)

    def close(self) -> None:
        """Nothing is held."""


def yes(card: Card) -> Decide:
    return Decide(card.chunk.id, card.digest, Approve(card.digest))


def no(card: Card, reason: str) -> Decide:
    return Decide(card.chunk.id, card.digest, Reject(reason))


def picture(card: Card) -> str:
    """The card as the terminal shows it. How far a run is isolated differs between machines: that is left out."""
    evidence = tuple(msgspec.structs.replace(piece, sandbox="") for piece in card.evidence)
    return card_svg(card_view(msgspec.structs.replace(card, evidence=evidence)), columns=COLUMNS)


def run(act: Act, build: Callable[[Workbench, Person, queue.SimpleQueue[Any]], Driver]) -> None:
    """One session in a fresh copy, from the first sentence to its end."""
    with prepare_tour() as (root, state):
        bench = Workbench.open(root, state=state)
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        inbox.put(Say(TOUR_START))
        build(bench, Person(inbox, act), inbox).run()
        bench.close()


def checked_card() -> dict[str, str]:
    """A card whose test was red before and is green with it, from runs of copair's own."""
    drawn: dict[str, str] = {}

    def act(person: Person, offer: Any) -> Input | None:
        match offer:
            case CardOffer(card=card) if not card.checking:
                drawn["card.svg"] = picture(card)
                return yes(card)
            case PromptOffer() if drawn:
                return Quit()
        return None

    def build(bench: Workbench, person: Person, inbox: queue.SimpleQueue[Any]) -> Driver:
        def read(path: str) -> bytes | None:
            found = bench.tree.read(path)
            return found.data if found else None

        found = discover(bench.place.root, read, bench.known_paths)
        CheckStore(bench.place.state).accept([check for check in found if check.name == "pytest"])
        model = ScriptedModel([Reply(calls=(("propose", FIX),)), Reply(calls=(("finish", FINISH),))])
        return make_driver(bench, person, inbox, model, source="model")

    run(act, build)
    return drawn


def tour_frames() -> dict[str, str]:
    """The tour: a question, a stack of which one chunk is refused, a finding fixed, an undo."""
    drawn: dict[str, str] = {}
    titles: list[str] = []
    applied: list[str] = []

    def act(person: Person, offer: Any) -> Input | None:
        match offer:
            case QuestionOffer() if not drawn:
                lines = question_lines(offer, DARK, COLUMNS)
                drawn["tour-1.svg"] = lines_svg(
                    lines, columns=COLUMNS, title="copair tour · a question first"
                )
                return AnswerIn(offer.call_id, Answer(0))
            case QuestionOffer():
                return AnswerIn(offer.call_id, Answer(0))
            case CardOffer(card=card) if not card.checking:
                return decide(person, card)
            case PromptOffer() if titles:
                return Quit()
        return None

    def decide(person: Person, card: Card) -> Input:
        if card.chunk.serves.startswith("ruff"):
            return finding(person, card)
        titles.append(card.chunk.title)
        if card.chunk.serves == "receipt" and card.position == 2:
            drawn["tour-2.svg"] = picture(card)
        if card.chunk.serves == "receipt" and card.position == card.total:
            return no(card, "other programs read this number")
        applied.append(card.chunk.id)
        return yes(card)

    def finding(person: Person, card: Card) -> Input:
        if "tour-3.svg" not in drawn:
            drawn["tour-3.svg"] = picture(card)
            return Undo(applied[-1])
        title = "copair tour · what was done"
        drawn["tour-4.svg"] = lines_svg(person.scrollback, columns=COLUMNS, title=title)
        return Quit()

    run(act, lambda bench, person, inbox: tour_driver(bench, person, inbox))
    return drawn


def main(folder: Path) -> None:
    # pytest and ruff are those of the interpreter that draws.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    for name, text in (checked_card() | tour_frames()).items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
