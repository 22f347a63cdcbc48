"""Which session and chunk a person means: one way to look it up for `show`, `undo` and `commit`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import msgspec

from agent.cli.workbench import Workbench
from agent.core.clean import clean
from agent.core.errors import StateError, UsageError
from agent.core.sessions.named import Ambiguous, named_item
from agent.core.sessions.session import Item, State, fold
from agent.io import journal
from agent.io.journal import SessionInfo


class Found(msgspec.Struct, frozen=True):
    """A chunk and the session that it is in."""

    session: str
    state: State
    item: Item


def find_session(bench: Workbench, name: str) -> SessionInfo:
    """The session of this work tree whose id begins with `name`. Raises UsageError."""
    info = named_session(journal.sessions(bench.place.state), name)
    if not bench.owns(info):
        raise UsageError(f"session {info.id} is of another work tree", hint=f"it goes on in {info.root}")
    return info


def named_session(found: list[SessionInfo], name: str) -> SessionInfo:
    matching = [info for info in found if info.id.startswith(name)]
    if len(matching) != 1:
        many = "there is no session" if not matching else f"{len(matching)} sessions begin with"
        raise UsageError(f"{many} {name}", hint="copair log lists them")
    return matching[0]


def find_chunk(
    sessions: Sequence[SessionInfo], name: str, refusal: Callable[[State, Item], str] = lambda *_: ""
) -> Found:
    """The chunk that `name` is for in the first of these sessions where it is for one. Raises UsageError.

    `refusal` says why a chunk cannot be meant ("is rejected"), and is empty for those that can.
    """
    unfit = ""
    for info, history in journal.histories(sessions, tell_unread):
        state = fold(history)
        item = item_of(state, name, refusal)
        if item is not None:
            return Found(info.id, state, item)
        unfit = unfit or _unfit(state, name, refusal)
    if unfit:
        raise UsageError(unfit, hint="copair log SESSION shows the chunks of one")
    where = f"session {sessions[0].id}" if len(sessions) == 1 else "no session here"
    has = "has no chunk" if len(sessions) == 1 else "has a chunk"
    raise UsageError(f"{where} {has} {name}", hint="copair log lists the sessions")


def item_of(state: State, name: str, refusal: Callable[[State, Item], str]) -> Item | None:
    """The chunk of one session that `name` is for. Raises UsageError where it is for more than one."""
    found = named_item(state, name, lambda item: not refusal(state, item))
    if isinstance(found, Ambiguous):
        names = "; ".join(f"{item.chunk.id} {item.chunk.title}" for item in found.items)
        raise UsageError(
            f"{len(found.items)} chunks of session {state.session} begin with {name}: {names}",
            hint="type more of the id",
            untouched="nothing was done",
        )
    return found


def _unfit(state: State, name: str, refusal: Callable[[State, Item], str]) -> str:
    item = named_item(state, name)
    if not isinstance(item, Item):
        return ""
    why = refusal(state, item)
    return f"chunk {item.chunk.id} of session {state.session} ({item.chunk.title}) {why}"


def tell_unread(error: StateError) -> None:
    """Of a session that is left out because it cannot be read."""
    sys.stderr.write(f"{clean(f'copair: left out: {error.message}')}\n")
