"""The scratch tree: a copy of the work tree in the user's cache folder, where checks run. Never the person's own.

It holds what is tracked or untracked and not ignored, without large untracked files and files that hold keys (they
are named). It is made once, then kept in step: `sync` follows the person's tree, `show` puts the states of a chunk
over it, `settle` takes back what a check did to it. A scratch tree whose owner died is swept by the next one. It does
not know checks or sandboxes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agent.core.errors import StateError
from agent.core.hunk import FileState
from agent.core.text import name_from_bytes, name_to_bytes
from agent.evidence.runs.copying import Copier, Stamp, is_settled, put, remove, stamp, walk
from agent.evidence.runs.listing import Listing, holds_keys, is_environment, may_show
from agent.evidence.runs.watch import Watch
from agent.io.locks import Locked, lock
from agent.io.paths import make_private

LARGE_BYTES = 10 << 20
SPARE_BYTES = 1 << 30
ORPHAN_SECONDS = 60
RACY: Stamp = (0, 0, 0, 0, 0)
"""Stands for a stamp that says nothing; no file has it."""
_GENERATED = (".so", ".pyd", "_version.py", "/version.py", "_pb2.py", "_pb2_grpc.py")


class Scratch:
    """One scratch tree with its rooms: `tree`, `exchange` (written by checks), `ours` (read by them), `cache`."""

    def __init__(self, root: Path, listing: Listing, folder: Path) -> None:
        self.root = root
        self._listing = listing
        self._top = os.fsencode(root)
        self.folder = make_private(folder / f"{int(time.time())}-{secrets.token_hex(8)}")
        self._lock = lock(self.folder / "owner", wait_seconds=0, what="a scratch tree")
        self.tree, self.exchange = make_private(self.folder / "tree"), make_private(self.folder / "exchange")
        self.ours, self.cache = make_private(self.folder / "ours"), make_private(self.folder / "cache")
        self._copier = Copier()
        self._real: dict[bytes, Stamp | None] = {}
        self._mine: dict[bytes, Stamp] = {}
        self._shown: tuple[str, ...] | None = None
        self._folders: set[bytes] = set()
        self._over: dict[bytes, FileState | None] = {}
        self._mounts: set[bytes] = {b".git"}
        self._watch, self._outside = Watch(os.fsencode(self.tree)), Watch(self._top)
        self._pending: set[bytes] | None = set()
        self._looking = threading.Lock()
        self._generation = 0
        self._mark: object = None
        self._generated: list[str] = []
        self._listed: tuple[list[str], list[str]] = ([], [])
        self._has_submodules = False
        self._is_made = False
        self._names: dict[bytes, None] = {}
        self._new: list[bytes] = []
        self._above: set[bytes] = set()
        self.moved = False
        """True once a file of the person had changed when it was needed again, between two runs."""
        self.left_out: tuple[str, ...] = ()
        self.environments: tuple[Path, ...] = ()

    def close(self) -> None:
        """Remove it all."""
        self._watch.close()
        self._outside.close()
        self._lock.release()
        remove(self.folder)

    def sync(self) -> int:
        """Follow the person's tree as it is now; how many files were copied or removed. Raises StateError."""
        if not self._real:
            self._look_around()
        self.moved, changed = False, 0
        self.generation()
        mark = self._listing.mark()
        with self._looking:
            touched, self._pending = self._pending, set()
        known, self._mark = self._mark, None
        if known is None:
            touched = None  # the first time, or the last one was not finished
        if touched is None or mark != known or self._has_submodules or self._is_news(touched):
            changed = self._list_again()
        todo = self._moved_on(touched)
        self._check_space(todo)
        taken = sum(self._take(name) for name in todo)
        self._is_made, self._mark = True, mark
        if changed or taken:
            self._folders |= {folder for name in todo for folder in _above(name)}
            self._watch.follow((b"", *self._folders))
        return changed + taken

    def _is_news(self, touched: set[bytes]) -> bool:
        """Whether git may list other files than before; it is slow to ask in a large repository."""
        if any(name.rpartition(b"/")[2] == b".gitignore" for name in touched):
            return True
        top = self._top + b"/"
        unknown = [
            name_from_bytes(name) + ("/" if os.path.isdir(top + name) else "")
            for name in touched
            if name not in self._names and name not in self._mounts and os.path.lexists(top + name)
        ]
        return bool(unknown) and not self._listing.ignored(unknown) >= set(unknown)

    def _list_again(self) -> int:
        """Have the names that git lists now; how many files went."""
        listed = (self._listing.tracked(), self._listing.untracked())
        if self._listed != listed or self._has_submodules:
            self._listed = listed
            self._names = self._wanted(*listed)
        self._above = {folder for name in self._names for folder in _above(name)}
        gone = sum(self._drop(name) for name in [name for name in self._real if name not in self._names])
        self._folders = {folder for name in self._mine for folder in _above(name)}
        self._new = [name for name in self._names if name not in self._real]
        return gone

    def generation(self) -> int:
        """Another number once a file of the person's is not as it was taken; at any time, from any thread.

        Where the kernel does not tell, it stays: then the next `sync` finds out.
        """
        with self._looking:
            touched = self._outside.touched()
            if touched is None or self._pending is None:
                self._pending = None
                return self._generation
            self._pending |= touched
            top = self._top + b"/"
            known = (name for name in touched if name in self._real)
            if any(stamp(top + name) != self._real.get(name) for name in known):
                self._generation += 1
            return self._generation

    def _moved_on(self, touched: set[bytes] | None) -> list[bytes]:
        """Names of which the person's file is not the one that was taken; watches the folders before they are read."""
        if touched is None or touched & self._above:
            with self._looking:
                self._outside.close()
                self._outside = Watch(self._top)
            touched = None
        self._outside.follow(
            folder for folder in (b"", *self._above) if os.path.isdir(os.path.join(self._top, folder))
        )
        top, new = self._top + b"/", set(self._new)
        self._new = []
        looked_at = self._names if touched is None else [name for name in touched if name in self._names]
        moved = [name for name in looked_at if name not in new and stamp(top + name) != self._real.get(name)]
        return [*new, *moved]

    def show(self, states: Mapping[str, FileState | None]) -> None:
        """Have the tree be the person's files with `states` over them; only what differs is written."""
        wanted = {name_to_bytes(path): state for path, state in states.items() if may_show(path, state)}
        for name in [name for name in self._over if name not in wanted]:
            del self._over[name]
            self._restore(name)
        for name, state in wanted.items():
            if name not in self._over or self._over[name] != state:
                self._over[name] = state
                self._write(name, state)
        self._folders |= {folder for name in wanted for folder in _above(name)}
        self._watch.follow(self._folders)

    def settle(self) -> tuple[str, ...]:
        """Take back what a check did to files that are not ignored; the names of those it had changed or made."""
        found, looked_at = self._touched()
        strange = [name for name in found if name not in self._mine and name not in self._mounts]
        names = {name: name_from_bytes(name) + ("/" if found[name] is None else "") for name in strange}
        kept = self._listing.ignored(names.values()) if names else set()
        gone = [name for name in strange if names[name] not in kept or name in self._folders]
        for name in gone:
            remove(self._place(name))
        edited = [name for name in looked_at if name in self._mine and found.get(name) != self._mine[name]]
        for name in edited:
            if name in self._over:
                self._write(name, self._over[name])
            else:
                self._restore(name)
        return tuple(sorted(name_from_bytes(name) for name in {*gone, *edited}))

    def _touched(self) -> tuple[dict[bytes, Stamp | None], list[bytes]]:
        """What lies there now (None: an unknown folder), and the names that this is the whole truth about."""
        touched = self._watch.touched()
        if touched is not None and not touched & self._folders:
            there = {name: stamp(self._place(name)) for name in touched if os.path.lexists(self._place(name))}
            return there, list(touched)
        everything: dict[bytes, Stamp | None] = dict(walk(os.fsencode(self.tree), self._is_known))
        self._watch.close()
        self._watch = Watch(os.fsencode(self.tree))
        # Folders may be missing until they are restored: what is not watched is walked next time.
        self._watch.follow(folder for folder in self._folders if os.path.isdir(self._place(folder)))
        self._watch.follow((b"",))
        return everything, [*self._mine]

    def read(self, path: str) -> bytes | None:
        """The file as the tree has it now; None when it is not there. No link is followed."""
        name = name_to_bytes(path)
        if name not in self._mine and name not in self._over:
            return None
        with contextlib.suppress(OSError):
            place = self._place(name)
            if not os.path.islink(place):
                return Path(os.fsdecode(place)).read_bytes()
        return None

    def names(self) -> tuple[str, ...]:
        """All files of the tree as it is shown; the same object as long as they are the same."""
        if self._shown is None:
            self._shown = tuple(map(name_from_bytes, self._mine))
        return self._shown

    def stamp(self, path: str) -> Stamp | None:
        """Changes when the file in the tree does."""
        return self._mine.get(name_to_bytes(path))

    def _look_around(self) -> None:
        """Ignored things that a check needs all the same: environments, and files that a build made."""
        # An environment that nobody ignores is one all the same.
        unignored = [path for path in self._listing.untracked() if path.endswith("/pyvenv.cfg")]
        units = [*self._listing.ignored_units(), *(path.removesuffix("pyvenv.cfg") for path in unignored)]
        self.environments = tuple(self.root / unit for unit in units if is_environment(self.root / unit))
        self._mounts |= {
            name_to_bytes(unit.rstrip("/")) for unit in units if self.root / unit in self.environments
        }
        self._generated = [
            unit for unit in units if unit.endswith((*_GENERATED, ".egg-info/", ".dist-info/"))
        ]

    def _wanted(self, tracked: Iterable[str], untracked: Iterable[str]) -> dict[bytes, None]:
        """The names that the tree should have, in git's order; also notes what is left out."""
        left_out: list[str] = []
        wanted: dict[bytes, None] = {}
        for path in tracked:
            if holds_keys(path, tracked=True):
                left_out.append(path)
            else:
                wanted.update(dict.fromkeys(self._expand(name_to_bytes(path))))
        self._has_submodules = len(wanted) + len(left_out) != len(self._listed[0])
        for path in untracked:
            if any(folder in self._mounts for folder in _above(name_to_bytes(path))):
                continue
            found = stamp(os.path.join(self._top, name_to_bytes(path)))
            if (
                path.endswith("/")
                or found is None
                or found[1] > LARGE_BYTES
                or holds_keys(path, tracked=False)
            ):
                left_out.append(path)
            else:
                wanted[name_to_bytes(path)] = None
        for unit in self._generated:
            wanted.update(dict.fromkeys(self._expand(name_to_bytes(unit.rstrip("/")))))
        self.left_out = tuple(left_out)
        return wanted

    def _expand(self, name: bytes) -> Iterator[bytes]:
        """A file is itself; a folder (a submodule, generated metadata) is the files in it that are not large."""
        place = os.path.join(self._top, name)
        if name in self._real or not os.path.isdir(place) or os.path.islink(place):
            yield name
            return
        for inner, found in walk(place, lambda folder: not folder.endswith(b".git")):
            if found is not None and found[1] <= LARGE_BYTES and inner != b".git":
                yield name + b"/" + inner

    def _check_space(self, todo: Iterable[bytes]) -> None:
        needed = sum(found[1] for name in todo if (found := stamp(os.path.join(self._top, name))))
        free = (
            os.statvfs(self.tree).f_bavail * os.statvfs(self.tree).f_frsize
            if hasattr(os, "statvfs")
            else needed * 2 + SPARE_BYTES
        )
        if needed + SPARE_BYTES > free:
            raise StateError(
                f"no room for a scratch tree of {needed >> 20} MiB",
                hint="free space in the cache folder, or set XDG_CACHE_HOME",
                untouched="no check was run",
            )

    def _take(self, name: bytes) -> int:
        """Have the person's version of one file in the tree, unless a chunk's state is shown over it."""
        source = os.path.join(self._top, name)
        if name in self._over:
            self._real[name] = stamp(source)
            return 0
        # Whatever comes back later is new to the tree: an old time would have cargo or make keep a stale build.
        taken = self._copier.copy(source, self._place(name), keeps_time=not self._is_made)
        if taken is None:
            # Tracked and deleted: known as absent, so that it is not looked for each time.
            self._drop(name)
            self._real[name] = None
            return 1
        # A file that was written just now may be written again without a new stamp: look again next time.
        self._real[name] = taken if is_settled(taken) else RACY
        self._note(name)
        return 1

    def _restore(self, name: bytes) -> None:
        """Take a file again that was taken before; notes when it is no longer the same."""
        before = self._real.get(name)
        if before not in (None, RACY) and stamp(os.path.join(self._top, name)) != before:
            self.moved = True
        self._take(name)

    def _write(self, name: bytes, state: FileState | None) -> None:
        put(self._place(name), state)
        self._note(name)

    def _note(self, name: bytes) -> None:
        found = stamp(self._place(name))
        if (found is None) == (name in self._mine):
            self._shown = None
        if found is None:
            self._mine.pop(name, None)
        else:
            self._mine[name] = found

    def _drop(self, name: bytes) -> int:
        self._real.pop(name, None)
        if name not in self._over:
            remove(self._place(name))
            self._mine.pop(name, None)
            self._shown = None
        return 1

    def _place(self, name: bytes) -> bytes:
        return os.path.join(os.fsencode(self.tree), name)

    def _is_known(self, folder: bytes) -> bool:
        return folder in self._folders and folder not in self._mounts


def sweep(folder: Path) -> int:
    """Remove scratch trees in `folder` whose owner is dead; how many."""
    swept = 0
    with contextlib.suppress(FileNotFoundError):
        for found in list(folder.iterdir()):
            if _is_orphan(found):
                remove(found)
                swept += 1
    return swept


def _is_orphan(folder: Path) -> bool:
    """A young folder may be one whose lock is about to be taken."""
    owner = folder / "owner"
    try:
        if not owner.exists():
            return time.time() - folder.stat().st_mtime > ORPHAN_SECONDS
        lock(owner, wait_seconds=0, what="a scratch tree").release()
    except (Locked, StateError, OSError):
        return False
    return True


def _above(name: bytes) -> Iterator[bytes]:
    """The folders above a file."""
    while b"/" in name:
        name = name.rpartition(b"/")[0]
        yield name
