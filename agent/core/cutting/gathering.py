"""Small groups of one file that say little alone, put where they belong: imports to their one user, blank lines together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.core.chunk import Budget
from agent.core.cutting.groups import Group
from agent.core.cutting.passage import merged
from agent.core.cutting.titles import is_import

FEW = 4
"""Imports of more changed lines stay a group of their own."""

_WORD = re.compile(rb"[A-Za-z_$][\w$]+")
_NO_NAMES = frozenset(
    b"import from as use using require include const let var type static extern crate default".split()
)


def gathered(groups: list[Group], budget: Budget) -> list[Group]:
    """The same hunks in fewer groups, in the same order; none becomes larger than the budget."""
    small = [at for at, group in enumerate(groups) if group.symbols == ("",) and _is_free(group)]
    if not small or len(groups) < 2:
        return groups
    needed = {need for group in groups for need in group.needs}
    small = [at for at in small if at not in needed]
    targets = _users(groups, [at for at in small if _are_imports(groups[at])])
    blank = [at for at in small if _is_blank(groups[at])]
    targets |= dict.fromkeys(blank[1:], blank[0]) if blank else {}
    place: dict[int, int] = {}
    for at, other in sorted(targets.items()):
        if groups[at].changed + groups[other].changed <= budget.lines:
            _join(groups[other], groups[at])
            place[at] = other
    kept = [at for at in range(len(groups)) if at not in place]
    number = {at: index for index, at in enumerate(kept)}
    for at in kept:
        groups[at].needs = {number[place.get(need, need)] for need in groups[at].needs}
    return [groups[at] for at in kept]


def _is_free(group: Group) -> bool:
    """True for what needs nothing and is no part of a larger change."""
    return not (group.needs or group.is_piece or group.defines)


def _lines(group: Group) -> list[bytes]:
    return [line for hunk in group.hunks for line in (*hunk.old, *hunk.new)]


def _is_blank(group: Group) -> bool:
    return all(not line.strip() for line in _lines(group))


def _are_imports(group: Group) -> bool:
    lines = [line for line in _lines(group) if line.strip()]
    return bool(lines) and group.changed <= FEW and all(map(is_import, lines))


def _users(groups: Sequence[Group], imports: Sequence[int]) -> dict[int, int]:
    """For each of `imports` the one other group that has a name of it, if there is but one."""
    if not imports:
        return {}
    words = [set(_WORD.findall(b"".join(_lines(group)))) - _NO_NAMES for group in groups]
    found = {}
    for at in imports:
        users = [
            other
            for other in range(len(groups))
            if other not in imports and not words[at].isdisjoint(words[other])
        ]
        if len(users) == 1 and not groups[users[0]].is_piece:
            found[at] = users[0]
    return found


def _join(target: Group, other: Group) -> None:
    target.hunks = merged(target.hunks + other.hunks)
    target.symbols = tuple(dict.fromkeys(target.symbols + other.symbols))
