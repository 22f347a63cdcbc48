"""The line below an open card in which something is typed: a reason, a question, a word. One at a time.

A reason that nobody begins to type is none: the line is accepted by itself after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding.vi_state import InputMode
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, VSplit, Window

from agent.core.frontend import Card
from agent.ui.application import escape_leaves
from agent.ui.keys import APPLY_WORD
from agent.ui.paint import Line, cut_line, line_width
from agent.ui.processors import VisibleInput
from agent.ui.screen import Screen


class Asking(StrEnum):
    """What the input line below the card is for; the value is its label."""

    WORD = f"risky; type {APPLY_WORD} to {{yes}} it"
    REASON = "{no}; why? (Esc: back, Enter: no reason)"
    CHANGE = "what is to change?"
    QUESTION = "your question"
    INSTRUCTION = "new instruction"
    COMMAND = "command"
    SEARCH = "search"


class InputLine:
    """Closed until `open`. What is accepted goes, stripped, to `accepted`; `card` is the open one.

    `closed` is called first when nobody typed anything until its time was over.
    """

    def __init__(
        self,
        screen: Screen,
        card: Callable[[], Card],
        accepted: Callable[[Asking, str], None],
        closed: Callable[[], None],
    ) -> None:
        self.asking: Asking | None = None
        self._screen = screen
        self._card = card
        self._accepted = accepted
        self._closed = closed
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = Buffer(
            multiline=False, accept_handler=self._accept, on_text_changed=lambda _: self._stop_timer()
        )
        self.is_open = Condition(lambda: self.asking is not None)
        label = Window(FormattedTextControl(self._label), dont_extend_width=True, height=1)
        typed = Window(BufferControl(self._buffer, input_processors=[VisibleInput()]), height=1)
        self.container = ConditionalContainer(VSplit([label, typed]), self.is_open)

    def open(self, what: Asking, app: Application[Any], seconds: float = 0) -> None:
        """Ask for `what`; as if Enter was pressed when nothing is typed for so many seconds (0: wait)."""
        self.asking = what
        app.vi_state.input_mode = InputMode.INSERT
        self._buffer.reset()
        app.layout.focus(self._buffer)
        if seconds:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._accept_empty, app)

    def close(self) -> None:
        """The focus is the caller's."""
        self._stop_timer()
        self.asking = None

    def left_by_escape(self, app: Application[Any]) -> bool:
        return self.asking is not None and escape_leaves(app, self._buffer)

    def _label(self) -> StyleAndTextTuples:
        """At most half of the row: the other half is for what is typed."""
        card = self._card()
        no = "left as it is" if card.no == "leave" else "rejected"
        label = str(self.asking).format(yes=card.yes, no=no)
        key, room = self._screen.colours["key"], self._screen.columns // 2 - len(" › ")
        line: Line = [(key, f" {label}")]
        if line_width(line) > room:
            line = [*cut_line(line, room - 1), (key, "…")]
        return [*line, ("", " › ")]

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _accept_empty(self, app: Application[Any]) -> None:
        self._timer = None
        if self.asking is Asking.REASON and not self._buffer.text:
            self._closed()
            self._accept(self._buffer)
            app.invalidate()

    def _accept(self, buffer: Buffer) -> bool:
        """Enter in the line."""
        asking, text = self.asking, buffer.text.strip()
        if asking is not None:
            self._accepted(asking, text)
        return False
