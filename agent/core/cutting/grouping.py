"""From the hunks of one text file to groups that a person decides on together.

Hunks inside of the same function or section go together while the budget allows; what does not parse alone
joins its neighbours, or needs them. Every hunk ends up, whole or in pieces, in exactly one group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agent.core.chunk import Budget
from agent.core.code.sheet import Sheet
from agent.core.cutting.fileorder import down_the_file
from agent.core.cutting.gathering import gathered
from agent.core.cutting.groups import Group, last_names
from agent.core.cutting.partition import Piece
from agent.core.cutting.passage import REACHES, SHARE, Passages, cut_soundly, joined, merged
from agent.core.cutting.settling import Settling
from agent.core.cutting.soundness import Checker, closure
from agent.core.hunk import Hunk
from agent.core.text import has_end

NEAR = 8
"""Changes outside of any symbol belong together when at most so many lines lie between them."""

SCREEN = 40
"""In a crowded difference small changes of one class, or of one file, go together when no more lines lie between them."""

REACH = 6
"""So many neighbours on either side are tried for a group that does not parse alone."""


def group_hunks(
    hunks: Sequence[Hunk], old: Sheet, new: Sheet, budget: Budget, checker: Checker, *, room: int = 0
) -> list[Group]:
    """Groups of `hunks` (all that change `old` into `new`, in order), in the order of the file.

    In a difference of very many hunks small ones of neighbours go together, up to `room` lines: nobody reads hundreds
    of cards of two lines. Where lines were matched across definitions, nothing parses but all of it; then whole items of
    the file around are taken as one hunk, and a way through it is looked for, further out each time.
    """
    ways: dict[Hunk, list[Piece]] = {}
    checker.lend(SHARE)
    given = hunks
    groups = _grouped(hunks, ways, old, new, budget, checker, room=room)
    unsound = _unsound(groups, checker, budget)
    for reach in range(REACHES):
        if not unsound or not checker.usable:
            break
        passages = Passages(hunks, old, new, budget, checker)
        hunks = passages.around([groups[index].hunks for index in unsound], reach, ways)
        checker.lend(SHARE)
        groups = _grouped(hunks, ways, old, new, budget, checker, room=room)
        unsound = _unsound(groups, checker, budget)
    spent = checker.usable and checker.spent
    checker.lend(1)
    if spent or unsound:
        parts, broken = down_the_file(given, old, new, budget, checker)
        if spent or broken < len(unsound):
            checker.in_order = True
            return _in_order(parts, old, new, budget)
    return groups


def _unsound(groups: Sequence[Group], checker: Checker, budget: Budget) -> list[int]:
    """Groups after which the file does not parse, in the best order that is found."""
    if not checker.usable:
        return []
    members, needs = [group.hunks for group in groups], [group.needs for group in groups]
    settling = Settling(members, needs, checker, budget.hard_lines)
    order = settling.order(range(len(groups)))
    checker.settled = order == [(index,) for index in range(len(groups))] and not checker.spent
    return settling.forced


def _in_order(parts: Sequence[Sequence[Piece]], old: Sheet, new: Sheet, budget: Budget) -> list[Group]:
    """Groups of pieces whose `needs` count all pieces, in this order."""
    groups: list[Group] = []
    places: list[int] = []
    for pieces in parts:
        index = len(groups)
        places += [index] * len(pieces)
        group = Group(
            merged([hunk for piece in pieces for hunk in piece.hunks]),
            tuple(dict.fromkeys(name for piece in pieces for name in _symbols(piece, old, new))),
            {places[need] for piece in pieces for need in piece.needs} - {index},
            defines=frozenset[bytes]().union(*(_defines(piece, new) for piece in pieces)),
        )
        groups.append(group)
    _keep_the_end(groups)
    return _together(groups, budget, new)


def _grouped(
    hunks: Sequence[Hunk],
    ways: Mapping[Hunk, list[Piece]],
    old: Sheet,
    new: Sheet,
    budget: Budget,
    checker: Checker,
    *,
    room: int,
) -> list[Group]:
    groups: list[Group] = []
    offset = 0
    for hunk in hunks:
        known = ways.get(hunk) if ways else None  # a hunk is long to hash
        pieces = known or cut_soundly(hunk, old, new, hunk.start + offset, budget, checker)
        pieces = packed(pieces, old, new, budget) if len(pieces) > 1 else pieces
        offset += len(hunk.new) - len(hunk.old)
        first, is_piece = len(groups), len(pieces) > 1
        for piece in pieces:
            needs = {first + need for need in piece.needs} if piece.needs else set()
            symbols, defines = _symbols(piece, old, new), _defines(piece, new)
            groups.append(Group(piece.hunks, symbols, needs, is_piece, defines))
    last = next((hunk for hunk in reversed(hunks) if hunk.old), None)
    if last is not None and not has_end(last.old[-1]):
        _keep_the_end(groups)
    groups = gathered(_together(groups, budget, new, room), budget)
    if len(groups) > 1 and checker.usable:
        groups = _Repair(groups, checker, budget).run()
    return groups


def _keep_the_end(groups: Sequence[Group]) -> None:
    """What comes behind a last line without an end needs that line gone, or both would be one."""
    last = {
        at: hunk.end
        for at, group in enumerate(groups)
        for hunk in group.hunks
        if hunk.old and not has_end(hunk.old[-1])
    }
    ends = set(last.values())
    for at, group in enumerate(groups):
        if ends and any(hunk.start in ends for hunk in group.hunks):
            group.needs |= last.keys() - {at}


def packed(pieces: list[Piece], old: Sheet, new: Sheet, budget: Budget) -> list[Piece]:
    """Pieces of one hunk, neighbours in the same symbol as one while the budget allows."""
    index = 0
    while index + 1 < len(pieces):
        one, two = pieces[index], pieces[index + 1]
        fits = one.changed + two.changed <= budget.lines
        same = fits and _symbols(one, old, new)[-1:] == _symbols(two, old, new)
        both = joined(pieces, index) if same else None
        if both is None:
            index += 1
        else:
            pieces = both
    return pieces


def _symbols(piece: Piece, old: Sheet, new: Sheet) -> tuple[str, ...]:
    """The symbols that a piece touches: of the first line that says something, and of each run of lines."""
    sheet, lines = new, [line for hunk in piece.hunks for line in hunk.new]
    if not lines:
        sheet, lines = old, [line for hunk in piece.hunks for line in hunk.old]
    names: dict[str, None] = {}
    last = 0
    for at, line in enumerate(lines, piece.at):
        if at >= last and line.strip():
            symbol = sheet.symbol(at)
            names[symbol.name if symbol else ""] = None
            last = symbol.end if symbol else at + 1
    return tuple(names) or ("",)


def _defines(piece: Piece, new: Sheet) -> frozenset[bytes]:
    found: list[str] = []
    for hunk in piece.hunks:
        if hunk.new:
            at = piece.at + hunk.seq - piece.hunks[0].seq
            found += new.begun(at, at + len(hunk.new))
    return last_names(found) if found else frozenset()


def _together(groups: list[Group], budget: Budget, new: Sheet, room: int = 0) -> list[Group]:
    """Neighbours of the same symbol become one group, and those of the same class that have `room` together."""
    merged: list[Group] = []
    place: list[int] = []
    changed = 0
    around = _ends(groups, new)
    for index, group in enumerate(groups):
        previous = merged[-1] if merged else None
        joins = previous is not None and not (previous.is_piece or group.is_piece)
        own = group.changed
        if previous is not None and joins and changed + own <= budget.lines:
            above, below = previous.symbols[-1], group.symbols[0]
            if around:
                above, below = around[index - 1][1] or above, around[index][0] or below
            joins = _belong(previous, group, above == below, changed + own, room)
        else:
            joins = False
        if previous is not None and joins:
            previous.hunks += group.hunks
            previous.symbols += tuple([name for name in group.symbols if name not in previous.symbols])
            if group.defines:
                previous.defines |= group.defines
            changed += own
        else:
            merged.append(group)
            changed = own
        place.append(len(merged) - 1)
    for group in merged:
        if group.needs:
            group.needs = {place[need] for need in group.needs}
    return merged


def _ends(groups: Sequence[Group], new: Sheet) -> list[tuple[str, str]]:
    """What is around the first and the last lines of each group where they only go; none when they go nowhere."""
    if all(group.hunks[0].new and group.hunks[-1].new for group in groups):
        return []
    found: list[tuple[str, str]] = []
    by = 0
    for group in groups:
        first, last = group.hunks[0], group.hunks[-1]
        above = "" if group.is_piece or first.new else _around(first.start + by, new)
        for hunk in group.hunks:
            by += len(hunk.new) - len(hunk.old)
        below = "" if group.is_piece or last.new else _around(last.end + by, new)
        found.append((above, below))
    return found


def _around(line: int, new: Sheet) -> str:
    """The symbol in which lines went that stood above this line; empty where that is none, or one ends there."""
    lines = new.lines
    above = next((at for at in range(line - 1, max(-1, line - SCREEN), -1) if lines[at].strip()), None)
    below = next((at for at in range(line, min(line + SCREEN, len(lines))) if lines[at].strip()), None)
    if above is None or below is None:
        return ""
    one, two = new.symbol(above), new.symbol(below)
    return one.name if one is not None and two is not None and one.start == two.start else ""


def _belong(one: Group, two: Group, alike: bool, changed: int, room: int) -> bool:
    """True when two neighbours that have so many changed lines together are of one group; `alike`: in one symbol."""
    if not alike and one.symbols[-1] != two.symbols[0]:
        return changed <= room and _are_neighbours(one, two)
    return bool(one.symbols[-1]) or two.start - one.hunks[-1].end <= NEAR


def _are_neighbours(one: Group, two: Group) -> bool:
    """True for changes inside of definitions of the same class, or of the margin, that one screen shows together."""
    last, first = one.symbols[-1], two.symbols[0]
    if not (last and first) or two.start - one.hunks[-1].end > SCREEN:
        return False
    if (one.defines or two.defines) and (_comes(one) or _comes(two)):
        return False
    same = last.rpartition(".")[0] == first.rpartition(".")[0]
    return same or first.startswith(f"{last}.") or last.startswith(f"{first}.")


def _comes(group: Group) -> bool:
    """True when a definition begins in lines that only come."""
    return bool(group.defines and not all(hunk.old for hunk in group.hunks))


class _Repair:
    """Joins groups that do not parse without one another."""

    def __init__(self, groups: list[Group], checker: Checker, budget: Budget) -> None:
        self.groups = groups
        self.budget = budget
        self.checker = checker

    def run(self) -> list[Group]:
        index = 0
        while index < len(self.groups) and not self.checker.spent:
            if self._sound({index}):
                index += 1
            else:
                index = self._mend(index)
        return self.groups

    def _sound(self, indexes: Iterable[int]) -> bool:
        wanted = set(indexes)
        if any(self.groups[index].needs for index in wanted):
            wanted = closure(wanted, [group.needs for group in self.groups])
        return self.checker.sound([hunk for i in wanted for hunk in self.groups[i].hunks])

    def _mend(self, index: int) -> int:
        """Make group `index` parse; the index to go on from."""
        near = [
            at
            for step in range(1, REACH + 1)
            for at in (index - step, index + step)
            if 0 <= at < len(self.groups)
        ]
        for at in near:
            if self._sound({index, at}):
                return self._pair(index, at)
        for width in range(2, REACH + 1):
            for low in range(max(0, index - width), index + 1):
                window = range(low, min(low + width + 1, len(self.groups)))
                size = sum(self.groups[at].changed for at in window)
                if index in window and size <= self.budget.hard_lines and self._sound(window):
                    return self._join(window)
        return index + 1

    def _pair(self, index: int, at: int) -> int:
        size = self.groups[index].changed + self.groups[at].changed
        between = range(min(index, at), max(index, at) + 1)
        if size > self.budget.lines and self._sound({at}):
            if index not in closure({at}, [group.needs for group in self.groups]):
                self.groups[index].needs.add(at)
            return index + 1
        if size <= self.budget.hard_lines:
            return self._join((between[0], between[-1]))
        return index + 1

    def _join(self, indexes: Sequence[int]) -> int:
        """Make one group of several; the index to go on from."""
        first, rest = indexes[0], set(indexes[1:])
        if self._makes_a_circle(set(indexes)):
            return max(indexes) + 1
        target = self.groups[first]
        place: dict[int, int] = {}
        kept: list[Group] = []
        for index, group in enumerate(self.groups):
            if index in rest:
                target.hunks = merged(target.hunks + group.hunks)
                target.symbols = tuple(dict.fromkeys(target.symbols + group.symbols))
                target.needs |= group.needs
                target.defines |= group.defines
                place[index] = first
            else:
                place[index] = len(kept)
                kept.append(group)
        for group in kept:
            group.needs = {place[need] for need in group.needs}
        target.needs.discard(first)
        self.groups = kept
        return first

    def _makes_a_circle(self, members: set[int]) -> bool:
        """True when something outside needs a member and is needed by one."""
        edges = [group.needs for group in self.groups]
        outside = {need for member in members for need in edges[member]} - members
        return not members.isdisjoint(closure(outside, edges))
