"""`copair undo`: take back one applied chunk of any session, at any later time, and note it in that session."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from agent.cli.naming import find_chunk, find_session
from agent.cli.sessions import applied_items
from agent.cli.wire import make_desk
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.clean import clean
from agent.core.errors import Exit, UsageError
from agent.core.sessions.named import titled
from agent.core.sessions.session import Item, State, Status, fold
from agent.io import journal
from agent.io.signals import held
from agent.loop.desk import NOTHING_LEFT
from agent.loop.summary import reverse_note, status_word


def undo_chunk(cwd: Path, name: str, *, redo: bool = False) -> int:
    """Undo `CHUNK` (of the latest session that applied it), `SESSION:CHUNK`, or with no name the latest of all.

    With `redo` an undone chunk is applied again. Exit code 1 when the files cannot be brought back exactly.
    """
    bench = Workbench.open(cwd)
    wanted = Status.UNDONE if redo else Status.APPLIED
    bench.recover_and_say()
    found = _find(bench, name, wanted)
    opened: dict[str, _Opened] = {}
    passed: list[str] = []
    with contextlib.ExitStack() as books:
        for number, (session, chunk) in enumerate(found, 1):
            if session not in opened:
                opened[session] = _Opened(bench, session, books)
            own = opened[session]
            item = own.item(chunk, wanted)
            with held():
                event = own.desk.undo(own.state, item)
                gone = isinstance(event, ev.UndoRefused) and event.reason == NOTHING_LEFT
                if not gone or number == len(found):
                    _tell_passed(passed, redo=redo)
                    own.book.append(event, sync=True)
                    return _tell(own.state, item, event, redo=redo)
            passed.append(item.chunk.title)
    raise AssertionError("nothing was found, and that was not said")


class _Opened:
    """A session that nobody else is in meanwhile, read once."""

    def __init__(self, bench: Workbench, session: str, books: contextlib.ExitStack) -> None:
        self.session = session
        self.book = books.enter_context(journal.Journal(bench.place.state, session))
        self.state = fold(journal.read(self.book.path))
        self.desk = make_desk(bench, self.state.onto, twins=True)
        self._items = {item.chunk.id: item for item in self.state.items}

    def item(self, chunk: str, wanted: Status) -> Item:
        """Raises UsageError where another process was here since it was looked up."""
        item = self._items.get(chunk)
        if item is None or not item.counts_as(wanted):
            raise UsageError(
                f"chunk {chunk} of session {self.session} is not {wanted}",
                hint="copair log SESSION shows them",
            )
        return item


def _tell_passed(titles: list[str], *, redo: bool) -> None:
    if not titles:
        return
    what = f"{len(titles)} chunks" if len(titles) > 1 else titles[0]
    them = "them" if len(titles) > 1 else "it"
    why = f"the files have {them} already" if redo else f"the files do not have {them} any more"
    sys.stderr.write(f"{clean(f'copair: passed over, because {why}: {what}')}\n")


def _tell(state: State, item: Item, event: ev.Event, *, redo: bool) -> int:
    match event:
        case ev.Undone(writes=writes):
            done = (
                status_word(state, Status.APPLIED) + " again" if redo else status_word(state, Status.UNDONE)
            )
            paths = ", ".join(write.path for write in writes)
            sys.stdout.write(f"{clean(f'{done}: {item.chunk.id} {item.chunk.title} ({paths})')}\n")
            note = "" if redo else reverse_note(state, item)
            if note:
                sys.stdout.flush()
                sys.stderr.write(f"{clean(f'copair: {note}')}\n")
            return Exit.DONE
        case ev.UndoRefused(reason=reason):
            words = f"copair: not undone: chunk {titled(state, item)}: {reason}; nothing was changed"
            sys.stderr.write(f"{clean(words)}\n")
            return Exit.FAILED
        case _:
            raise AssertionError(event)


def _find(bench: Workbench, name: str, wanted: Status) -> list[tuple[str, str]]:
    """Session and chunk; with no name all of them, the latest first. Raises UsageError."""
    if name:
        session, _, chunk = name.rpartition(":")
        sessions = [find_session(bench, session)] if session else bench.sessions()
        one = find_chunk(sessions, chunk, lambda state, item: _refusal(state, item, wanted))
        return [(one.session, one.item.chunk.id)]
    found = [(info.id, item.chunk.id) for info, item in reversed(applied_items(bench, wanted))]
    if not found:
        raise UsageError(f"no session here has {wanted} a chunk", hint="copair log lists the sessions")
    return found


def _refusal(state: State, item: Item, wanted: Status) -> str:
    """Why this is not what can be undone or, with UNDONE, applied again; empty when it is."""
    if item.counts_as(wanted):
        return ""
    return f"is {status_word(state, item.status)}, not {status_word(state, wanted)}"
