"""Text as it looks: typographic quotes, dashes and spaces folded to what a keyboard types.

Owns what counts as the same for the grade UNICODE, and how a person's own characters are kept in a line that is
changed elsewhere. Letters are never folded: a homoglyph is another name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

_PLAIN = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4",
    '"': "\u201c\u201d\u201e\u201f\u2033",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "...": "\u2026",
    "": "\u200b\u200c\u200d\u2060\ufeff\u00ad",
}
_TABLE = {ord(char): plain for plain, chars in _PLAIN.items() for char in chars}
QUOTES = frozenset(_PLAIN["'"] + _PLAIN['"'])

MAX_LINE = 2000
"""Characters; longer lines are not compared character by character."""


def fold(text: str) -> str:
    """`text` with every look-alike as its plain sign, and accents composed."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text).translate(_TABLE)


def learned(pairs: Sequence[tuple[str, str]]) -> dict[int, str]:
    """What typographic signs of the model stand for in the file, from lines that match (model's, file's).

    Only towards plain signs: a file with plain quotes gets plain quotes. A sign that stands for two is left out.
    One quote that stands for a plain one speaks for the other quotes, unless the file's lines have them.
    """
    seen: dict[str, set[str]] = {}
    for said, real in pairs:
        if said == real or len(said) != len(real):
            continue
        for one, other in zip(said, real, strict=True):
            if not one.isascii():
                seen.setdefault(one, set()).add(other)
    table = {
        ord(one): other
        for one, others in seen.items()
        for other in others
        if len(others) == 1 and other.isascii()
    }
    if QUOTES & {chr(code) for code in table}:
        there = {char for _, real in pairs for char in real} | set(seen)
        table |= {ord(char): fold(char) for char in QUOTES - there}
    return table


def keep_signs(said: str, real: str, new: str, table: Mapping[int, str]) -> str:
    """`new`, a changed `said`, with the signs of `real` (which looks like `said`) wherever it did not change.

    `table` (see `learned`) turns the signs of what did change.
    """
    if said == real or len(said) != len(real) or max(len(said), len(new)) > MAX_LINE:
        return new.translate(table)
    parts = []
    for tag, a, b, c, d in SequenceMatcher(None, said, new, autojunk=False).get_opcodes():
        parts.append(real[a:b] if tag == "equal" else new[c:d].translate(table))
    return "".join(parts)
