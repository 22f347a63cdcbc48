"""`copair undo`: take back one applied chunk of any session, at any later time, and note it in that session."""

from __future__ import annotations

import sys
from pathlib import Path

from agent.cli.sessions import MIN_PREFIX, applied_items, find_session, named_item
from agent.cli.wire import make_desk
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.clean import clean
from agent.core.errors import Exit, UsageError
from agent.core.sessions.session import Item, State, Status, fold
from agent.io import journal
from agent.io.signals import held
from agent.loop.desk import NOTHING_LEFT
from agent.loop.summary import status_word


def undo_chunk(cwd: Path, name: str, *, redo: bool = False) -> int:
    """Undo `CHUNK` (of the latest session that applied it), `SESSION:CHUNK`, or with no name the latest of all.

    With `redo` an undone chunk is applied again. Exit code 1 when the files cannot be brought back exactly.
    """
    bench = Workbench.open(cwd)
    wanted = Status.UNDONE if redo else Status.APPLIED
    found = _find(bench, name, wanted)
    bench.recover_and_say()
    while True:
        session, chunk = found.pop(0)
        with journal.Journal(bench.place.state, session) as book:
            state = fold(journal.read(book.path))
            item = named_item(state, chunk)
            if item is None or item.status is not wanted:
                raise UsageError(
                    f"chunk {chunk} of session {session} is not {wanted}",
                    hint="copair log SESSION shows them",
                )
            with held():
                event = make_desk(bench, state.onto, twins=True).undo(state, item)
                gone = isinstance(event, ev.UndoRefused) and event.reason == NOTHING_LEFT and bool(found)
                if not gone:
                    book.append(event, sync=True)
        if not gone:
            return _tell(state, item, event, redo=redo)
        why = "have it already" if redo else "do not have it any more"
        sys.stderr.write(f"{clean(f'copair: passed over, because the files {why}: {item.chunk.title}')}\n")


def _tell(state: State, item: Item, event: ev.Event, *, redo: bool) -> int:
    match event:
        case ev.Undone(writes=writes):
            done = (
                status_word(state, Status.APPLIED) + " again" if redo else status_word(state, Status.UNDONE)
            )
            paths = ", ".join(write.path for write in writes)
            sys.stdout.write(f"{clean(f'{done}: {item.chunk.id} {item.chunk.title} ({paths})')}\n")
            return Exit.DONE
        case ev.UndoRefused(reason=reason):
            sys.stderr.write(f"{clean(f'copair: not undone: {reason}; nothing was changed')}\n")
            return Exit.FAILED
        case _:
            raise AssertionError(event)


def _find(bench: Workbench, name: str, wanted: Status) -> list[tuple[str, str]]:
    """Session and chunk; with no name all of them, the latest first. Raises UsageError."""
    session, _, chunk = name.rpartition(":")
    if session:
        return [(find_session(bench, session).id, chunk)]
    begins = chunk if len(chunk) >= MIN_PREFIX else ""
    found = [
        (info.id, item.chunk.id)
        for info, item in reversed(applied_items(bench, wanted))
        if chunk in ("", item.chunk.id) or (begins and item.chunk.id.startswith(begins))
    ]
    if found:
        return found if not chunk else found[:1]
    what = f"chunk {chunk}" if chunk else "chunk"
    raise UsageError(f"no session here has {wanted} a {what}", hint="copair log lists the sessions")
