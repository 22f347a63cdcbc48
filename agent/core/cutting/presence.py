"""Which chunks of a difference are in the files already: by exact comparison first, by position where it drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from agent.core.chunk import Chunk
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk
from agent.core.lines.place import WHOLE, file_lines
from agent.core.lines.splice import diff, position
from agent.core.text import Lines

MAX_WAYS = 64
"""So many ways to read one file are followed at once: those with the most hunks, and as many that read the most of it."""


def present(
    chunks: Sequence[Chunk],
    before: Mapping[str, FileState | None],
    after: Mapping[str, FileState | None],
    current: Mapping[str, FileState | None],
) -> frozenset[str]:
    """Ids of the chunks whose every change is in `current`, which holds all paths that the chunks touch.

    All chunks together turn `before` into `after`.
    """
    by_path: dict[str, list[FileChange]] = {}
    for chunk in chunks:
        for change in chunk.changes:
            by_path.setdefault(change.path, []).append(change)
    found: set[FileChange] = set()
    settled: dict[str, bool] = {}
    for path, changes in by_path.items():
        known = _as_a_whole(path, changes, before.get(path), after, current)
        if known is None:
            found |= _present_in(path, changes, before.get(path), current)
        else:
            settled[path] = known

    def is_there(change: FileChange) -> bool:
        known = settled.get(change.path)
        return change in found if known is None else known

    return frozenset(chunk.id for chunk in chunks if all(map(is_there, chunk.changes)))


def _as_a_whole(
    path: str,
    changes: Sequence[FileChange],
    before: FileState | None,
    after: Mapping[str, FileState | None],
    current: Mapping[str, FileState | None],
) -> bool | None:
    """Whether all of a file's changes are there or none: most files were left alone or are all done. None: see which."""
    if path not in after or any(change.kind is ChangeKind.RENAME for change in changes):
        return None
    now = current.get(path)
    return now == after[path] if now in (before, after[path]) else None


def _present_in(
    path: str,
    changes: Sequence[FileChange],
    before: FileState | None,
    current: Mapping[str, FileState | None],
) -> set[FileChange]:
    now = current.get(path)
    found: set[FileChange] = set()
    rename = next((change for change in changes if change.kind is ChangeKind.RENAME), None)
    if rename is not None and rename.new_path is not None and now is None:
        moved = current.get(rename.new_path)
        if moved is not None and _is_of(before, moved):
            now = moved
            found = {rename}
    if now == before and not found:
        return set()
    by_lines = [change for change in changes if change.kind in (ChangeKind.MODIFY, ChangeKind.CREATE)]
    found |= {change for change in changes if _whole_is_there(change, now)}
    if now is None:
        return found
    there = _hunks_in([change.hunks for change in by_lines], before, now)
    mode = next((change.mode for change in by_lines if change.kind is ChangeKind.CREATE), None)
    if mode in (None, now.mode):
        found |= {change for change in by_lines if all(hunk in there for hunk in change.hunks)}
    if now.data:
        found -= {change for change in by_lines if not change.hunks}
    return found


def _is_of(before: FileState | None, now: FileState) -> bool:
    """True when a file is this one under another name, changed by less than half; else it is another file."""
    if before is None or before.data == now.data:
        return before is not None
    lines = set(file_lines(before))
    return 2 * len(lines.intersection(file_lines(now))) >= len(lines)


def _whole_is_there(change: FileChange, now: FileState | None) -> bool:
    if change.kind is ChangeKind.DELETE:
        return now is None
    if change.kind is ChangeKind.MODE:
        return now is not None and now.mode == change.mode
    if change.kind not in WHOLE:
        return False
    new = change.hunks[0].new if change.hunks else ()
    if not new:
        return now is None
    return now is not None and now.data == new[0] and change.mode in (None, now.mode)


def _hunks_in(groups: Sequence[Sequence[Hunk]], before: FileState | None, now: FileState) -> set[Hunk]:
    """The hunks that are in the file: by reading it as the base with some of them, else those in its drift.

    Hunks of one group are there together: a reading that has some of a group is given up for one without it.
    """
    base = file_lines(before) if before is not None else ()
    lines = file_lines(now)
    ordered = sorted((hunk for own in groups for hunk in own), key=position)
    read = _read(base, lines, ordered, frozenset(ordered))
    if read is None:
        drift = {(hunk.start, hunk.old, hunk.new) for hunk in diff(base, lines)}
        return {hunk for hunk in ordered if (hunk.start, hunk.old, hunk.new) in drift}
    return _in_whole_groups(base, lines, ordered, groups, read)


def _in_whole_groups(
    base: Lines, lines: Lines, ordered: Sequence[Hunk], groups: Sequence[Sequence[Hunk]], read: set[Hunk]
) -> set[Hunk]:
    """A reading like `read` that has all of a group or nothing, as far as there is one."""
    allowed = frozenset(ordered)
    required: frozenset[Hunk] = frozenset()
    given_up: list[Sequence[Hunk]] = []
    while partly := [own for own in _partly(groups, read) if own not in given_up]:
        own = min(partly, key=lambda own: len(read.intersection(own)) / len(own))
        without = _read(base, lines, ordered, allowed - set(own), required)
        if without is not None:
            read, allowed = without, allowed - set(own)
            continue
        whole = _read(base, lines, ordered, allowed, required | set(own))
        if whole is None:
            given_up.append(own)
        else:
            read, required = whole, required | set(own)
    return read


def _partly(groups: Sequence[Sequence[Hunk]], read: set[Hunk]) -> list[Sequence[Hunk]]:
    return [own for own in groups if not read.isdisjoint(own) and not read.issuperset(own)]


class _Way(msgspec.Struct, frozen=True):
    """One way to read a file up to some line: how many hunks are in it, the last one, and the way before."""

    count: int = 0
    hunk: Hunk | None = None
    before: _Way | None = None


def _read(
    base: Lines,
    lines: Lines,
    hunks: Sequence[Hunk],
    allowed: frozenset[Hunk],
    required: frozenset[Hunk] = frozenset(),
) -> set[Hunk] | None:
    """Which of `hunks` (those `allowed`), put into `base`, give exactly `lines`; as many as can be, or None."""
    ways: dict[int, _Way] = {0: _Way()}
    at = 0
    for hunk in hunks:
        following: dict[int, _Way] = {}
        for place, way in ways.items():
            start = place + hunk.start - at
            if lines[place:start] != base[at : hunk.start]:
                continue
            if hunk in allowed and lines[start : start + len(hunk.new)] == hunk.new:
                _keep(following, start + len(hunk.new), _Way(way.count + 1, hunk, way))
            if hunk not in required and lines[start : start + len(hunk.old)] == hunk.old:
                _keep(following, start + len(hunk.old), way)
        if len(following) > 2 * MAX_WAYS:
            fullest = sorted(following, key=lambda place: -following[place].count)[:MAX_WAYS]
            furthest = sorted(following, reverse=True)[:MAX_WAYS]
            following = {place: following[place] for place in dict.fromkeys([*fullest, *furthest])}
        ways, at = following, hunk.end
    ends = [way for place, way in ways.items() if lines[place:] == base[at:]]
    return _taken(max(ends, key=lambda way: way.count)) if ends else None


def _keep(ways: dict[int, _Way], place: int, way: _Way) -> None:
    if place not in ways or ways[place].count < way.count:
        ways[place] = way


def _taken(way: _Way | None) -> set[Hunk]:
    found: set[Hunk] = set()
    while way is not None:
        if way.hunk is not None:
            found.add(way.hunk)
        way = way.before
    return found
