"""Which chunk a few letters are for."""

from __future__ import annotations

import pytest

from agent.core.chunk import Chunk
from agent.core.sessions.named import Ambiguous, chunk_name, named_item
from agent.core.sessions.session import Item, State, Status

IDS = ("4d0f11112222", "4d0f33334444", "4d0f33334444-back", "77771111aaaa", "77771111aaaa-back")
STATUS = {"4d0f11112222": Status.APPLIED, "77771111aaaa-back": Status.APPLIED}
REVIEW = State(
    source="review HEAD",
    items=tuple(Item(Chunk(name, name, "", ()), "p", STATUS.get(name, Status.REJECTED)) for name in IDS),
)


def is_applied(item: Item) -> bool:
    return item.status is Status.APPLIED


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("4d0f33334444", "4d0f33334444"),
        ("4d0f33334444-back", "4d0f33334444-back"),
        ("4d0f3", "4d0f33334444"),
        ("4d0f33334444-", "4d0f33334444-back"),
        ("2", "4d0f33334444"),
        ("7777", "77771111aaaa"),
        ("777", None),
        ("6", None),
        ("0", None),
        ("", None),
    ],
)
def test_a_chunk_is_named_by_its_id_its_number_or_how_it_begins(name: str, found: str | None) -> None:
    item = named_item(REVIEW, name)
    assert (item.chunk.id if isinstance(item, Item) else item) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("4d0f", "4d0f11112222"),
        ("7777", "77771111aaaa-back"),
        ("77771111aaaa", None),
        ("2", None),
        ("1", "4d0f11112222"),
    ],
)
def test_a_whole_id_or_a_number_is_for_no_other_chunk_and_a_begin_for_one_that_fits(
    name: str, found: str | None
) -> None:
    item = named_item(REVIEW, name, is_applied)
    assert (item.chunk.id if isinstance(item, Item) else item) == found


def test_what_two_chunks_begin_with_is_ambiguous() -> None:
    assert named_item(REVIEW, "4d0f") == Ambiguous(REVIEW.items[:2])


def test_a_number_names_nothing_outside_of_a_review() -> None:
    assert named_item(State(items=REVIEW.items), "1") is None


def test_what_a_chunk_is_called_names_it() -> None:
    assert [chunk_name(REVIEW, item) for item in REVIEW.items] == ["1", "2", "3", "4", "5"]
    assert chunk_name(State(items=REVIEW.items), REVIEW.items[1]) == "4d0f33334444"
    many = State(source="review", items=tuple(Item(Chunk(f"{n:012}", "", "", ()), "p") for n in range(1001)))
    assert all(named_item(many, chunk_name(many, item)) == item for item in many.items[::100])
    assert chunk_name(many, many.items[999]) == "1000"
