"""The record of which test entered which function, kept for the session. It chooses tests and never says a verdict.

It is read from what our plugin wrote while the project's code ran beside it: nothing in it is believed but as a hint.
A test whose way may have changed since its last run counts as one without a record.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from agent.core.text import name_to_bytes
from agent.evidence.proof.anatomy import Anatomy, anatomy, changed

MAX_TESTS = 50_000
MAX_FUNCTIONS = 200_000

Read = Callable[[str], bytes | None]


class Entered(msgspec.Struct, frozen=True):
    """What one test entered, as first lines by path; `anything`: it started another process."""

    lines: dict[str, frozenset[int]]
    anything: bool


class Told(msgspec.Struct, frozen=True):
    """What one run told: by test, and what was entered by imports."""

    tests: dict[str, Entered] = {}
    at_import: dict[str, frozenset[int]] = {}


class Change(msgspec.Struct, frozen=True):
    """Functions (path, name) that are not the same, and paths that differ at large."""

    functions: frozenset[tuple[str, str]] = frozenset()
    files: frozenset[str] = frozenset()

    def __or__(self, other: Change) -> Change:
        return Change(self.functions | other.functions, self.files | other.files)


def between(path: str, old: Anatomy | None, new: Anatomy | None) -> Change:
    names = changed(old, new)
    if names is None:
        return Change(files=frozenset((path,)))
    return Change(functions=frozenset((path, name) for name in names))


class Reach:
    """The record of one check. `read` and `stamp` are of the tree that is shown."""

    def __init__(self, read: Read, stamp: Callable[[str], object]) -> None:
        self._read, self._stamp = read, stamp
        self._numbers: dict[tuple[str, str], int] = {}
        self._tests: dict[str, array[int]] = {}
        self._anything: set[str] = set()
        self._at_import: set[int] = set()
        self._anatomies: dict[str, tuple[object, Anatomy | None]] = {}

    @property
    def tests(self) -> Iterable[str]:
        return self._tests.keys()

    @property
    def anything(self) -> frozenset[str]:
        """Tests that started another process: what they reach is not known."""
        return frozenset(self._anything)

    def since(self) -> Change:
        """What is not the same now as it was in the runs that the record is of."""
        found = Change()
        for path, (mark, old) in self._anatomies.items():
            if self._stamp(path) != mark:
                found |= between(path, old, anatomy(self._read(path)))
        return found

    def reaching(self, change: Change) -> set[str]:
        """Tests that entered a changed function, or any of a file that differs at large."""
        wanted = self._wanted(change)
        return {name for name, numbers in self._tests.items() if not wanted.isdisjoint(numbers)}

    def is_entered_by_import(self, function: tuple[str, str]) -> bool:
        return self._numbers.get(function) in self._at_import

    def is_known(self, function: tuple[str, str]) -> bool:
        return function in self._numbers

    def note(self, record: bytes, *, adds: bool) -> None:
        """Take what a run told, while its tree is shown. `adds`: a run of the new code, beside what was known."""
        told = read_told(record)
        if not told.tests:
            return
        anatomies = {path: self._anatomy(path) for path in _paths(told)}
        if not adds:
            stale = self.reaching(self.since())
            for name in stale - told.tests.keys():
                self._forget(name)
            self._anatomies = {path: (self._stamp(path), self._anatomy(path)) for path in self._anatomies}
        for path, found in anatomies.items():
            self._anatomies.setdefault(path, (self._stamp(path), found))
        self._at_import.update(self._numbered(told.at_import, anatomies))
        for name, entered in told.tests.items():
            numbers = self._numbered(entered.lines, anatomies)
            if adds:
                numbers |= set(self._tests.get(name, ()))
            elif not entered.anything:
                self._anything.discard(name)
            if entered.anything:
                self._anything.add(name)
            if len(self._tests) < MAX_TESTS or name in self._tests:
                self._tests[name] = array("I", sorted(numbers))

    def _forget(self, name: str) -> None:
        self._tests.pop(name, None)
        self._anything.discard(name)

    def _anatomy(self, path: str) -> Anatomy | None:
        mark, known = self._stamp(path), self._anatomies.get(path)
        return known[1] if known and known[0] == mark else anatomy(self._read(path))

    def _numbered(
        self, lines: Mapping[str, Iterable[int]], anatomies: Mapping[str, Anatomy | None]
    ) -> set[int]:
        found: set[int] = set()
        for path, firsts in lines.items():
            form = anatomies[path]
            for name in {form.at(line) for line in firsts} if form else {""}:
                if len(self._numbers) < MAX_FUNCTIONS or (path, name) in self._numbers:
                    found.add(self._numbers.setdefault((path, name), len(self._numbers)))
        return found

    def _wanted(self, change: Change) -> set[int]:
        return {
            number
            for function, number in self._numbers.items()
            if function in change.functions or function[0] in change.files
        }


def read_told(record: bytes) -> Told:
    """The lines of a record that tell what was entered; all else is left out."""
    tests: dict[str, Entered] = {}
    at_import: dict[str, frozenset[int]] = {}
    for line in record.split(b"\n"):
        if b'"reach"' not in line[:20]:
            continue
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict) and isinstance(name := told.get("id"), str):
            tests[name] = Entered(_lines(told.get("in")), told.get("any") is not False)
            for path, firsts in _lines(told.get("import")).items():
                at_import[path] = at_import.get(path, frozenset()) | firsts
    return Told(tests, at_import)


def _lines(value: Any) -> dict[str, frozenset[int]]:
    if not isinstance(value, dict):
        return {}
    return {
        path: frozenset(line for line in lines if isinstance(line, int))
        for path, lines in value.items()
        if isinstance(path, str) and isinstance(lines, list) and _is_name(path)
    }


def _is_name(path: str) -> bool:
    """Whether it can name a file at all."""
    try:
        return bool(name_to_bytes(path))
    except UnicodeEncodeError:
        return False


def _paths(told: Told) -> set[str]:
    return {path for entered in told.tests.values() for path in entered.lines} | told.at_import.keys()
