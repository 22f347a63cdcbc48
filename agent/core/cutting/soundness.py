"""Whether a file still parses with some of its hunks.

What cannot be known, because finding out would take too long, counts as sound. A file that does not parse before or
after the whole change is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.core.code.brackets import Balance
from agent.core.code.grammar import parses
from agent.core.code.sheet import Sheet
from agent.core.cutting.regions import LONG, Regions, Spans
from agent.core.cutting.reparse import Reparser
from agent.core.hunk import Hunk
from agent.core.lines.splice import splice

MAX_PARSED = 20_000_000, 500_000_000
"""Bytes parsed for one difference at most: of a small one, of any."""

SIZE_PARSED = 8
"""Between these it is so many times the size of its files."""

RESERVE = 0.4
"""So much more is kept for going down those files for which no way was found."""

LEAST = 5_000_000
"""What one search may cost in any case, if so much is left."""

QUICK = 2
"""So much less a text counts that tree-sitter reads to the end without a fault, which is quick."""

DOUBTS = 16
"""So often a fault in an edited text of one file is looked at in the whole text, and is there, before it is believed."""

MAX_KNOWN = 64
"""What is found out of states with more hunks is not kept: there are many of them, and each comes up once."""


def closure(indexes: Iterable[int], edges: Sequence[set[int]]) -> set[int]:
    """`indexes` and everything that they need."""
    found: set[int] = set()
    pending = list(indexes)
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            pending += edges[index]
    return found


class Allowance:
    """Bytes that may still be parsed, for all files of one difference or for one of them.

    `reserve` is for those on which the search for sound chunks has spent all else.
    """

    def __init__(self, size: int, reserve: Allowance | None = None) -> None:
        self.size = self.left = size
        self.reserve = reserve

    @classmethod
    def for_texts(cls, size: int) -> Allowance:
        """What looking for sound chunks in files of so many bytes, before and after, may cost."""
        most = min(max(SIZE_PARSED * size, MAX_PARSED[0]), MAX_PARSED[1])
        return cls(most, cls(int(RESERVE * most)))

    def part(self, wanted: Allowance) -> Allowance:
        """As much of this as `wanted` is, or as there still is; `take` is told when it has been used."""
        reserve = self.reserve.part(wanted.reserve) if self.reserve and wanted.reserve else None
        return Allowance(max(0, min(self.left, wanted.size)), reserve)

    def take(self, part: Allowance) -> None:
        """Count what was spent of a part of this."""
        self.left -= part.size - part.left
        if self.reserve and part.reserve:
            self.reserve.take(part.reserve)


class Checker:
    """Parses one file with some of the hunks that lead from `old` to `new`."""

    def __init__(self, old: Sheet, new: Sheet, allowance: Allowance) -> None:
        self.old = old
        self.grammar = new.outline.grammar if allowance.left > 0 else None
        self.allowance = allowance
        self.floor = 0
        self.in_order = False
        """The changes are to come in the order of the file: there is no time to find a better one."""
        self.settled = False
        """The file parses after each change when these come in the order of the file."""
        self.python = self.grammar is not None and self.grammar.name == "python"
        self.usable = self.grammar is not None and all(
            self._parses(b"".join(sheet.lines)) for sheet in (old, new)
        )
        self.balance = Balance([(sheet.lines, sheet.words) for sheet in (old, new) if self.usable])
        self.regions = Regions(old, self.balance, self._parses, self._spend)
        self.reader = Reparser(self.grammar, old.lines) if self.grammar and not self.python else None
        self.doubts = DOUBTS
        self.known: dict[tuple[int, ...], tuple[Sequence[Hunk], bool]] = {}

    @property
    def spent(self) -> bool:
        """True when the search has no more to spend: what is asked now is not answered."""
        return self.allowance.left <= self.floor

    def lend(self, part: int) -> None:
        """Let the search that follows spend so large a part of what is left; beyond that it finds nothing sound.

        In a file that is allowed little that is up to half: a search that ends early is worth nothing.
        """
        left = self.allowance.left
        self.floor = left - max(left // part, min(LEAST, left // 2))

    def _parses(self, data: bytes) -> bool:
        found = self.grammar is not None and self.allowance.left > len(data) and parses(self.grammar, data)
        self.allowance.left -= len(data) // (QUICK if found and not self.python else 1)
        return found

    def _spend(self, size: int) -> None:
        self.allowance.left -= size

    def rest(self) -> None:
        """Free what takes much memory: nothing more is asked for a while."""
        if self.reader is not None:
            self.reader.forget()

    def sound(self, hunks: Iterable[Hunk], around: Sequence[Hunk] = ()) -> bool:
        """True when the old file with `hunks` parses around those of `around` (all, when there are none).

        Also true when finding out would take too long.
        """
        return self.sound_in(self.spans(hunks), around)

    def spans(self, hunks: Iterable[Hunk] = ()) -> Spans:
        return self.regions.spans(hunks)

    def sound_in(self, spans: Spans, around: Sequence[Hunk] = ()) -> bool:
        """As `sound`, of hunks that are in order already."""
        if 0 < self.allowance.left <= self.floor:
            return False
        self.allowance.left -= 1 + len(spans.hunks) // LONG
        if not spans.hunks or self.allowance.left <= 0:
            return True
        found = self._reads(spans.hunks) if self.reader else self.regions.sound(spans, around)
        return found or self.allowance.left <= 0

    def _reads(self, hunks: Sequence[Hunk]) -> bool:
        """True when the whole file parses with hunks that are in order."""
        key = tuple(map(id, hunks))
        if key in self.known:
            return self.known[key][1]
        found = self._parses_edited(hunks)
        if len(hunks) <= MAX_KNOWN:
            self.known[key] = hunks, found
        return found

    def _parses_edited(self, hunks: Sequence[Hunk]) -> bool:
        assert self.reader is not None
        has_fault = self.reader.has_fault(hunks)
        self._spend(self.reader.cost)
        if not has_fault:
            return True
        if self.doubts <= 0:
            return False
        lines = splice(self.old.lines, hunks)
        if not self.balance.holds(lines):
            return False
        found = self._parses(b"".join(lines))
        self.doubts += DOUBTS if found else -1
        return found
