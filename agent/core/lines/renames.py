"""Which new file is an old one under another name: the same contents, else most of the lines."""

from __future__ import annotations

import stat
from collections.abc import Mapping

from agent.core.hunk import FileState
from agent.core.lines.place import file_lines

SIMILAR = 0.5
"""A new file is a renamed one when at least this part of its lines is the old one's."""

MAX_PAIRS = 10_000
"""So many pairs of files are compared line by line at most; beyond it only whole contents are."""


def find_renames(
    before: Mapping[str, FileState | None], after: Mapping[str, FileState | None]
) -> dict[str, str]:
    """Deleted files and new ones that have most of their lines: old name to new name."""
    gone = {path: state for path, state in before.items() if state and after.get(path, state) is None}
    new = {path: state for path, state in after.items() if state and before.get(path) is None}
    found = _whole(gone, new)
    taken = set(found.values())
    gone = {path: state for path, state in gone.items() if path not in found}
    new = {path: state for path, state in new.items() if path not in taken}
    if len(gone) * len(new) > MAX_PAIRS:
        return found
    lines = {path: set(file_lines(state)) for path, state in {**gone, **new}.items()} if gone and new else {}
    scores = [
        (_likeness(lines[old], lines[name]), old, name)
        for old in gone
        for name in new
        if _kind(gone[old]) == _kind(new[name])
    ]
    for _, old, name in sorted((-score, old, name) for score, old, name in scores if score >= SIMILAR):
        if old not in found and name not in taken:
            found[old] = name
            taken.add(name)
    return found


def _whole(gone: Mapping[str, FileState], new: Mapping[str, FileState]) -> dict[str, str]:
    """Files that only moved; of several that are the same, those with the same last name first."""
    waiting: dict[tuple[int, bytes], list[str]] = {}
    for path, state in sorted(new.items()):
        if state.data:
            waiting.setdefault((_kind(state), state.data), []).append(path)
    found: dict[str, str] = {}
    for path, state in sorted(gone.items()):
        same = waiting.get((_kind(state), state.data), [])
        if same:
            name = path.rpartition("/")[2]
            chosen = next((other for other in same if other.rpartition("/")[2] == name), same[0])
            found[path] = chosen
            same.remove(chosen)
    return found


def _kind(state: FileState) -> int:
    return stat.S_IFMT(state.mode)


def _likeness(old: set[bytes], new: set[bytes]) -> float:
    return len(old & new) / max(len(old), len(new)) if old and new else 0.0
