"""Whether a Python file still compiles with some of its hunks: only the definitions around them are compiled.

Python's own compiler is stricter than a grammar, but reads only whole texts. A region of whole statements with the
same indentation is such a text, with a few lines around it, if what lies outside of it does not matter.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import cached_property
from itertools import accumulate

import msgspec

from agent.core.code.brackets import Balance
from agent.core.code.sheet import Sheet
from agent.core.code.structure import Body, Item
from agent.core.cutting.partition import Range
from agent.core.hunk import Hunk
from agent.core.lines.splice import position, splice
from agent.core.text import Lines

LONG = 100
"""Of texts with so many lines only the part around a change is compiled, where one can be told."""


GOES_ON = b"else", b"elif", b"except", b"finally"
"""Words that go on with a statement above them."""


class Region(msgspec.Struct, frozen=True):
    """Whole items of one body of the old file, and what must stand around them so that they parse alone."""

    low: int
    high: int
    before: bytes = b""
    behind: bytes = b""
    indent: bytes = b""
    """Where it matters: no line within is indented less."""
    frames: tuple[Range, ...] = ()
    """The lines of all that it lies in but for their bodies: headers, closing brackets."""
    tight: bool = False
    """Without the items next to it, to which what it begins or ends with may belong."""


class Spans:
    """Hunks of one file in their order, found by the lines that they change."""

    def __init__(self, hunks: Iterable[Hunk], is_even: Callable[[Hunk], bool]) -> None:
        self.hunks = sorted(hunks, key=position)
        self.starts = [hunk.start for hunk in self.hunks]
        self.ends = [hunk.end for hunk in self.hunks]
        self.odd = [hunk for hunk in self.hunks if not is_even(hunk)]
        """Those that have other brackets on one side than on the other."""
        self._is_even = is_even

    def plus(self, hunks: Iterable[Hunk]) -> Spans:
        """These and `hunks`, which costs little where these are many."""
        found = copy(self)
        found.hunks, found.starts, found.ends = self.hunks.copy(), self.starts.copy(), self.ends.copy()
        for hunk in hunks:
            at = bisect_left(found.hunks, position(hunk), key=position)
            found.hunks.insert(at, hunk)
            found.starts.insert(at, hunk.start)
            found.ends.insert(at, hunk.end)
            if not self._is_even(hunk):
                found.odd = [*found.odd]
                insort(found.odd, hunk, key=position)
        return found

    def odd_outside(self, first: int, last: int) -> tuple[list[Hunk], list[Hunk]]:
        """The odd ones before the hunk of index `first`, and from that of index `last` on."""
        if not self.odd:
            return [], []
        ends = [position(self.hunks[at]) if at < len(self.hunks) else None for at in (first, last)]
        above, below = (
            len(self.odd) if end is None else bisect_left(self.odd, end, key=position) for end in ends
        )
        return self.odd[:above], self.odd[below:]

    def touching(self, low: int, high: int) -> Range:
        """Those, by index, that change some of these lines, or put lines in among them or at their edges."""
        first, last = bisect_left(self.ends, low), bisect_right(self.starts, high)
        while first < last and self.hunks[first].old and self.ends[first] <= low:
            first += 1
        while first < last and self.hunks[last - 1].old and self.starts[last - 1] >= high:
            last -= 1
        return first, last

    def within(self, low: int, high: int) -> Range:
        """Those, by index, that change some of these lines, or put lines in among them."""
        return bisect_right(self.ends, low), bisect_left(self.starts, high)

    def grown(self, low: int, high: int, body: Body) -> Range | None:
        """These lines and whole items of `body` around them, until no hunk crosses the edge; None beyond the body."""
        while True:
            first, last = self.touching(low, high)
            if first == last or (self.starts[first] >= low and self.ends[last - 1] <= high):
                return low, high
            low, high = min(low, self.starts[first]), max(high, self.ends[last - 1])
            if low < body.start or high > body.end:
                return None
            before = bisect_left(body.items, low, key=lambda item: item.start) - 1
            behind = bisect_right(body.items, high, key=lambda item: item.end)
            if before >= 0 and body.items[before].end > low:
                low = body.items[before].start
            if behind < len(body.items) and body.items[behind].start < high:
                high = body.items[behind].end


class Regions:
    """Judges one file with some of its hunks. `parses` tells of a whole text, `spend` is told what else it costs."""

    def __init__(
        self,
        old: Sheet,
        balance: Balance,
        parses: Callable[[bytes], bool],
        spend: Callable[[int], None],
    ) -> None:
        self.old = old
        self.balance = balance
        self.parses = parses
        self.spend = spend
        self.even: dict[int, tuple[Hunk, bool]] = {}
        self.known: dict[tuple[Region, tuple[Hunk, ...]], bool | None] = {}

    @cached_property
    def whole(self) -> Region:
        """The file."""
        return Region(0, len(self.old.lines))

    def spans(self, hunks: Iterable[Hunk]) -> Spans:
        return Spans(hunks, self._even)

    def sound(self, spans: Spans, around: Sequence[Hunk]) -> bool:
        """True when the old file with the hunks of `spans` compiles around some of them."""
        first = min(hunk.start for hunk in around or spans.hunks)
        last = max(hunk.end for hunk in around or spans.hunks)
        for region in self._regions(first, last, spans):
            told = self._told(region, spans, around)
            if told is not None:
                return told
        return False

    def _regions(self, first: int, last: int, spans: Spans) -> list[Region]:
        """Regions around some lines, from the innermost to the whole file."""
        found = [self.whole]
        body = self.old.outline.body
        around: tuple[bytes, bytes, bytes] | None = (b"", b"", b"")
        frames: tuple[Range, ...] = ()
        while True:
            items = body.items
            low_at = bisect_left(items, first, key=lambda item: item.start) - 1
            high_at = bisect_right(items, last, key=lambda item: item.end)
            if around is not None:
                low = items[low_at].start if low_at >= 0 else body.start
                high = items[high_at].end if high_at < len(items) else body.end
                wide = spans.grown(low, high, body)
                found += [Region(*wide, *around, frames)] if wide else []
                # Between items what stands next to it need not be read.
                low = first if low_at < 0 or items[low_at].end <= first else low
                high = last if high_at >= len(items) or items[high_at].start >= last else high
                tight = spans.grown(low, high, body)
                found += [Region(*tight, *around, frames, tight=True)] if tight and tight != wide else []
            inner = self._inner(items[low_at], first, last) if low_at >= 0 and low_at == high_at else None
            if inner is None:
                return found[::-1]
            frames += _frames(items[low_at])
            body = inner
            around = self._around(body)

    def _inner(self, item: Item, first: int, last: int) -> Body | None:
        """The body of `item` that some lines lie inside of, well inside where indentation ends it."""
        for body in item.bodies:
            if body.items and body.start + body.loose <= first and last <= body.end - body.loose:
                return body
        return None

    def _around(self, body: Body) -> tuple[bytes, bytes, bytes] | None:
        if body.kind != "block":
            return None
        line = self.old.lines[body.items[0].start]
        indent = line[: len(line) - len(line.lstrip())]
        return (*_block(indent), indent)

    def _told(self, region: Region, spans: Spans, around: Sequence[Hunk]) -> bool | None:
        """Whether it parses, as far as can be told from this region; None where only a larger one tells."""
        first, last = spans.touching(region.low, region.high)
        inside = tuple(spans.hunks[first:last])
        whole = region == self.whole
        if region.indent and any(_falls_out(line, region.indent) for hunk in inside for line in hunk.new):
            return None
        if not whole and self._matters(region, spans):
            return None
        key = (region, inside)
        if key not in self.known:
            moved = [_moved(hunk, region.low) for hunk in inside]
            lines = splice(self.old.lines[region.low : region.high], moved)
            self.spend(len(lines))
            balanced = self.balance.holds(lines)
            parsed = balanced and (
                self._parses_near(lines, _places(moved, inside, frozenset(map(id, around))), region)
                or self.parses(b"".join((region.before, *lines, region.behind)))
            )
            judged = balanced and not region.tight and self._stands_alone(region)
            final = whole or judged
            self.known[key] = parsed or (False if final else None)
        return self.known[key]

    def _parses_near(self, lines: Lines, places: Sequence[Range], region: Region) -> bool:
        """True when it parses between the blank lines around some places of a long text, none of them in brackets."""
        if len(lines) < LONG or not places or not self.balance.usable:
            return False
        low, high = places[0][0], max(end for _, end in places)
        indent = _indent(lines[low:high])
        depths = self.balance.depths(lines)

        def border(at: int) -> bool:
            if not 0 < at < len(lines):
                return True
            begun = lines[at].removeprefix(indent) if lines[at].startswith(indent) else b""
            is_statement = bool(begun[:1].strip()) and not begun.startswith(GOES_ON)
            return is_statement and not (depths[at] or lines[at - 1].strip())

        while low and not (border(low) and _can_follow(lines, depths, low, indent)):
            low -= 1
        while not border(high):
            high += 1
        if low == high or high - low > len(lines) // 2:
            return False
        near = lines[low:high]
        if any(_falls_out(line, indent) for line in near) or near[0].startswith(
            (indent + b" ", indent + b"\t")
        ):
            return False
        return self.parses(b"".join((*_block(indent)[:1], *near, *_block(indent)[1:])))

    def _matters(self, region: Region, spans: Spans) -> bool:
        """True when hunks outside of a region change what the region lies in."""
        inside = spans.touching(region.low, region.high)
        for start, end in region.frames:
            first, last = spans.within(start, end)
            if first < min(last, inside[0]) or max(first, inside[1]) < last:
                return True
        return not all(self._evens_out(part) for part in spans.odd_outside(*inside))

    def _even(self, hunk: Hunk) -> bool:
        found = self.even.get(id(hunk))  # a hunk is long to hash
        if found is None:
            found = self.even[id(hunk)] = hunk, self.balance.same(hunk.old, hunk.new)
        return found[1]

    def _evens_out(self, hunks: Sequence[Hunk]) -> bool:
        """True when the brackets of these hunks, in order, are together those of the old text."""
        if not hunks:
            return True
        low, high = hunks[0].start, hunks[-1].end
        lines = self.old.lines[low:high]
        self.spend(len(lines))
        return self.balance.same(lines, splice(lines, [_moved(hunk, low) for hunk in hunks]))

    def _stands_alone(self, region: Region) -> bool:
        """True when this region of the old file parses by itself, which shows that it can be judged so."""
        key: tuple[Region, tuple[Hunk, ...]] = (region, ())
        if region.low == region.high:
            return False
        if key not in self.known:
            text = b"".join((region.before, *self.old.lines[region.low : region.high], region.behind))
            self.known[key] = self.parses(text)
        return bool(self.known[key])


def _block(indent: bytes) -> tuple[bytes, bytes]:
    """What must stand around statements of Python with this indentation.

    What follows them must still be inside of the same body; `def` lets no `else` follow it.
    """
    return (b"def f():\n%spass\n" % indent, b"\n%spass\n" % indent) if indent else (b"", b"")


def _can_follow(lines: Lines, depths: Sequence[int], at: int, indent: bytes) -> bool:
    """True when a statement with this indentation can stand here: what is above wants nothing more, and is as deep."""
    nearest = True
    for above in range(at - 1, -1, -1):
        line, words = lines[above], lines[above].strip()
        if words[:1] in (b"", b"#"):
            continue
        if nearest and _is_open(words):
            return False
        nearest = False
        own = line[: len(line) - len(line.lstrip())]
        if not (depths[above] or (own != indent and own.startswith(indent))):
            return own == indent
    return False


def _is_open(line: bytes) -> bool:
    """True when a line wants something below it, as the header of a block does."""
    parts = accumulate(line.split(b"#"), lambda left, right: left + b"#" + right)
    return line[:1] == b"@" or any(part.rstrip().endswith((b":", b"\\")) for part in parts)


def _indent(lines: Lines) -> bytes:
    """The smallest indentation of some lines."""
    return min(
        (line[: len(line) - len(line.lstrip())] for line in lines if line.strip()), key=len, default=b""
    )


def _frames(item: Item) -> tuple[Range, ...]:
    """The lines of an item that are in none of its bodies."""
    found: list[Range] = []
    at = item.start
    for body in sorted(item.bodies, key=lambda body: body.start):
        found.append((at, body.start))
        at = max(at, body.end)
    return (*found, (at, item.end))


def _places(moved: Sequence[Hunk], inside: Sequence[Hunk], around: frozenset[int]) -> list[Range]:
    """Where the new lines of hunks stand when all that are inside are applied."""
    found: list[Range] = []
    by = 0
    for hunk, own in zip(moved, inside, strict=True):
        if id(own) in around:
            found.append((hunk.start + by, hunk.start + by + len(hunk.new)))
        by += len(hunk.new) - len(hunk.old)
    return found


def _moved(hunk: Hunk, up: int) -> Hunk:
    return Hunk(hunk.start - up, hunk.old, hunk.new, hunk.seq)


def _falls_out(line: bytes, indent: bytes) -> bool:
    return bool(indent) and not line.startswith(indent) and bool(line.strip())
