"""Split one chunk further, as the person asked: into its changes, or one change in two near its middle.

Promise: the parts together do exactly what the chunk does, and each of them stands over the same base.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from agent.core.chunk import Budget, Chunk
from agent.core.code.sheet import Sheet
from agent.core.cutting.cut import chunk_id
from agent.core.cutting.drafts import is_mark, is_recoded
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
    """The parts of `chunk` in order, with what it needs; the chunk alone when it cannot be split."""
    changes = [part for change in chunk.changes for part in _atoms(change)]
    if len(changes) == 1 and changes[0].kind in BY_LINES and changes[0].hunks:
        hunks = _halves(changes[0], base, budget or Budget())
        changes = [msgspec.structs.replace(changes[0], hunks=own) for own in hunks]
    if len(changes) == 1:
        return (chunk,)
    parts: list[Chunk] = []
    for number, change in enumerate(changes, 1):
        creates_later = change.kind is ChangeKind.CREATE and not chunk.needs and number > 1
        part = msgspec.structs.replace(
            chunk,
            id=chunk_id((change,), chunk.id),
            title=_title(chunk, change, number, len(changes)),
            changes=(change,),
            needs=(*chunk.needs, parts[0].id) if creates_later else chunk.needs,
            because=tuple(reason for reason in chunk.because if reason.path == change.path),
            place_reason=f"part {number} of {len(changes)} of: {chunk.title}",
        )
        parts.append(part)
    return _behind_the_end(parts)


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


def _title(chunk: Chunk, change: FileChange, number: int, count: int) -> str:
    """That of the chunk, with the number of the part: of part 2 of 3 the first one is 2.1 of 3."""
    subject = _SIZE.sub("", chunk.title, count=1)
    part = f"{number} of {count}"
    if found := _PART.search(subject):
        subject, part = subject[: found.start()], f"{found[1]}.{number} of {found[2]}"
    if number > 1 and subject == f"New file {change.path}":
        subject = change.path  # the first part makes it
    name = title((change,), (subject,), opens=False)
    size = f": {plural(sum(hunk.changed for hunk in change.hunks))}"
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
    if is_recoded(state, goal) or is_mark(state) or is_mark(goal):
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
