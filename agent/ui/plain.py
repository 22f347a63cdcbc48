"""The session as plain lines: `--plain`, a dumb terminal, or input that is no terminal. No redraw, no raw keys.

Nothing is approved by accident: a line counts only for what was shown when it was read; on input that is no
terminal a yes must name the digest of the card, which nobody can know before; at the end of input everything
undecided stays undecided.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TextIO

from agent.core.cards.view import card_view
from agent.core.clean import Clean, clean
from agent.core.events import Event, Examined
from agent.core.frontend import (
    AnswerIn,
    Card,
    CardOffer,
    Command,
    Decide,
    Input,
    Interrupt,
    Move,
    Notice,
    Offer,
    Progress,
    PromptOffer,
    QuestionOffer,
    Quit,
    ReasoningTick,
    RunChecks,
    Say,
    StackTick,
    TextTick,
    Tick,
    Undo,
    WhyTick,
    Working,
    WorkOffer,
)
from agent.core.review import Answer, Approve, Ask, Defer, Reject, Revise, Split
from agent.core.text import whole_number
from agent.ui.filter import harmless
from agent.ui.story import Story, note
from agent.ui.words import card_words, question_words, saying_words

DIGEST_CHARS = 8
COMMAND_SECONDS = 0.5
"""How long a command may take to offer something else than the prompt."""
CARD_HELP = (
    "n [reason] reject, r NOTE revise, a QUESTION ask, s split, t run checks, l later, j next, k back, "
    "u undo, v more context, : INSTRUCTION, q quit"
)


class HungUp(Exception):
    """The terminal went away while a line was read."""


class Plain:
    """See `ports.Frontend`. Output is written by whoever posts; only input belongs to the main thread."""

    def __init__(
        self,
        inbox: Callable[[Input], None],
        stdin: TextIO,
        stdout: TextIO,
        *,
        commands: Mapping[str, str],
    ) -> None:
        self._inbox = inbox
        self._stdin = stdin
        self._stdout = stdout
        self._commands = commands
        self._terminal = stdin.isatty()
        self._story = Story()
        self._changed = threading.Condition()
        self._offer: Offer | None = None
        self._served: Offer | None = None
        self._closed = False
        self._pending = ""
        self._label = ""
        self._context = 3
        self._awaits = False
        """The card that was shown said that evidence comes."""

    # From the driver's thread

    def emit(self, event: Event) -> None:
        with self._changed:
            self._end_text()
            if isinstance(event, Examined) and event.evidence.summary:
                self._put([clean(f"Evidence: {event.evidence.verdict}: {event.evidence.summary}")])
            for saying in self._story.tell(event):
                self._put(saying_words(saying))

    def tick(self, tick: Tick) -> None:
        with self._changed:
            match tick:
                case TextTick(text=text):
                    *lines, self._pending = (self._pending + text).split("\n")
                    self._put(clean(line.removesuffix("\r")) for line in lines)
                case Working(label=label) | Progress(label=label):
                    if label != self._label:
                        self._label = label
                        self._put([clean(f"({label})")])
                case Notice(level=level, text=text, hint=hint):
                    self._put(saying_words(note(level, text, hint)))
                    if level != "info":  # what was said was not taken: it may be said again
                        self._served = None
                        self._changed.notify_all()
                case StackTick(rows=rows):
                    for row in rows:
                        self._put(saying_words(note("info", row.words, "")))
                case ReasoningTick() | WhyTick():
                    pass

    def offer(self, offer: Offer) -> None:
        with self._changed:
            self._end_text()
            old, self._offer = self._offer, offer
            if isinstance(offer, CardOffer) and isinstance(old, CardOffer) and _same(offer.card, old.card):
                self._end_waiting(offer.card)
                return
            self._served = None
            self._show(offer)
            self._changed.notify_all()

    def _end_waiting(self, card: Card) -> None:
        """Say that no evidence came, where it was said that it would; once for a card."""
        if self._awaits and not card.checking:
            self._awaits = False
            if not card.evidence:
                self._put([clean("Evidence: none came")])

    def close(self) -> None:
        with self._changed:
            self._end_text()
            self._closed = True
            self._changed.notify_all()

    def _end_text(self) -> None:
        if self._pending:
            self._put([clean(self._pending)])
            self._pending = ""

    def _show(self, offer: Offer) -> None:
        match offer:
            case CardOffer(card=card):
                self._show_card(card)
            case QuestionOffer():
                self._put(question_words(offer))
                self._put(
                    [clean("Answer with a number, an empty line for the recommended one, or your own words.")]
                )
            case PromptOffer(place=place):
                self._put([clean(f"copair {place}: say what you want, /help, or /quit")])
            case WorkOffer(label=label):
                if label != self._label:
                    self._label = label
                    self._put([clean(f"({label})")])

    def _show_card(self, card: Card) -> None:
        view = card_view(card, context=self._context, unfold=self._context > 3)
        self._story.learn(card.chunk.id, view)
        self._put(card_words(view))
        self._awaits = card.checking and bool(card.checks)
        name = "" if self._terminal else f" {card.digest[:DIGEST_CHARS]}"
        yes = f"apply{name}" if view.risky else f"y{name}"
        self._put([clean(f"To {view.yes} type: {yes}"), clean(f"Others: {_others(card)}")])

    def _put(self, lines: Iterable[Clean]) -> None:
        with suppress(BrokenPipeError):
            for line in lines:
                self._stdout.write(harmless(line) + "\n")
            self._stdout.flush()

    # In the main thread

    def run(self) -> int | None:
        """Read lines until the session is over."""
        for name in ("SIGHUP", "SIGTERM"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), _hang_up)
        while (offer := self._wait()) is not None:
            try:
                self._forget_typed()
                line = self._stdin.readline()
            except KeyboardInterrupt:
                self._inbox(Interrupt())
                continue
            except (HungUp, OSError, UnicodeDecodeError):
                line = ""
            if not line:
                self._inbox(Quit("end"))
                self._until_closed()
                return None
            with self._changed:
                if self._offer is not offer and not _still(self._offer, offer):
                    self._put([clean("What was shown has changed meanwhile; nothing was done.")])
                    continue
                self._served = self._offer
            self._take(line.strip(), offer)
        return None

    def _wait(self) -> Offer | None:
        """The next offer that can be answered; None when the session is over."""
        while True:
            try:
                with self._changed:
                    while not self._closed:
                        offer = self._offer
                        if (
                            offer is not None
                            and offer is not self._served
                            and not isinstance(offer, WorkOffer)
                        ):
                            return offer
                        # With a timeout, so that Ctrl-C is seen while waiting.
                        self._changed.wait(0.2)
                    return None
            except KeyboardInterrupt:
                self._inbox(Interrupt())

    def _until_closed(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed)

    def _forget_typed(self) -> None:
        """On a terminal, what was typed before the offer was shown does not count."""
        if self._terminal:
            with suppress(ImportError, OSError, ValueError):
                import termios

                termios.tcflush(self._stdin.fileno(), termios.TCIFLUSH)

    def _take(self, line: str, offer: Offer) -> None:
        match offer:
            case CardOffer(card=card):
                self._decide(line, card)
            case QuestionOffer(call_id=call_id, question=question):
                self._answer(line, call_id, question.default, len(question.options))
            case PromptOffer() | WorkOffer():
                self._say(line)

    def _answer(self, line: str, call_id: str, default: int, count: int) -> None:
        if line in ("q", "/quit"):
            self._inbox(Quit())
        elif (number := whole_number(line)) and number <= count:
            self._inbox(AnswerIn(call_id, Answer(number - 1)))
        elif line:
            self._inbox(AnswerIn(call_id, Answer(None, line)))
        elif self._terminal and count:
            self._inbox(AnswerIn(call_id, Answer(default)))
        else:
            self._again("An empty line is no answer here; type a number or your own words.")

    def _say(self, line: str) -> None:
        if line in ("/help", "/?"):
            self._put(clean(f"/{name}: {about}") for name, about in sorted(self._commands.items()))
            self._put([clean(f"On a card: y apply, {CARD_HELP}")])
        elif line.startswith("/"):
            name, _, argument = line[1:].partition(" ")
            self._inbox(Command(name, argument.strip()))
            with self._changed:  # some commands open a card: the next line is for that
                self._changed.wait_for(lambda: self._closed or self._served is None, COMMAND_SECONDS)
        elif line:
            self._inbox(Say(line))
            return
        self._served = None

    def _again(self, text: str) -> None:
        with self._changed:
            self._put([clean(text)])
            self._served = None

    def _decide(self, line: str, card: Card) -> None:
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if line.startswith(":"):
            word, rest = ":", line[1:].strip()
        chunk, digest = card.chunk.id, card.digest
        match word:
            case "y" | "yes" | "apply":
                self._approve(word, rest, card)
            case "n" | "no":
                self._inbox(Decide(chunk, digest, Reject(rest)))
            case "r" if rest:
                self._inbox(Decide(chunk, digest, Revise(rest)))
            case "a" if rest:
                self._inbox(Decide(chunk, digest, Ask(rest)))
            case "l":
                self._inbox(Decide(chunk, digest, Defer()))
            case "s":
                self._inbox(Decide(chunk, digest, Split()))
            case ":" if rest:
                self._inbox(Say(rest))
            case "q":
                self._inbox(Quit())
            case _:
                self._look(word, card)

    def _look(self, word: str, card: Card) -> None:
        match word:
            case "t":
                self._inbox(RunChecks(card.chunk.id))
            case "j" | "k":
                self._inbox(Move(by=1 if word == "j" else -1))
            case "u":
                self._inbox(Undo())
            case "v":
                self._context = 10 if self._context == 3 else 3
                self._show_card(card)
            case "d":
                for evidence in card_view(card).evidence:
                    self._put([evidence.text, *(clean(text) for text in evidence.details.split("\n"))])
            case _:
                self._put([clean(f"Nothing was done. y {card.yes}, {_others(card)}")])
        self._served = None

    def _approve(self, word: str, rest: str, card: Card) -> None:
        """A yes; on a pipe it must name the digest, for a risky card it must be the word."""
        if card_view(card).risky and word != "apply":
            self._again("This is risky: type the word apply instead of y. Nothing was done.")
        elif not self._terminal and (len(rest) < DIGEST_CHARS or not card.digest.startswith(rest)):
            self._again(
                f"Nothing was applied: type {word} {card.digest[:DIGEST_CHARS]}, which names what you have seen."
            )
        else:
            self._inbox(Decide(card.chunk.id, card.digest, Approve(card.digest)))


def _others(card: Card) -> str:
    """What can be typed but a yes. A no to what is the person's own throws nothing away."""
    return CARD_HELP.replace("reject", card.no, 1)


def _same(one: Card, other: Card) -> bool:
    return one.chunk.id == other.chunk.id and one.digest == other.digest


def _still(now: Offer | None, asked: Offer) -> bool:
    """True when `now` is the same card as the one that was asked about, with more evidence."""
    return isinstance(now, CardOffer) and isinstance(asked, CardOffer) and _same(now.card, asked.card)


def _hang_up(number: int, frame: object) -> None:
    raise HungUp
