"""Evidence beside the person: the card says while more may come, and stops saying so."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from agent.core.chunk import Chunk
from agent.core.hunk import FileState, Mode, Write
from agent.core.review import Evidence, EvidenceKind, Verdict, is_stale, shown_evidence
from agent.loop.examiner import EvidenceFound, ExaminationOver, Examiner
from agent.ports import Cancel

pytestmark = pytest.mark.timeout(20)
CHUNK = Chunk("1", "title", "why", ())
WRITES = (Write("a", None, FileState(Mode.FILE, b"a\n")),)
PIECE = Evidence(EvidenceKind.CHECK, Verdict.VERIFIED, "said", "digest")


class Slow:
    """Checks that wait for a word before they say anything."""

    def __init__(self, pieces: Iterable[Evidence] = (PIECE,)) -> None:
        self.go = threading.Event()
        self._pieces = tuple(pieces)

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
    ) -> Iterable[Evidence]:
        self.go.wait(10)
        yield from self._pieces


@pytest.mark.parametrize("pieces", [(), (PIECE,)])
def test_a_chunk_is_being_checked_until_the_last_piece_has_come(pieces: tuple[Evidence, ...]) -> None:
    checks = Slow(pieces)
    examiner = Examiner(checks)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    examiner.start(CHUNK, WRITES, tuple, inbox)
    assert examiner.is_checking("1")
    assert not examiner.is_checking("2")
    checks.go.set()
    assert [inbox.get(timeout=10) for _ in pieces] == [EvidenceFound("1", piece) for piece in pieces]
    assert inbox.get(timeout=10) == ExaminationOver("1")
    assert not examiner.is_checking("1")


def test_without_checks_nothing_is_being_checked() -> None:
    examiner = Examiner(None)
    examiner.start(CHUNK, WRITES, tuple, queue.SimpleQueue())
    assert not examiner.is_checking("1")


def test_evidence_is_made_again_when_what_it_rests_on_changes_and_not_otherwise() -> None:
    checks = Slow((PIECE,))
    checks.go.set()
    examiner = Examiner(checks)
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for key in ("one", "one", "two"):
        examiner.start(CHUNK, WRITES, tuple, inbox, key=key)
        while examiner.is_checking("1"):
            time.sleep(0.001)
    seen = []
    while not inbox.empty():
        seen.append(inbox.get())
    bound = [msgspec.structs.replace(PIECE, base=key) for key in ("one", "two")]
    assert [found.evidence for found in seen if isinstance(found, EvidenceFound)] == bound


def test_the_card_is_looked_at_again_when_the_files_around_it_change() -> None:
    marks = ["one"]
    checks = Slow()
    checks.go.set()
    examiner = Examiner(checks, lambda: marks[-1])
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    examiner.start(CHUNK, WRITES, tuple, inbox, key="k")
    bound = msgspec.structs.replace(PIECE, base="k")
    assert [inbox.get(timeout=10) for _ in range(2)] == [EvidenceFound("1", bound), ExaminationOver("1")]
    assert inbox.empty()
    marks.append("two")
    assert inbox.get(timeout=10) == ExaminationOver("1")


def test_evidence_over_other_files_is_stale_until_it_is_made_again() -> None:
    old = Evidence(EvidenceKind.CHECK, Verdict.VERIFIED, "said", "d", command="pytest", base="one")
    api = Evidence(EvidenceKind.API, Verdict.VERIFIED, "known", "d", base="one")
    new = msgspec.structs.replace(old, base="two")
    assert is_stale(old, "d", "two")
    assert not is_stale(new, "d", "two")
    assert shown_evidence((old, api), "d", "two", checking=True) == (old, api)
    assert shown_evidence((new, api), "d", "two", checking=True) == (new, api)
    assert shown_evidence((new, api), "d", "two", checking=False) == (new,)
