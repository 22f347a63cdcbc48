"""Which tests are run for a chunk: those that reach the changed code by the record of earlier runs, else by imports.

A small suite runs whole until that has taken long. What is in doubt is run: new and changed tests, tests of the same
purpose, what imports a file that changed outside its functions. A choice says in words how it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol as Interface

import msgspec

from agent.core.hunk import Write
from agent.core.review import ALL_TESTS
from agent.evidence.proof.anatomy import anatomy
from agent.evidence.proof.reach import Change, Reach, between
from agent.evidence.proof.results import TestRun
from agent.evidence.proof.select import Selector, is_pytest_file

ALL_FILES = 40
SLOW_SECONDS = 5.0
BOX_SECONDS = 10.0
"""What tests that start other processes may take in one run: nobody knows what they reach."""
_TOLD = (".py", ".md", ".rst")
"""Who reads any other file cannot be told."""
BY_IMPORT = "by what they import"
COSTLY = 3
"""How much slower a run may become when calls are followed by an interpreter without `sys.monitoring`."""


class Choice(msgspec.Struct, frozen=True):
    """`files` to run (none: all), without the tests `leave`."""

    files: tuple[str, ...] = ()
    leave: frozenset[str] = frozenset()
    why: str = ""

    def part(self, run: TestRun) -> TestRun:
        """What a run of more than this says of this."""
        if not self.files:
            return run
        files = frozenset(self.files)
        tests = {
            name: outcome
            for name, outcome in run.tests.items()
            if file_of(name) in files and name not in self.leave
        }
        broken = {name: text for name, text in run.broken.items() if file_of(name) in files}
        return msgspec.structs.replace(run, tests=tests, broken=broken)

    def words(self, run: TestRun) -> str:
        """`all 12 tests`, `3 tests that reach Parser.parse`; empty when none ran."""
        if not run.tests:
            return ""
        count = f"{len(run.tests)} test{'' if len(run.tests) == 1 else 's'}"
        return f"{count} {self.why}" if self.files else f"{ALL_TESTS}{count}"


class Tree(Interface):
    """The tree that is shown."""

    def read(self, path: str) -> bytes | None: ...

    def stamp(self, path: str) -> object: ...

    def names(self) -> tuple[str, ...]: ...


class Chooser:
    """The choices for one check, and what its runs have told so far. `limit` is the most seconds of a run."""

    def __init__(self, tree: Tree, limit: float) -> None:
        self._tree, self._limit = tree, limit
        self._selector = Selector(tree.read, tree.stamp)
        self._reach = Reach(tree.read, tree.stamp)
        self._seconds: float | None = None
        self._timed_out = False
        self._known_files: frozenset[str] | None = None
        self._names: tuple[str, ...] = ()
        self._files: list[str] = []

    def related(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Test files that import or name these files."""
        return self._selector.related(paths, self._test_files())

    @property
    def follows(self) -> str:
        """How much it may cost to follow the calls of the next run: nothing is followed, `cheap`, or `any`."""
        if self._is_small() and self._seconds is not None and self._seconds <= SLOW_SECONDS:
            return ""
        is_first = self._is_small() and not self._reach.tests and self._seconds is not None
        return "any" if is_first and (self._seconds or 0) * COSTLY < self._limit else "cheap"

    def choose(self, writes: Sequence[Write], base: Sequence[Write], target: Iterable[str]) -> Choice:
        """For a chunk of `writes` over `base`; `target` are test files of the same purpose."""
        is_slow = self._timed_out or (bool(self._reach.tests) and (self._seconds or 0) > SLOW_SECONDS)
        has_data = not all(write.path.endswith(_TOLD) for write in writes)
        if self._is_small() and (not is_slow or (has_data and not self._timed_out)):
            return Choice()
        product = [write.path for write in writes if not is_pytest_file(write.path)]
        if self._reach.tests:
            found = self._by_record(writes, base, target, product)
            if found.files:
                return found
        files = tuple(dict.fromkeys((*sorted(target), *self.related(product))))
        return Choice(files, why=BY_IMPORT)

    def note(self, choice: Choice, record: bytes, seconds: float, *, timed_out: bool, adds: bool) -> None:
        """Take what a run of `choice` told, while its tree is shown."""
        followed = bool(self.follows)
        if not choice.files:
            self._timed_out = self._timed_out or timed_out
            if self._seconds is None or not followed:
                self._seconds = seconds
        if followed:
            self._reach.note(record, adds=adds)
            if not choice.files and not timed_out and self._reach.tests:
                self._known_files = frozenset(self._test_files())

    def _is_small(self) -> bool:
        return len(self._test_files()) <= ALL_FILES

    def _test_files(self) -> list[str]:
        names = self._tree.names()
        if names is not self._names:
            self._names, self._files = (
                names,
                [path for path in names if "test" in path and is_pytest_file(path)],
            )
        return self._files

    def _by_record(
        self, writes: Sequence[Write], base: Sequence[Write], target: Iterable[str], product: Sequence[str]
    ) -> Choice:
        mine, since = _changes(writes), self._reach.since()
        chosen = self._reach.reaching(mine | since)
        wide = mine.files | since.files | {path for path, name in mine.functions if self._is_wide(path, name)}
        files = {
            *target,
            *self._new_files(),
            *self.related(path for path in wide if not is_pytest_file(path)),
        }
        helpers = {*wide, *(write.path for write in base)}
        files |= set(self._below(path for path in helpers if path.rpartition("/")[2] == "conftest.py"))
        chosen |= self._unknown(chosen, product)
        part = {file_of(name) for name in chosen} - files
        leave = frozenset(name for name in self._reach.tests if file_of(name) in part and name not in chosen)
        present = [path for path in (*sorted(files), *sorted(part)) if self._tree.stamp(path) is not None]
        return Choice(tuple(present), leave, _why(mine, bool(files), bool(part)))

    def _is_wide(self, path: str, name: str) -> bool:
        """No test's record can tell who depends on it."""
        function = (path, name)
        return not self._reach.is_known(function) or self._reach.is_entered_by_import(function)

    def _unknown(self, chosen: set[str], product: Sequence[str]) -> set[str]:
        """Tests that start other processes: all when there is time for it, else those that import the change."""
        left, count = self._reach.anything - chosen, len(list(self._reach.tests))
        if self._seconds is not None and self._seconds * len(left) <= BOX_SECONDS * count:
            return set(left)
        near = set(self.related(product))
        return {name for name in left if file_of(name) in near}

    def _new_files(self) -> set[str]:
        """Test files that were not there when all tests ran."""
        return set(self._test_files()) - self._known_files if self._known_files is not None else set()

    def _below(self, paths: Iterable[str]) -> Iterable[str]:
        folders = tuple(path.rpartition("/")[0] for path in paths)
        return [
            path
            for path in self._test_files()
            if any(not folder or path.startswith(folder + "/") for folder in folders)
        ]


def _changes(writes: Iterable[Write]) -> Change:
    found = Change()
    for write in writes:
        old, new = (state.data if state else None for state in (write.old, write.new))
        if not write.path.endswith(".py"):
            found |= Change(files=frozenset((write.path,)))
        else:
            found |= between(write.path, anatomy(old), anatomy(new))
    return found


def _why(change: Change, by_file: bool, by_function: bool) -> str:
    names = sorted({name for _, name in change.functions})
    reached = names[0] if len(names) == 1 else "what changed"
    if not by_function:
        return BY_IMPORT
    return f"that reach {reached} or may" if by_file else f"that reach {reached}"


def file_of(name: str) -> str:
    return name.partition("::")[0]
