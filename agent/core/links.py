"""Link drafts by names: what defines a name comes before what uses it, what stops using it before it goes."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.drafts import Draft
from agent.core.hunk import ChangeKind
from agent.core.usage import defined, imported, used

MAX_DEFINERS = 3
"""A name that more drafts define says nothing about their order."""

MAX_USERS = 400
"""A name that more drafts use is too common to order them by."""

_NO_LINES = (ChangeKind.BINARY, ChangeKind.SYMLINK, ChangeKind.RENAME, ChangeKind.MODE)


def link(drafts: Sequence[Draft]) -> None:
    """Fill `after` and `users` of the drafts."""
    added = [_lines(draft, new=True) for draft in drafts]
    removed = [_lines(draft, new=False) for draft in drafts]
    _connect(drafts, added, forward=True)
    _connect(drafts, removed, forward=False)


def _lines(draft: Draft, *, new: bool) -> list[bytes]:
    if draft.folded:
        return []
    return [
        line
        for change in draft.changes
        if change.kind not in _NO_LINES
        for hunk in change.hunks
        for line in (hunk.new if new else hunk.old)
    ]


def _connect(drafts: Sequence[Draft], lines: Sequence[list[bytes]], *, forward: bool) -> None:
    """Names are looked up among those of the whole difference, and those that the file itself imports."""
    definers: dict[tuple[str, bytes], list[int]] = {}
    for index, own in enumerate(lines):
        path = drafts[index].changes[0].path
        names = {("", name) for name in defined(own)} | {(path, name) for name in imported(own)}
        if forward:
            names |= {("", name) for name in drafts[index].defines}
        for key in names:
            definers.setdefault(key, []).append(index)
    clear = {key: found for key, found in definers.items() if len(found) <= MAX_DEFINERS}
    users: dict[tuple[str, bytes], list[int]] = {}
    for index, own in enumerate(lines):
        path = drafts[index].changes[0].path
        for name in used(own):
            for key in (("", name), (path, name)):
                if key in clear and index not in clear[key]:
                    users.setdefault(key, []).append(index)
    for key in sorted(users):
        if len(users[key]) <= MAX_USERS:
            word = key[1].decode("utf-8", "replace")
            for definer in clear[key]:
                _tie(drafts, definer, users[key], word, forward=forward)


def _tie(drafts: Sequence[Draft], definer: int, users: list[int], word: str, *, forward: bool) -> None:
    for user in users:
        if forward:
            drafts[user].after.setdefault(definer, word)
        else:
            drafts[definer].after.setdefault(user, "")
    if forward:
        drafts[definer].users.append((word, users))
