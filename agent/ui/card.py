"""The open card: one prompt_toolkit application, one key per decision, erased when it is done.

Promises: a key that decides counts only when it was pressed after the card was drawn and a short grace has passed,
and none counts in what is typed behind one that was not taken; pasted text is never taken as keys; a risky yes needs
the word `apply`. What was decided goes to the inbox with the digest of
what was on the screen. The card then waits, collapsed, until the driver offers something else or objects.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from prompt_toolkit.application import Application
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window

from agent.core.cards.view import CardView, card_view
from agent.core.clean import clean, concat
from agent.core.frontend import (
    NO_MODEL,
    TO_MODEL,
    Card,
    Command,
    Decide,
    Input,
    Interrupt,
    Move,
    Quit,
    RunChecks,
    Say,
    StackRow,
    Undo,
)
from agent.core.review import Approve, Ask, Decision, Defer, Reject, Revise, Split
from agent.ui.application import USUAL, ClearingApplication, Timing
from agent.ui.haste import TOO_EARLY, Haste
from agent.ui.input_line import Asking, InputLine
from agent.ui.keys import APPLY_WORD, DECISIONS, LOOKS, Act
from agent.ui.overview import Overview
from agent.ui.render import SIDE_BY_SIDE_COLUMNS
from agent.ui.screen import Screen
from agent.ui.sheet import Page, Sheet

CONTEXTS = (3, 10, 30, 2000)
"""Lines of context that `v` goes through."""
EARLY_SECONDS = 1.5
"""So long it is said that a key came too early."""
BUSY_SECONDS = 2
"""Checks that take so long show how long they take."""


class OpenCard:
    """Shows `card` until `run` returns: an Act that needs the terminal (edit, pager), or None when it is over."""

    def __init__(
        self,
        card: Card,
        screen: Screen,
        inbox: Callable[[Input], None],
        haste: Haste,
        *,
        timing: Timing = USUAL,
        vi: bool = False,
    ) -> None:
        self.card = card
        self._screen = screen
        self._to_driver = inbox
        self.asks = False
        """A key went to the driver, which has not said anything to it yet."""
        self._haste = haste
        self._timing = timing
        self._context = 0
        self._typed: list[str] = []
        """Keys from before the drawing."""
        self._drawn = False
        self._waiting = ""
        self._comes_back = False
        """What is waited for may leave this card open: a command of the session."""
        self._line = InputLine(screen, lambda: self.card, self._accept, haste.closed)
        self._sheet = Sheet(self._view(), screen.colours, screen.rows, screen.columns)
        self._checking_since = time.monotonic() if card.checking else 0.0
        self._app = self._application(vi)

    async def run(self) -> Act | None:
        """Until the driver offers something else (`close`), or a key needs the terminal for itself: run it again then."""
        self._drawn, self._typed = False, self._screen.take_typed()
        return await self._app.run_async(handle_sigint=False, set_exception_handler=False)

    def update(self, card: Card) -> None:
        """The same chunk with the same bytes; evidence or notes are new."""
        if card.checking != self.card.checking:
            self._checking_since = time.monotonic() if card.checking else 0.0
        if not card.checking:
            self._has_checked()
        if self._comes_back:
            self._go_on()
        self.card = card
        self._sheet.show(self._view())
        self._app.invalidate()

    def list(self, rows: Sequence[StackRow]) -> None:
        """Show the whole stack, which was asked for."""
        self._go_on()
        self._sheet.turn_to_stack(Overview(rows, self.card.chunk.id, self._screen.colours))
        self._app.invalidate()

    def close(self) -> None:
        if self._app.is_running and not self._app.is_done:
            self._app.exit(result=None)

    def tell(self, text: str) -> None:
        """A notice of the driver: shown in the last line; a decision that waits was not taken."""
        self._go_on()
        self.asks = False
        self._sheet.message = clean(text)
        self._app.invalidate()

    def _go_on(self) -> None:
        """A card that waited is there again."""
        if self._waiting:
            self._waiting = ""
            self._haste.drawn()

    def _view(self) -> CardView:
        return card_view(self.card, context=CONTEXTS[self._context], unfold=self._context > 0)

    # Drawing

    def _application(self, vi: bool) -> Application[Act | None]:
        self._body = Window(
            FormattedTextControl(self._text, focusable=True, show_cursor=False),
            wrap_lines=False,
            dont_extend_height=True,
        )
        return ClearingApplication(
            layout=Layout(HSplit([self._body, self._line.container]), focused_element=self._body),
            key_bindings=self._bindings(),
            erase_when_done=True,
            refresh_interval=1.0,
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            after_render=self._drawn_once,
            **self._screen.app_options(),
        )

    def _drawn_once(self, app: Application[Act | None]) -> None:
        """After the first drawing: what was typed until now decides nothing; the grace begins."""
        if self._drawn:
            return
        self._drawn = True
        typed = [*self._typed, *self._screen.take_typed()]
        self._haste.drawn()
        if typed and all(key in (Act.NEXT, Act.BACK) for key in typed):
            for key in typed:
                self._press(key)
        elif any(key.isprintable() for key in typed):
            self._drop()
        elif self._haste.burst:
            self._say_early()

    def _text(self) -> StyleAndTextTuples:
        if self._waiting:
            return [(self._screen.colours["dim"], f" {self._waiting}…")]
        self._sheet.resize(self._screen.rows, self._screen.columns)
        self._sheet.busy = clean(self._busy())
        lines = self._sheet.lines(keep=1 if self._line.asking else 0)
        return [
            fragment for n, line in enumerate(lines) for fragment in (*([("", "\n")] if n else []), *line)
        ]

    def _busy(self) -> str:
        seconds = int(time.monotonic() - self._checking_since) if self._checking_since else 0
        return f"checking {seconds}s" if seconds >= BUSY_SECONDS else ""

    # Keys

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()
        quiet = ~self._line.is_open

        @keys.add(Keys.Any, filter=quiet)
        def _(event: KeyPressEvent) -> None:
            self._press(event.data)

        @keys.add(Keys.BracketedPaste, filter=quiet)
        def _(event: KeyPressEvent) -> None:
            self._refuse("pasted text is not taken as keys; nothing was done")

        for names, move in self._sheet.moves().items():
            for name in names:
                keys.add(name, filter=quiet)(lambda event, move=move: self._scroll(event.data, move))

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if self._line.asking is not None:
                self._leave_line()
                return
            self._inbox(Interrupt())
            self._say("Ctrl-C stops what runs; q or Ctrl-D quits, nothing undecided is applied")

        @keys.add("enter", filter=quiet)
        def _(event: KeyPressEvent) -> None:
            if self._counts(event.data, looks=True):
                self._go_to_chosen()

        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            self._inbox(Quit("end"))
            self._wait("ending")

        @keys.add("escape", filter=Condition(lambda: self._line.left_by_escape(self._app)))
        def _(event: KeyPressEvent) -> None:
            self._leave_line()

        @keys.add("escape", filter=quiet & Condition(lambda: self._sheet.page is not Page.DIFF))
        def _(event: KeyPressEvent) -> None:
            self._sheet.turn(Page.DIFF)

        @keys.add("c-z")
        def _(event: KeyPressEvent) -> None:
            event.app.suspend_to_background()

        @keys.add("c-l")
        def _(event: KeyPressEvent) -> None:
            event.app.renderer.clear()

        return keys

    def _press(self, data: str) -> None:
        if self._counts(data, looks=data in LOOKS):
            self._key(data)

    def _counts(self, data: str, *, looks: bool) -> bool:
        """Whether a key is taken now; else that is said, if it may have been meant for something."""
        if self._haste.takes(data, waits=bool(self._waiting), looks=looks):
            return True
        if self._haste.burst:
            self._say_early()
        return False

    def _drop(self) -> None:
        self._haste.dropped()
        self._say_early()

    def _say_early(self) -> None:
        said = self._sheet.message
        if not said.startswith(TOO_EARLY):
            self._sheet.message = concat(TOO_EARLY, clean(f" · {said}")) if said else TOO_EARLY
            self._app.invalidate()
            asyncio.get_running_loop().call_later(EARLY_SECONDS, self._forget_early)

    def _forget_early(self) -> None:
        """Show the keys again, which are what is wanted now."""
        if self._sheet.message.startswith(TOO_EARLY):
            self._say(self._sheet.message.removeprefix(TOO_EARLY).removeprefix(" · "))
            self._app.invalidate()

    def _scroll(self, data: str, move: Callable[[], None]) -> None:
        """Arrows are in no sentence; letters and the space may be."""
        if not data.isprintable() or self._counts(data, looks=True):
            if self._sheet.message.startswith(TOO_EARLY):
                self._say("")
            move()

    def _key(self, data: str) -> None:
        self._sheet.message = clean("")
        try:
            act = Act(data)
        except ValueError:
            if self._sheet.page is Page.HELP:
                self._leave_page()
            elif data.isprintable():
                self._refuse("? lists the keys")
            return
        if self._sheet.page is Page.STACK and act in (Act.NEXT, Act.BACK):
            self._sheet.scroll(1 if act is Act.NEXT else -1)
            return
        if self._sheet.page is not Page.DIFF and act is Act.QUIT:
            self._sheet.turn(Page.DIFF)
            return
        if self._sheet.page is not Page.DIFF and (act in DECISIONS or act is Act.UNDO):
            self._leave_page()
            return
        if self._sheet.page is Page.HELP and act not in (Act.HELP, Act.DETAILS, Act.SEARCH):
            self._sheet.turn(Page.DIFF)
        self._do(act)

    def _leave_page(self) -> None:
        """By a key that may have been meant for the card."""
        self._sheet.turn(Page.DIFF)
        self._haste.dropped()

    def _do(self, act: Act) -> None:
        chunk = self.card.chunk.id
        match act:
            case Act.APPLY if not self._sheet.seen and self.card.writes_on_yes:
                rows = self._sheet.scroll_to_unseen()
                self._haste.drawn()
                self._say(
                    f"{rows} more {'row' if rows == 1 else 'rows'}: y counts once you have seen all of it"
                )
            case Act.APPLY if self._sheet.view.risky:
                self._ask(Asking.WORD)
            case Act.APPLY:
                self._decide(Approve(self.card.digest))
            case Act.REJECT if self._timing.reason_seconds:
                self._ask(Asking.REASON, self._timing.reason_seconds)
            case Act.REJECT:
                self._decide(Reject())
            case Act.REVISE | Act.ASK:
                self._ask(Asking.CHANGE if act is Act.REVISE else Asking.QUESTION)
                if self.card.unanswered:  # the line opens all the same: what is typed now are words, no keys
                    self._say_unanswered()
            case Act.INSTRUCT:
                self._ask(Asking.COMMAND if self.card.unanswered else Asking.INSTRUCTION)
            case Act.SEARCH:
                self._ask(Asking.SEARCH)
            case Act.SPLIT if self._sheet.view.can_split:
                self._decide(Split())
            case Act.LATER:
                self._decide(Defer())
            case Act.CHECKS if self._sheet.view.checks:
                self._inbox(RunChecks(chunk))
                self._say(f"running {', '.join(self._sheet.view.checks)}")
                asyncio.get_running_loop().call_later(BUSY_SECONDS, self._has_checked)
            case Act.NEXT | Act.BACK:
                self._inbox(Move(by=1 if act is Act.NEXT else -1))
            case Act.STACK if self._sheet.page is Page.STACK:
                self._sheet.turn(Page.DIFF)
            case Act.STACK:
                self._inbox(Command("list"))
            case Act.UNDO:
                self._inbox(Undo())
            case Act.QUIT:
                self._inbox(Quit())
                self._wait("ending")
            case Act.EDIT | Act.PAGER:
                self._app.exit(result=act)
            case Act.SPLIT | Act.CHECKS | Act.DETAILS | Act.CONTEXT | Act.WIDE | Act.HELP:
                self._look(act)

    def _go_to_chosen(self) -> None:
        overview = self._sheet.overview
        if self._sheet.page is not Page.STACK or overview is None:
            return
        row = overview.chosen
        if not (row.is_open or row.reopens):
            self._say(f"it is {row.word}: only what is open has a card")
            return
        self._sheet.turn(Page.DIFF)
        if row.chunk != self.card.chunk.id:
            self._inbox(Move(to=row.chunk))

    def _look(self, act: Act) -> None:
        """Keys that only change what is seen."""
        match act:
            case Act.DETAILS if self._sheet.view.evidence:
                self._sheet.turn(Page.DETAILS)
            case Act.DETAILS:
                self._say("still checking" if self.card.checking else "there is no evidence")
            case Act.HELP:
                self._sheet.turn(Page.HELP)
            case Act.CONTEXT:
                self._context = (self._context + 1) % len(CONTEXTS)
                self._sheet.show(self._view())
                self._say(f"{CONTEXTS[self._context]} lines around each change")
            case Act.WIDE:
                if not self._sheet.toggle_side_by_side():
                    self._say(f"side by side needs {SIDE_BY_SIDE_COLUMNS} columns")
            case Act.CHECKS:
                self._refuse("no checks are accepted yet; `copair checks` adds them")
            case _:
                self._refuse("it cannot be split")

    def _has_checked(self) -> None:
        """Take away that checks run, once they do not; what runs for long is said by the rule."""
        if self._sheet.message.startswith("running ") and not self.card.checking:
            self._say("")
            self._app.invalidate()

    # What is said

    def _inbox(self, said: Input) -> None:
        self.asks = True
        self._to_driver(said)

    def _decide(self, decision: Decision) -> None:
        self._inbox(Decide(self.card.chunk.id, self.card.digest, decision))
        self._wait("one moment")

    def _wait(self, label: str) -> None:
        self._leave_line()
        self._waiting, self._comes_back = label, False

    def _say(self, text: str) -> None:
        self._sheet.message = clean(text)

    def _refuse(self, text: str) -> None:
        """Say why a key does nothing; who believes that it did goes on typing."""
        self._say(text)
        self._haste.dropped()

    def _say_unanswered(self) -> None:
        self._say(f"{NO_MODEL} {TO_MODEL}")

    def _ask(self, what: Asking, seconds: float = 0) -> None:
        self._line.open(what, self._app, seconds)

    def _leave_line(self) -> None:
        self._line.close()
        self._app.layout.focus(self._body)
        self._app.invalidate()

    def _accept(self, asking: Asking, text: str) -> None:
        """Enter in the input line."""
        self._leave_line()
        match asking:
            case Asking.WORD if text.casefold() == APPLY_WORD:
                self._decide(Approve(self.card.digest))
            case Asking.WORD:
                self._say(f"not the word {APPLY_WORD}; nothing was done")
            case Asking.REASON:
                self._decide(Reject(text))
            case Asking.SEARCH:
                if not self._sheet.search(text):
                    self._say(f"not found: {text}")
            case Asking.CHANGE | Asking.QUESTION if text and self.card.unanswered:
                self._say_unanswered()
            case Asking.CHANGE if text:
                self._decide(Revise(text))
            case Asking.QUESTION if text:
                self._decide(Ask(text))
            case Asking.INSTRUCTION | Asking.COMMAND if text:
                self._inbox(Command("go", text) if text.isascii() and text.isdecimal() else Say(text))
                self._wait("one moment")
                self._comes_back = True
            case _:
                self._say("nothing was written; nothing was done")
