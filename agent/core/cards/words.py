"""Word-level emphasis: which words of a replaced line are new, and which are gone.

Lines are shown segments already, so what is compared is what is seen (marks included). Bounded: blocks, lines
and pairs beyond a size get no emphasis, so a card never waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from agent.core.clean import Segment, pieced

MAX_BLOCK_LINES = 60
MAX_TOKENS = 300
WINDOW = 4
"""How many added lines are looked at to find the partner of a removed one."""
ALIKE = 0.5

Line = tuple[Segment, ...]
Token = tuple[str, bool]
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def emphasise(removed: Sequence[Line], added: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The same lines, with `strong` on the words that make the difference between partners."""
    old, new = list(removed), list(added)
    for i, j, gone, fresh in _pairs(removed, added):
        old[i] = _rebuild(_tokens(removed[i]), gone)
        new[j] = _rebuild(_tokens(added[j]), fresh)
    return old, new


def partners(removed: Sequence[Line], added: Sequence[Line]) -> list[tuple[int, int]]:
    """Which removed and which added line, by their index, are versions of one line."""
    return [(i, j) for i, j, _, _ in _pairs(removed, added)]


def _pairs(
    removed: Sequence[Line], added: Sequence[Line]
) -> Iterator[tuple[int, int, list[bool], list[bool]]]:
    """Partners, with what differs of either."""
    if not removed or not added or max(len(removed), len(added)) > MAX_BLOCK_LINES:
        return
    new_tokens = [_tokens(line) for line in added]
    start = 0
    for i, line in enumerate(removed):
        left = _tokens(line)
        for j in range(start, min(start + WINDOW, len(added))):
            flags = _difference(left, new_tokens[j])
            if flags:
                yield i, j, *flags
                start = j + 1
                break


def _tokens(line: Line) -> list[Token]:
    return [(word, part.mark) for part in line for word in _TOKEN.findall(part.text)]


def _difference(left: list[Token], right: list[Token]) -> tuple[list[bool], list[bool]] | None:
    """What differs on either side, when the two are alike enough to be versions of one line."""
    if max(len(left), len(right)) > MAX_TOKENS or not _share(left, right):
        return None
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    gone, fresh = [True] * len(left), [True] * len(right)
    for a, b, size in matcher.get_matching_blocks():
        gone[a : a + size] = [False] * size
        fresh[b : b + size] = [False] * size
    same = _weight(left, gone, False) + _weight(right, fresh, False)
    total = same + _weight(left, gone, True) + _weight(right, fresh, True)
    if total and same < ALIKE * total:
        return None
    return _fill(left, gone), _fill(right, fresh)


def _share(left: list[Token], right: list[Token]) -> bool:
    """A cheap test before the real one: at least a third of the shorter line's words are in the other."""
    here = {word for word, _ in left if not word.isspace()}
    there = {word for word, _ in right if not word.isspace()}
    return len(here & there) * 3 >= min(len(here), len(there))


def _weight(tokens: list[Token], flags: list[bool], wanted: bool) -> int:
    return sum(
        len(word)
        for (word, _), flag in zip(tokens, flags, strict=True)
        if flag is wanted and not word.isspace()
    )


def _fill(tokens: list[Token], flags: list[bool]) -> list[bool]:
    """Blanks between two emphasised words are emphasised too."""
    for at in range(1, len(flags) - 1):
        if tokens[at][0].isspace() and flags[at - 1] and flags[at + 1]:
            flags[at] = True
    return flags


def _rebuild(tokens: list[Token], flags: Iterable[bool]) -> Line:
    parts: list[Segment] = []
    for (word, mark), strong in zip(tokens, flags, strict=True):
        if parts and (parts[-1].mark, parts[-1].strong) == (mark, strong):
            parts[-1] = Segment(pieced((parts[-1].text, word)), mark, strong)
        else:
            parts.append(Segment(pieced((word,)), mark, strong))
    return tuple(parts)
