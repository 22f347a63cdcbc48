"""Writes approved sets into the work tree: exactly what was shown, all of it or nothing (threats: G2, G3, G5).

Every path is fenced and compared with what the approval names; pre-images and a record are on the disk before
the first file changes; what is displaced is compared again before it is removed. The index is never touched.
One copair at a time writes in a repository. It does not know chunks or decisions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Write
from agent.core.outcome import Applied, Drifted, Refused, WriteOutcome
from agent.git import plan
from agent.git.repo import Repo
from agent.git.sets import Sets, WriteSet
from agent.git.transaction import DriftSeen, Transaction, parts_of
from agent.git.writer import WAIT_SECONDS, Recovered, Writer
from agent.io.blobs import Blobs
from agent.io.calls import Calls
from agent.ports import BlobStore, Place


class WorkTree(Writer):
    """ports.Target for the files of one work tree.

    `twins`: names that differ only in case are written where the file system tells them apart; a person's own
    diff has them, a model that makes one has mistaken a name.
    """

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
        super().__init__(place, Sets(place.state, calls), wait_seconds)
        self._twins = twins
        self._repo = repo or Repo(place, calls)
        self._tree = self._repo.tree
        self._blobs = blobs or Blobs(place.state / "blobs", calls)
        folders = parts_of(place.prefix.rstrip("/")) if place.prefix else ()
        self._kept = frozenset(folders[:number] for number in range(1, len(folders) + 1))

    def read(self, path: str) -> FileState | None:
        """The file as it is now, None when absent; no link is followed. Raises PathRefused."""
        return self._repo.read(path)

    def _settle(self, phase: str, write_set: WriteSet) -> Recovered:
        transaction = Transaction(self._tree, write_set, self._kept)
        paths = tuple(step.path for step in write_set.steps)
        if phase == "pending" and not transaction.is_complete():
            left = transaction.take_back()
            self._sets.forget(write_set.set_id)
            return Recovered(write_set.set_id, False, paths, left)
        if phase == "pending":
            self._sets.commit(write_set.set_id)
        left = transaction.clean()
        self._sets.finish(write_set.set_id)
        return Recovered(write_set.set_id, True, paths, left)

    def _write(self, set_id: str, digest: str, writes: Sequence[Write]) -> WriteOutcome:
        look = plan.compare(self._repo, writes, twins=self._twins)
        if not isinstance(look, plan.Look):
            return look
        if not look.changes:
            return Applied(set_id, digest)
        try:
            steps, folders = plan.steps(self._repo, look, self._blobs)
            write_set = self._set(set_id, digest, steps, folders)
            self._sets.save(write_set, sync=False)
        except PathRefused as error:
            return Refused(look.changes[0].path, error.message, error.hint)
        except OSError as error:
            return plan.refused(look.changes[0].path, error)
        return self._carry_out(write_set, look)

    def _carry_out(self, write_set: WriteSet, look: plan.Look) -> WriteOutcome:
        transaction = Transaction(self._tree, write_set, self._kept)
        outcome: WriteOutcome
        try:
            transaction.prepare({write.path: write.new for write in look.changes}, plan.likes(look))
            armed = msgspec.structs.replace(write_set, armed=True)
            self._sets.save(armed, sync=True)
            write_set = armed
            transaction.carry_out()
            self._sets.commit(write_set.set_id)
        except DriftSeen as drift:
            outcome = Drifted(drift.paths)
        except PathRefused as error:
            outcome = Refused(look.changes[0].path, error.message, error.hint)
        except OSError as error:
            outcome = plan.refused(look.changes[0].path, error)
        else:
            return self._applied(transaction, write_set)
        return self._take_back(write_set, outcome)

    def _applied(self, transaction: Transaction, write_set: WriteSet) -> Applied:
        """The set is in place for good; what is left to tidy is done now, or at the next start."""
        left: tuple[str, ...] = ()
        with contextlib.suppress(OSError):
            left = transaction.clean()
            self._sets.finish(write_set.set_id)
        return Applied(write_set.set_id, write_set.digest, left)

    def _take_back(self, write_set: WriteSet, outcome: WriteOutcome) -> WriteOutcome:
        try:
            Transaction(self._tree, write_set, self._kept).take_back()
            self._sets.forget(write_set.set_id)
        except OSError as error:
            reason = f"{error.strerror}, and what was written so far could not be taken back"
            return Refused(
                write_set.steps[0].path,
                reason,
                "start copair again: it finishes or takes back the write first, and says so",
            )
        return outcome
