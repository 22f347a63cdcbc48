"""A hunk whose context leaves lines out without saying so, as models write it.

Each group of changed lines must stand at one place with the context next to it, the groups in their order, and
every other context line must be found between them. So nothing that was quoted is ignored.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.chunk import Grade
from agent.core.matching.document import Document
from agent.core.matching.match import Located, find
from agent.core.patches.patch import LineKind

MAX_TRIES = 40
"""How many cuts of the context are tried for one group."""

MAX_SPAN = 150
"""Lines between the first and the last changed line: nobody leaves out more inside of one hunk."""

Lines = Sequence[tuple[LineKind, str]]


def find_with_gaps(document: Document, lines: Lines) -> Located | None:
    """All groups of the hunk as one place; None when it does not fit with certainty."""
    runs, groups = _parts(lines)
    found: list[Located] = []
    at = 0
    for before, group, after in zip(runs, groups, runs[1:], strict=False):
        placed = _place(document, before, group, after)
        if placed is None:
            return None
        place, start, end = placed
        if start < at or not _in_order(document.texts[at:start], before):
            return None
        found.append(place)
        at = end
    if not found or at - found[0].start > MAX_SPAN or not _in_order(document.texts[at:], runs[-1]):
        return None
    grade = max((place.grade for place in found), key=list(Grade).index)
    hunks = tuple(hunk for place in found for hunk in place.hunks)
    return Located(found[0].start, found[-1].end, grade, hunks)


def _parts(lines: Lines) -> tuple[list[list[str]], list[list[tuple[LineKind, str]]]]:
    """Runs of context, and the groups of changed lines between them: always one run more than groups."""
    runs: list[list[str]] = [[]]
    groups: list[list[tuple[LineKind, str]]] = []
    for kind, text in lines:
        if kind is LineKind.CONTEXT:
            runs[-1].append(text)
        elif groups and not runs[-1] and len(runs) > 1:
            groups[-1].append((kind, text))
        else:
            groups.append([(kind, text)])
            runs.append([])
    return runs, groups


def _cuts(before: int, after: int, *, both: bool) -> list[tuple[int, int]]:
    """How much context to keep on either side, most first. `both`: some of each side that has any."""
    least = (1 if both and before else 0, 1 if both and after else 0)
    kept = [(b, a) for b in range(least[0], before + 1) for a in range(least[1], after + 1) if b + a]
    return sorted(kept, key=sum, reverse=True)[:MAX_TRIES]


def _place(
    document: Document, before: list[str], group: Lines, after: list[str]
) -> tuple[Located, int, int] | None:
    """The place of a group with as much of its context as fits, and where its own lines start and end.

    New lines alone must have their neighbours on both sides: between lines that are apart there are many places.
    """
    old = [text for kind, text in group if kind is LineKind.OLD]
    new = [text for kind, text in group if kind is LineKind.NEW]
    for keep, follow in _cuts(len(before), len(after), both=not old):
        head, tail = before[len(before) - keep :], after[:follow]
        place = find(document, [*head, *old, *tail], [*head, *new, *tail])
        if isinstance(place, Located) and place.end - place.start == keep + len(old) + follow:
            sure = place.grade in (Grade.EXACT, Grade.TRAILING_SPACE)
            return (place, place.start + keep, place.end - follow) if sure else None
    return None


def _in_order(texts: Sequence[str], context: Sequence[str]) -> bool:
    """True when all of `context` occurs in `texts`, in order, with anything in between."""
    rest = iter([text.strip() for text in texts])
    return all(line.strip() in rest for line in context if line.strip())
