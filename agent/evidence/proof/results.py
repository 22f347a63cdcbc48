"""What a test run showed, read from the record of our pytest plugin. Pure but for reading one file.

A test that failed by assertion is FAILED; one that broke in any other way (set-up, import, an exception in the code)
is ERROR. A run without an end record is not complete: what is missing in it says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    HUNG = "did not end"
    MIXED = "not the same each time"


class TestRun(msgspec.Struct, frozen=True):
    """Outcomes by test id; `broken` are files that could not be collected, with the reason."""

    tests: dict[str, Outcome] = {}
    texts: dict[str, str] = {}
    broken: dict[str, str] = {}
    complete: bool = False
    loaded: frozenset[str] = frozenset()
    """Those of the watched files that the tests imported."""
    outside: tuple[str, ...] = ()
    """Files of the real tree that were imported instead of the copy: then the run shows nothing."""

    def count(self, outcome: Outcome) -> int:
        return sum(found is outcome for found in self.tests.values())

    @property
    def line(self) -> str:
        """`3 passed, 1 failed`."""
        counts = [f"{self.count(outcome)} {outcome}" for outcome in Outcome if self.count(outcome)]
        if self.broken:
            counts.append(f"{len(self.broken)} not collected")
        return ", ".join(counts) or "no test ran"


_WORST = (Outcome.ERROR, Outcome.FAILED, Outcome.SKIPPED, Outcome.PASSED)


def read_record(data: bytes, *, timed_out: bool) -> TestRun:
    """The run that `data`, the plugin's file, tells of. Lines that are no records are left out."""
    seen: dict[str, list[list[Outcome]]] = {}
    parts: dict[str, list[Outcome]] = {}
    texts: dict[str, str] = {}
    broken: dict[str, str] = {}
    end: Mapping[str, Any] = {}
    open_test = ""
    for record in _records(data):
        name = str(record.get("id", ""))
        match record.get("t"):
            case "start":
                open_test = name
                seen.setdefault(name, [])
            case "report":
                open_test = ""
                if record.get("sub"):
                    parts.setdefault(name, []).append(_read(record))
                else:
                    _add(seen.setdefault(name, []), record, parts.pop(name, []))
                texts[name] = texts.get(name) or str(record.get("text", ""))
            case "collect":
                broken[name] = str(record.get("text", ""))
            case "end":
                end = record
    tests = {name: _outcome(runs) for name, runs in seen.items() if runs}
    if timed_out and open_test:
        tests[open_test] = Outcome.HUNG
    return TestRun(
        tests=tests,
        texts={name: text for name, text in texts.items() if text},
        broken=broken,
        complete=bool(end) and not timed_out and end.get("status") in (0, 1, 5),
        loaded=frozenset(map(str, end.get("loaded", ()))),
        outside=tuple(map(str, end.get("outside", ()))),
    )


def _records(data: bytes) -> Iterable[Mapping[str, Any]]:
    for line in data.split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def _add(runs: list[list[Outcome]], record: Mapping[str, Any], parts: list[Outcome]) -> None:
    """A report begins a new run of its test, unless it is of the teardown, which belongs to the call before.

    `parts` are the subtests that were reported before it.
    """
    outcome = _read(record)
    if record.get("when") == "teardown" and runs:
        runs[-1].append(outcome)
    else:
        runs.append([*parts, outcome])


def _read(record: Mapping[str, Any]) -> Outcome:
    match record.get("outcome"):
        case "passed":
            return Outcome.PASSED
        case "skipped":
            return Outcome.SKIPPED
        case "failed" if record.get("kind") == "assertion" and record.get("when") == "call":
            return Outcome.FAILED
        case _:
            return Outcome.ERROR


def _outcome(runs: list[list[Outcome]]) -> Outcome:
    each = {min(run, key=_WORST.index) for run in runs}
    return each.pop() if len(each) == 1 else Outcome.MIXED
