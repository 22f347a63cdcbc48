"""Places approved changes onto another version of their files: that of HEAD, and that of the index.

A change was approved over the files of the work tree, and is carried over by position (`core/lines/place`). Contents
are compared in the form that they have in the work tree, and are stored as git would store them, line endings
converted and drivers off; where that conversion does not give back what is stored already, the stored form is
changed directly. What cannot be placed without guessing is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.core.events import StoredState, StoredWrite
from agent.core.hunk import FileState
from agent.core.lines.place import file_lines, transplant_states
from agent.core.lines.splice import diff
from agent.core.outcome import Clash, States
from agent.core.text import name_to_bytes
from agent.git.conversion import Conversion
from agent.git.repo import Repo
from agent.git.spots import Spot, Spots
from agent.ports import BlobStore

Step = tuple[FileState | None, FileState | None]
"""A file before and after a write."""


class Unplaceable(Exception):
    """A change cannot be put there without guessing."""

    def __init__(self, clash: Clash, write: StoredWrite, *, is_index: bool) -> None:
        super().__init__(clash.reason)
        self.clash = clash
        self.write = write
        self.is_index = is_index


class Placing:
    """Carries approved writes over to other versions of the files."""

    def __init__(self, repo: Repo, blobs: BlobStore) -> None:
        self._repo = repo
        self._blobs = blobs

    def place(
        self, writes: Sequence[StoredWrite], onto: Mapping[str, Spot | None], *, is_index: bool = False
    ) -> Spots:
        """The entries of `onto` after `writes`, in their order. Raises Unplaceable.

        `is_index`: these are staged. What the person has staged of a file that was new has what they were shown in
        it, as far as they want it.
        """
        by_path: dict[str, list[StoredWrite]] = {}
        for write in writes:
            by_path.setdefault(write.path, []).append(write)
        conversion = Conversion(self._repo, by_path)
        same = [path for path in by_path if conversion.leaves(path)]
        found = self._place_as_stored({path: by_path.pop(path) for path in same}, onto, is_index)
        return found | {
            path: self._place(path, own, onto.get(path), is_index) for path, own in by_path.items()
        }

    def adds_nothing(
        self, groups: Sequence[Sequence[StoredWrite]], onto: Mapping[str, Spot | None]
    ) -> list[bool]:
        """Which of `groups`, placed onto `onto` one after another, leave all as it is. Raises Unplaceable."""
        by_path: dict[str, list[StoredWrite]] = {}
        for writes in groups:
            for write in writes:
                by_path.setdefault(write.path, []).append(write)
        conversion = Conversion(self._repo, by_path)
        same = {path: spot for path in by_path if conversion.leaves(path) and (spot := onto.get(path))}
        read = self._repo.stored_all([(spot.mode, spot.oid) for spot in same.values()])
        now: States = dict(zip(same, read, strict=True))
        for path in by_path.keys() - same.keys():
            now[path], _ = self._before(path, by_path[path], onto.get(path))
        found = []
        for writes in groups:
            before = {write.path: now[write.path] for write in writes}
            for write in writes:
                now[write.path] = self._placed(write.path, [write], now[write.path], is_index=False)
            found.append(all(now[path] == state for path, state in before.items()))
        return found

    def _place_as_stored(
        self, writes: Mapping[str, Sequence[StoredWrite]], onto: Mapping[str, Spot | None], is_index: bool
    ) -> Spots:
        """As `place`, of files that git does not convert: all are read, and all are stored, at once."""
        there = {path: spot for path in writes if (spot := onto.get(path)) is not None}
        read = self._repo.stored_all([(spot.mode, spot.oid) for spot in there.values()])
        before: States = dict.fromkeys(writes) | dict(zip(there, read, strict=True))
        after = {path: self._placed(path, own, before[path], is_index) for path, own in writes.items()}
        changed = {
            path: state for path, state in after.items() if state is not None and state != before[path]
        }
        oids = self._repo.objects.write_blobs([state.data for state in changed.values()])
        spots: Spots = {path: onto.get(path) if state is not None else None for path, state in after.items()}
        return spots | {
            path: Spot(state.mode, oid) for (path, state), oid in zip(changed.items(), oids, strict=True)
        }

    def _place(
        self, path: str, writes: Sequence[StoredWrite], spot: Spot | None, is_index: bool
    ) -> Spot | None:
        before, as_stored = self._before(path, writes, spot)
        state = self._placed(path, writes, before, is_index)
        if state == before:
            return spot
        return self._store(path, state, as_stored=as_stored) if state else None

    def _before(
        self, path: str, writes: Sequence[StoredWrite], spot: Spot | None
    ) -> tuple[FileState | None, bool]:
        """The file in the form that `writes` are placed onto, and whether that is the one that is stored."""
        if spot is None:
            return None, False
        state = self._repo.checked_out(path, spot.mode, spot.oid)
        as_stored = self._store(path, state, as_stored=False) != spot or (
            b"\r\n" in state.data and self._is_without_returns(writes)
        )
        return (self._repo.stored(spot.mode, spot.oid) if as_stored else state), as_stored

    def _placed(
        self, path: str, writes: Sequence[StoredWrite], state: FileState | None, is_index: bool
    ) -> FileState | None:
        """One by one; a file that has all of them already stays as it is."""
        steps = [(self._load(write.old), self._load(write.new)) for write in writes]
        done, placed = _one_by_one(path, steps, state, is_index)
        if isinstance(placed, Clash) and _has_all(path, steps, state):
            return state
        if isinstance(placed, Clash) and is_index and steps[0][0] is None and state is not None:
            there = _nearest(steps, state)
            done, placed = _one_by_one(path, steps[there:], state, is_index)
            done += there
        if isinstance(placed, Clash):
            raise Unplaceable(placed, writes[done], is_index=is_index)
        return placed

    def _is_without_returns(self, writes: Sequence[StoredWrite]) -> bool:
        """True when the file had none in the work tree: it was written before the attributes came that put them in."""
        states = [self._load(stored) for write in writes for stored in (write.old, write.new)]
        return all(state is None or b"\r\n" not in state.data for state in states)

    def _store(self, path: str, state: FileState, *, as_stored: bool) -> Spot:
        if as_stored or state.mode not in (0o100644, 0o100755):
            return Spot(state.mode, self._repo.objects.write_blob(state.data))
        return Spot(state.mode, self._repo.objects.write_file(name_to_bytes(path), state.data))

    def _load(self, stored: StoredState | None) -> FileState | None:
        return FileState(stored.mode, self._blobs.get(stored.blob)) if stored else None


def _one_by_one(
    path: str, steps: Sequence[Step], state: FileState | None, is_index: bool
) -> tuple[int, FileState | Clash | None]:
    """How many steps were made, and what they come to."""
    for done, (old, new) in enumerate(steps):
        if is_index and old is None and state is not None:
            continue
        placed = transplant_states(old, new, state, path)
        if isinstance(placed, Clash):
            return done, placed
        state = placed
    return len(steps), state


def _has_all(path: str, steps: Sequence[Step], state: FileState | None) -> bool:
    """True when all steps can be taken out of `state` and put back. What stands side by side with what was written
    after it has no place of its own there, and one by one it clashes.
    """
    _, before = _one_by_one(path, [(new, old) for old, new in reversed(steps)], state, is_index=False)
    return not isinstance(before, Clash) and _one_by_one(path, steps, before, is_index=False)[1] == state


def _nearest(steps: Sequence[Step], state: FileState) -> int:
    """After how many of `steps` the person staged their version of a new file: where it differs least."""
    lines = file_lines(state)

    def distance(number: int) -> int:
        new = steps[number - 1][1]
        hunks = diff(file_lines(new) if new else (), lines)
        return sum(len(hunk.old) + len(hunk.new) for hunk in hunks)

    return min(range(1, len(steps) + 1), key=distance)
