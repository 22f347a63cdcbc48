"""Whole files: what a set of changes makes of a base, and carrying a file's change over a drift.

Promises: `outcome` gives the same for any order of the changes; `transplant_states` changes content and mode
each three-way, lines by position, everything that is not text only as a whole, and clashes where it would have
to guess. Knows no paths on a disk.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Mode
from agent.core.lines.splice import diff, splice, transplant
from agent.core.outcome import Clash, States
from agent.core.text import UTF8, Encoding, Lines, sniff, split_lines

WHOLE = (ChangeKind.SYMLINK, ChangeKind.BINARY)

T = TypeVar("T")


def outcome(base: Mapping[str, FileState | None], changes: Iterable[FileChange]) -> States:
    """The files of `base` after `changes`, in whatever order these are given; renamed files under both names.

    Raises ValueError when the changes do not stand over this base or contradict one another; a proposal is
    checked for that before it becomes chunks.
    """
    by_path: dict[str, list[FileChange]] = {}
    for change in changes:
        by_path.setdefault(change.path, []).append(change)
    after: States = dict(base)
    moved: dict[str, FileState | None] = {}
    for path, own in by_path.items():
        state = _changed(path, base.get(path), own)
        names = {change.new_path for change in own if change.new_path is not None}
        if len(names) > 1:
            raise ValueError(f"{path} is renamed twice")
        after[path] = None if names else state
        for name in names:
            if name in moved:
                raise ValueError(f"two files become {name}")
            moved[name] = state
    for name, state in moved.items():
        if state is not None and after.get(name) is not None:
            raise ValueError(f"{name} exists already")
        after[name] = after.get(name) if state is None else state
    return after


def _changed(path: str, base: FileState | None, changes: Sequence[FileChange]) -> FileState | None:
    """One file after its own changes, its name left aside."""
    kinds = {change.kind for change in changes}
    if base is None and kinds - {ChangeKind.CREATE, *WHOLE}:
        raise ValueError(f"{path} does not exist")
    if base is not None and ChangeKind.CREATE in kinds:
        raise ValueError(f"{path} exists already")
    if ChangeKind.DELETE in kinds:
        return None
    modes = {change.mode for change in changes if change.mode is not None}
    if len(modes) > 1:
        raise ValueError(f"{path} gets two modes")
    mode = modes.pop() if modes else base.mode if base else Mode.FILE
    whole = [change for change in changes if change.kind in WHOLE]
    if len(whole) > 1:
        raise ValueError(f"{path} is replaced twice")
    if whole:
        pieces = [hunk.new for hunk in whole[0].hunks]
        if pieces == [()]:
            return None
        old = base.data if base else b""
        return FileState(mode, b"".join(pieces[0]) if pieces else old)
    hunks = [hunk for change in changes for hunk in change.hunks]
    lines = file_lines(base) if base else ()
    return FileState(mode, b"".join(splice(lines, hunks)))


def file_lines(state: FileState) -> Lines:
    """The lines that hunks over this file count in; a binary file or a link is one line."""
    if stat.S_IFMT(state.mode) != stat.S_IFREG:
        return split_lines(state.data, None)
    return split_lines(state.data, sniff(state.data))


def changes_between(
    before: States,
    after: States,
    renames: Mapping[str, str] = {},
    known: Mapping[str, Sequence[FileChange]] = {},
) -> tuple[FileChange, ...]:
    """What turns `before` into `after`, file by file; the inverse of `outcome`.

    `renames` maps old names to new ones. Content, name and mode of one file are changes of their own. `known` has the
    changes of files that were compared before, and keep their name.
    """
    taken = set(renames.values())
    changes: list[FileChange] = []
    for path in dict.fromkeys([*before, *after]):
        old = before.get(path)
        if path in taken and old is None:
            continue
        name = renames.get(path, path)
        new = after.get(name, old if name == path else None)
        if name != path and old is not None:
            changes.append(FileChange(path, ChangeKind.RENAME, new_path=name, base_digest=old.digest))
        changes += known[path] if path in known and name == path else change_of(path, old, new)
    return tuple(changes)


def change_of(path: str, old: FileState | None, new: FileState | None) -> list[FileChange]:
    """What happens to the content and the mode of one file."""
    if old == new:
        return []
    digest = old.digest if old else None
    if _is_whole(old) or _is_whole(new):
        kind = ChangeKind.SYMLINK if _is_link(new or old) else ChangeKind.BINARY
        hunk = Hunk(0, (old.data,) if old else (), (new.data,) if new else ())
        return [FileChange(path, kind, (hunk,), new.mode if new else None, None, digest)]
    old_lines = file_lines(old) if old else ()
    new_lines = file_lines(new) if new else ()
    if old is None and new is not None:
        hunks = (Hunk(0, (), new_lines),) if new_lines else ()
        return [FileChange(path, ChangeKind.CREATE, hunks, new.mode, None, None)]
    if new is None:
        hunks = (Hunk(0, old_lines, ()),) if old_lines else ()
        return [FileChange(path, ChangeKind.DELETE, hunks, None, None, digest)]
    changes = []
    if old is not None and old.mode != new.mode:
        changes.append(FileChange(path, ChangeKind.MODE, (), new.mode, None, digest))
    if old is not None and old.data != new.data:
        changes.append(FileChange(path, ChangeKind.MODIFY, diff(old_lines, new_lines), None, None, digest))
    return changes


def _is_link(state: FileState | None) -> bool:
    return state is not None and stat.S_IFMT(state.mode) != stat.S_IFREG


def _is_whole(state: FileState | None) -> bool:
    return state is not None and (_is_link(state) or sniff(state.data) is None)


def transplant_states(
    expected: FileState | None, target: FileState | None, current: FileState | None, path: str
) -> FileState | Clash | None:
    """The change `expected` to `target`, made to what the file is now."""
    if current in (expected, target):
        return target
    if current is None:
        return Clash(path, "the file is gone meanwhile")
    if expected is None:
        return Clash(path, "another file of this name is there meanwhile")
    if target is None:
        return Clash(path, "the file to be deleted was changed meanwhile")
    if len({stat.S_IFMT(state.mode) for state in (expected, target, current)}) > 1:
        return Clash(path, "the file became another kind of file meanwhile")
    mode = _three_way(expected.mode, target.mode, current.mode)
    if mode is None:
        return Clash(path, "the file's mode was changed meanwhile")
    data = _three_way(expected.data, target.data, current.data)
    if data is not None:
        return FileState(mode, data)
    if any(_is_whole(state) for state in (expected, target, current)):
        return Clash(path, "the file was changed meanwhile, and only text can be changed in part")
    encoding = common_encoding((expected, target, current))
    if encoding is None:
        return Clash(path, "the file's encoding was changed meanwhile")
    states = (expected, target, current)
    # A byte order mark of all three is no part of their first lines: these change as in any text.
    bom = encoding.bom if all(state.data.startswith(encoding.bom) for state in states) else b""
    before, after, now = (split_lines(state.data.removeprefix(bom), encoding) for state in states)
    lines = transplant(before, after, now, path, encoding.newline)
    return lines if isinstance(lines, Clash) else FileState(mode, bom + b"".join(lines))


def _three_way(expected: T, target: T, current: T) -> T | None:
    """The value after both changes when at most one side changed it, or both in the same way."""
    if expected == target:
        return current
    return target if current in (expected, target) else None


def common_encoding(states: Iterable[FileState]) -> Encoding | None:
    """How all of these texts are encoded; None where one has no lines, or they differ.

    ASCII is as the others are, but not as UTF-16, of which one character has more than a byte.
    """
    found: dict[str, Encoding] = {}
    has_ascii = False
    for state in states:
        encoding = None if _is_whole(state) else sniff(state.data)
        if encoding is None:
            return None
        if not state.data.isascii():
            found[encoding.codec] = encoding
        elif state.data:
            has_ascii = True
    if len(found) > 1 or (has_ascii and any(codec.startswith("utf-16") for codec in found)):
        return None
    return next(iter(found.values()), UTF8)
