"""One version of a file with what is known of its structure, found out when asked for.

Knows nothing of changes; see `symbols` for what an outline is and `brackets` for words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from agent.core.code.brackets import EMPTY, Word, words
from agent.core.code.definitions import Margin
from agent.core.code.structure import Outline, Symbol, borders
from agent.core.code.symbols import outline
from agent.core.text import Lines

Context = tuple[str, ...] | None
"""What a border lies in: kinds of bodies from the file inward; None where a text cannot be cut."""


class Sheet:
    """One version of a file with what is known of its structure, found out when asked for."""

    def __init__(
        self, path: str, lines: Lines | Callable[[], Lines], *, margin: Margin | None = None
    ) -> None:
        self.path = path
        self._given = lines
        self._margin = margin
        """Names are asked of it, and not of the outline, where there is too much to read."""

    @cached_property
    def lines(self) -> Lines:
        return self._given() if callable(self._given) else self._given

    @cached_property
    def outline(self) -> Outline:
        return outline(self.path, self.lines)

    @cached_property
    def _names(self) -> Outline | Margin:
        return self._margin or self.outline

    def symbol(self, line: int) -> Symbol | None:
        """The innermost symbol that holds this line."""
        return self._names.at(line)

    def begun(self, low: int, high: int) -> list[str]:
        """Names of the symbols whose first line is one of these."""
        return self._names.begun(low, high)

    @cached_property
    def words(self) -> list[Word]:
        """The brackets of each line; none where the language is not known."""
        grammar = self.outline.grammar
        return words(grammar, b"".join(self.lines), len(self.lines)) if grammar else [EMPTY] * len(self.lines)

    @cached_property
    def borders(self) -> list[Context]:
        return borders(self.outline.body, len(self.lines))

    @cached_property
    def _comments(self) -> dict[int, int]:
        """First line to end of each run of comments that stands for itself."""
        found: dict[int, int] = {}
        waiting = [self.outline.body]
        while waiting:
            for item in waiting.pop().items:
                waiting += item.bodies
                if item.is_lead:
                    found[item.start] = item.end
        return found

    def only_comments(self, start: int, end: int) -> bool:
        """True when these lines are comments that stand for themselves, and blank ones."""
        at = start
        while at < end:
            if self.lines[at].strip() and at not in self._comments:
                return False
            at = self._comments.get(at, at + 1)
        return at == end

    @property
    def is_code(self) -> bool:
        return self.outline.grammar is not None

    def opens(self, line: int) -> bool:
        """True when something can start at this line: not in the middle of blank lines."""
        return line >= len(self.lines) or bool(self.lines[line].strip())
