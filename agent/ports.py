"""The seams of copair, in the core's types. Adapters are wired together in `cli/wire.py` and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol as Interface

import msgspec

from agent.core.chunk import Chunk
from agent.core.dialog import Protocol, Request, StreamEvent, Tool
from agent.core.events import Event, StoredWrite
from agent.core.frontend import Offer, Tick
from agent.core.hunk import FileState, Write
from agent.core.outcome import WriteOutcome
from agent.core.patches.blob_names import Hash
from agent.core.review import Evidence, Ran


class Cancel:
    """Tells work in another thread to stop. `on_cancel` callbacks run at once, in the thread that cancels."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def cancel(self) -> None:
        with self._lock:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep; True when cancelled meanwhile."""
        return self._event.wait(seconds)

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Call `callback` when cancelled; at once if that has happened already."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()


class Model(Interface):
    """A peer that answers requests: a provider, the offline pair, or a script."""

    @property
    def name(self) -> str:
        """As shown and as in the trailer: `openai/gpt-5.6`, `offline pair`."""

    @property
    def protocol(self) -> Protocol: ...

    @property
    def context_tokens(self) -> int | None:
        """Size of the window; None when unknown."""

    def stream(self, request: Request, cancel: Cancel) -> Iterator[StreamEvent]:
        """Events of one reply, ending in Done or Fault. Never raises for what a server or network does."""


class Target(Interface):
    """Where approved writes go: the work tree, or the index."""

    def read(self, path: str) -> FileState | None:
        """The file as it is now, None when absent; no link is followed. Raises PathRefused."""

    def write(self, set_id: str, writes: Sequence[Write]) -> WriteOutcome:
        """All of `writes` or none. A `set_id` that was applied before is not applied again."""

    def done(self, set_id: str) -> tuple[StoredWrite, ...] | None:
        """What the set wrote, when it was applied; None otherwise. Raises StateError."""


class ToolBox(Interface):
    """Read-only tools that the model may call; they never prompt and never write."""

    def tools(self) -> Sequence[Tool]: ...

    def run(self, name: str, args_json: str, cancel: Cancel) -> ToolOutput: ...


class ToolOutput(msgspec.Struct, frozen=True):
    """What a tool found: text for the model, one line for the screen, the files that were read."""

    content: str
    line: str = ""
    is_error: bool = False
    read: dict[str, str] = {}
    """Path to `FileState.digest` of each file whose content was shown."""
    withheld: int = 0
    """Files left out because they are ignored, secret or keys."""
    ran: Ran = Ran.NOTHING
    """How the check ended that this tool ran."""


class Frontend(Interface):
    """Shows a session and passes on what the person does (an inbox given at construction). Never decides.

    Every method may be called from the driver's thread and returns at once.
    """

    def emit(self, event: Event) -> None:
        """A journal event, to be shown as a quiet line or not at all."""

    def tick(self, tick: Tick) -> None: ...

    def offer(self, offer: Offer) -> None:
        """What the person can answer now; it replaces the offer before."""

    def close(self) -> None:
        """The session is over; what waits for input returns."""


class BlobStore(Interface):
    """Content-addressed bytes in the user's own state folder: bases and pre-images."""

    def put(self, data: bytes) -> str:
        """Store, return `text.digest(data)`."""

    def put_all(self, contents: Sequence[bytes]) -> list[str]:
        """Store all, return their digests."""

    def get(self, digest: str) -> bytes:
        """Raises StateError when it is missing or damaged."""


class Journal(Interface):
    """Append-only record of one session, in the user's own state folder."""

    def append(self, event: Event, *, sync: bool = False) -> None:
        """Write one event; with `sync` it is on the disk when this returns. Raises StateError."""


class Checks(Interface):
    """Evidence makers for one chunk. Each piece is yielded as soon as it is known."""

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
    ) -> Iterable[Evidence]:
        """`writes` is the chunk over the present tree. `before` is what else counts as *before*: tests of the stack,
        and the files without the chunk when it is in the tree already."""


class Clock(Interface):
    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float: ...


MAIN = "main"
"""The work tree that is not a linked one."""


class Place(msgspec.Struct, frozen=True):
    """Where a repository and its state are: paths only, no git library."""

    root: Path
    """Top of the work tree, real path."""
    git_dir: Path
    common_dir: Path
    state: Path
    """This repository's folder in the user's state folder, found by the real path of `common_dir`."""
    prefix: str = ""
    """Folder of the person inside `root`, with a trailing slash, or empty."""
    object_hash: Hash = Hash.SHA1
    """How objects are named here."""
    work_tree: str = MAIN
    """Names the work tree among those of the repository, also after it was moved (`git/worktrees.py`)."""
