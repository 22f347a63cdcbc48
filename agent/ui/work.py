"""While the model or a check works: the unfinished line, one quiet line of status, no echo.

Typed text is kept for the prompt, also with its Enter, which then waits there. Ctrl-C stops what is running.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window

from agent.core.clean import clean
from agent.core.frontend import Input, Interrupt, Progress, Quit, Working
from agent.ui.haste import Haste
from agent.ui.paint import Line, cut_line, wrap
from agent.ui.screen import Screen

MAX_TAIL = 6
"""Rows of what is not finished yet."""
THOUGHT_ROWS = 2
QUIET_SECONDS = 0.15
"""Work that takes no longer than this shows no status: nothing flickers between two cards."""
BAR = 20


class Work:
    """Open while nothing can be answered. `typed` is what the person typed meanwhile."""

    def __init__(self, label: str, screen: Screen, inbox: Callable[[Input], None], haste: Haste) -> None:
        self._screen = screen
        self._inbox = inbox
        self._haste = haste
        self._label = label
        self._since = time.monotonic()
        self._shown_from = self._since + QUIET_SECONDS
        self._tokens = 0
        self._progress: Progress | None = None
        self._stopping = False
        self.typed = ""
        self.tail: list[Line] = []
        self.why = ""
        self.thought = ""
        """The last words of what the model thinks aloud."""
        self._app: Application[None] = Application(
            layout=Layout(
                HSplit(
                    [
                        Window(
                            FormattedTextControl(self._text, focusable=True, show_cursor=False),
                            dont_extend_height=True,
                        )
                    ]
                )
            ),
            key_bindings=self._bindings(),
            erase_when_done=True,
            refresh_interval=0.5,
            **screen.app_options(),
        )

    async def run(self) -> None:
        await self._app.run_async(handle_sigint=False, set_exception_handler=False)

    def close(self) -> None:
        if self._app.is_running and not self._app.is_done:
            self._app.exit()

    def working(self, tick: Working | Progress) -> None:
        """Another label; time goes on from what the tick says."""
        match tick:
            case Working(label=label, seconds=seconds, tokens=tokens):
                if label != self._label or seconds:
                    self._since = time.monotonic() - seconds
                self._label, self._tokens, self._progress = label, tokens or self._tokens, None
            case Progress(label=label):
                self._label, self._progress = label, tick

    def count(self, characters: int) -> None:
        """Text came; about four characters are a token, until the provider says better."""
        self._tokens += max(1, characters // 4)

    def draw(self) -> None:
        self._app.invalidate()

    def _text(self) -> StyleAndTextTuples:
        if time.monotonic() < self._shown_from and not (self.tail or self.why or self.thought):
            return []
        columns = self._screen.columns
        colours = self._screen.colours
        lines = list(self.tail)
        if self.thought:
            thought = wrap([(colours["dim"], clean(" ".join(self.thought.split())))], min(columns, 100) - 4)
            lines += [[(colours["dim"], "  ∴ "), *piece] for piece in thought[-THOUGHT_ROWS:]]
        if self.why:
            lines += [
                [("", "  "), *piece]
                for piece in wrap([(colours["dim"], clean(self.why))], min(columns, 100) - 2)
            ]
        lines = [*lines[-MAX_TAIL:], cut_line(self._status(), columns)]
        fragments: StyleAndTextTuples = []
        for n, line in enumerate(lines):
            fragments += [*([("", "\n")] if n else []), *line]
        return fragments

    def _status(self) -> Line:
        seconds = int(time.monotonic() - self._since)
        parts = [str(clean("stopping" if self._stopping else self._label))]
        if self._progress is not None:
            parts.append(self._bar(self._progress))
        if seconds:
            parts.append(f"{seconds // 60}m {seconds % 60:02}s" if seconds >= 60 else f"{seconds}s")
        if self._tokens:
            parts.append(f"{self._tokens:,} tokens")
        parts.append("Ctrl-C stops")
        if self.typed:
            parts.append("your text waits for the prompt")
        return [(self._screen.colours["dim"], f"  {' · '.join(parts)}")]

    def _bar(self, progress: Progress) -> str:
        if not progress.total:
            return f"{progress.done:,}"
        filled = min(BAR, progress.done * BAR // progress.total)
        return f"{'━' * filled}{'╌' * (BAR - filled)} {progress.done:,} of {progress.total:,}"

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add(Keys.Any)
        @keys.add(Keys.BracketedPaste)
        def _(event: KeyPressEvent) -> None:
            if event.data.isprintable() or event.key_sequence[0].key == Keys.BracketedPaste:
                self.typed += event.data.replace("\r\n", "\n").replace("\r", "\n")
                self._haste.dropped()  # the rest of the sentence is for no card that comes meanwhile

        @keys.add("enter")
        @keys.add("c-j")
        def _(event: KeyPressEvent) -> None:
            self.typed += "\n" if self.typed.strip() else ""

        @keys.add("backspace")
        def _(event: KeyPressEvent) -> None:
            self.typed = self.typed[:-1]

        @keys.add("c-u")
        def _(event: KeyPressEvent) -> None:
            self.typed = ""

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            self._stopping = True
            self._inbox(Interrupt())

        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            if not self.typed:
                self._inbox(Quit("end"))

        @keys.add("c-z")
        def _(event: KeyPressEvent) -> None:
            event.app.suspend_to_background()

        return keys
