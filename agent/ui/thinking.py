"""What the model thinks aloud: its last words dimmed while they come, one folded line afterwards, all of it on request."""

from __future__ import annotations

from agent.core.clean import clean
from agent.ui.paint import Line, Theme, wrap

TAIL_CHARS = 400
"""Enough for the rows that are shown while it streams; the cost of a tick does not grow with the text."""


class Thinking:
    """The thoughts of one reply. `begin` forgets those of the one before."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def begin(self) -> None:
        self._pieces = []

    def feed(self, text: str) -> str:
        """Take more of it; gives its last words, for the rows under the text that streams."""
        self._pieces.append(text)
        tail = ""
        for piece in reversed(self._pieces):
            tail = piece + tail
            if len(tail) > TAIL_CHARS:
                break
        return tail[-TAIL_CHARS:]

    def folded(self) -> str:
        """One line in place of all of it; empty when nothing was thought aloud."""
        words = sum(len(piece.split()) for piece in self._pieces)
        return f"thought aloud, {words:,} words: /thinking shows them" if words else ""

    def lines(self, colours: Theme, columns: int) -> list[Line]:
        """All of it, dimmed."""
        text = "".join(self._pieces).strip()
        if not text:
            return [[(colours["dim"], "  nothing was thought aloud before the last reply")]]
        rows: list[Line] = []
        for line in clean(text, multiline=True).split("\n"):
            pieces = wrap([(colours["dim"], clean(line))], min(columns, 100) - 2)
            rows += [[("", "  "), *piece] for piece in pieces or [[]]]
        return rows
