"""Link drafts by names: what defines a name comes before what uses it, what stops using it before it goes.

Links only order drafts, where a wrong guess does no harm. `uses` is stricter: it says of which earlier drafts one
makes no sense without, by names that were nowhere in the files before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache

import msgspec

from agent.core.code.definitions import PROGRAMS, kind_of
from agent.core.code.grammar import grammar_of
from agent.core.cutting.drafts import Draft
from agent.core.cutting.groups import last_names
from agent.core.cutting.risk import is_document, is_test
from agent.core.cutting.usage import NO_NAMES, Names, imported, names_in, used, words_of
from agent.core.hunk import ChangeKind
from agent.core.outcome import States

MAX_DEFINERS = 3
"""A name that more drafts define says nothing about their order."""

MAX_USERS = 400
"""A name that more drafts use is too common to order them by."""

_NOT_CODE = re.compile(
    rb"""\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*|\#\s[^\n]*|^\s*\*\s[^\n]*""",
    re.MULTILINE,
)
"""Strings and comments, roughly, in any language: words in them use nothing."""

_COMMENT = re.compile(rb"//[^\n]*|\#\s[^\n]*|^\s*/?\*[*\s][^\n]*", re.MULTILINE)
"""Comments, roughly, in any language. What stands in strings may be the name of a type."""

EXPLICIT = ("python", "javascript", "typescript", "tsx")
"""Languages in which nothing of another file has a name that is not imported."""

_FILES = "\0"
"""Stands for what is found by the name of its file alone, in imports: no path has this name."""

_NO_LINES = (ChangeKind.BINARY, ChangeKind.SYMLINK, ChangeKind.RENAME, ChangeKind.MODE)


def link(drafts: Sequence[Draft], before: States) -> None:
    """Fill `after` and `users` of the drafts. `before` are the files as they were."""
    come, go = _names(drafts, new=True), _names(drafts, new=False)
    imports = _Imports(drafts, come, before)
    _connect(drafts, come, imports, forward=True)
    _connect(
        drafts,
        {index: _without(own, drafts[index], come.get(index)) for index, own in go.items()},
        imports,
        forward=False,
    )
    _connect_headers(drafts)


def _connect_headers(drafts: Sequence[Draft]) -> None:
    """What changes inside of a definition may use what its new header names: a parameter."""
    headers: dict[tuple[str, str], int] = {}
    for index, draft in enumerate(drafts):
        if draft.defines:
            path = draft.changes[0].path
            headers |= {(path, one): index for one in draft.symbols if last_names((one,)) & draft.defines}
    for index, draft in enumerate(drafts if headers else ()):
        for one in draft.symbols:
            header = headers.get((draft.changes[0].path, one), index)
            if header != index:
                draft.after.setdefault(header, "")


def _without(gone: Names, draft: Draft, come: Names | None) -> Names:
    """`gone` without the names that the same draft defines anew: a definition that changes does not go."""
    stay = draft.defines | come.defined if come is not None else draft.defines
    return msgspec.structs.replace(gone, defined=gone.defined - stay) if gone.defined & stay else gone


def _names(drafts: Sequence[Draft], *, new: bool) -> dict[int, Names]:
    """The names in each draft by its index, without those whose whole file has none that could link it."""
    lines = [_lines(draft, new=new) for draft in drafts]
    files: dict[str, list[bytes]] = {}
    for draft, own in zip(drafts, lines, strict=True):
        files.setdefault(draft.changes[0].path, []).extend(own)
    found = {path: names_in(own) for path, own in files.items()}
    wanted = {name for own in found.values() for name in (*own.defined, *own.imported)}
    if new:
        wanted.update(*(draft.defines for draft in drafts if draft.defines))
        wanted.update(draft.stem for draft in drafts if draft.stem)
    else:
        wanted.update(*(draft.gone for draft in drafts if draft.gone))
    if not wanted:
        return {}
    linked = {path for path, own in found.items() if not wanted.isdisjoint((*own.used, *own.imported))}
    linked |= {
        draft.changes[0].path for draft in drafts if (draft.defines or draft.stem if new else draft.gone)
    }
    return {
        index: _names_of_code(own)
        for index, (draft, own) in enumerate(zip(drafts, lines, strict=True))
        if draft.changes[0].path in linked
    }


def _names_of_code(lines: Sequence[bytes]) -> Names:
    """The names in these lines; those in comments are not used."""
    found = names_in(lines)
    return msgspec.structs.replace(found, used=found.used & used(_COMMENT.sub(b" ", b"".join(lines))))


def _lines(draft: Draft, *, new: bool) -> list[bytes]:
    found: list[bytes] = []
    if draft.folded or not _is_program(draft.changes[0].path):
        return found
    for change in draft.changes:
        if change.kind not in _NO_LINES:
            for hunk in change.hunks:
                found += hunk.new if new else hunk.old
    return found


@lru_cache(maxsize=4096)
def _is_program(path: str) -> bool:
    """True for files that define and use names: words of prose and keys of settings are none."""
    return not is_document(path) and (grammar_of(path) is not None or kind_of(path) in PROGRAMS)


class _Imports:
    """Whether one file can mean by a name what another defines."""

    def __init__(self, drafts: Sequence[Draft], names: Mapping[int, Names], before: States) -> None:
        self._before = before
        self._added: dict[str, set[bytes]] = {}
        for index, own in names.items():
            if own.modules:
                self._added.setdefault(drafts[index].changes[0].path, set()).update(own.modules)
        self._words: dict[str, frozenset[bytes]] = {}

    def reach(self, user: str, definer: str, name: bytes) -> bool:
        """No library means what a test defines; where a language has imports, the name or its file is in one."""
        if user == definer:
            return True
        if is_test(definer) and not is_test(user):
            return False
        grammar = grammar_of(user)
        if grammar is None or grammar.name not in EXPLICIT:
            return True
        words = self._of(user)
        folder, _, file = definer.rpartition("/")
        stem = file.partition(".")[0]
        module = folder.rpartition("/")[2] if stem in ("__init__", "index") else stem
        known = words_of(module.encode("utf-8", "surrogateescape")) <= words
        return name in words or (known and module != "")

    def _of(self, path: str) -> frozenset[bytes]:
        if path not in self._words:
            state = self._before.get(path)
            self._words[path] = imported(state.data if state else b"") | self._added.get(path, set())
        return self._words[path]


def _connect(
    drafts: Sequence[Draft], names: Mapping[int, Names], imports: _Imports, *, forward: bool
) -> None:
    """Names are looked up among those of the whole difference, and those that the file itself imports."""
    definers: dict[tuple[str, bytes], list[int]] = {}
    for index, own in names.items():
        defined = own.defined | (drafts[index].defines if forward else drafts[index].gone)
        for key in _keys(drafts[index], defined, own.imported):
            definers.setdefault(key, []).append(index)
        if forward and drafts[index].stem:
            definers.setdefault((_FILES, drafts[index].stem), []).append(index)
    clear = {key: found for key, found in definers.items() if len(found) <= MAX_DEFINERS}
    wanted = frozenset(name for _, name in clear)
    users: dict[tuple[str, bytes], list[int]] = {}
    for index, own in names.items():
        for name in own.used & wanted:
            keys = [("", name), (drafts[index].changes[0].path, name)]
            for key in [*keys, (_FILES, name)] if name in own.modules else keys:
                if key in clear and index not in clear[key]:
                    users.setdefault(key, []).append(index)
    for key in sorted(users):
        if len(users[key]) <= MAX_USERS:
            for definer in clear[key]:
                path = drafts[definer].changes[0].path
                there = [
                    user for user in users[key] if imports.reach(drafts[user].changes[0].path, path, key[1])
                ]
                if there:
                    _tie(drafts, definer, there, key[1].decode("utf-8", "replace"), forward=forward)


def _keys(draft: Draft, defined: Iterable[bytes], imported: Set[bytes]) -> set[tuple[str, bytes]]:
    """What a draft brings in: definitions for every file, imports for its own. Prose and settings define nothing."""
    if not _is_program(draft.changes[0].path):
        return set()
    found = {("", name) for name in defined}
    if imported:
        path = draft.changes[0].path
        found |= {(path, name) for name in imported}
    return found


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
        lines = [line for line in _lines(draft, new=True) if line[:1] > b" "]
        margin = names_in(lines) if lines else NO_NAMES
        for key in _keys(draft, draft.defines | margin.defined, margin.imported):
            bringers.setdefault(key, []).append(index)
        if draft.stem:
            bringers.setdefault((_FILES, draft.stem), []).append(index)
    known = {key: found for key, found in bringers.items() if words.is_new(key[1], drafts, found)}
    files = any(scope == _FILES for scope, _ in known)
    return [_uses_of(index, draft, known, words, files=files) for index, draft in enumerate(drafts)]


def _uses_of(
    index: int, draft: Draft, known: Mapping[tuple[str, bytes], list[int]], words: _Words, *, files: bool
) -> dict[int, str]:
    found: dict[int, str] = {}
    path = draft.changes[0].path
    if not known or grammar_of(path) is None:
        return found
    lines = _lines(draft, new=True)
    named = used(_NOT_CODE.sub(b" ", b"".join(lines)))
    keys = {(scope, name) for name in named for scope in ("", path)}
    if files:
        keys |= {(_FILES, name) for name in names_in(lines).modules}
    for scope, name in sorted(keys & known.keys(), key=lambda key: (key[1], key[0])):
        own = known[scope, name]
        if index not in own and name not in words.of(path):
            for other in own:
                if other < index:
                    found.setdefault(other, name.decode("utf-8", "replace"))
    return found


class _Words:
    """The words of files as they were, read when asked for."""

    def __init__(self, before: States) -> None:
        self.before = before
        self.known: dict[str, frozenset[bytes]] = {}

    def of(self, path: str) -> frozenset[bytes]:
        if path not in self.known:
            state = self.before.get(path)
            self.known[path] = used(state.data) if state is not None else frozenset()
        return self.known[path]

    def is_new(self, name: bytes, drafts: Sequence[Draft], bringers: Sequence[int]) -> bool:
        """True when these drafts, all of one file, bring in what that file did not have."""
        paths = {drafts[index].changes[0].path for index in bringers}
        return len(paths) == 1 and len(bringers) <= MAX_DEFINERS and name not in self.of(paths.pop())
