"""The files of commits that change `.gitattributes`: each side in the form that it has by the attributes of its own side.

So their chunks are the same before and after `.gitattributes` was taken, and a file gets no line ends that git would
store. A file whose stored content stays is no part of the difference, and left as it is, as git leaves it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.core.text import folders
from agent.git.conversion import Conversion, has_no_returns
from agent.git.repo import Repo
from agent.git.tree_attributes import is_attributes, with_attributes_of
from agent.review.opening import Sides
from agent.review.pairs import Pair

UNSEEN = "only what git stores of it changes, which `git add --renormalize` does once .gitattributes is taken"


@contextlib.contextmanager
def forms_of(repo: Repo, old: str, new: str, pairs: Sequence[Pair], now: Conversion) -> Iterator[Forms]:
    """The forms of both sides of a difference between two trees, as long as it is open."""
    paths = {path for pair in pairs for path in (pair.old_path, pair.new_path)}
    with with_attributes_of(repo, old, paths) as before, with_attributes_of(repo, new, paths) as after:
        yield Forms(repo, pairs, now, Conversion(before, paths), Conversion(after, paths))


def is_rule(pair: Pair) -> bool:
    """True for a change of a `.gitattributes` file."""
    return is_attributes(pair.old_path) or is_attributes(pair.new_path)


class Forms:
    """`now`, `old` and `new` are the attributes of the work tree and of both sides of `pairs`."""

    def __init__(
        self, repo: Repo, pairs: Sequence[Pair], now: Conversion, old: Conversion, new: Conversion
    ) -> None:
        self._repo = repo
        self._now, self._old, self._new = now, old, new
        self._rules = [pair for pair in pairs if is_rule(pair)]
        self._expected = self._as_they_are()
        paths = {path for pair in pairs for path in (pair.old_path, pair.new_path)}
        self._staged = {entry.path: entry for entry in repo.entries(paths)}
        self.needed: dict[str, frozenset[str]] = {}
        """Files that only have their form together with the `.gitattributes` files that are named."""

    def _as_they_are(self) -> tuple[Conversion, ...]:
        """The attributes that files may have here; none when only some of their changes are in the work tree.

        Until its deletion is staged git reads a `.gitattributes` file from the index.
        """
        before: dict[str, bytes | None] = {}
        after: dict[str, bytes | None] = {}
        for pair in self._rules:
            old, new = (
                _plain(self._repo.stored(mode, oid)) if mode else None
                for mode, oid in ((pair.old_mode, pair.old_oid), (pair.new_mode, pair.new_oid))
            )
            before = {pair.new_path: None, **before, pair.old_path: old}
            after = {pair.old_path: None, **after, pair.new_path: new}
        here = {path: _plain(self._file(path)) for path in before}
        if here == before:
            return (self._old,)
        known = [_lines(here[path]) <= _lines(before[path]) | _lines(after[path]) for path in before]
        return () if here != after and all(known) else (self._new, self._old)

    def _file(self, path: str) -> FileState | None:
        try:
            return self._repo.read(path)
        except PathRefused:
            return None

    def concern(self, pair: Pair) -> bool:
        """False for a file that has other attributes here than in the commits: it stands by these, as ever."""
        return not self._expected or all(
            any(self._now.is_as_in(side, path) for side in self._expected)
            for path in (pair.old_path, pair.new_path)
        )

    def change(self, path: str) -> bool:
        """True for `.gitattributes`, and what has other attributes after the commits."""
        return is_attributes(path) or not self._old.is_as_in(self._new, path)

    def filter_of(self, path: str) -> str:
        """The name of a filter that a file goes through on either side; empty when none."""
        return self._old.filter_of(path) or self._new.filter_of(path)

    def sides(self, pairs: Sequence[Pair], stored: Sequence[Sides]) -> list[Sides]:
        """Both sides of each pair as they would stand in the work tree."""
        old = [(pair.old_path, state, pair.old_oid) for pair, (state, _) in zip(pairs, stored, strict=True)]
        new = [(pair.new_path, state, pair.new_oid) for pair, (_, state) in zip(pairs, stored, strict=True)]
        converted = zip(_converted(self._old, old), _converted(self._new, new), strict=True)
        return [
            self._chosen(pair, own, sides) for pair, own, sides in zip(pairs, stored, converted, strict=True)
        ]

    def _chosen(self, pair: Pair, stored: Sides, converted: Sides) -> Sides:
        old, new = converted
        if new is None or stored[1] is None or new.mode == Mode.SYMLINK:
            return converted
        recoded = self._old.recodes(pair.old_path) or self._new.recodes(pair.new_path)
        if new != stored[1] and not recoded:
            if self._has_no_returns(pair):
                new = stored[1]
                if stored[0] is not None and b"\r\n" not in stored[0].data:
                    old = stored[0]
            elif self._would_not_be_stored(pair, stored[0], old, new):
                new = stored[1]
        self._note(pair, stored[1], new)
        return old, new

    def _has_no_returns(self, pair: Pair) -> bool:
        """True for a file that git takes for unchanged without the carriage returns that it would put in."""
        now = self._file(pair.old_path) or self._file(pair.new_path)
        return now is not None and has_no_returns(now)

    def _would_not_be_stored(
        self, pair: Pair, stored: FileState | None, old: FileState | None, new: FileState
    ) -> bool:
        """True when `git add` would go on with what it has of a file that stands with carriage returns."""
        unseen = old is not None and old.data == new.data and pair.old_oid != pair.new_oid
        if not (unseen or self._new.keeps(pair.new_path, stored)):
            return False
        staged = self._staged.get(pair.new_path) or self._staged.get(pair.old_path)
        return staged is not None and b"\r\n" in self._repo.stored(staged.mode, staged.oid).data

    def _note(self, pair: Pair, stored: FileState, new: FileState) -> None:
        """Note what a file needs that would be stored otherwise by the attributes of the other side."""
        path = pair.new_path
        if is_attributes(path) or self._old.is_as_in(self._new, path):
            return
        recoded = self._old.recodes(path) or self._new.recodes(path)
        if recoded or new.data != stored.data or b"\r\n" in new.data:
            above = {"", *folders(path)}
            needed = frozenset(
                name
                for rule in self._rules
                if above & {rule.old_path.rpartition("/")[0], rule.new_path.rpartition("/")[0]}
                for name in (rule.old_path, rule.new_path)
            )
            self.needed |= {pair.old_path: needed, path: needed}

    def have_parted(self, pair: Pair, sides: Sides) -> bool:
        """True for a renamed file that shares no line with its other form: nobody could know it again."""
        old, new = sides
        if old is None or new is None or self._old.is_as_in(self._new, pair.old_path, pair.new_path):
            return False
        return old.data != new.data and set(_ended(old)).isdisjoint(_ended(new))

    def why_unseen(self, pair: Pair, sides: Sides) -> str:
        """Why nothing is to be done for a file that changes nonetheless; empty when it is not so."""
        is_same = pair.old_path == pair.new_path and sides[0] == sides[1]
        staged = self._staged.get(pair.new_path)
        return UNSEEN if is_same and staged is not None and staged.oid == pair.old_oid else ""


def _plain(state: FileState | None) -> bytes | None:
    return None if state is None else state.data.replace(b"\r\n", b"\n")


def _lines(data: bytes | None) -> set[bytes]:
    return set((data or b"").split(b"\n"))


def _ended(state: FileState) -> list[bytes]:
    """The lines that have an end."""
    return state.data.split(b"\n")[:-1]


def _converted(
    conversion: Conversion, files: Sequence[tuple[str, FileState | None, str]]
) -> list[FileState | None]:
    there = [(path, state, oid) for path, state, oid in files if state is not None]
    found = iter(conversion.to_work_trees(there, [()] * len(there)))
    return [next(found) if state is not None else None for _, state, _ in files]
