"""Lines and hunks: apply them, find them, and carry them over a drift.

Promises: any order of the same hunks is one splice; `splice(old, diff(old, new)) == new`; `transplant` maps
positions through the diff of what drifted and never searches, so it lands at the right place or clashes.
Knows lines only: no files, modes or encodings (see `place`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import lt, ne

from agent.core.hunk import Hunk
from agent.core.outcome import Clash
from agent.core.text import Lines

CHANGED = "these lines were changed meanwhile"
LENGTHENED = "lines were added at the end meanwhile"

MAX_EDITS = 128
"""Myers gives up on a gap after this many edits, and the gap is replaced whole: time stays linear."""

AT_ONCE = 16
"""So many lines are compared at a time where a gap is long."""

MAX_DEPTH = 24
"""How often a gap is searched for lines that are unique in it."""

MAX_SLIDE = 200
"""How far, in lines, a pure hunk is moved for the reader's sake."""

Gap = tuple[int, int, int, int]
"""`old[a:b]` against `new[c:d]`, as (a, b, c, d)."""


def position(hunk: Hunk) -> tuple[int, bool, int]:
    """By this hunks are sorted: insertions at a line come before a replacement of that line, in their order."""
    return hunk.start, bool(hunk.old), hunk.seq


def splice(lines: Lines, hunks: Iterable[Hunk]) -> Lines:
    """`lines` with all `hunks`, in whatever order they are given.

    Raises ValueError when two hunks overlap, or when one does not stand over these lines.
    """
    out: list[bytes] = []
    at = 0
    for hunk in sorted(hunks, key=position):
        if hunk.start < at or hunk.end > len(lines):
            raise ValueError(f"hunk at line {hunk.start + 1} overlaps another or the end")
        if lines[hunk.start : hunk.end] != hunk.old:
            raise ValueError(f"hunk at line {hunk.start + 1} does not stand over these lines")
        out += lines[at : hunk.start]
        out += hunk.new
        at = hunk.end
    return (*out, *lines[at:])


def numbered(hunk: Hunk, above: Hunk | None) -> Hunk:
    """`hunk`, which comes behind `above`, so that whatever both are cut into keeps its order where they touch."""
    least = above.seq + len(above.new) if above is not None and above.end == hunk.start else 0
    return hunk if hunk.seq >= least else Hunk(hunk.start, hunk.old, hunk.new, least)


def diff(old: Lines, new: Lines) -> tuple[Hunk, ...]:
    """Hunks that turn `old` into `new`, in order, never touching one another. Deterministic.

    Lines that are unique on both sides anchor the rest (patience); what is left between them goes to Myers, or
    is replaced whole where that would take long.
    """
    pending: list[tuple[Gap, int]] = [((0, len(old), 0, len(new)), 0)]
    found: list[Gap] = []
    while pending:
        gap, depth = pending.pop()
        a, b, c, d = gap = _trim(old, new, gap) if gap[0] < gap[1] and gap[2] < gap[3] else gap
        if a == b or c == d:
            if a < b or c < d:
                found.append(gap)
            continue
        replaced = _in_place(old, new, gap) if b - a == d - c else []
        if replaced or set(old[a:b]).isdisjoint(new[c:d]):
            found += replaced or [gap]
            continue
        parts = _between_anchors(old, new, gap) if depth < MAX_DEPTH else []
        if parts:
            pending += [(part, depth + 1) for part in parts]
        else:
            found += _myers(old[a:b], new[c:d], a, c)
    return _hunks(old, new, found)


def _trim(old: Lines, new: Lines, gap: Gap) -> Gap:
    """What is left without the lines that are the same at both ends; of a long gap many are compared at a time."""
    a, b, c, d = gap
    sizes = (16 * AT_ONCE, AT_ONCE) if min(b - a, d - c) >= AT_ONCE else ()
    for size in sizes:
        while b - a >= size and d - c >= size and old[a : a + size] == new[c : c + size]:
            a, c = a + size, c + size
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    for size in sizes:
        while b - a >= size and d - c >= size and old[b - size : b] == new[d - size : d]:
            b, d = b - size, d - size
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    return a, b, c, d


def _in_place(old: Lines, new: Lines, gap: Gap) -> list[Gap]:
    """The runs of lines that were replaced where they stand; empty when some of them may only have moved."""
    a, b, c, d = gap
    runs: list[Gap] = []
    for at in compress(range(b - a), map(ne, old[a:b], new[c:d])):
        if runs and runs[-1][1] == a + at:
            runs[-1] = (runs[-1][0], a + at + 1, runs[-1][2], c + at + 1)
        else:
            runs.append((a + at, a + at + 1, c + at, c + at + 1))
    gone = {line for i, k, _, _ in runs for line in old[i:k]}
    moved = any(line in gone for _, _, j, m in runs for line in new[j:m])
    return [] if moved else runs


def _between_anchors(old: Lines, new: Lines, gap: Gap) -> list[Gap]:
    """The gaps between lines that occur exactly once on either side, in the longest order that both share.

    Empty when there is no such line.
    """
    a, b, c, d = gap
    here = _unique(old, a, b)
    there = _unique(new, c, d)
    pairs = [(i, there[line]) for line, i in here.items() if line in there]
    chain = _longest_rising(sorted(pairs))
    gaps = []
    for i, j in chain:
        if old[a:i] != new[c:j]:
            gaps.append((a, i, c, j))
        a, c = i + 1, j + 1
    return [*gaps, (a, b, c, d)] if chain else []


def _unique(lines: Lines, start: int, end: int) -> dict[bytes, int]:
    """Lines that occur once between `start` and `end`, in order, with their places."""
    part = lines[start:end]
    places = dict(zip(part, range(start, end), strict=True))
    if len(places) == len(part):
        return places
    counts = Counter(part)
    return {line: at for line, at in places.items() if counts[line] == 1}


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """The longest part of `pairs` (rising in the first) that also rises in the second; patience sorting."""
    values = [value for _, value in pairs]
    if all(map(lt, values, values[1:])):
        return pairs
    tops: list[int] = []
    piles: list[int] = []
    back: list[int] = []
    for index, value in enumerate(values):
        at = bisect_left(tops, value)
        back.append(piles[at - 1] if at else -1)
        if at == len(tops):
            tops.append(value)
            piles.append(index)
        else:
            tops[at], piles[at] = value, index
    chain = []
    index = piles[-1]
    while index >= 0:
        chain.append(pairs[index])
        index = back[index]
    return chain[::-1]


def _myers(old: Lines, new: Lines, a: int, c: int) -> list[Gap]:
    """Changed gaps of the shortest edit script; the whole when it has more than MAX_EDITS steps.

    E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986; greedy, with the trace kept.
    """
    n, m = len(old), len(new)
    best = {1: 0}
    trace: list[dict[int, int]] = []
    for step in range(min(n + m, MAX_EDITS) + 1):
        trace.append(dict(best))
        for k in range(-step, step + 1, 2):
            down = k == -step or (k != step and best[k - 1] < best[k + 1])
            x = best[k + 1] if down else best[k - 1] + 1
            while x < n and 0 <= x - k < m and old[x] == new[x - k]:
                x += 1
            best[k] = x
            if k == n - m and x >= n:
                return _walk_back(trace, n, m, a, c)
    return [(a, a + n, c, c + m)]


def _walk_back(trace: list[dict[int, int]], x: int, y: int, a: int, c: int) -> list[Gap]:
    gaps = []
    for step in range(len(trace) - 1, 0, -1):
        best, k = trace[step], x - y
        down = k == -step or (k != step and best[k - 1] < best[k + 1])
        before = k + 1 if down else k - 1
        x = best[before]
        y = x - before
        gaps.append((a + x, a + x + (not down), c + y, c + y + down))
    return gaps


def _hunks(old: Lines, new: Lines, gaps: list[Gap]) -> tuple[Hunk, ...]:
    """Gaps in order, joined where they touch, pure ones moved to where a reader expects them."""
    joined: list[Gap] = []
    for a, b, c, d in sorted(gaps):
        if joined and joined[-1][1] == a and joined[-1][3] == c:
            joined[-1] = (joined[-1][0], b, joined[-1][2], d)
        else:
            joined.append((a, b, c, d))
    hunks: list[Hunk] = []
    for index, (a, b, c, d) in enumerate(joined):
        hunk = Hunk(a, old[a:b], new[c:d])
        if a == b or c == d:
            low = hunks[-1].end + 1 if hunks else 0
            high = joined[index + 1][0] - 1 if index + 1 < len(joined) else len(old)
            hunk = _slide(old, hunk, low, high)
        hunks.append(hunk)
    return tuple(hunks)


def _slide(old: Lines, hunk: Hunk, low: int, high: int) -> Hunk:
    """A pure hunk among repetitions, put where its block starts with the least indented, non-blank line."""
    block, start, end = hunk.old or hunk.new, hunk.start, hunk.end
    if (start <= low or old[start - 1] != block[-1]) and (end >= high or old[end] != block[0]):
        return hunk
    up, down = _reach(old, hunk, max(low, start - MAX_SLIDE), min(high, end + MAX_SLIDE))
    best, best_key = 0, (True, 0)
    for shift in range(down, -up - 1, -1):
        line = block[shift % len(block)]
        key = (not line.strip(), len(line) - len(line.lstrip()))
        if shift == down or key < best_key:
            best, best_key = shift, key
    turn = best % len(block)
    moved = block[turn:] + block[:turn]
    return Hunk(hunk.start + best, moved if hunk.old else (), moved if hunk.new else ())


def _reach(base: Lines, hunk: Hunk, low: int, high: int) -> tuple[int, int]:
    """How many lines a pure hunk can move up and down along repetitions of its block, within [low, high]."""
    block = hunk.old or hunk.new
    up = down = 0
    while hunk.start - up > low and base[hunk.start - up - 1] == block[-1 - up % len(block)]:
        up += 1
    while hunk.end + down < high and base[hunk.end + down] == block[down % len(block)]:
        down += 1
    return up, down


def transplant(
    base: Lines, target: Lines, current: Lines, path: str = "", newline: bytes = b"\n"
) -> Lines | Clash:
    """The change `base` to `target`, made to `current`, by position; a Clash where that is not certain.

    A hunk must lie clear of what drifted, or be there already, exactly. A pure insertion or deletion also
    needs both lines around it untouched, a replacement one of them, and no line of it in the drift beside it. What
    could as well have happened some lines up or down, of either, counts as all of these places. A line without
    `newline` (LF in the encoding of the file) stays the last.
    """
    if current in (base, target):
        return target
    moved = []
    for hunk, place in carried(base, diff(base, target), diff(base, current), newline):
        if isinstance(place, Clash):
            return Clash(path, place.reason, place.line)
        moved.append(Hunk(place, hunk.old, hunk.new))
    return splice(current, moved)


def carried(
    base: Lines, own: Sequence[Hunk], drift: Sequence[Hunk], newline: bytes = b"\n"
) -> Iterator[tuple[Hunk, int | Clash]]:
    """Where each hunk of `own` stands after `drift`, or why that is not certain. What is there already is left out.

    Both are hunks over `base` as `diff` gives them. The rules are those of `transplant`.
    """
    lines, gaps = _touched(base, drift)
    offset, passed = 0, 0
    for index, hunk in enumerate(own):
        while passed < len(drift) and drift[passed].end <= hunk.start:
            offset += len(drift[passed].new) - len(drift[passed].old)
            passed += 1
        if hunk in drift[max(0, passed - 1) : passed + 1]:
            continue
        low = own[index - 1].end if index else 0
        high = own[index + 1].start if index + 1 < len(own) else len(base)
        start = hunk.start + offset
        near = [
            other
            for other in drift[max(0, passed - 1) : passed + 2]
            if other.end >= hunk.start and other.start <= hunk.end
        ]
        if _unsafe(base, hunk, (low, high), lines, gaps):
            yield hunk, Clash("", CHANGED, start + 1)
        elif any(not set(other.new).isdisjoint(hunk.new) for other in near):
            yield hunk, Clash("", "some of this is there already, changed", start + 1)
        elif hunk.new and not hunk.new[-1].endswith(newline) and gaps[len(base)]:
            yield hunk, Clash("", LENGTHENED, start + 1)
        else:
            yield hunk, start


def _touched(base: Lines, drift: Sequence[Hunk]) -> tuple[bytearray, bytearray]:
    """A flag for each line of `base` that drift may have touched, and for each gap before a line.

    A block that was put in or taken out among repetitions may be any of them: all of these are touched.
    """
    lines, gaps = bytearray(len(base)), bytearray(len(base) + 1)
    for index, hunk in enumerate(drift):
        low = drift[index - 1].end if index else 0
        high = drift[index + 1].start if index + 1 < len(drift) else len(base)
        up, down = (0, 0) if hunk.old and hunk.new else _reach(base, hunk, low, high)
        start, end = hunk.start - up, hunk.end + down
        lines[start:end] = b"\1" * (end - start)
        gaps[start : end + 1] = b"\1" * (end + 1 - start)
    return lines, gaps


def _unsafe(base: Lines, hunk: Hunk, room: tuple[int, int], lines: bytearray, gaps: bytearray) -> bool:
    """True when drift touches `hunk` or its edges, or any place where it could stand as well."""
    start, end = hunk.start, hunk.end
    if hunk.old and hunk.new:
        inside = 1 in lines[start:end] or 1 in gaps[start + 1 : end]
        return inside or bool(gaps[start] and gaps[end])
    up, down = _reach(base, hunk, *room)
    start, end = start - up, end + down
    return 1 in lines[max(0, start - 1) : end + 1] or 1 in gaps[start : end + 1]
