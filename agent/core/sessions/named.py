"""What a chunk is called on the screen, and which one a person means by a few letters: an id, its begin, a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from agent.core.sessions.state import BACK, Item, State

MIN_PREFIX = 4
"""So much of an id names a chunk."""

NAMED = 3
"""So many chunks are named in a sentence; of the others it says how many there are."""


class Ambiguous(msgspec.Struct, frozen=True):
    """More than one chunk begins so."""

    items: tuple[Item, ...]


def any_item(_: Item) -> bool:
    return True


def named_item(state: State, name: str, fits: Callable[[Item], bool] = any_item) -> Item | Ambiguous | None:
    """The chunk of this id, of a review the one with this number, or the only one whose id begins so, if it `fits`.

    What begins like another chunk because it takes it back is meant only where the other does not fit.
    """
    item = state.item(name) or _counted(state, name)
    if item is not None:
        return item if fits(item) else None
    if len(name) < MIN_PREFIX:
        return None
    begun = [item for item in state.items if item.chunk.id.startswith(name) and fits(item)]
    begun = [item for item in begun if not item.chunk.id.endswith(BACK)] or begun
    return begun[0] if len(begun) == 1 else Ambiguous(tuple(begun)) if begun else None


def chunk_name(state: State, item: Item, at: int | None = None) -> str:
    """What a person can type for a chunk: its number in a review, else its id, which is short in a session.

    `at` is its index in the stack, where that is known: else it is looked for.
    """
    if not state.source.startswith("review"):
        return item.chunk.id
    return str((state.items.index(item) if at is None else at) + 1)


def titled(state: State, item: Item) -> str:
    """`5 (parse: 3 lines)`."""
    return f"{chunk_name(state, item)} ({item.chunk.title})"


def some_titled(state: State, items: Iterable[Item]) -> str:
    """The first of `items` by number and title, and how many more there are."""
    found = list(items)
    words = [titled(state, item) for item in found[:NAMED]]
    return ", ".join(words) + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")


def _counted(state: State, name: str) -> Item | None:
    is_number = state.source.startswith("review") and name.isascii() and name.isdecimal()
    number = int(name[:9]) if is_number else 0
    return state.items[number - 1] if 0 < number <= len(state.items) else None
