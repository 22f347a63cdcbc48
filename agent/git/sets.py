"""The record of write sets: what is about to be written, and what has been, in the state folder.

A set is in one of three folders: `pending` (being written; `armed` once every temporary file is complete),
`committed` (all is in place, displaced files are being removed) and `done`. A crash leaves it where recovery
finds it. The records are ours alone; contents are named by blob.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import msgspec

from agent.core.errors import StateError
from agent.core.events import StoredState, StoredWrite
from agent.core.text import digest
from agent.io import durable
from agent.io.calls import Calls, Folder
from agent.io.paths import make_private


class Step(msgspec.Struct, frozen=True):
    """One path of a set. `temporary` is where its new file is prepared and its old one is displaced to."""

    path: str
    temporary: str
    old: StoredState | None
    new: StoredState | None


class WriteSet(msgspec.Struct, frozen=True):
    """`folders` are those that had to be made, outermost first. `digest` is `hunk.writes_digest`.

    `work_tree` is that of the `Place`; `root` is where it stood.
    """

    set_id: str
    root: str
    digest: str
    steps: tuple[Step, ...]
    folders: tuple[str, ...] = ()
    armed: bool = False
    work_tree: str = ""

    @property
    def writes(self) -> tuple[StoredWrite, ...]:
        return tuple(StoredWrite(step.path, step.old, step.new) for step in self.steps)


class Sets:
    """The records below `state`/sets."""

    def __init__(self, state: Path, calls: Calls) -> None:
        self._folder = state / "sets"
        self._calls = calls

    def _path(self, phase: str, set_id: str) -> Path:
        # A set id may be any text; its digest is a file name everywhere.
        return self._folder / phase / f"{digest(set_id.encode('utf-8', 'surrogateescape'))[:40]}.json"

    def save(self, write_set: WriteSet, *, sync: bool) -> None:
        """Put it into `pending`, replacing an earlier version in one step."""
        path = self._path("pending", write_set.set_id)
        for phase in ("pending", "committed"):
            make_private(self._folder / phase)
        data = json.dumps(msgspec.to_builtins(write_set)).encode("ascii")
        durable.replace(path, data, self._calls, sync=sync)

    def commit(self, set_id: str) -> None:
        """`pending` to `committed`, durably: from here on it is finished, never rolled back."""
        self._move("pending", "committed", set_id, sync=True)

    def finish(self, set_id: str) -> None:
        """`committed` to `done`."""
        self._move("committed", "done", set_id, sync=False)

    def _move(self, source: str, target: str, set_id: str, *, sync: bool) -> None:
        path = self._path(target, set_id)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._calls.note("record")
        self._path(source, set_id).replace(path)
        if sync:
            # The move counts as soon as it is made: failing now would take back what the record calls done.
            with contextlib.suppress(OSError), Folder.open(path.parent) as folder:
                self._calls.sync_folder(folder)

    def forget(self, set_id: str) -> None:
        """A pending set was rolled back: it may be tried again."""
        self._calls.note("record")
        self._path("pending", set_id).unlink(missing_ok=True)

    def done(self, set_id: str) -> WriteSet | None:
        """The set when it has been applied before."""
        path = self._path("done", set_id)
        return _load(path) if path.exists() else None

    def unfinished(self, phase: str) -> list[WriteSet]:
        """The sets that a crash left in `pending` or `committed`."""
        folder = self._folder / phase
        if not folder.is_dir():
            return []
        return [_load(path) for path in sorted(folder.glob("*.json"))]


def _load(path: Path) -> WriteSet:
    try:
        return msgspec.convert(json.loads(path.read_bytes()), WriteSet)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise StateError(
            f"the record of a write cannot be read: {path}: {error}",
            hint="move it away when you are sure that no copair is writing",
        ) from error
