"""A clarifying question as a card of its own: options by number, Enter for the default, or one's own words.

The same promises as a card: what was typed before it was drawn does not count, a grace passes first, and what is
typed behind a key that was not taken does not count either.
"""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.vi_state import InputMode
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)

from agent.core.cards.view import prose
from agent.core.clean import Clean, clean
from agent.core.frontend import AnswerIn, Input, Interrupt, QuestionOffer, Quit
from agent.core.review import Answer
from agent.ui.application import ClearingApplication, escape_leaves
from agent.ui.haste import TOO_EARLY, Haste
from agent.ui.paint import Line, Theme, cut_line, paragraph, wrap
from agent.ui.processors import VisibleInput
from agent.ui.render import PROSE_COLUMNS, title_rule
from agent.ui.screen import Screen


def question_lines(offer: QuestionOffer, colours: Theme, columns: int) -> list[Line]:
    """The question, why it matters, what was looked up, and the options."""
    question = offer.question
    width = min(columns, PROSE_COLUMNS)
    left: Line = [(colours["dim"], f"question {offer.asked} of at most {offer.allowed}")]
    lines = [title_rule(left, [], columns, colours)]
    lines += paragraph(prose(question.text), colours, width, indent=3, style=colours["bold"])
    if question.why_it_matters:
        lines += paragraph(prose(question.why_it_matters), colours, width, indent=3)
    if question.looked_at:
        looked = clean(f"looked at: {', '.join(question.looked_at)}")
        lines += [[("", "   "), *piece] for piece in wrap([(colours["dim"], looked)], width - 3)]
    lines.append([])
    for number, option in enumerate(question.options, 1):
        default = number - 1 == question.default
        style = colours["bold"] if default else ""
        text = prose(f"{option}{'  (recommended: Enter)' if default else ''}")
        for n, piece in enumerate(paragraph(text, colours, width - 6, style=style)):
            lines.append([("", "   "), (colours["key"], f"{number}  " if not n else "   "), *piece])
    lines += [[], [(colours["rule"], "─" * columns)]]
    return lines


class OpenQuestion:
    """Shows a question until it is answered and the driver goes on."""

    def __init__(
        self,
        offer: QuestionOffer,
        screen: Screen,
        inbox: Callable[[Input], None],
        haste: Haste,
        *,
        vi: bool = False,
    ) -> None:
        self.offer = offer
        self._screen = screen
        self._inbox = inbox
        self._haste = haste
        self._typed: list[str] = []
        self._drawn = False
        self._waiting = False
        self._writing = False
        self._message: Clean = clean("")
        self._buffer = Buffer(multiline=False, accept_handler=self._accept)
        self._app = self._application(vi)

    async def run(self) -> None:
        self._drawn, self._typed = False, self._screen.take_typed()
        await self._app.run_async(handle_sigint=False, set_exception_handler=False)

    def close(self) -> None:
        if self._app.is_running and not self._app.is_done:
            self._app.exit()

    def tell(self, text: str) -> None:
        """A notice of the driver; an answer that waits was not taken."""
        if self._waiting:
            self._waiting = False
            self._haste.drawn()
        self._message = clean(text)
        self._app.invalidate()

    def _application(self, vi: bool) -> Application[None]:
        writing = Condition(lambda: self._writing)
        self._body = Window(
            FormattedTextControl(self._text, focusable=True, show_cursor=False),
            wrap_lines=False,
            dont_extend_height=True,
        )
        label: StyleAndTextTuples = [(self._screen.colours["key"], " your answer"), ("", " › ")]
        line = Window(BufferControl(self._buffer, input_processors=[VisibleInput()]), height=1)
        row = VSplit([Window(FormattedTextControl(label), dont_extend_width=True, height=1), line])
        return ClearingApplication(
            layout=Layout(
                HSplit([self._body, ConditionalContainer(row, writing)]), focused_element=self._body
            ),
            key_bindings=self._bindings(writing),
            erase_when_done=True,
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            after_render=self._drawn_once,
            **self._screen.app_options(),
        )

    def _drawn_once(self, app: Application[None]) -> None:
        if self._drawn:
            return
        self._drawn = True
        typed = [*self._typed, *self._screen.take_typed()]
        self._haste.drawn()
        if self._haste.burst or any(key.isprintable() for key in typed):
            self._haste.dropped()
            self._say_early()

    def _counts(self, data: str) -> bool:
        """Whether a key is taken now."""
        if self._haste.takes(data, waits=self._waiting or not self._drawn):
            return True
        if self._haste.burst:
            self._say_early()
        return False

    def _say_early(self) -> None:
        self._message = TOO_EARLY
        self._app.invalidate()

    def _text(self) -> StyleAndTextTuples:
        if self._waiting:
            return []
        columns = self._screen.columns
        colours = self._screen.colours
        count = len(self.offer.question.options)
        keys = (
            f"1–{count} choose  Enter recommended  or type your own answer  q quit"
            if count
            else "type your answer"
        )
        last: Line = [(colours["warn"], f" {self._message}")] if self._message else [("", f" {keys}")]
        lines = [*question_lines(self.offer, colours, columns), cut_line(last, columns)]
        return [
            fragment for n, line in enumerate(lines) for fragment in (*([("", "\n")] if n else []), *line)
        ]

    def _bindings(self, writing: Condition) -> KeyBindings:
        keys = KeyBindings()

        @keys.add(Keys.Any, filter=~writing)
        def _(event: KeyPressEvent) -> None:
            if self._counts(event.data) and event.data.isprintable():
                self._key(event.data)

        @keys.add("enter", filter=~writing)
        def _(event: KeyPressEvent) -> None:
            if self._counts(event.data) and self.offer.question.options:
                self._answer(Answer(self.offer.question.default))

        @keys.add(Keys.BracketedPaste, filter=~writing)
        def _(event: KeyPressEvent) -> None:
            if self._drawn and not (self._waiting or self._haste.early):
                self._write(" ".join(event.data.split()))

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            if self._writing:
                self._leave()
            else:
                self._inbox(Interrupt())
                self._message = clean("q or Ctrl-D quits")

        @keys.add("escape", filter=writing & Condition(lambda: escape_leaves(self._app, self._buffer)))
        def _(event: KeyPressEvent) -> None:
            self._leave()

        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            self._inbox(Quit("end"))
            self._waiting = True

        @keys.add("c-z")
        def _(event: KeyPressEvent) -> None:
            event.app.suspend_to_background()

        return keys

    def _key(self, data: str) -> None:
        self._message = clean("")
        if data in "123456789" and int(data) <= len(self.offer.question.options):
            self._answer(Answer(int(data) - 1))
        elif data == "q":
            self._inbox(Quit())
            self._waiting = True
        else:
            self._write(data)

    def _write(self, text: str) -> None:
        self._writing = True
        self._app.vi_state.input_mode = InputMode.INSERT
        self._buffer.reset()
        self._buffer.insert_text(text)
        self._app.layout.focus(self._buffer)

    def _leave(self) -> None:
        self._writing = False
        self._app.layout.focus(self._body)

    def _accept(self, buffer: Buffer) -> bool:
        text = buffer.text.strip()
        self._leave()
        if text:
            self._answer(Answer(None, text))
        return False

    def _answer(self, answer: Answer) -> None:
        self._waiting = True
        self._inbox(AnswerIn(self.offer.call_id, answer))
