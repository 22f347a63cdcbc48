"""Split one chunk further, as the person asked: its changes in two halves, or one change near its middle.

Promise: the parts together do exactly what the chunk does, and each of them stands over the same base.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from agent.core.chunk import Budget, Chunk
from agent.core.code.sheet import Sheet
from agent.core.cutting.cut import chunk_id
from agent.core.cutting.drafts import is_recoded
from agent.core.cutting.pieces import cut_hunk
from agent.core.cutting.titles import plural, title
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk
from agent.core.lines.place import file_lines
from agent.core.lines.splice import splice
from agent.core.outcome import States
from agent.core.text import are_marked, has_end

_SIZE = re.compile(r"(?:: \d+ lines?)?$")
_PART = re.compile(r" \(([\d.]+) of (\d+)\)$")
"""What a title says of size and number: each part has its own."""

BY_LINES = (ChangeKind.MODIFY, ChangeKind.CREATE)


def split(chunk: Chunk, base: States, budget: Budget | None = None) -> tuple[Chunk, ...]:
    """The halves of `chunk` in order, with what each needs; the chunk alone when it cannot be split."""
    changes = [part for change in chunk.changes for part in _atoms(change)]
    if len(changes) == 1 and changes[0].kind in BY_LINES and changes[0].hunks:
        hunks = _halves(changes[0], base, budget or Budget())
        changes = [msgspec.structs.replace(changes[0], hunks=own) for own in hunks]
    if len(changes) == 1:
        return (chunk,)
    parts: list[Chunk] = []
    made: set[str] = set()
    for number, group in enumerate(_parted(changes), 1):
        creates = {change.path for change in group if change.kind is ChangeKind.CREATE}
        creates_later = not chunk.needs and not made.isdisjoint(creates)
        paths = {change.path for change in group}
        part = msgspec.structs.replace(
            chunk,
            id=chunk_id(group, chunk.id),
            title=_title(chunk, group, number, made),
            changes=group,
            needs=(*chunk.needs, parts[0].id) if creates_later else chunk.needs,
            because=tuple(reason for reason in chunk.because if reason.path in paths),
            place_reason=f"part {number} of 2 of: {chunk.title}",
        )
        parts.append(part)
        made |= creates
    return _behind_the_end(parts)


def numbered_as(name: str, other: str) -> str:
    """The title `name` with the number of the part that `other` is the title of; as it is where that is no part."""
    part = _PART.search(_SIZE.sub("", other, count=1))
    return _SIZE.sub(lambda size: f"{part[0]}{size[0]}", name, count=1) if part else name


def _parted(changes: Sequence[FileChange]) -> tuple[tuple[FileChange, ...], tuple[FileChange, ...]]:
    """`changes` in two groups of about half of the lines, each with one change for all hunks of a file."""
    sizes = [sum(hunk.changed for hunk in change.hunks) for change in changes]
    at = min(range(1, len(changes)), key=lambda index: abs(sum(sizes) - 2 * sum(sizes[:index])))
    return _joined(changes[:at]), _joined(changes[at:])


def _joined(changes: Sequence[FileChange]) -> tuple[FileChange, ...]:
    found: list[FileChange] = []
    for change in changes:
        last = found[-1] if found else None
        if last and (last.path, last.kind) == (change.path, change.kind) and change.kind in BY_LINES:
            found[-1] = msgspec.structs.replace(last, hunks=(*last.hunks, *change.hunks))
        else:
            found.append(change)
    return tuple(found)


def _behind_the_end(parts: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """`parts`, of which those that put lines behind a last one without an end need that one gone."""
    last = {
        (change.path, hunk.end): part.id
        for part in parts
        for change in part.changes
        for hunk in change.hunks
        if change.kind is ChangeKind.MODIFY and hunk.old and not has_end(hunk.old[-1])
    }
    if not last:
        return tuple(parts)
    found = []
    for part in parts:
        places = ((change.path, hunk.start) for change in part.changes for hunk in change.hunks)
        needs = [last[place] for place in places if place in last and last[place] != part.id]
        found.append(msgspec.structs.replace(part, needs=(*part.needs, *needs)) if needs else part)
    return tuple(found)


def _title(chunk: Chunk, changes: tuple[FileChange, ...], number: int, made: set[str]) -> str:
    """That of the chunk, with the number of the part: of part 2 of 3 the first one is 2.1 of 3.

    `made` are the new files that the part before it makes.
    """
    subject = _SIZE.sub("", chunk.title, count=1)
    part = f"{number} of 2"
    if found := _PART.search(subject):
        subject, part = subject[: found.start()], f"{found[1]}.{number} of {found[2]}"
    path = changes[0].path
    if number > 1 and subject == f"New file {chunk.changes[0].path}":
        subject = path if path in made or changes[0].kind is not ChangeKind.CREATE else f"New file {path}"
    name = title(changes, (subject,), opens=False)
    size = f": {plural(sum(hunk.changed for change in changes for hunk in change.hunks))}"
    return f"{name.removesuffix(size)} ({part}){size}" if name.endswith(size) else name


def _atoms(change: FileChange) -> list[FileChange]:
    if change.kind not in BY_LINES or len(change.hunks) < 2:
        return [change]
    return [msgspec.structs.replace(change, hunks=(hunk,)) for hunk in change.hunks]


def _halves(change: FileChange, base: States, budget: Budget) -> list[tuple[Hunk, ...]]:
    """The one hunk of `change` as two or more; a single one when it has but one line on a side, or all is one."""
    hunk = change.hunks[0]
    if len(hunk.old) <= 1 and len(hunk.new) <= 1:
        return [(hunk,)]
    state = base.get(change.path)
    old = Sheet(change.path, file_lines(state) if state else ())
    # Not what the bytes would be read as: a later part of a new UTF-16 file has no byte order mark.
    new = Sheet(change.path, splice(old.lines, change.hunks))
    goal = FileState(state.mode, b"".join(new.lines)) if state is not None else None
    if is_recoded(state, goal):
        return [(hunk,)]
    half = Budget(
        lines=max(1, min(budget.lines, (hunk.changed + 1) // 2)), hard_lines=max(1, hunk.changed - 1)
    )
    pieces = [piece.hunks for piece in cut_hunk(hunk, old, new, hunk.start, half)]
    return pieces if len(pieces) > 1 else _at_a_line(hunk)


def _at_a_line(hunk: Hunk) -> list[tuple[Hunk, ...]]:
    """Half of the old lines with half of the new ones; a last line owns its missing newline, a first one its mark."""
    if not hunk.start and are_marked(hunk.old, hunk.new) and min(len(hunk.old), len(hunk.new)) == 1:
        return [(hunk,)]
    i, j = (len(hunk.old) + 1) // 2, (len(hunk.new) + 1) // 2
    if hunk.old and hunk.new:
        i, j = min(i, len(hunk.old) - 1), min(j, len(hunk.new) - 1)
    first = Hunk(hunk.start, hunk.old[:i], hunk.new[:j], hunk.seq)
    second = Hunk(hunk.start + i, hunk.old[i:], hunk.new[j:], hunk.seq + j)
    return [(part,) for part in (first, second) if part.changed]
