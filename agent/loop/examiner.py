"""Runs the evidence makers beside the person: one thread a chunk, results on the inbox, nothing waits for them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from agent.core.chunk import Chunk
from agent.core.hunk import Write, writes_digest
from agent.core.review import Evidence
from agent.ports import Cancel, Checks


class EvidenceFound(msgspec.Struct, frozen=True):
    chunk: str
    evidence: Evidence


class Examiner:
    """Starts at most one examination for each (chunk, digest); a new digest or a decision ends the old one."""

    def __init__(self, checks: Checks | None) -> None:
        self._checks = checks
        self._running: dict[str, tuple[str, Cancel]] = {}

    def start(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], inbox: queue.SimpleQueue[Any],
        *, again: bool = False,
    ) -> None:  # fmt: skip
        """Examine `writes`; `before` is what of the stack counts as the state before. Returns at once."""
        checks = self._checks
        digest = writes_digest(writes)
        known = self._running.get(chunk.id)
        if checks is None or (known and known[0] == digest and not again):
            return
        self.stop(chunk.id)
        cancel = Cancel()
        self._running[chunk.id] = (digest, cancel)

        def work() -> None:
            for evidence in checks.examine(chunk, writes, before, cancel):
                if cancel.cancelled:
                    return
                inbox.put(EvidenceFound(chunk.id, evidence))

        threading.Thread(target=work, name=f"evidence-{chunk.id}", daemon=True).start()

    def stop(self, chunk_id: str) -> None:
        known = self._running.get(chunk_id)
        if known:
            known[1].cancel()

    def close(self) -> None:
        for chunk_id in list(self._running):
            self.stop(chunk_id)
