"""Link drafts by names: what defines a name comes before what uses it, what stops using it before it goes.

Links only order drafts, where a wrong guess does no harm. `uses` is stricter: it says of which earlier drafts one
makes no sense without, by names that were nowhere in the files before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.core.drafts import Draft
from agent.core.grammar import grammar_of
from agent.core.hunk import ChangeKind
from agent.core.outcome import States
from agent.core.usage import defined, imported, used

MAX_DEFINERS = 3
"""A name that more drafts define says nothing about their order."""

MAX_USERS = 400
"""A name that more drafts use is too common to order them by."""

_NOT_CODE = re.compile(
    rb"""\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*|\#\s[^\n]*|^\s*\*\s[^\n]*""",
    re.MULTILINE,
)
"""Strings and comments, roughly, in any language: words in them use nothing."""

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


def uses(drafts: Sequence[Draft], before: States) -> list[dict[int, str]]:
    """For each draft the earlier ones that bring in a name that it uses: index to that name.

    A name counts when one file alone brings it in, and neither that file nor the one that uses it had it before.
    """
    words = _Words(before)
    bringers: dict[tuple[str, bytes], list[int]] = {}
    for index, draft in enumerate(drafts):
        path = draft.changes[0].path
        margin = [line for line in _lines(draft, new=True) if line[:1] > b" "]
        names = {("", name) for name in draft.defines | defined(margin)}
        names |= {(path, name) for name in imported(margin)}
        for key in names:
            bringers.setdefault(key, []).append(index)
    known = {key: found for key, found in bringers.items() if words.is_new(key[1], drafts, found)}
    return [_uses_of(index, draft, known, words) for index, draft in enumerate(drafts)]


def _uses_of(
    index: int, draft: Draft, known: Mapping[tuple[str, bytes], list[int]], words: _Words
) -> dict[int, str]:
    path = draft.changes[0].path
    found: dict[int, str] = {}
    if not known or grammar_of(path) is None:
        return found
    code = _NOT_CODE.sub(b" ", b"".join(_lines(draft, new=True)))
    for name in sorted(used([code])):
        for key in (("", name), (path, name)):
            own = known.get(key, [])
            if index not in own and name not in words.of(path):
                for other in own:
                    if other < index:
                        found.setdefault(other, name.decode("utf-8", "replace"))
    return found


class _Words:
    """The words of files as they were, read when asked for."""

    def __init__(self, before: States) -> None:
        self.before = before
        self.known: dict[str, set[bytes]] = {}

    def of(self, path: str) -> set[bytes]:
        if path not in self.known:
            state = self.before.get(path)
            self.known[path] = used([state.data]) if state is not None else set()
        return self.known[path]

    def is_new(self, name: bytes, drafts: Sequence[Draft], bringers: Sequence[int]) -> bool:
        """True when these drafts, all of one file, bring in what that file did not have."""
        paths = {drafts[index].changes[0].path for index in bringers}
        return len(paths) == 1 and len(bringers) <= MAX_DEFINERS and name not in self.of(paths.pop())
