"""The terminal frontend: owns the main thread, shows one thing at a time, prints what remains above it.

The driver posts from its own thread; posts are taken in order, many at once, in the loop of the main thread. One
of four things is open: the prompt, a card, a question, or the status of work. It never decides anything.
"""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from prompt_toolkit.input.typeahead import store_typeahead

from agent.core.events import Event
from agent.core.frontend import (
    HANG_UP,
    Card,
    CardOffer,
    Command,
    Decide,
    Input,
    Notice,
    Offer,
    Progress,
    PromptOffer,
    QuestionOffer,
    Quit,
    ReasoningTick,
    Say,
    StackTick,
    TextTick,
    Tick,
    WhyTick,
    Working,
    WorkOffer,
)
from agent.core.review import Edit
from agent.ui.application import Timing
from agent.ui.card import OpenCard
from agent.ui.haste import Haste
from agent.ui.keys import Act, help_text
from agent.ui.outside import NotEdited, Outside
from agent.ui.paint import Line
from agent.ui.prompt import Prompt, Replaced
from agent.ui.question import OpenQuestion
from agent.ui.screen import Screen
from agent.ui.story import Saying, note
from agent.ui.telling import Flowing, Telling
from agent.ui.work import Work

FRAME_SECONDS = 0.04
"""Words that come within one frame are shown together."""
BURST_SECONDS = 0.015
"""Events mostly come with the offer that follows from them: shown together, nothing is drawn twice."""


class Closed(msgspec.Struct, frozen=True):
    """The session is over."""


Post = Event | Tick | Offer | Closed
OWN_COMMANDS = {
    "help": "what can be typed, and the keys of a card",
    "thinking": "what the model thought aloud before its last reply",
}
"""Commands that the driver does not know."""


class Options(msgspec.Struct, frozen=True):
    """The person's settings for the terminal. `history` is the file of past sentences; None: none is kept."""

    grace_seconds: float = 0.25
    reason_seconds: float = 2.0
    pause_seconds: float = 0.4
    vi: bool = False
    bell: bool = False
    history: Path | None = None


class Terminal:
    """See `ports.Frontend`; `run` takes the calling (main) thread until `close`."""

    def __init__(
        self,
        inbox: Callable[[Input], None],
        screen: Screen,
        *,
        commands: Mapping[str, str],
        files: Callable[[], Sequence[str]],
        outside: Outside,
        options: Options,
        first: Offer | None = None,
        typed: bytes = b"",
    ) -> None:
        self._inbox = inbox
        self._screen = screen
        self._options = options
        self._outside = outside
        self._timing = Timing(options.grace_seconds, options.reason_seconds, options.pause_seconds)
        self._haste = Haste(self._timing)
        self._telling = Telling(screen)
        self._posts: deque[Post] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False
        self._offer: Offer | None = first or PromptOffer()
        self._last_prompt = PromptOffer()
        self._commands = commands = {**OWN_COMMANDS, **commands}
        self._open: OpenCard | OpenQuestion | Work | Prompt | None = None
        self._next = asyncio.Event()
        self._over = False
        self._gone = False
        self._failure: Exception | None = None
        self._kept = ""
        self._early = typed
        self._prompt = Prompt(screen, commands=commands, files=files, history=options.history, vi=options.vi)

    # From the driver's thread

    def emit(self, event: Event) -> None:
        self._post(event)

    def tick(self, tick: Tick) -> None:
        self._post(tick)

    def offer(self, offer: Offer) -> None:
        self._post(offer)

    def close(self) -> None:
        self._post(Closed())

    def _post(self, post: Post) -> None:
        self._posts.append(post)
        loop = self._loop
        if loop is not None and not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended meanwhile: nobody looks any more
                loop.call_soon_threadsafe(self._wake)

    # In the main thread

    def run(self) -> int | None:
        """Show the session until it is over. The terminal is left as it was found."""
        return asyncio.run(self._main())

    async def _main(self) -> int | None:
        self._loop = loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._fault)
        for name in ("SIGHUP", "SIGTERM"):
            with suppress(NotImplementedError, AttributeError):  # Windows
                loop.add_signal_handler(getattr(signal, name), self._hang_up)
        with self._screen.quiet():
            self._replay()
            self._wake()
            while not self._over:
                await self._show_next()
            self._drain()
            self._screen.print(self._telling.finish())
        if self._failure is not None:
            raise self._failure
        return None

    def _fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A fault of our own in a key or a drawing: end in order, and raise it where faults are handled."""
        error = context.get("exception")
        if isinstance(error, Exception) and self._failure is None:
            self._failure = error
            self._over = True
            self._inbox(Quit("error"))
            self._leave()

    def _replay(self) -> None:
        """Keys that were typed before anything was imported, as if they were typed now."""
        parser = getattr(self._screen.input, "vt100_parser", None)
        if self._early and parser is not None:
            parser.feed(self._early.decode("utf-8", "surrogateescape"))
            store_typeahead(self._screen.input, self._screen.input.flush_keys())
        self._early = b""

    def _hang_up(self) -> None:
        """The terminal went away: the session is in the journal, nothing is lost."""
        self._gone = True
        self._inbox(Quit(HANG_UP))
        self._leave()

    def _wake(self) -> None:
        loop = self._loop
        assert loop is not None
        self._woken = True
        flowing = all(isinstance(post, Flowing) for post in self._posts)
        loop.call_later(FRAME_SECONDS if flowing else BURST_SECONDS, self._drain)

    def _drain(self) -> None:
        """Take all posts in order; print what remains of them at once."""
        self._woken = False
        lines: list[Line] = []
        # A list has no place in the last line of a card: it goes above it.
        several = sum(isinstance(post, Notice) for post in self._posts) > 1
        while self._posts:
            post = self._posts.popleft()
            if several and isinstance(post, Notice):
                lines += self._telling.lines(note(post.level, post.text, post.hint))
            else:
                lines += self._take(post)
        tail = self._telling.unfinished()
        if isinstance(self._open, Work):
            self._open.tail = tail
            self._open.draw()
        if lines:
            self._screen.print(lines)

    def _take(self, post: Post) -> list[Line]:
        """The lines that remain of a post."""
        work = self._open if isinstance(self._open, Work) else None
        match post:
            case TextTick() | ReasoningTick() | WhyTick() | Working() | Progress():
                return self._telling.flow(post, work)
            case Notice(level=level, text=text, hint=hint):
                return self._notice(note(level, text, hint), level)
            case CardOffer() | QuestionOffer() | PromptOffer() | WorkOffer():
                self._take_offer(post)
                return []
            case StackTick(rows=rows) if isinstance(self._open, OpenCard):
                self._open.list(rows)
                return []
            case StackTick(rows=rows):
                return [line for row in rows for line in self._telling.lines(note("info", row.words, ""))]
            case Closed():
                self._over = True
                self._leave()
                return []
            case _:
                return self._telling.event(post, work)

    def _notice(self, saying: Saying, level: str) -> list[Line]:
        """On an open card a notice stands in its last line, and above it too when it is too long for that.

        What only tells something, and answers no key, takes the place of no keys: it stands above.
        """
        unasked = isinstance(self._open, OpenCard) and not self._open.asks
        if level == "info" and unasked:
            return self._telling.lines(saying)
        if isinstance(self._open, OpenCard | OpenQuestion):
            text = f"{saying.text} {saying.hint}".strip()
            self._open.tell(text)
            return [] if len(text) < self._screen.columns - 2 else self._telling.lines(saying)
        return self._telling.lines(saying)

    def _take_offer(self, offer: Offer) -> None:
        """Update what is open when it is the same thing, else make room for the new one."""
        # What is open was told to leave already when another offer waits: it takes no update any more.
        match self._open if self._offer is None else None, offer:
            case OpenCard() as card, CardOffer(card=new) if _same(card.card, new):
                card.update(new)
            case OpenQuestion() as question, QuestionOffer() if question.offer == offer:
                question.tell("")
            case Prompt() as prompt, PromptOffer():
                prompt.update(offer)
                self._last_prompt = offer
            case Work() as work, WorkOffer(label=label):
                work.working(Working(label))
            case _:
                self._offer = offer
                self._leave()
        if isinstance(offer, CardOffer):
            self._telling.learn(offer.card)

    def _leave(self) -> None:
        self._next.set()
        if self._open is not None:
            self._open.close()

    async def _show_next(self) -> None:
        """Show what is offered; when nothing is, wait for the driver."""
        offer, self._offer = self._offer, None
        self._next.clear()
        if self._gone:
            await self._next.wait()
            return
        try:
            match offer:
                case CardOffer(card=card):
                    self._ring()
                    await self._card(card)
                case QuestionOffer():
                    self._ring()
                    self._open = question = OpenQuestion(
                        offer, self._screen, self._inbox, self._haste, vi=self._options.vi
                    )
                    await question.run()
                case PromptOffer():
                    await self._ask(offer)
                case WorkOffer() | None:
                    await self._work(offer.label if offer else "one moment")
        except EOFError:
            self._hang_up()
        finally:
            self._open = None

    async def _work(self, label: str) -> None:
        self._open = work = Work(label, self._screen, self._inbox, self._haste)
        await work.run()
        self._kept += work.typed

    async def _card(self, card: Card) -> None:
        self._open = opened = OpenCard(
            card, self._screen, self._inbox, self._haste, timing=self._timing, vi=self._options.vi
        )
        while (act := await opened.run()) is not None:
            message = self._outside_of(act, opened.card)
            if not message:
                return
            opened.tell(message)

    def _outside_of(self, act: Act, card: Card) -> str:
        """Run the editor or pager. Empty when the card is decided by it, else what the card is to say."""
        with self._screen.input.cooked_mode():
            if act is Act.PAGER:
                return self._outside.page(card) or "back from the pager; nothing was decided"
            edited = self._outside.edit(card)
        if isinstance(edited, NotEdited):
            return edited.reason
        self._inbox(Decide(card.chunk.id, card.digest, Edit(edited.states)))
        return ""

    async def _ask(self, offer: PromptOffer) -> None:
        self._open = self._prompt
        self._last_prompt = offer
        typed, self._kept = self._kept, ""
        try:
            text = (await self._prompt.ask(offer, typed)).strip()
        except Replaced as replaced:
            self._kept = replaced.typed
            if replaced.typed:
                self._haste.dropped()
            return
        except EOFError:
            self._inbox(Quit("end"))
            return
        finally:
            self._open = None
        await self._say(text)

    async def _say(self, text: str) -> None:
        """What was typed goes to the driver. The prompt comes back by itself when that needs no other offer."""
        patience = 0.0
        if text.startswith("/") and not text.startswith("//"):
            name, _, argument = text[1:].partition(" ")
            if name in ("help", "?"):
                self._screen.print(help_text(self._commands, self._screen.colours, self._screen.columns))
            elif name == "thinking":
                self._screen.print(self._telling.thoughts())
            else:
                patience = 0.3
                self._inbox(Command(name, argument.strip()))
        elif text:
            patience = 1.5
            self._inbox(Say(text))
        if patience and self._offer is None and not self._over:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._next.wait(), patience)
        if self._offer is None:
            self._offer = self._last_prompt

    def _ring(self) -> None:
        if self._options.bell:
            self._screen.bell()


def _same(one: Card, other: Card) -> bool:
    return one.chunk.id == other.chunk.id and one.digest == other.digest
