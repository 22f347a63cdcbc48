"""The brackets of a text by line: which lines must come together, and a quick look whether they can stand together.

Brackets in strings and comments do not count; a string or comment over several lines is itself a pair of
brackets. Knows nothing of statements: that lines are balanced does not mean that they parse, only the contrary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from agent.core.code.grammar import Grammar, tokens
from agent.core.text import Lines

_CLOSES = {"{": "}", "(": ")", "[": "]", "${": "}", "{|": "|}"}


class Word(msgspec.Struct, frozen=True):
    """What one line closes of the lines before it, and opens for those after it: closing signs, in order."""

    closes: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()


EMPTY = Word()


def words(grammar: Grammar, data: bytes, count: int) -> list[Word]:
    """A word for each of the `count` lines of a text that parses."""
    signs: list[tuple[int, int, str, bool]] = []
    for kind, node in tokens(grammar, data, _CLOSES):
        start, end = node.start_point, node.end_point
        if kind in grammar.texts:
            if end.row > start.row:
                signs.append((start.row, start.column, kind, True))
                signs.append((end.row, end.column - 1, kind, False))
        elif kind in _CLOSES:
            signs.append((start.row, start.column, _CLOSES[kind], True))
        else:
            signs.append((start.row, start.column, kind, False))
    signs.sort()
    closes: dict[int, list[str]] = {}
    opens: dict[int, list[str]] = {}
    for row, _, sign, is_open in signs:
        waiting = opens.setdefault(row, [])
        if is_open:
            waiting.append(sign)
        elif waiting and waiting[-1] == sign:
            waiting.pop()
        else:
            closes.setdefault(row, []).append(sign)
    return [
        Word(tuple(closes.get(row, ())), tuple(opens.get(row, ())))
        if opens.get(row) or row in closes
        else EMPTY
        for row in range(count)
    ]


def first_lines(words: Sequence[Word]) -> list[int] | None:
    """For each line the first of those that it must come together with; None where brackets do not match.

    The lines whose first line lies before some border are balanced, wherever the border is.
    """
    first = list(range(len(words)))

    def root(at: int) -> int:
        while first[at] != at:
            first[at] = first[first[at]]
            at = first[at]
        return at

    held: list[tuple[str, int]] = []
    for at, word in enumerate(words):
        for sign in word.closes:
            if not held or held[-1][0] != sign:
                return None
            one, other = sorted((root(at), root(held.pop()[1])))
            first[other] = one
        held += [(sign, at) for sign in word.opens]
    return None if held else [root(at) for at in range(len(words))]


class Balance:
    """Tells texts that cannot parse, by the brackets of their lines alone."""

    def __init__(self, pairs: Iterable[tuple[Lines, Sequence[Word]]]) -> None:
        self.known: dict[bytes, Word] = {}
        pairs = list(pairs)
        self.usable = bool(pairs)
        """False when there are no texts, or a line has other brackets elsewhere: nothing can be told then."""
        for lines, found in pairs:
            for line, word in zip(lines, found, strict=True):
                if self.known.setdefault(line, word) != word:
                    self.usable = False
            self.usable = self.usable and self.holds(lines)

    def holds(self, lines: Iterable[bytes]) -> bool:
        """False when these lines, which are of the known texts, are surely not whole."""
        return not self.usable or self._word(lines) == ((), ())

    def depths(self, lines: Iterable[bytes]) -> list[int]:
        """In how many brackets each line begins."""
        depth, found = 0, []
        for line in lines:
            found.append(depth)
            word = self.known.get(line, EMPTY)
            depth += len(word.opens) - len(word.closes)
        return found

    def same(self, one: Iterable[bytes], other: Iterable[bytes]) -> bool:
        """True when one may stand for the other as far as brackets go."""
        return not self.usable or self._word(one) == self._word(other)

    def _word(self, lines: Iterable[bytes]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What lines close of those before them and open for those behind them."""
        closed: list[str] = []
        held: list[str] = []
        for line in lines:
            word = self.known.get(line, EMPTY)
            if word is EMPTY:
                continue
            for sign in word.closes:
                if held and held[-1] == sign:
                    held.pop()
                else:
                    closed += (*held, sign)
                    held.clear()
            held += word.opens
        return tuple(closed), tuple(held)
