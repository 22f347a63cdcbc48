"""Find the text that an edit quotes, and say what lines it becomes; or say so that the next try fits.

Promises: never at a wrong place. A text must occur exactly once; looser grades (trailing blanks, indentation,
typographic signs) are tried only where a stricter one found nothing, and must be unique as well. Lines that the
edit does not change keep their bytes. Edit distance tells the nearest place and never writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from agent.core.chunk import Grade
from agent.core.hunk import Hunk
from agent.core.matching.document import Document, Unwritable
from agent.core.matching.elision import left_out, pieces
from agent.core.matching.indent import INNER, restyled
from agent.core.matching.nearest import Near, nearest
from agent.core.matching.rewrite import LOOSE_INDENT, rewritten
from agent.core.matching.typography import fold

LEAST_TEXT = 4
"""Letters and digits that a quotation needs to be found without the blank lines around it."""

MAX_COUNTED = 80

MAX_CANDIDATES = 6
"""How many places of an ambiguous text are told."""


class Located(msgspec.Struct, frozen=True):
    """The one place: lines `start` to `end` (0-based, end excluded) and the hunks over the file's lines."""

    start: int
    end: int
    grade: Grade
    hunks: tuple[Hunk, ...]


class Missing(msgspec.Struct, frozen=True):
    """Nowhere. `near` is the most similar place; `applied` the 1-based line where the new text is already."""

    near: Near | None = None
    applied: int = 0


class Ambiguous(msgspec.Struct, frozen=True):
    """At several places: their first lines, 0-based, at most MAX_CANDIDATES."""

    candidates: tuple[int, ...]
    length: int


class Unfit(msgspec.Struct, frozen=True):
    """Found, but the new text cannot be put there; why, for the model."""

    reason: str


Found = Located | Missing | Ambiguous | Unfit
Normal = Callable[[str], str]


def text_lines(text: str) -> list[str]:
    """A quotation of the model as lines; a missing newline at its end is forgiven, CR before LF dropped."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    return lines


def find(
    document: Document, old: Sequence[str], new: Sequence[str], within: tuple[int, int] | None = None
) -> Found:
    """Whole lines `old` in the document, to become `new`. `within` limits the search to lines from, to."""
    if not any(line.strip() for line in old):
        return Missing()
    low, high = within or (0, len(document.texts))
    full, *trimmed = _sloppy(old, new)
    for grade, tries in _LADDER:
        for said, becomes in [full] if tries == "full" else trimmed:
            places = _places(document.texts, said, _NORMAL[grade], low, high)
            if len(places) > 1:
                return Ambiguous(tuple(places), len(said))
            least = LEAST_TEXT if tries == "trimmed" else 2 if grade in LOOSE_INDENT else 0
            if places and _letters(said) < least:
                return _missing(document, old, new)
            if places:
                shown = max(grade, Grade.TRAILING_SPACE, key=_ORDER.index) if tries == "trimmed" else grade
                return _located(document, places[0], said, becomes, shown)
    elided = _find_elided(document, old, new, low, high)
    return elided or _missing(document, old, new)


def find_edit(document: Document, old: str, new: str) -> Found:
    """An edit as `propose` has it: whole lines, or else a piece of a line that is no part of a word."""
    found = find(document, text_lines(old), text_lines(new))
    if isinstance(found, Missing) and not found.applied:
        return _find_piece(document, old, new, inside_words=False) or found
    return found


def find_text(document: Document, old: str, new: str) -> Found:
    """`old` as a piece of the text, wherever it starts and ends in a line; whole lines when that fails."""
    piece = _find_piece(document, old, new, inside_words=True)
    return piece or find(document, text_lines(old), text_lines(new))


def _find_piece(document: Document, old: str, new: str, *, inside_words: bool) -> Found | None:
    """`old` must occur once. Without `inside_words` it may not start or end in the middle of a word."""
    old, new = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
    text = "\n".join(document.texts) + ("\n" if document.final_newline and document.texts else "")
    at = text.find(old) if old.strip() else -1
    if at < 0:
        return None
    end = at + len(old)
    if (other := text.find(old, at + 1)) >= 0:
        places = [text.count("\n", 0, at), text.count("\n", 0, other)]
        return Ambiguous(tuple(places), len(text_lines(old)))
    if not inside_words and (_splits_word(text, at) or _splits_word(text, end)):
        return None
    start_of_line = text.rfind("\n", 0, at) + 1
    if old[0] == "\n" and new and new[0] != "\n" and start_of_line < at:
        # Only the end of the line before was quoted too much: the lines are not to be joined.
        at, start_of_line, old = at + 1, at + 1, old[1:]
    if text[end - 1] != "\n":
        newline = text.find("\n", end)
        end = len(text) if newline < 0 else newline + 1
    block = text[start_of_line:end]
    becomes = text[start_of_line:at] + new + text[at + len(old) : end]
    if block.endswith("\n") and becomes and not becomes.endswith("\n"):
        becomes += "\n"
    start = text.count("\n", 0, start_of_line)
    said, lines = block.removesuffix("\n").split("\n"), text_lines(becomes)
    keeps_end = becomes.endswith("\n") if start + len(said) == len(document.texts) else None
    items = rewritten(said, said, lines, Grade.EXACT)
    return _fit(document, start, len(said), items or (), Grade.EXACT, keeps_end)


def _splits_word(text: str, at: int) -> bool:
    return re.match(r"\w\w", text[max(0, at - 1) : at + 1]) is not None


def _sloppy(old: Sequence[str], new: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """The edit as it is, and without blank lines at the ends of the quotation, which models add."""
    tries = [(list(old), list(new))]
    head = next(index for index, line in enumerate(old) if line.strip())
    tail = next(index for index, line in enumerate(reversed(old)) if line.strip())
    if head or tail:
        said, becomes = list(old[head : len(old) - tail]), list(new)
        while head and becomes and not becomes[0].strip():
            becomes, head = becomes[1:], head - 1
        while tail and becomes and not becomes[-1].strip():
            becomes, tail = becomes[:-1], tail - 1
        tries.append((said, becomes))
    return tries


def _letters(said: Sequence[str]) -> int:
    """Letters and digits: with hardly any, a text is not the right place only because it occurs once."""
    return sum(char.isalnum() for line in said for char in line[:MAX_COUNTED])


def _blank_folded(line: str) -> str:
    return line.strip().replace("\t", INNER)


def _sign_folded(line: str) -> str:
    return _blank_folded(fold(line))


_ORDER = list(Grade)
_NORMAL: dict[Grade, Normal] = {
    Grade.EXACT: str,
    Grade.TRAILING_SPACE: str.rstrip,
    Grade.INDENT: _blank_folded,
    Grade.UNICODE: _sign_folded,
}
_LADDER = (
    (Grade.EXACT, "full"),
    (Grade.TRAILING_SPACE, "full"),
    (Grade.EXACT, "trimmed"),
    (Grade.TRAILING_SPACE, "trimmed"),
    (Grade.INDENT, "full"),
    (Grade.INDENT, "trimmed"),
    (Grade.UNICODE, "full"),
    (Grade.UNICODE, "trimmed"),
)


def _places(texts: Sequence[str], said: Sequence[str], normal: Normal, low: int, high: int) -> list[int]:
    """First lines of where `said` occurs, at most MAX_CANDIDATES. Linear: the search is `str.find`."""
    hay = "\n".join(["", *map(normal, texts[low:high]), ""])
    needle = "\n".join(["", *map(normal, said), ""])
    places: list[int] = []
    at = hay.find(needle)
    while at >= 0 and len(places) < MAX_CANDIDATES:
        places.append(low + hay.count("\n", 0, at))
        at = hay.find(needle, at + 1)
    return places


def _located(
    document: Document, start: int, said: Sequence[str], becomes: Sequence[str], grade: Grade
) -> Found:
    if grade is Grade.EXACT and (styled := restyled(said, becomes, document.texts)):
        becomes, grade = styled, Grade.INDENT
    if omitted := left_out(becomes, [*said, *document.texts]):
        return Unfit(f"the new text leaves something out (`{omitted.strip()}`); write all of its lines")
    items = rewritten(document.texts[start : start + len(said)], said, becomes, grade)
    if items is None:
        return Missing(nearest(document.texts, said))
    return _fit(document, start, len(said), items, grade)


def _fit(
    document: Document,
    start: int,
    count: int,
    items: Sequence[str | int],
    grade: Grade,
    final_newline: bool | None = None,
) -> Located | Unfit:
    """`items` are new lines, or indices within the block of lines to keep."""
    absolute = [item + start if isinstance(item, int) else item for item in items]
    try:
        hunks = document.replace(start, start + count, absolute, final_newline)
    except Unwritable as error:
        return Unfit(f"the file's encoding, {error.codec}, has no character {error.char!a}")
    return Located(start, start + count, grade, hunks)


def _find_elided(
    document: Document, old: Sequence[str], new: Sequence[str], low: int, high: int
) -> Found | None:
    """Each piece between `...` lines must occur once, in order; what was left out stays as it is."""
    quoted, becomes = pieces(old), pieces(new)
    if len(quoted) == 1:
        return None
    if len(quoted) != len(becomes):
        return Unfit("old and new text leave out (`...`) different parts; quote the whole text instead")
    at = low
    found: list[Located] = []
    for said, piece in zip(quoted, becomes, strict=True):
        if not any(line.strip() for line in said):
            if any(line.strip() for line in piece):
                return Unfit("new text stands beside a `...` with no old text; quote the lines around it")
            continue
        place = find(document, said, piece, (low, high))
        if not isinstance(place, Located):
            return place
        if place.start < at:
            return Unfit("the pieces around `...` are not in this order in the file")
        found.append(place)
        at = place.end
    if not found:
        return None
    grade = max((place.grade for place in found), key=_ORDER.index)
    hunks = tuple(hunk for place in found for hunk in place.hunks)
    return Located(found[0].start, found[-1].end, grade, hunks)


def _missing(document: Document, old: Sequence[str], new: Sequence[str]) -> Missing:
    applied = 0
    if any(len(line.strip()) > 2 for line in new):
        there = _places(document.texts, new, str.rstrip, 0, len(document.texts))
        applied = there[0] + 1 if there else 0
    return Missing(nearest(document.texts, old), applied)
