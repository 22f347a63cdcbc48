"""What is told above what is open: prose while it streams, what became of each event, thoughts folded into a line."""

from __future__ import annotations

from agent.core.cards.view import card_view
from agent.core.events import Event, Examined, Replied, Requested, TurnFailed
from agent.core.frontend import Card, Progress, ReasoningTick, TextTick, WhyTick, Working
from agent.ui.paint import Line
from agent.ui.quiet import saying_lines
from agent.ui.screen import Screen
from agent.ui.story import Saying, Story, note
from agent.ui.stream import Prose
from agent.ui.thinking import Thinking
from agent.ui.work import Work

Flowing = TextTick | ReasoningTick | WhyTick | Working | Progress
"""What comes in pieces, and is shown in the status of work until it is whole."""


class Telling:
    """Turns events and ticks into the lines that remain of them."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._story = Story()
        self._thinking = Thinking()
        self._prose = Prose(screen.colours, screen.columns)

    def flow(self, tick: Flowing, work: Work | None) -> list[Line]:
        """The lines that a piece completes; `work` is the status of work when that is open."""
        match tick:
            case TextTick(text=text):
                if work:
                    work.count(len(text))
                    work.thought = ""
                return self._prose.feed(text)
            case ReasoningTick(text=text):
                tail = self._thinking.feed(text)
                if work:
                    work.count(len(text))
                    work.thought = tail
            case WhyTick(text=text):
                if work:
                    work.why = text
            case Working() | Progress():
                if work:
                    work.working(tick)
        return []

    def event(self, event: Event, work: Work | None) -> list[Line]:
        """What is said of an event, below the prose that it ends."""
        if work:
            work.why = work.thought = ""
        sayings = list(self._story.tell(event))
        if isinstance(event, Requested):
            self._thinking.begin()
        elif isinstance(event, Replied | TurnFailed) and (folded := self._thinking.folded()):
            sayings.insert(0, note("info", folded, ""))
        lines = [line for saying in sayings for line in self.lines(saying)]
        return [*self._prose.finish(), *lines] if lines or not isinstance(event, Examined) else []

    def lines(self, saying: Saying) -> list[Line]:
        return saying_lines(saying, self._screen.colours, self._screen.columns)

    def learn(self, card: Card) -> None:
        """Know a card by what it said, for when it is decided."""
        self._story.learn(card.chunk.id, card_view(card))

    def unfinished(self) -> list[Line]:
        """The prose that is not whole lines yet, as wide as the screen is now."""
        self._prose.resize(self._screen.columns)
        return self._prose.tail()

    def finish(self) -> list[Line]:
        """The lines of prose that are left when nothing more comes."""
        return self._prose.finish()

    def thoughts(self) -> list[Line]:
        """What the model thought aloud before its last reply."""
        return self._thinking.lines(self._screen.colours, self._screen.columns)
