"""What is left to do for a file on which the search for sound chunks has spent all that it may: go down the file.

The changes are taken in the order of the file, each with the next ones until the file parses, as far as the hard
limit lets them. That gives larger chunks in a plainer order, but takes time that is linear in the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.chunk import Budget
from agent.core.code.sheet import Sheet
from agent.core.cutting.partition import Piece
from agent.core.cutting.passage import cut_soundly
from agent.core.cutting.soundness import Checker
from agent.core.hunk import Hunk


def down_the_file(
    hunks: Sequence[Hunk], old: Sheet, new: Sheet, budget: Budget, checker: Checker
) -> tuple[list[list[Piece]], int]:
    """Pieces of `hunks` (all that change `old` into `new`) in order, in one list those that go together.

    Also after how many of these lists the file does not parse.
    """
    checker = Checker(old, new, checker.allowance.reserve or checker.allowance)
    pieces: list[Piece] = []
    offset = 0
    for hunk in hunks:
        at, first = hunk.start + offset, len(pieces)
        offset += len(hunk.new) - len(hunk.old)
        whole = hunk.changed <= budget.hard_lines
        own = [_whole(hunk, at)] if whole else cut_soundly(hunk, old, new, at, budget, checker)
        pieces += [Piece(p.hunks, p.at, tuple(first + need for need in p.needs)) for p in own]
    found: list[list[Piece]] = []
    current: list[Piece] = []
    applied = checker.spans()
    broken = 0
    for piece in pieces:
        if current and sum(p.changed for p in current) + piece.changed > budget.hard_lines:
            found.append(current)
            current = []
            broken += 1
        current.append(piece)
        applied = applied.plus(piece.hunks)
        if checker.sound_in(applied, [hunk for p in current for hunk in p.hunks]):
            found.append(current)
            current = []
    return [*found, current] if current else found, broken


def _whole(hunk: Hunk, at: int) -> Piece:
    return Piece((hunk,), at if hunk.new else hunk.start)
