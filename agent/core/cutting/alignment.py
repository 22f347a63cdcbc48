"""Line two versions up by their definitions, where matching them line by line has mixed two of these.

A definition that goes and one that comes share blank lines, brackets and `return`s. Matched there, the header of the
one goes with the body of the other: what lies between two chunks then parses, and means nothing. So a definition
that goes is taken out whole, one that comes is put in whole, and only what is left is compared line by line.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

import msgspec

from agent.core.chunk import Budget
from agent.core.code.sheet import Sheet
from agent.core.code.structure import Symbol
from agent.core.hunk import Hunk
from agent.core.lines.splice import diff, numbered
from agent.core.text import Lines, are_marked, has_end, indentation

Span = tuple[int, int]
"""Lines `start` to `end`, half-open."""

KEPT = 0.3
"""A definition of whose telling lines so many stay was renamed: it is not gone."""

ALIKE = 0.4
"""Old and new lines that share no larger part of their words are not shown as a pair."""

MAX_RUNS = 8
"""So many runs of lines between two definitions are held against one another."""

_WORD = re.compile(rb"\w{2,}")
_TELLING = re.compile(rb"\w.*\w.*\w.*\w", re.DOTALL)
_COMMON = re.compile(
    rb"\W*(?:pass|else|try|finally|break|continue|end|begin|endif|default|public|private|protected|override"
    rb"|returns?(?: +(?:none|self|this|true|false|null|nil|0|err))?)\W*",
    re.IGNORECASE,
)
"""Lines that stand in any definition."""


def by_definitions(hunks: Sequence[Hunk], old: Sheet, new: Sheet, budget: Budget) -> Sequence[Hunk]:
    """`hunks` (as `diff` gives them, of all that changes `old` into `new`), where needed others that do the same.

    These may touch one another, but nothing is put in between old lines that hunks take out side by side.
    """
    sides = _Side(old, hunks, new=False), _Side(new, hunks, new=True)
    gone = sides[0].lost(sides[1], budget)
    come = sides[1].lost(sides[0], budget)
    found: list[Hunk] = []
    at = 0
    for low, high in _regions(sides[0], sides[1], gone, come):
        first, last = sides[0].inside(low, high)
        found += hunks[at:first]
        to = low + sides[0].offsets[first], high + sides[0].offsets[last]
        for hunk in _anew(_Part(old.lines, low, high, gone), _Part(new.lines, *to, come)):
            found.append(numbered(hunk, found[-1] if found else None))
        at = last
    return [*found, *hunks[at:]] if found else hunks


class _Side:
    """The old or the new text, with the lines of it that are in hunks."""

    def __init__(self, sheet: Sheet, hunks: Sequence[Hunk], *, new: bool) -> None:
        self.sheet = sheet
        self.hunks = hunks
        growths = [len(hunk.new) - len(hunk.old) for hunk in hunks]
        self.offsets = list(accumulate(growths, initial=0))
        """By how much the new line of what follows is further down, before each hunk and behind the last."""
        self.shifts = self.offsets if new else [0] * len(self.offsets)
        self.starts = [hunk.start + shift for hunk, shift in zip(hunks, self.shifts, strict=False)]
        self.ends = [
            start + len(hunk.new if new else hunk.old) for start, hunk in zip(self.starts, hunks, strict=True)
        ]

    def inside(self, low: int, high: int) -> Span:
        """Hunks, by index, that lie within these lines or at their edges."""
        first = bisect_left(self.starts, low)
        return first, max(first, bisect_right(self.ends, high))

    @cached_property
    def places(self) -> dict[str, tuple[list[int], list[int]]]:
        """Where the definitions of each name are, in lines of the old text: starts in order, the last end so far."""
        spans: dict[str, list[Span]] = {}
        for symbol in self.sheet.outline.symbols:
            spans.setdefault(symbol.name, []).append(self.reach(symbol.start, symbol.end))
        return {
            name: ([start for start, _ in own], list(accumulate([end for _, end in own], max)))
            for name, own in ((name, sorted(found)) for name, found in spans.items())
        }

    def defines(self, name: str, low: int, high: int) -> bool:
        """True when a definition of this name has some of these lines of the old text. A thousand may have one name."""
        starts, ends = self.places.get(name, ((), ()))
        before = bisect_left(starts, high)
        return before > 0 and ends[before - 1] > low

    def lost(self, other: _Side, budget: Budget) -> list[Span]:
        """Definitions that the other text has not there, whose lines are not taken out (or put in) as one hunk."""
        found: list[Span] = []
        for symbol in self.sheet.outline.symbols:
            if (found and symbol.start < found[-1][1]) or not self._is_mixed(symbol, budget):
                continue
            if not other.defines(symbol.name, *self.reach(symbol.start, symbol.end)):
                found.append(self._with_blanks(symbol, found[-1][1] if found else 0))
        return found

    def _is_mixed(self, symbol: Symbol, budget: Budget) -> bool:
        first = bisect_right(self.ends, symbol.start)
        last = bisect_left(self.starts, symbol.end)
        if last <= first:
            return False
        only = self.hunks[first]
        if last - first == 1 and (only.changed <= budget.lines or not (only.old and only.new)):
            return False
        telling = kept = 0
        for at in range(symbol.start, symbol.end):
            line = self.sheet.lines[at]
            if _TELLING.search(line) and not _COMMON.fullmatch(line):
                telling += 1
                index = bisect_right(self.starts, at) - 1
                kept += index < 0 or at >= self.ends[index]
        return kept < KEPT * telling

    def _with_blanks(self, symbol: Symbol, above: int) -> Span:
        """A definition with the blank lines below it, or those above where it is the last of what it stands in."""
        lines, start, end = self.sheet.lines, symbol.start, symbol.end
        while end < len(lines) and not lines[end].strip():
            end += 1
        is_last = end < len(lines) and indentation(lines[end]) < indentation(lines[start])
        if end > symbol.end and not is_last:
            return start, end
        while start > above and not lines[start - 1].strip():
            start -= 1
        return start, symbol.end

    def reach(self, low: int, high: int) -> Span:
        """Both edges as old lines, beyond the hunks that they lie in."""
        first = bisect_right(self.ends, low)
        last = bisect_left(self.starts, high)
        start, end = low - self.shifts[first], high - self.shifts[last]
        if first < last:
            start = min(start, self.hunks[first].start)
            end = max(end, self.hunks[last - 1].end)
        return start, end

    def touched(self, span: Span) -> Span:
        """These lines and those of all hunks that touch them."""
        first, last = bisect_left(self.ends, span[0]), bisect_right(self.starts, span[1])
        if first >= last:
            return span
        return min(span[0], self.starts[first]), max(span[1], self.ends[last - 1])


def _regions(old: _Side, new: _Side, gone: Sequence[Span], come: Sequence[Span]) -> list[Span]:
    """Old lines to line up anew: around each of these definitions, to where both texts are the same line by line."""
    spans = [old.reach(*span) for span in gone] + [new.reach(*span) for span in come]
    found: list[Span] = []
    for low, high in sorted(map(old.touched, spans)):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


class _Part(msgspec.Struct, frozen=True):
    """Lines `low` to `high` of a text, and the definitions in it that the other text has not."""

    lines: Lines
    low: int
    high: int
    apart: Sequence[Span]

    def rest(self) -> list[int]:
        """The lines of no such definition."""
        first = bisect_left(self.apart, (self.low, self.low))
        found: list[int] = []
        at = self.low
        for start, end in self.apart[first:]:
            if start >= self.high:
                break
            found += range(at, start)
            at = end
        return [*found, *range(at, self.high)]


def _anew(old: _Part, new: _Part) -> Iterator[Hunk]:
    """Hunks that turn the one part into the other, definitions whole."""
    here, there = old.rest(), new.rest()
    changes = diff(tuple(old.lines[at] for at in here), tuple(new.lines[at] for at in there))
    i = j = 0
    x, y = old.low, new.low
    ends = Hunk(len(here), (), ())
    for change in (*changes, ends):
        for _ in range(change.start - i):
            yield from _island(old.lines, new.lines, (x, here[i]), (y, there[j]), here[i:i], there[j:j])
            x, y, i, j = here[i] + 1, there[j] + 1, i + 1, j + 1
        k, m = i + len(change.old), j + len(change.new)
        stop = here[k] if k < len(here) else old.high
        to = there[m] if m < len(there) else new.high
        yield from _island(old.lines, new.lines, (x, stop), (y, to), here[i:k], there[j:m])
        x, y, i, j = stop, to, k, m


def _island(
    old: Lines, new: Lines, gone: Span, come: Span, out: Sequence[int], put: Sequence[int]
) -> Iterator[Hunk]:
    """Hunks for all of the old lines `gone` and the new lines `come`, of which those of no definition are a pair.

    What has no line end is the last of them, and a file that begins with a mark has one whichever are there.
    """
    (x, stop), (y, to) = gone, come
    (a, b), (c, d) = _pair(old, new, out, put) or ((stop, stop), (to, to))
    if not _has_end(new, come) and d == to and (a == b or b < stop):
        (a, b), (c, d) = (x, x), (y, y)
    is_first = x == y == 0 and are_marked(old[:stop], new[:to])
    if is_first and not a + c == 0 < min(b, d):
        (a, b), (c, d) = gone, come
    if y < c:
        yield Hunk(x, (), new[y:c])
    if x < a:
        yield Hunk(x, old[x:a], ())
    if a < b:
        yield Hunk(a, old[a:b], new[c:d])
    if b < stop:
        yield Hunk(b, old[b:stop], ())
    if d < to:
        yield Hunk(stop, (), new[d:to])


def _pair(old: Lines, new: Lines, out: Sequence[int], put: Sequence[int]) -> tuple[Span, Span] | None:
    """The run of old lines and that of new ones which are most alike by their words; None when none are."""
    here, there = _runs(out), _runs(put)
    known = [(run, _words(old, run)) for run in here], [(run, _words(new, run)) for run in there]
    best, pair = ALIKE, None
    for one, words in known[0]:
        for two, others in known[1]:
            alike = len(words & others) / max(1, min(len(words), len(others)))
            if alike > best:
                best, pair = alike, (one, two)
    return pair


def _has_end(lines: Lines, span: Span) -> bool:
    """True when the last of these lines has an end, or there is none."""
    return span[0] == span[1] or has_end(lines[span[1] - 1])


def _runs(lines: Sequence[int]) -> list[Span]:
    """The longest runs of these lines."""
    found: list[Span] = []
    for line in lines:
        if found and found[-1][1] == line:
            found[-1] = (found[-1][0], line + 1)
        else:
            found.append((line, line + 1))
    return sorted(found, key=lambda run: run[0] - run[1])[:MAX_RUNS]


def _words(lines: Lines, run: Span) -> set[bytes]:
    return set(_WORD.findall(b"".join(lines[slice(*run)])))
