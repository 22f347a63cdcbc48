"""The person of the tests: a frontend that answers each offer from a script, and keeps what it was shown."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from agent.core.events import Event, Examined
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
    StackTick,
    Tick,
    WorkOffer,
)
from agent.core.review import Answer, Approve, Decision

Act = Callable[["Person"], Input | None]


class Person:
    """Does the next thing of `script` at each card, question or prompt; quits when the script is over."""

    def __init__(self, inbox: queue.SimpleQueue[Any], script: Iterable[Act]) -> None:
        self._inbox = inbox
        self._script = iter(script)
        self.events: list[Event] = []
        self.ticks: list[Tick] = []
        self.offers: list[Offer] = []
        self.closed = False
        self._news = False
        """Something happened since the last offer that is more than evidence."""

    @property
    def card(self) -> Card:
        offer = self.offers[-1]
        assert isinstance(offer, CardOffer), offer
        return offer.card

    @property
    def cards(self) -> Sequence[Card]:
        return [offer.card for offer in self.offers if isinstance(offer, CardOffer)]

    @property
    def notices(self) -> Sequence[str]:
        return [tick.text for tick in self.ticks if isinstance(tick, Notice)]

    def emit(self, event: Event) -> None:
        self.events.append(event)
        self._news = self._news or not isinstance(event, Examined)

    def tick(self, tick: Tick) -> None:
        self.ticks.append(tick)
        self._news = self._news or isinstance(tick, Notice | StackTick)

    def offer(self, offer: Offer) -> None:
        last = self.offers[-1] if self.offers else None
        self.offers.append(offer)
        same_card = (
            isinstance(offer, CardOffer)
            and isinstance(last, CardOffer)
            and (offer.card.chunk.id, offer.card.digest) == (last.card.chunk.id, last.card.digest)
            and not self._news
        )
        self._news = False
        if isinstance(offer, WorkOffer) or same_card:
            return
        act = next(self._script, None)
        done = act(self) if act else Quit()
        if done is not None:
            self._inbox.put(done)

    def type(self, thing: Input) -> None:
        """What a person does without being asked."""
        self._inbox.put(thing)

    def close(self) -> None:
        self.closed = True


def decide(decision: Decision) -> Act:
    return lambda person: Decide(person.card.chunk.id, person.card.digest, decision)


def approve(person: Person) -> Input:
    return Decide(person.card.chunk.id, person.card.digest, Approve(person.card.digest))


def answer(choice: int | None, text: str = "") -> Act:
    def act(person: Person) -> Input:
        offer = person.offers[-1]
        assert isinstance(offer, QuestionOffer), offer
        return AnswerIn(offer.call_id, Answer(choice, text))

    return act


def say(thing: Input) -> Act:
    def act(person: Person) -> Input:
        assert isinstance(person.offers[-1], PromptOffer), person.offers[-1]
        return thing

    return act


def do(thing: Input) -> Act:
    return lambda person: thing
