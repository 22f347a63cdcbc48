"""What is said at the end of a session."""

from __future__ import annotations

from agent.core.chunk import Chunk
from agent.core.sessions.session import Item, State, Status
from agent.loop.summary import summary


def item(number: int, status: Status) -> Item:
    return Item(Chunk(str(number), f"Chunk {number}", "", ()), "p1", status)


def test_the_end_counts_what_became_of_the_chunks_and_names_the_open_ones() -> None:
    lines = summary(State(items=(item(1, Status.APPLIED), item(2, Status.PENDING))))
    assert lines == ("1 applied, 1 pending", "  next: 2  Chunk 2", "  copair resume goes on here")


def test_of_thousands_of_open_chunks_the_next_is_named() -> None:
    deferred, *rest = (item(n, Status.DEFERRED if n == 1 else Status.PENDING) for n in range(1, 3001))
    lines = summary(State(items=(deferred, *rest)))
    assert lines == ("1 deferred, 2999 pending", "  next: 2  Chunk 2", "  copair resume goes on here")


def test_a_review_of_which_only_what_does_not_fit_is_left_goes_on() -> None:
    left = (item(1, Status.BLOCKED),)
    assert summary(State(items=left, source="review")) == ("1 blocked", "  copair resume goes on here")
    assert summary(State(items=left)) == ("1 blocked",)
