"""Where lines of a base would stand in a text that drifted from it: exactly, or as near as can be told.

For showing a person what meets; nothing is written by it. Inside of lines that were replaced, those that are alike
say it, and between these the count of lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from agent.core.hunk import Hunk
from agent.core.text import Encoding, Lines

ALIKE = 60
"""Lines are alike from so many percent on."""

MAX_PAIRS = 40_000
"""More pairs of lines of one hunk are not compared."""

MAX_CHARS = 200
"""So much of a line is compared at most."""

Pair = tuple[int, int]


class Spots:
    """The places of hunks after `drift`: both stand over one base, as `diff` gives them."""

    def __init__(self, drift: Sequence[Hunk], encoding: Encoding) -> None:
        self._drift, self._encoding = drift, encoding
        self._ends = [hunk.end for hunk in drift]
        growth = (len(hunk.new) - len(hunk.old) for hunk in drift)
        self._offsets = list(accumulate(growth, initial=0))
        self._pairs: dict[int, list[Pair]] = {}

    def of(self, hunk: Hunk) -> Pair:
        """The first of the lines that stand where those of `hunk` did, and the one behind the last."""
        start, end = hunk.start, hunk.end
        first = bisect_left(self._ends, start)
        while first < len(self._drift) and not self._meets(first, start, end):
            if self._drift[first].end > start:
                break
            first += 1
        last = first
        while last < len(self._drift) and self._meets(last, start, end):
            last += 1
        if last == first:
            begin = start + self._offsets[first]
            return begin, begin + end - start
        low, high = self._within(first, start, end)[0], self._within(last - 1, start, end)[1]
        return low, max(low, high)

    def _meets(self, index: int, start: int, end: int) -> bool:
        """Whether the drift is in these lines, or at this place where there are none."""
        other = self._drift[index]
        if start == end == other.start == other.end:
            return True
        return other.start < max(end, start) and other.end > start

    def _within(self, index: int, start: int, end: int) -> Pair:
        """The place of base lines that meet one hunk of the drift, as far as that tells it."""
        other, offset = self._drift[index], self._offsets[index]
        if other.start >= start and other.end <= end:
            return start + offset, end + self._offsets[index + 1]
        if index not in self._pairs:
            self._pairs[index] = _alike(other.old, other.new, self._encoding)
        inside = max(start, other.start) - other.start, min(end, other.end) - other.start
        low, high = _near(self._pairs[index], (len(other.old), len(other.new)), *inside)
        at = other.start + offset
        first = start + offset if other.start >= start else at + low
        return first, end + self._offsets[index + 1] if other.end <= end else at + high


def _near(pairs: Sequence[Pair], sizes: Pair, start: int, end: int) -> Pair:
    """Where the old lines from `start` to `end` are among the new ones, of which these `pairs` are alike."""
    a, low = next(((i + 1, j + 1) for i, j in reversed(pairs) if i < start), (0, 0))
    b, high = next(((i, j) for i, j in pairs if i >= end), sizes)
    within = [pair for pair in pairs if start <= pair[0] < end]
    if within:
        (i, j), (k, m) = within[0], within[-1]
        return max(low, j - (i - start)), min(high, m + end - k)
    above, below = start - a, b - end
    room = max(0, high - low - (end - start))
    if above + below > room:
        above, below = room * above // (above + below), room - room * above // (above + below)
    if start == end and (a, b) != (start, end):
        return low + above, low + above
    return low + above, high - below


def _alike(old: Lines, new: Lines, encoding: Encoding) -> list[Pair]:
    """Pairs of lines that are alike, rising on both sides, the most alike ones; none of very many."""
    if len(old) * len(new) > MAX_PAIRS:
        return []
    from rapidfuzz import fuzz  # here: few changes do not fit, and it is long to import

    ours, theirs = (
        [line.decode(encoding.codec, "replace").strip()[:MAX_CHARS] for line in side] for side in (old, new)
    )
    best = [[0.0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    scores = [[fuzz.ratio(a, b, score_cutoff=ALIKE) if a and b else 0.0 for b in theirs] for a in ours]
    for i in range(len(ours) - 1, -1, -1):
        row, below, score = best[i], best[i + 1], scores[i]
        for j in range(len(theirs) - 1, -1, -1):
            paired = score[j] + below[j + 1] if score[j] else 0.0
            row[j] = max(below[j], row[j + 1], paired)
    pairs: list[Pair] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        if scores[i][j] and best[i][j] == scores[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
