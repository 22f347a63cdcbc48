"""The line ends that git gives a file when it checks it out: the rules of its `convert.c`, for text not stored yet."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto

_LONE_LF = re.compile(rb"(?<!\r)\n")
_UNPRINTABLE = bytes({*range(32), 127} - set(b"\b\t\n\r\f\x1b"))


class LineEnds(Enum):
    """What becomes of the line ends of a file."""

    AS_STORED = auto()
    CRLF = auto()
    """Every line gets a Windows end."""
    CRLF_OF_TEXT = auto()
    """The same, where the file looks like text and has no carriage return stored."""


class EndsConfig:
    """`core.autocrlf` and `core.eol`, each of (key, value) in the order of `git config`: the last one counts.

    A key without a value means true.
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        found = dict(entries)
        automatic = found.get("core.autocrlf", "false")
        self.is_input = automatic == "input"
        self.is_automatic = not self.is_input and automatic not in ("false", "no", "off", "0")
        eol = found.get("core.eol")
        own = eol == "crlf" or (eol != "lf" and os.linesep == "\r\n")
        self.text_is_crlf = self.is_automatic or (own and not self.is_input)
        """How a file ends that is text by its attributes, none of which says how."""

    def of(self, attributes: Mapping[str, str]) -> LineEnds:
        """For a file with the values of `text`, `crlf` and `eol`, as `git check-attr` prints them."""
        text, older = attributes.get("text", ""), attributes.get("crlf", "")
        kind = next((value for value in (text, older) if value in ("set", "unset", "input", "auto")), "")
        if kind == "unset":
            return LineEnds.AS_STORED
        eol = attributes.get("eol")
        if eol in ("crlf", "lf"):
            ends = eol == "crlf"
        elif kind:
            ends = kind != "input" and self.text_is_crlf
        else:
            ends = self.is_automatic
        if not ends:
            return LineEnds.AS_STORED
        guessed = kind == "auto" or (not kind and eol != "crlf")
        return LineEnds.CRLF_OF_TEXT if guessed else LineEnds.CRLF


def checked_out(data: bytes, ends: LineEnds) -> bytes:
    """The bytes of a stored file as git writes them into the work tree."""
    if ends is LineEnds.AS_STORED or (ends is LineEnds.CRLF_OF_TEXT and not _is_plain_text(data)):
        return data
    return _LONE_LF.sub(b"\r\n", data)


def _is_plain_text(data: bytes) -> bool:
    """git's guess, and no carriage return: at most one byte in 128 is a control character, none is NUL."""
    if b"\r" in data or b"\0" in data:
        return False
    ends = data.count(b"\n")
    odd = len(data) - len(data.translate(None, _UNPRINTABLE))
    printable = len(data) - ends - odd
    return printable >> 7 >= odd - data.endswith(b"\x1a")
