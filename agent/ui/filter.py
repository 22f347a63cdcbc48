"""The last filter: everything written to the terminal passes it.

Only escape sequences that our own drawing uses go through; every other control, bidi, invisible or undecodable
character becomes a visible mark, whatever was forgotten above. Looks of letters are not its business.
"""

from __future__ import annotations

import re
from typing import TextIO

from agent.core.clean import shown_char

_OWN = re.compile(
    "\x1b\\[(?:\\d{0,3}(?:;\\d{1,3})*m"  # colours
    "|\\d{0,4}[ABCDJK]|\\d{1,4};\\d{1,4}H|H"  # moves and erasing
    "|\\?(?:1|7|12|25|1049|2004)[hl](?:\x1b\\[\\?25h)?"  # modes of the line editor
    "|[0-6] q|6n)"
    "|[\r\n\b]"
)
_HARMLESS = re.compile(r"[ -~]+")


def harmless(data: str) -> str:
    """`data` with nothing in it that acts on a terminal, except the sequences that we use ourselves."""
    if data.isascii() and data.isprintable():
        return data
    parts: list[str] = []
    at = 0
    while at < len(data):
        run = _HARMLESS.match(data, at) or _OWN.match(data, at)
        if run:
            parts.append(run[0])
            at = run.end()
        else:
            parts.append(shown_char(data[at]))
            at += 1
    return "".join(parts)


class FilteredStream:
    """A text stream in front of the real one. It has no `buffer`, so nobody writes past the filter."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    @property
    def encoding(self) -> str:
        return "utf-8"

    def write(self, data: str) -> int:
        text = harmless(data)
        coding = self._stream.encoding or "utf-8"
        if coding.lower().replace("-", "") != "utf8":
            text = text.encode(coding, "replace").decode(coding)
        self._put(text)
        return len(data)

    def ring(self) -> None:
        """The bell; the one control character that cannot come from a text."""
        self._put("\a")
        self.flush()

    def _put(self, text: str) -> None:
        if not self._gone:
            try:
                self._stream.write(text)
            except OSError:  # the terminal hung up: nobody looks any more, the session ends in order
                self._gone = True

    def flush(self) -> None:
        if not self._gone:
            try:
                self._stream.flush()
            except OSError:
                self._gone = True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
