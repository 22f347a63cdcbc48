"""Circles of links: each of some drafts is better after another of them.

Small ones of one file become one draft, as a function that gets another name with its callers: there is no order of its
members in which each is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.core.chunk import Budget
from agent.core.cutting.drafts import Draft, join, without
from agent.core.cutting.order import components
from agent.core.cutting.soundness import Checker
from agent.core.hunk import ChangeKind


def closed(drafts: Sequence[Draft], checkers: Mapping[str, Checker], budget: Budget) -> Sequence[Draft]:
    """`drafts`, where the members of a circle are one draft if they are within the budget and of one file.

    Not where there is no time to see whether that file parses then.
    """
    if not any(draft.after for draft in drafts):
        return drafts
    goes_on = {draft.follows for draft in drafts}
    gone: set[int] = set()
    for first, *others in components([draft.needs | draft.after.keys() for draft in drafts]):
        own = [drafts[index] for index in (first, *others)]
        checker = checkers.get(own[0].changes[0].path)
        if not others or (checker is not None and checker.in_order):
            continue
        if sum(draft.changed for draft in own) > budget.lines or not all(map(_is_plain, own)):
            continue
        if len({draft.changes[0].path for draft in own}) > 1 or not goes_on.isdisjoint((first, *others)):
            continue
        for other in others:
            join(drafts, first, other)
        gone.update(others)
        if checker is not None:
            checker.settled = False
    return without(drafts, gone) if gone else drafts


def _is_plain(draft: Draft) -> bool:
    """True for lines of a file that go on with nothing."""
    return draft.changes[0].kind is ChangeKind.MODIFY and draft.follows < 0 and not draft.folded
