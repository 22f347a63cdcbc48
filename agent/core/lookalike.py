"""Which characters of a text look like others: letters of a foreign script inside a word, and a few signs.

Owns the tables and the rule. A word that is wholly of one script is left alone, unless every letter of it looks
Latin and nothing else in the text is of that script (a Russian sentence is not marked, a lone `сору` is).
Source: Unicode TR39 (confusables, mixed scripts), cut down to what is a letter in a usual code font.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
_ASCII_LETTER = re.compile(r"[A-Za-z]")

SIGNS = frozenset("\u037e\u01c0\u01c3\u2024\u2044\u2215\u2216\u2236\u2223\ua789\ua78c")
"""Signs that look like `;`, `|`, `!`, `.`, `/`, `\\`, `:` and `'` of ASCII; some are letters to a compiler."""

_CYRILLIC = frozenset("асеорхуіјѕԁһԛԝѵӏүԍАВЕКМНОРСТХУІЈЅԌԚԜѴӀҮЗԲ") - {"З", "Բ"}
_GREEK = frozenset("ονρυικϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺΧ") - {"ι", "κ", "υ", "ρ"}
_LATIN = frozenset("ɑɡɩʋᴄᴏᴠᴡᴢꜱǀ")
_FOREIGN = (
    (0x0530, 0x058F),
    (0x13A0, 0x13FF),
    (0xAB70, 0xABBF),
    (0xA4D0, 0xA4FF),
    (0x2C80, 0x2CFF),
    (0x10400, 0x1044F),
)


def lookalikes(text: str, *, code: bool = False) -> frozenset[int]:
    """Indices of the characters in `text` that pass for others. Linear in its length.

    In `code` every Cyrillic letter in a word with Latin ones counts: no name is written so by accident.
    """
    if text.isascii():
        return frozenset()
    found: set[int] = set()
    real = {script for script in map(_real_script, set(text)) if script}
    for match in _WORD.finditer(text):
        word = match[0]
        mixed = _ASCII_LETTER.search(word) is not None
        compatible = [at for at, char in enumerate(word) if _is_compatible(char)]
        if mixed or len(compatible) > 1:
            found.update(match.start() + at for at in compatible)
        scripts = [_fake_script(char) or (_cyrillic(char) if code and mixed else "") for char in word]

        if mixed or _passes_for_latin(word, scripts, real):
            found.update(match.start() + at for at, script in enumerate(scripts) if script)
    found.update(at for at, char in enumerate(text) if char in SIGNS)
    return frozenset(found)


def _passes_for_latin(word: str, scripts: list[str], real: set[str]) -> bool:
    letters = [script for char, script in zip(word, scripts, strict=True) if char.isalpha()]
    kinds = set(letters)
    if not letters or not kinds <= {"cyrillic", "greek"} or kinds & real:
        return False
    return "greek" not in kinds or len(letters) > 1


@lru_cache(maxsize=4096)
def _fake_script(char: str) -> str:
    """The script of a letter that looks like a Latin one; empty for all others."""
    if char in _CYRILLIC:
        return "cyrillic"
    if char in _GREEK:
        return "greek"
    if char in _LATIN:
        return "latin"
    return "other" if any(low <= ord(char) <= high for low, high in _FOREIGN) else ""


def _cyrillic(char: str) -> str:
    return "cyrillic" if _real_script(char) == "cyrillic" else ""


@lru_cache(maxsize=4096)
def _real_script(char: str) -> str:
    """The script of a letter that cannot be taken for a Latin one; empty for all others."""
    code = ord(char)
    if 0x0400 <= code <= 0x052F:
        return "" if char in _CYRILLIC else "cyrillic"
    if 0x0370 <= code <= 0x03FF and char.isalpha():
        return "" if char in _GREEK else "greek"
    return ""


@lru_cache(maxsize=4096)
def _is_compatible(char: str) -> bool:
    """True for letters and digits that compilers read as ASCII ones (NFKC): wide, bold, script, ligatures."""
    if char.isascii() or unicodedata.category(char) == "No":
        return False
    plain = unicodedata.normalize("NFKC", char)
    return plain.isascii() and plain.isalnum()
