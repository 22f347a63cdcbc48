"""Runs the evidence makers beside the person: one thread a chunk, results on the inbox, nothing waits for them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from agent.core.chunk import Chunk
from agent.core.hunk import Write, writes_digest
from agent.core.review import Evidence
from agent.ports import Cancel, Checks

LOOK_SECONDS = 0.5


class EvidenceFound(msgspec.Struct, frozen=True):
    chunk: str
    evidence: Evidence


class ExaminationOver(msgspec.Struct, frozen=True):
    """No more evidence comes, or what there is has become stale: the card must no longer say what it said."""

    chunk: str


class _Examination(msgspec.Struct):
    key: str
    cancel: Cancel
    over: bool = False


class Examiner:
    """Starts at most one examination of a chunk for each `key`; a new key or a decision ends the old one.

    `mark` gives another word once what evidence rests on has changed; then the card is looked at again.
    """

    def __init__(self, checks: Checks | None, mark: Callable[[], str] | None = None) -> None:
        self._checks, self._mark = checks, mark
        self._running: dict[str, _Examination] = {}

    def start(
        self, chunk: Chunk, writes: Sequence[Write], before: Callable[[], Sequence[Write]], inbox: queue.SimpleQueue[Any],
        *, key: str = "", again: bool = False, digest: str = "",
    ) -> None:  # fmt: skip
        """Examine `writes`; `before` gives what of the stack counts as the state before. Returns at once.

        `before` is called in a thread of its own: to find the tests of a large stack takes long. `key` names what else
        the evidence rests on: once it changes, the evidence is made again. `digest` is that of the card where it shows
        other writes than these.
        """
        checks = self._checks
        rests_on = key
        key = f"{writes_digest(writes)} {key}"
        known = self._running.get(chunk.id)
        if checks is None or (known and known.key == key and not again):
            return
        self.stop(chunk.id)
        mine = self._running[chunk.id] = _Examination(key, Cancel())
        mark = self._mark() if self._mark else ""

        def work() -> None:
            try:
                for evidence in checks.examine(chunk, writes, before(), mine.cancel):
                    if mine.cancel.cancelled:
                        return
                    bound = msgspec.structs.replace(evidence, base=rests_on, digest=digest or evidence.digest)
                    inbox.put(EvidenceFound(chunk.id, bound))
            finally:
                mine.over = True
                inbox.put(ExaminationOver(chunk.id))
            while self._mark and not mine.cancel.cancelled:
                time.sleep(LOOK_SECONDS)
                if self._mark() != mark:
                    inbox.put(ExaminationOver(chunk.id))
                    return

        threading.Thread(target=work, name=f"evidence-{chunk.id}", daemon=True).start()

    def is_checking(self, chunk_id: str) -> bool:
        """True while more evidence may come for the chunk."""
        known = self._running.get(chunk_id)
        return known is not None and not known.over

    def stop(self, chunk_id: str) -> None:
        """End what runs for the chunk; it is not begun again by itself."""
        known = self._running.get(chunk_id)
        if known:
            known.cancel.cancel()

    def leave(self, chunk_id: str) -> None:
        """End what runs for a chunk that was decided; should it be shown again, it is examined again."""
        self.stop(chunk_id)
        self._running.pop(chunk_id, None)

    def close(self) -> None:
        for chunk_id in list(self._running):
            self.stop(chunk_id)
