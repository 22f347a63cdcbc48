"""What the work tree and the index have in common as targets: one copair at a time, a crash settled first, no set twice.

How a set is written, and how one that a crash left is settled, is each target's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager

import msgspec

from agent.core.errors import StateError
from agent.core.events import StoredWrite
from agent.core.hunk import Write, writes_digest
from agent.core.outcome import Applied, Refused, WriteOutcome
from agent.git.sets import Sets, Step, WriteSet
from agent.git.worktrees import owns
from agent.io.locks import Locked, locked
from agent.ports import Place

WAIT_SECONDS = 10.0


class Recovered(msgspec.Struct, frozen=True):
    """A set that a crash left half done: `finished`, or rolled back. `left` keeps the person's later bytes."""

    set_id: str
    finished: bool
    paths: tuple[str, ...]
    left: tuple[str, ...] = ()


class Writer(ABC):
    """The part of ports.Target that is the same for every target of one work tree."""

    def __init__(self, place: Place, sets: Sets, wait_seconds: float) -> None:
        self._place = place
        self._sets = sets
        self._lock = place.state / "write.lock"
        self._wait_seconds = wait_seconds

    def write(self, set_id: str, writes: Sequence[Write]) -> WriteOutcome:
        """All of `writes` or none. A `set_id` that was applied before is not applied again. Raises StateError."""
        try:
            with self._alone():
                self._recover()
                try:
                    return self._once(set_id, writes)
                except KeyboardInterrupt:
                    self._recover()  # finished or taken back now, not at the next start
                    raise
        except Locked as error:
            return Refused("", error.message, error.hint)

    def done(self, set_id: str) -> tuple[StoredWrite, ...] | None:
        """What the set wrote, when it was applied; None otherwise."""
        write_set = self._sets.done(set_id)
        return write_set.writes if write_set else None

    def recover(self) -> list[Recovered]:
        """Finish or roll back what a crash left; to be called at the start. Raises StateError."""
        if not self.waits():
            return []
        with self._alone():
            return self._recover()

    def waits(self) -> bool:
        """True when a write is not whole: a crash interrupted it, or another copair is at it."""
        try:
            return self._crashed()
        except StateError:
            return True  # a record that another copair has just put elsewhere, or one that is damaged

    def _set(
        self, set_id: str, digest: str, steps: tuple[Step, ...], folders: tuple[str, ...] = ()
    ) -> WriteSet:
        return WriteSet(
            set_id, str(self._place.root), digest, steps, folders, work_tree=self._place.work_tree
        )

    @abstractmethod
    def _write(self, set_id: str, digest: str, writes: Sequence[Write]) -> WriteOutcome:
        """Write a set that was not applied before; the lock is held."""

    @abstractmethod
    def _settle(self, phase: str, write_set: WriteSet) -> Recovered:
        """Finish or roll back one set that a crash left in `phase`; the lock is held. Raises OSError."""

    def _crashed(self) -> bool:
        """Whether a crash left anything."""
        return bool(self._unfinished())

    def _settle_all(self) -> list[Recovered]:
        """Settle what it left; the lock is held. Raises OSError."""
        return [self._settle(phase, write_set) for phase, write_set in self._unfinished()]

    def _alone(self) -> AbstractContextManager[None]:
        return locked(self._lock, wait_seconds=self._wait_seconds, what="this repository")

    def _once(self, set_id: str, writes: Sequence[Write]) -> WriteOutcome:
        digest = writes_digest(writes)
        before = self._sets.done(set_id)
        if before is None:
            return self._write(set_id, digest, writes)
        if before.digest == digest:
            return Applied(set_id, digest)
        return Refused("", "another set was written under this id before", "decide on the chunk again")

    def _unfinished(self) -> list[tuple[str, WriteSet]]:
        """Of this work tree; linked ones share the records and look after their own."""
        phases = ("committed", "pending")
        found = [(phase, write_set) for phase in phases for write_set in self._sets.unfinished(phase)]
        return [(phase, write_set) for phase, write_set in found if self._owns(write_set)]

    def _owns(self, write_set: WriteSet) -> bool:
        return owns(self._place, write_set.work_tree, write_set.root)

    def _recover(self) -> list[Recovered]:
        try:
            return self._settle_all()
        except OSError as error:
            raise StateError(
                f"a write that was interrupted cannot be finished or taken back: {error}",
                hint="make the files of the repository writable, then start copair again",
            ) from error
