"""The one sanitiser, and the type for text that passed it.

`Clean` text only prints: control characters, escape sequences, bidi controls, invisible and default-ignorable
characters, lone surrogates, undecodable bytes, odd line separators and look-alike letters are replaced by marks
that can be seen (`␛`, `<U+202E>`, `\\xff`). Only this module makes Clean text; mypy holds that. Cleaning is
idempotent, takes time linear in the text, and drops nothing silently. It knows no colours: a `Segment` says
which part is a mark, so that a frontend can colour it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NewType

import msgspec

from agent.core.lookalike import lookalikes

Clean = NewType("Clean", str)

EMPTY = Clean("")
MAX_COMBINING = 4
"""More accents than this on one letter are marked: they would be drawn over other lines."""

_PLAIN = re.compile(r"[ -~]+")
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
"""Default-ignorable (or blank) characters that Unicode counts as letters, marks or symbols."""


class Segment(msgspec.Struct, frozen=True):
    """A piece of a line. `mark`: it stands for something that would not be seen; `strong`: it is emphasised."""

    text: Clean
    mark: bool = False
    strong: bool = False


def clean(text: str | bytes, *, multiline: bool = False, tabs: int = 4, spaces: bool = False) -> Clean:
    """`text` with everything that does not just print as visible marks; see `segments`."""
    if isinstance(text, str) and text.isascii() and text.isprintable():
        return Clean(text)
    return plain(segments(text, multiline=multiline, tabs=tabs, spaces=spaces))


def plain(parts: Iterable[Segment]) -> Clean:
    """The text of segments."""
    return Clean("".join(part.text for part in parts))


def concat(*parts: Clean) -> Clean:
    """Clean texts one after the other; clean again, because each was."""
    return Clean("".join(parts))


def pieced(parts: Iterable[str]) -> Clean:
    """Pieces that were cut out of Clean text, put together in their order. Cleaning them alone could mark an
    accent that has lost its letter."""
    return Clean("".join(parts))


def lines_of(text: Clean) -> tuple[Clean, ...]:
    """The lines of Clean text, without their endings."""
    return tuple(Clean(line) for line in text.split("\n"))


def cut(text: Clean, width: int) -> Clean:
    """At most `width` characters, the end as `…` when something is left out."""
    return text if len(text) <= width else Clean(text[: max(0, width - 1)].rstrip() + "…")


def segments(
    text: str | bytes, *, multiline: bool = False, tabs: int = 4, spaces: bool = False
) -> tuple[Segment, ...]:
    """`text` as segments; neighbours always differ in `mark`.

    `multiline` keeps LF (and takes CR LF as LF), else both are marks. Tabs become spaces up to the next multiple
    of `tabs` columns; with `tabs=0` they are marks. `spaces` is for code: it also marks spaces other than U+0020,
    and all Cyrillic letters in words with Latin ones. Undecodable
    bytes (or their surrogates) are shown as `\\xNN`.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    if multiline:
        text = text.replace("\r\n", "\n")
    return _join(_pieces(text, lookalikes(text, code=spaces), multiline, tabs, spaces))


def _pieces(
    text: str, alike: frozenset[int], multiline: bool, tabs: int, spaces: bool
) -> Iterable[tuple[str, bool]]:
    at = column = accents = 0
    start = True
    while at < len(text):
        run = _PLAIN.match(text, at)
        if run:
            piece, mark = run[0], False
            column, at, start, accents = column + len(piece), run.end(), False, 0
        else:
            char = text[at]
            accents = accents + 1 if unicodedata.combining(char) else 0
            if char == "\t" and tabs:
                piece, mark = " " * (tabs - column % tabs), False
            elif char == "\n" and multiline:
                piece, mark = char, False
            elif at in alike or accents > (0 if start else MAX_COMBINING):
                piece, mark = _code(char), True
            else:
                piece, mark = _show(char, spaces)
            at += 1
            start = piece == "\n"
            column = 0 if start else column + _width(piece)
        yield piece, mark


def _show(char: str, spaces: bool) -> tuple[str, bool]:
    """A character as it may be printed, and whether that is a mark."""
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code), True
    if code == 0x7F:
        return "\u2421", True
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}", True
    if char.isprintable():
        return (_code(char), True) if _IGNORABLE.match(char) else (char, False)
    if not spaces and unicodedata.category(char) == "Zs":
        return char, False
    return _code(char), True


def shown_char(char: str) -> Clean:
    """One character as it may be printed, whatever stands around it."""
    return Clean(_show(char, spaces=False)[0])


def _code(char: str) -> str:
    return f"<U+{ord(char):04X}>"


def _width(piece: str) -> int:
    """Columns of a piece; one character, or an ASCII mark."""
    if len(piece) > 1:
        return len(piece)
    if unicodedata.combining(piece):
        return 0
    return 2 if unicodedata.east_asian_width(piece) in "WF" else 1


def _join(pieces: Iterable[tuple[str, bool]]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    gathered: list[str] = []
    marked = False
    for piece, mark in pieces:
        if mark != marked and gathered:
            found.append(Segment(Clean("".join(gathered)), marked))
            gathered = []
        marked = mark
        gathered.append(piece)
    if gathered:
        found.append(Segment(Clean("".join(gathered)), marked))
    return tuple(found)
