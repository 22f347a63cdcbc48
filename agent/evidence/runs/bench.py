"""The bench: one scratch tree and one sandbox, made when first needed and kept warm. One run at a time.

Shows states in the tree, runs a program over it, takes back what the program did to it. Knows no verdicts.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from agent.core.hunk import FileState
from agent.evidence.runs.copying import remove
from agent.evidence.runs.listing import Listing
from agent.evidence.runs.run import Finished, Limits, supervise
from agent.evidence.runs.sandbox import Isolation, Rooms, Sandbox, probe
from agent.evidence.runs.scratch import Scratch, sweep
from agent.evidence.runs.toolchain import Toolchain, environment, resolve
from agent.ports import Cancel, Place

PLUGINS = ("copair_report.py", "copair_reach.py")
LEAVE = "leave.json"
RECORD = "record.jsonl"
MAX_RECORD_BYTES = 64 << 20


class Ran(msgspec.Struct, frozen=True):
    """One run. `record` is what our plugin wrote; `edited` are files of the tree that the run had changed."""

    finished: Finished
    record: bytes = b""
    edited: tuple[str, ...] = ()


class Bench:
    """`cache` is the folder for scratch trees; `lock` is held for as long as the tree must not change."""

    def __init__(
        self,
        place: Place,
        listing: Listing,
        cache: Path,
        outer: Mapping[str, str],
        find_sandbox: Callable[[Rooms], Sandbox] = probe,
    ) -> None:
        self._place, self._listing, self._cache, self._outer = place, listing, cache, dict(outer)
        self._find_sandbox = find_sandbox
        self._scratch: Scratch | None = None
        self._sandbox: Sandbox | None = None
        self._checked: dict[Toolchain, str] = {}
        self._closed = False
        self.lock = threading.RLock()

    @property
    def isolation(self) -> Isolation:
        return self._sandbox.isolation if self._sandbox else Isolation.NONE

    @property
    def scratch(self) -> Scratch:
        """The scratch tree; `warm` made it."""
        if self._scratch is None:
            raise AssertionError("the bench is not warm")
        return self._scratch

    def warm(self) -> int:
        """Make what is missing and follow the person's tree; how many files changed. Raises StateError."""
        with self.lock:
            if self._scratch is None:
                sweep(self._cache)
                self._scratch = Scratch(self._place.root, self._listing, self._cache)
                for name in PLUGINS:
                    data = (Path(__file__).with_name("inside") / name).read_bytes()
                    (self._scratch.ours / name).write_bytes(data)
            changed = self._scratch.sync()
            if self._sandbox is None:
                self._sandbox = self._find_sandbox(self.rooms())
                self._link_environments()
            return changed

    def mark(self) -> int:
        """Another number once the person's files are not as they were; waits for no run."""
        return self._scratch.generation() if self._scratch is not None else 0

    def close(self) -> None:
        """Remove the scratch tree."""
        with self.lock:
            self._closed = True
            if self._scratch is not None:
                self._scratch.close()
            self._scratch = None

    def rooms(self) -> Rooms:
        scratch, place = self.scratch, self._place
        link = place.root / ".git"
        folders = [folder for folder in (link, place.git_dir, place.common_dir) if folder.exists()]
        return Rooms(
            root=place.root,
            tree=scratch.tree,
            exchange=scratch.exchange,
            ours=scratch.ours,
            git_folders=tuple(dict.fromkeys(folders)),
            environments=scratch.environments,
        )

    def show(self, states: Mapping[str, FileState | None]) -> None:
        self.scratch.show(states)

    def chain(self, argv0: str) -> Toolchain | str:
        """The program of a check, or in words why it cannot be run here."""
        path = self._outer.get("PATH", os.defpath)
        chain = resolve(argv0, self._place.root, path)
        if chain is None:
            return f"{argv0} is not installed"
        for folder in self.scratch.environments:
            # What runs another program of the project (make, uv) needs the interpreter behind its environment.
            python = resolve(str(folder / "bin" / "python"), self._place.root, path)
            if python is not None and folder.name != "node_modules":
                chain = chain.with_roots(python.roots)
        if self._sandbox is not None and chain not in self._checked:
            self._checked[chain] = self._sandbox.differing(self.rooms(), chain)
        differing = self._checked.get(chain)
        return f"not run: {differing} is another file in the sandbox than outside" if differing else chain

    def run(
        self,
        chain: Toolchain,
        argv: Sequence[str],
        limits: Limits,
        cancel: Cancel,
        extra: Mapping[str, str] = {},
        *,
        leave: frozenset[str] = frozenset(),
        keeps_cache: bool = False,
    ) -> Ran:
        """Run over what is shown; afterwards the tree is as it was shown. Raises ProgramMissing.

        `leave` are ids of tests that our plugin leaves out. `keeps_cache`: what it leaves in `~/.cache` is there again
        in its next run (compilers).
        """
        if self._sandbox is None:
            raise AssertionError("the bench is not warm")
        scratch, sandbox, rooms = self.scratch, self._sandbox, self.rooms()
        if keeps_cache:
            rooms = msgspec.structs.replace(rooms, cache=scratch.cache)
        # A check may leave anything there, also as a message to the next run.
        for entry in list(scratch.exchange.iterdir()):
            remove(entry)
        (scratch.ours / LEAVE).write_text(json.dumps(sorted(leave)), "utf-8")
        record = scratch.exchange / RECORD
        env = {**environment(self._place.root, self._outer, chain), **self._plugin(sandbox, rooms), **extra}
        finished = supervise(sandbox.launch(argv, env, rooms, chain), limits, cancel)
        return Ran(finished, _read(record), scratch.settle())

    def _plugin(self, sandbox: Sandbox, rooms: Rooms) -> dict[str, str]:
        """Where our plugin is and what it is told. Without a mount the copy goes before editable installs."""
        tree = sandbox.inside(rooms, rooms.tree)
        paths = [sandbox.inside(rooms, rooms.ours)]
        if not sandbox.is_bwrap:
            paths += [folder for folder in (tree, tree / "src") if folder.is_dir()]
        return {
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "COPAIR_REPORT": str(sandbox.inside(rooms, rooms.exchange) / RECORD),
            "COPAIR_ROOT": str(tree),
            "COPAIR_REAL": "" if sandbox.is_bwrap else str(rooms.root),
        }

    def _link_environments(self) -> None:
        """Without a mount a check finds `node_modules` through a link."""
        if self._sandbox is None or self._sandbox.is_bwrap:
            return
        for folder in self.scratch.environments:
            place = self.scratch.tree / folder.relative_to(self._place.root)
            if folder.name == "node_modules" and not place.is_symlink():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(folder, target_is_directory=True)


def _read(record: Path) -> bytes:
    """What the plugin wrote; a check could put a link or anything else in its place."""
    try:
        fd = os.open(record, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return b""
    with open(fd, "rb") as file:
        return file.read(MAX_RECORD_BYTES)
