"""Why a chunk comes where it comes, in a few words; others are called as their titles call them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.cutting.drafts import Draft
from agent.core.cutting.moves import Move, moves
from agent.core.cutting.titles import IMPORTS, label


class Reasons:
    """Asked for each draft in its `order`. `lines` name those that have but a file to be named by."""

    def __init__(self, drafts: Sequence[Draft], order: Sequence[int], lines: Sequence[int]) -> None:
        self._drafts, self._order, self._lines = drafts, order, lines
        gone, come = moves([drafts[index] for index in order])
        self._moves = {"go to": gone, "come from": come}
        self._seen: set[int] = set()

    def of(self, at: int, risk: str, otherwise: str) -> str:
        """The reason of the one at this place of the order; `otherwise` when there is none but its file."""
        index = self._order[at]
        own = self._reason(self._drafts[index], risk) or otherwise
        moved = [
            self._moved(self._drafts[index], way, found[at])
            for way, found in self._moves.items()
            if at in found
        ]
        self._seen.add(index)
        return "; ".join([own, *moved])

    def _reason(self, draft: Draft, risk: str) -> str:
        if draft.folded:
            return f"last: {draft.folded}"
        later = [(name, [user for user in users if user not in self._seen]) for name, users in draft.users]
        name, users = max(later, key=lambda pair: len(pair[1]), default=("", []))
        if users:
            subject = self._named(users[0]) if len(users) == 1 else f"{len(users)} later chunks"
            verb = "use" if len(users) > 1 or subject.startswith(IMPORTS) else "uses"
            return f"first: {subject} {verb} {name}"
        if draft.part[0] > 1:
            return f"goes on with {draft.symbols[0]}"
        uses = [(name, other) for other, name in draft.after.items() if other in self._seen and name]
        if uses:
            return f"after {self._named(uses[0][1])}: uses {uses[0][0]}"
        if draft.needs:
            return f"after {self._named(min(draft.needs))}, which it needs"
        return "risky, so early" if risk == "high" else ""

    def _named(self, index: int) -> str:
        draft = self._drafts[index]
        return label(draft.changes, draft.symbols, self._lines[index], opens=not draft.needs)

    def _moved(self, draft: Draft, way: str, move: Move) -> str:
        """How much of it moves where: `all its lines go to parse in new.py`."""
        others = [self._order[other] for other in move.others]
        paths = dict.fromkeys(self._drafts[other].changes[0].path for other in others)
        path, name = next(iter(paths)), self._named(others[0])
        where = f" in {path}" if path != draft.changes[0].path else ""
        if len(others) > 1:
            name = f"{len(others)} chunks"
            where = where if len(paths) == 1 else f" in {len(paths)} files"
        elif where and not any(self._drafts[others[0]].symbols):
            name, where = path, ""
        return f"{'all' if move.is_whole else 'most of'} its lines {way} {name}{where}"
