"""Writes approved sets into the index and leaves the work tree alone (`review --onto index`).

Contents are compared and stored exactly as the index holds them, without conversion. The index is replaced in
one step, so a set is all there or not at all; a record tells after a crash which of both it was.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping, Sequence

from agent.core.errors import PathRefused, RepositoryError
from agent.core.events import StoredState
from agent.core.hunk import FileState, Write
from agent.core.outcome import Applied, Drifted, Refused, WriteOutcome
from agent.core.text import digest as digest_of
from agent.git import plan, spots
from agent.git.index import Entry, read_entries, without_intents
from agent.git.index_write import IndexFile
from agent.git.repo import Repo
from agent.git.sets import Sets, Step, WriteSet
from agent.git.spots import Spot
from agent.git.transaction import DriftSeen
from agent.git.writer import WAIT_SECONDS, Recovered, Writer
from agent.io.blobs import Blobs
from agent.io.calls import Calls
from agent.ports import BlobStore, Place


class Index(Writer):
    """ports.Target for the index of one work tree. `twins` as for `WorkTree`."""

    def __init__(
        self,
        place: Place,
        blobs: BlobStore | None = None,
        *,
        repo: Repo | None = None,
        calls: Calls | None = None,
        wait_seconds: float = WAIT_SECONDS,
        twins: bool = False,
    ) -> None:
        calls = calls or Calls()
        super().__init__(place, Sets(place.state / "index", calls), wait_seconds)
        self._twins = twins
        self._repo = repo or Repo(place, calls)
        self._blobs = blobs or Blobs(place.state / "blobs", calls)
        self._file = IndexFile(place, calls)

    def read(self, path: str) -> FileState | None:
        """The file as it is staged, as stored; None when it is not staged. Raises PathRefused."""
        self._repo.fence.check(path)
        return self._state(_entries(self._repo, [path], None), path)

    def _state(self, entries: Mapping[str, list[Entry]], path: str) -> FileState | None:
        found = entries.get(path, [])
        if any(entry.stage for entry in found):
            raise PathRefused(f"{path} is in conflict", hint="resolve the conflict first")
        return self._repo.stored(found[0].mode, found[0].oid) if found else None

    def _crashed(self) -> bool:
        return super()._crashed() or bool(self._file.leftovers())

    def _settle_all(self) -> list[Recovered]:
        self._file.tidy()
        return super()._settle_all()

    def _settle(self, phase: str, write_set: WriteSet) -> Recovered:
        paths = tuple(step.path for step in write_set.steps)
        entries = _entries(self._repo, paths, None)
        finished = phase == "committed" or all(
            _stands(self._repo, entries.get(step.path, []), step.new) for step in write_set.steps
        )
        if not finished:
            self._sets.forget(write_set.set_id)
        else:
            if phase == "pending":
                self._sets.commit(write_set.set_id)
            self._sets.finish(write_set.set_id)
        return Recovered(write_set.set_id, finished, paths)

    def _write(self, set_id: str, digest: str, writes: Sequence[Write]) -> WriteOutcome:
        first = writes[0].path if writes else ""
        try:
            gone = {write.path for write in writes if write.new is None}
            check_new = self._repo.fence.newcomers(
                (w.path for w in writes if w.old is None), gone, twins=self._twins
            )
            for write in writes:
                first = write.path
                fenced = self._repo.fence.check(write.path)
                if write.old is None:
                    check_new(fenced)
                if reason := plan.unwritable(write.new):
                    raise PathRefused(f"{write.path}: {reason}", hint="use git itself")
            self._change(set_id, digest, writes)
        except DriftSeen as drift:
            self._sets.forget(set_id)
            return Drifted(drift.paths)
        except OSError as error:
            self._sets.forget(set_id)
            return plan.refused(first, error)
        except RepositoryError as error:
            self._sets.forget(set_id)
            return Refused(first, error.message, error.hint)
        return Applied(set_id, digest)

    def _change(self, set_id: str, digest: str, writes: Sequence[Write]) -> None:
        token = secrets.token_hex(6)
        steps = self._steps(writes)
        wanted = self._spots(writes)
        self._sets.save(self._set(set_id, digest, steps), sync=True)

        def edit(variables: Mapping[str, str]) -> None:
            entries = _entries(self._repo, [write.path for write in writes], variables)
            drifted = [write.path for write in writes if self._state(entries, write.path) != write.old]
            if drifted:
                raise DriftSeen(*drifted)
            spots.write(self._repo.git, wanted, variables)

        self._file.change(token, edit)
        # It is done; a record that still says "pending" is settled by the next recovery.
        with contextlib.suppress(OSError):
            self._sets.commit(set_id)
            self._sets.finish(set_id)

    def _steps(self, writes: Sequence[Write]) -> tuple[Step, ...]:
        """What happens to each path, with the contents of both sides kept."""
        sides = [state for write in writes for state in (write.old, write.new)]
        names = iter(self._blobs.put_all([state.data for state in sides if state is not None]))
        kept = [StoredState(state.mode, next(names)) if state else None for state in sides]
        return tuple(
            Step(write.path, "", old, new)
            for write, old, new in zip(writes, kept[::2], kept[1::2], strict=True)
        )

    def _spots(self, writes: Sequence[Write]) -> spots.Spots:
        """What the index is to have, with the contents stored."""
        states = [write.new for write in writes if write.new is not None]
        oids = iter(self._repo.objects.write_blobs([state.data for state in states]))
        return {write.path: Spot(write.new.mode, next(oids)) if write.new else None for write in writes}


def _entries(repo: Repo, paths: Sequence[str], variables: Mapping[str, str] | None) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    wanted = set(paths)
    asked = [entry for entry in read_entries(repo.git, paths, variables) if entry.path in wanted]
    for entry in without_intents(repo.git, asked, variables):
        found.setdefault(entry.path, []).append(entry)
    return found


def _stands(repo: Repo, entries: Sequence[Entry], stored: StoredState | None) -> bool:
    if stored is None or len(entries) != 1:
        return stored is None and not entries
    state = repo.stored(entries[0].mode, entries[0].oid)
    return state.mode == stored.mode and digest_of(state.data) == stored.blob
