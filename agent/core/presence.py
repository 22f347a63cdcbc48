"""Which chunks of a difference are in the files already: by exact comparison first, by position where it drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.core.chunk import Chunk
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk
from agent.core.place import WHOLE, file_lines
from agent.core.splice import diff
from agent.core.text import Lines

MAX_PLACES = 64
"""So many ways to read one file are followed at once."""


def present(
    chunks: Sequence[Chunk], before: Mapping[str, FileState | None], current: Mapping[str, FileState | None]
) -> frozenset[str]:
    """Ids of the chunks whose every change is in `current`, which holds all paths that the chunks touch."""
    by_path: dict[str, list[FileChange]] = {}
    for chunk in chunks:
        for change in chunk.changes:
            by_path.setdefault(change.path, []).append(change)
    found: set[FileChange] = set()
    for path, changes in by_path.items():
        found |= _present_in(path, changes, before.get(path), current)
    return frozenset(chunk.id for chunk in chunks if all(change in found for change in chunk.changes))


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
        now = current.get(rename.new_path)
        found |= {rename} if now is not None else set()
    if now == before and not found:
        return set()
    by_lines = [change for change in changes if change.kind in (ChangeKind.MODIFY, ChangeKind.CREATE)]
    found |= {change for change in changes if _whole_is_there(change, now)}
    if now is None:
        return found
    there = _hunks_in([hunk for change in by_lines for hunk in change.hunks], before, now)
    mode = next((change.mode for change in by_lines if change.kind is ChangeKind.CREATE), None)
    if mode in (None, now.mode):
        found |= {change for change in by_lines if all(hunk in there for hunk in change.hunks)}
    return found


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


def _hunks_in(hunks: Sequence[Hunk], before: FileState | None, now: FileState) -> set[Hunk]:
    """Those of `hunks` that are in the file: by reading it as the base with some of them, else those in its drift."""
    base = file_lines(before) if before is not None else ()
    lines = file_lines(now)
    ordered = sorted(hunks, key=lambda h: (h.start, bool(h.old), h.seq))
    read = _read(base, lines, ordered)
    if read is not None:
        return read
    drift = {(hunk.start, hunk.old, hunk.new) for hunk in diff(base, lines)}
    return {hunk for hunk in ordered if (hunk.start, hunk.old, hunk.new) in drift}


def _read(base: Lines, lines: Lines, hunks: Sequence[Hunk]) -> set[Hunk] | None:
    """Which of `hunks`, put into `base`, give exactly `lines`; None when no choice does."""
    places: dict[int, tuple[object, ...]] = {0: ()}
    at = 0
    for hunk in hunks:
        following: dict[int, tuple[object, ...]] = {}
        for place, chosen in places.items():
            start = place + hunk.start - at
            if lines[place:start] != base[at : hunk.start]:
                continue
            if lines[start : start + len(hunk.new)] == hunk.new:
                following.setdefault(start + len(hunk.new), (hunk, chosen))
            if lines[start : start + len(hunk.old)] == hunk.old:
                following.setdefault(start + len(hunk.old), (None, chosen))
        if not following or len(following) > MAX_PLACES:
            return None
        places, at = following, hunk.end
    for place, chosen in places.items():
        if lines[place:] == base[at:]:
            return _collected(chosen)
    return None


def _collected(chosen: tuple[object, ...]) -> set[Hunk]:
    found: set[Hunk] = set()
    while chosen:
        hunk, chosen = chosen  # type: ignore[assignment]
        if isinstance(hunk, Hunk):
            found.add(hunk)
    return found
