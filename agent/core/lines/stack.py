"""The living stack: what one chunk would write now, over what was applied and over what the person did.

Hunks stand over the base of their proposal and never change. What is on the disk may have drifted from what we
expect there (the person's edits, another chunk's card edited by hand); then the chunk is carried over by
position (`place.transplant_states`), or it clashes. Nothing is searched and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from agent.core.chunk import Chunk
from agent.core.hunk import FileChange, FileState, Write
from agent.core.lines.place import outcome, transplant_states
from agent.core.lines.splice import CHANGED, LENGTHENED
from agent.core.outcome import Clash, States

DIFFERS = "your file differs here from what the change was made for"


class AlreadyPresent(msgspec.Struct, frozen=True):
    """What the chunk wants is there already; `paths` are the files."""

    paths: tuple[str, ...]


class Step(msgspec.Struct, frozen=True):
    """What one chunk does where nothing drifted: the touched files before and after it.

    `moved`: the two names of each file that it renames.
    """

    expected: States
    target: States
    moved: tuple[tuple[str, str], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self.target)


def reach(chunk: Chunk, applied: Sequence[Chunk]) -> tuple[frozenset[str], tuple[FileChange, ...]]:
    """The files that the step of `chunk` depends on, and those changes of `applied` that concern them.

    A large diff has thousands of files; one card needs the few that its chunk touches, under all their names.
    """
    names = set(chunk.paths)
    changes = [change for other in applied for change in other.changes]
    while True:
        near = [change for change in changes if change.path in names or change.new_path in names]
        wider = names | {change.path for change in near} | {c.new_path for c in near if c.new_path}
        if wider == names:
            return frozenset(names), tuple(near)
        names = wider


def step(chunk: Chunk, base: Mapping[str, FileState | None], applied: Sequence[Chunk]) -> Step:
    """The step of `chunk` over `base` with `applied` (chunks of the same base, any order) in place."""
    names, done = reach(chunk, applied)
    base = {path: state for path, state in base.items() if path in names}
    before = outcome(base, done)
    after = outcome(base, (*done, *chunk.changes))
    touched = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    return Step(
        expected={path: before.get(path) for path in touched},
        target={path: after.get(path) for path in touched},
        moved=renames(chunk),
    )


def renames(chunk: Chunk) -> tuple[tuple[str, str], ...]:
    """Old and new name of each file that the chunk renames."""
    return tuple((change.path, change.new_path) for change in chunk.changes if change.new_path is not None)


def place_step(
    work: Step, current: Mapping[str, FileState | None]
) -> tuple[Write, ...] | AlreadyPresent | Clash:
    """The exact writes that bring `work` onto the files as they are, in path order."""
    placed = place_all(work, current)
    clash = next((found for found in placed if isinstance(found, Clash)), None)
    writes = tuple(found for found in placed if isinstance(found, Write))
    return clash or writes or AlreadyPresent(work.paths)


def place_all(work: Step, current: Mapping[str, FileState | None]) -> list[Write | Clash]:
    """Those writes in path order, and a clash for each file where what to write is not certain."""
    settled = _carried(work, current) | _lost(work, current)
    found: list[Write | Clash] = []
    for path, target in work.target.items():
        now = current[path]
        if path in settled:
            placed = settled[path]
        else:
            placed = transplant_states(work.expected[path], target, now, path)
        if isinstance(placed, Clash):
            found.append(placed)
        elif placed != now:
            found.append(Write(path, now, placed))
    return found


def reviewed(clash: Clash) -> Clash:
    """`clash` in a review: its base may be another version of the file, and nothing was changed meanwhile."""
    return msgspec.structs.replace(clash, reason=DIFFERS) if clash.reason in (CHANGED, LENGTHENED) else clash


def _lost(work: Step, current: Mapping[str, FileState | None]) -> dict[str, Clash]:
    """Files to be moved that are under neither name. Taken one by one, the old name would count as gone already
    and the new one as free, and the file would be made anew.
    """
    return {
        source: Clash(source, "the file is gone meanwhile")
        for source, name in _ways(work)
        if current[source] is None and current[name] is None
    }


def _carried(work: Step, current: Mapping[str, FileState | None]) -> dict[str, FileState | Clash | None]:
    """Files to be moved that the person changed: they move with these changes. Both names, and what is to be there."""
    found: dict[str, FileState | Clash | None] = {}
    for source, name in _ways(work):
        now, expected = current[source], work.expected[source]
        if now is not None and now != expected and current[name] is None:
            moved = transplant_states(expected, work.target[name], now, source)
            found |= {source: None, name: moved}
    return found


def _ways(work: Step) -> list[tuple[str, str]]:
    """From where and whereto files move in this step."""
    ways = [way for old, new in work.moved for way in ((old, new), (new, old))]
    return [(source, name) for source, name in ways if _moves(work, source, name)]


def _moves(work: Step, source: str, name: str) -> bool:
    return (
        source in work.target
        and work.target[source] is None
        and work.expected.get(source) is not None
        and work.target.get(name) is not None
    )


def blocked_by(chunk: Chunk, refused: Mapping[str, str], *, uses: bool = False) -> str:
    """Which refused chunk (id to what it is called) this one needs, as words for the card; empty when none.

    `uses`: also what it could be applied without, but whose names it uses.
    """
    names = [refused[need] for need in chunk.needs if need in refused]
    if names:
        return f"needs {', '.join(names)}, which was refused"
    wanted = [use for use in chunk.uses if use.chunk in refused] if uses else []
    words = [f"`{use.name}` of {refused[use.chunk]}" for use in wanted]
    return f"uses {', '.join(words)}, which was refused" if words else ""
