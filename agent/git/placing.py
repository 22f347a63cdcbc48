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
from agent.core.lines.place import transplant_states
from agent.core.outcome import Clash, States
from agent.core.text import name_to_bytes
from agent.git.conversion import Conversion
from agent.git.repo import Repo
from agent.git.spots import Spot, Spots
from agent.ports import BlobStore


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
        if spot is None:
            before, as_stored = None, False
        else:
            before = self._repo.checked_out(path, spot.mode, spot.oid)
            as_stored = self._store(path, before, as_stored=False) != spot or (
                b"\r\n" in before.data and self._is_without_returns(writes)
            )
            if as_stored:
                before = self._repo.stored(spot.mode, spot.oid)
        state = self._placed(path, writes, before, is_index)
        if state == before:
            return spot
        return self._store(path, state, as_stored=as_stored) if state else None

    def _placed(
        self, path: str, writes: Sequence[StoredWrite], state: FileState | None, is_index: bool
    ) -> FileState | None:
        for write in writes:
            if is_index and write.old is None and state is not None:
                continue
            placed = transplant_states(self._load(write.old), self._load(write.new), state, path)
            if isinstance(placed, Clash):
                raise Unplaceable(placed, write, is_index=is_index)
            state = placed
        return state

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
