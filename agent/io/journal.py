"""The journal: every event of a session as one JSON line, in the user's state folder, mode 0600.

Only ever appended to. A last line that was cut by a crash is set aside (`ID.torn`) when the session is opened
again; any other damage, and a journal of a newer copair, is an error and never guessed around. One process at a
time writes to a session. It does not know what events mean.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from agent.core.errors import StateError
from agent.core.events import VERSION, Committed, Event, Said, Started, Undone, Wrote
from agent.io.locks import is_locked, lock
from agent.io.paths import make_private

HEAD_BYTES = 1 << 18
TAIL_BYTES = 1 << 16
BORDERS = (b'{"type":"ended"', b'{"type":"started"', b'{"type":"resumed"')
"""How the lines begin that say whether a session is over."""
TOLD = (b'{"type":"started"', b'{"type":"said"')
"""How those begin that a list of sessions is made of; the others may be long."""

DONE = (Wrote, Undone, Committed)
"""What these tell of is done before they are written down."""

_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class SessionInfo(msgspec.Struct, frozen=True):
    """A line of the list of sessions. `open`: a process is in it now; `crashed`: it ended without saying so."""

    id: str
    path: Path
    time: float
    first: str
    """The first sentence that the person said; empty when there was none."""
    model: str
    source: str
    ended: bool
    open: bool
    root: str
    """The work tree that it is about; linked ones of one repository have their sessions in one folder."""
    label: str = ""
    """What is reviewed, for people; empty for a conversation, and in sessions of older versions."""
    work_tree: str = ""
    """The name of that work tree, which stays when it is moved; empty in sessions of older versions."""

    @property
    def crashed(self) -> bool:
        return not self.ended and not self.open


def folder(state: Path) -> Path:
    return state / "sessions"


def encode(event: Event) -> bytes:
    """One line. Lone surrogates (names that are not UTF-8) survive as JSON escapes."""
    try:
        return msgspec.json.encode(event) + b"\n"
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(event), separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Event:
    """The inverse of `encode`. Raises ValueError, and StateError for what a newer copair wrote."""
    try:
        event: Event = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        event = _decode_slowly(line)
    if isinstance(event, Started) and event.version > VERSION:
        raise _newer()
    return event


def _decode_slowly(line: bytes) -> Event:
    """Lines with lone surrogates, which msgspec does not read, and those that say why they cannot be read."""
    value = json.loads(line)
    if isinstance(value, dict) and value.get("type") == "started" and value.get("version", 0) > VERSION:
        raise _newer()
    event: Event = msgspec.convert(value, Event)
    return event


def _newer() -> StateError:
    return StateError(
        "this session was written by a newer copair",
        hint="update copair to resume it",
        untouched="the session was left as it is",
    )


class Journal:
    """An open session: holds its lock until `close`. Raises StateError when another process is in it."""

    def __init__(self, state: Path, session: str) -> None:
        self.path = folder(state) / f"{session}.jsonl"
        make_private(self.path.parent)
        self._lock = lock(self.path.with_suffix(".lock"), wait_seconds=0, what="this session")
        try:
            self._set_torn_line_aside()
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            self._lock.release()
            raise StateError(f"cannot open {self.path}: {error.strerror}") from error

    def append(self, event: Event, *, sync: bool = False) -> None:
        """Write one event; with `sync` it is on the disk afterwards. Raises StateError, with no half line left."""
        size = os.fstat(self._fd).st_size
        line = encode(event)
        try:
            written = os.write(self._fd, line)
            while written < len(line):
                written += os.write(self._fd, line[written:])
            if sync:
                os.fsync(self._fd)
        except OSError as error:
            os.ftruncate(self._fd, size)
            raise StateError(
                f"cannot write the journal {self.path}: {error.strerror}",
                hint="make room in the state folder",
                untouched="what was just done in the repository stands"
                if isinstance(event, DONE)
                else "nothing was written to the repository",
            ) from error

    def _set_torn_line_aside(self) -> None:
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        torn = data[data.rfind(b"\n") + 1 :]
        if not torn:
            return
        with open(self.path.with_suffix(".torn"), "ab", opener=_private) as aside:
            aside.write(torn + b"\n")
        os.truncate(self.path, len(data) - len(torn))

    def close(self) -> None:
        os.close(self._fd)
        self._lock.release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Unkept:
    """In the place of a journal, for a session of which nothing is to be remembered."""

    path = None

    def append(self, event: Event, *, sync: bool = False) -> None:
        """Nothing is written."""

    def close(self) -> None:
        pass


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def read(path: Path) -> list[Event]:
    """All events of a session. A torn last line is left out. Raises StateError."""
    return list(events(path))


def events(path: Path) -> Iterator[Event]:
    """Those of `read`, each when it is asked for."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _decoded(line, number, path)
    except OSError as error:
        raise StateError(f"cannot read the session {path.stem}: {error.strerror}") from error


def _decoded(line: bytes, number: int, path: Path) -> Event:
    try:
        return decode(line)
    except (ValueError, msgspec.ValidationError) as error:
        raise StateError(
            f"line {number} of the session {path.stem} cannot be read: {error}",
            hint="start a new session; this one was left as it is",
        ) from error


def histories(
    found: Iterable[SessionInfo], unread: Callable[[StateError], None]
) -> Iterator[tuple[SessionInfo, list[Event]]]:
    """Each session with its events. One that cannot be read is told to `unread`, and left out."""
    for info in found:
        try:
            history = read(info.path)
        except StateError as error:
            unread(error)
        else:
            yield info, history


def sessions(state: Path) -> list[SessionInfo]:
    """The sessions of one repository, newest first. Unreadable ones are left out."""
    found = []
    for path in folder(state).glob("*.jsonl"):
        info = _info(path)
        if info is not None:
            found.append(info)
    return sorted(found, key=lambda info: (info.time, info.id), reverse=True)


def _info(path: Path) -> SessionInfo | None:
    """Reads the head until the first sentence, and the tail; a long session is not read whole."""
    started: Started | None = None
    first = ""
    try:
        with path.open("rb") as file:
            for line in file.read(HEAD_BYTES).split(b"\n")[:-1]:
                event = decode(line) if line.startswith(TOLD) else None
                if isinstance(event, Started) and started is None:
                    started = event
                if isinstance(event, Said):
                    first = event.text
                    break
            ended = _ends(path)
    except (OSError, ValueError, msgspec.ValidationError, StateError):
        # Shown as absent: a list must not fail because one session is damaged or of a newer version.
        if started is None:
            return None
        ended = False
    if started is None:
        return None
    busy = is_locked(path.with_suffix(".lock"))
    return SessionInfo(
        path.stem,
        path,
        started.time,
        first,
        started.model,
        started.source,
        ended,
        busy,
        started.root,
        started.label,
        started.work_tree,
    )


def _ends(path: Path) -> bool:
    """True when its end was written; undos and commits afterwards do not open it again."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().split(b"\n")
    marks = [line for line in lines if line.startswith(BORDERS)]
    return lines[-1] == b"" and bool(marks) and marks[-1].startswith(BORDERS[0])
