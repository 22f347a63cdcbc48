"""The place that a missing text resembles most: to tell the model, never to write there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

MAX_QUOTED = 12
"""Lines of the file that are quoted back."""

MAX_COMPARED = 4000
"""Lines of the file that are compared by edit distance, when no line is the same."""

LEAST_LIKE = 60
"""Percent; what is less similar is not near."""

MAX_CHARS = 400
"""Characters of a line that are compared or quoted."""


class Near(msgspec.Struct, frozen=True):
    """`lines` of the file, verbatim, from 0-based line `start` on; `said` and `real` the first that differ."""

    start: int
    lines: tuple[str, ...]
    said: str | None = None
    real: str | None = None


def nearest(texts: Sequence[str], old: Sequence[str]) -> Near | None:
    """Where most lines of `old` are, up to blanks; else where its longest line has a similar one."""
    start = _by_votes(texts, old)
    if start is None:
        start = _by_distance(texts, old)
    if start is None:
        return None
    start = max(0, start)
    end = min(len(texts), start + len(old))
    differs = _difference(texts[start:end], old)
    first = start if differs < MAX_QUOTED - 2 else min(start + differs - 2, end)
    quoted = tuple(text[:MAX_CHARS] for text in texts[first : min(end, first + MAX_QUOTED)])
    if differs >= len(old):
        return Near(first, quoted)
    real = texts[start + differs][:MAX_CHARS] if start + differs < end else None
    return Near(first, quoted, old[differs][:MAX_CHARS], real)


def _difference(real: Sequence[str], old: Sequence[str]) -> int:
    """Index of the first line that differs in more than blanks, else that differs at all, else their number."""
    for look in (str.strip, str):
        for index, line in enumerate(old):
            if index >= len(real) or look(real[index]) != look(line):
                return index
    return len(old)


def _by_votes(texts: Sequence[str], old: Sequence[str]) -> int | None:
    """The offset at which most lines agree; rare lines count, lines that are everywhere do not."""
    wanted: dict[str, list[int]] = {}
    for index, line in enumerate(old):
        if line.strip():
            wanted.setdefault(line.strip(), []).append(index)
    votes: Counter[int] = Counter()
    seen: Counter[str] = Counter()
    for at, text in enumerate(texts):
        key = text.strip()
        for index in wanted.get(key, ())[:8]:
            seen[key] += 1
            if seen[key] <= 64:
                votes[at - index] += min(len(key), 40)
    if not votes:
        return None
    best = max(votes.values())
    return min(start for start, count in votes.items() if count == best) if best > 3 else None


def _by_distance(texts: Sequence[str], old: Sequence[str]) -> int | None:
    from rapidfuzz import fuzz, process  # here: few texts are missing, and it is long to import

    index, line = max(enumerate(old), key=lambda pair: len(pair[1].strip()), default=(0, ""))
    choices = {at: text.strip()[:MAX_CHARS] for at, text in enumerate(texts[:MAX_COMPARED]) if text.strip()}
    found = process.extractOne(line.strip()[:MAX_CHARS], choices, scorer=fuzz.ratio, score_cutoff=LEAST_LIKE)
    return found[2] - index if found else None
