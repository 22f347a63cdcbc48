"""Which chunk of a session a person means by a few letters: its id, the begin of it, or its number in a review."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from agent.core.sessions.state import BACK, Item, State

MIN_PREFIX = 4
"""So much of an id names a chunk; fewer digits are a number in the stack."""


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


def short_name(state: State, item: Item) -> str:
    """What a person can type for a chunk: its number in a review, where it has one, or its id."""
    number = str(state.items.index(item) + 1)
    return number if _counted(state, number) == item else item.chunk.id


def _counted(state: State, name: str) -> Item | None:
    is_number = state.source.startswith("review") and name.isdecimal() and len(name) < MIN_PREFIX
    number = int(name) if is_number else 0
    return state.items[number - 1] if 0 < number <= len(state.items) else None
