"""Carries one recorded set of writes into the work tree, or takes it back, whatever moment it was stopped at.

Forward: every new file is prepared beside its target and made durable; deletions move files aside, creations
move in where nothing is, modifications exchange old and new in one step. Nothing is destroyed before the whole
set is in place and what was displaced is proved to be what the approval named. Backward: looks only at the
record and the disk, so it is the same after an error and after a crash, and may itself be stopped and run
again. Where the person wrote meanwhile, their bytes stay.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable, Mapping

from agent.core.errors import PathRefused
from agent.core.events import StoredState
from agent.core.hunk import FileState
from agent.core.text import digest, name_from_bytes, name_to_bytes
from agent.git.sets import Step, WriteSet
from agent.io.files import BehindLink, Found, Parts, Tree, shown

TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
MISSING = (FileNotFoundError, NotADirectoryError)


class DriftSeen(Exception):
    """Files were not what they should be in the middle of writing; the set is to be taken back."""

    def __init__(self, *paths: str) -> None:
        super().__init__(*paths)
        self.paths = paths


def parts_of(path: str) -> Parts:
    return tuple(name_to_bytes(path).split(b"/"))


def join(parts: Iterable[bytes]) -> str:
    return name_from_bytes(b"/".join(parts))


def is_state(found: Found | None, stored: StoredState | None) -> bool:
    """True when a file is what the record names, by mode and digest."""
    if found is None or stored is None:
        return found is None and stored is None
    return found.state.mode == stored.mode and digest(found.state.data) == stored.blob


class Transaction:
    """One set in one work tree. `kept` are folders that are not removed when they become empty."""

    def __init__(self, tree: Tree, write_set: WriteSet, kept: frozenset[Parts] = frozenset()) -> None:
        self._tree = tree
        self._calls = tree.calls
        self._set = write_set
        self._kept = kept
        self._inodes: dict[str, int] = {}

    # Forward

    def prepare(self, states: Mapping[str, FileState | None], likes: Mapping[str, Found]) -> None:
        """Make every new file beside its target, with the owner and bits of the file in `likes`."""
        for step in self._set.steps:
            state = states[step.path]
            if state is None:
                continue
            temporary = parts_of(step.temporary)
            with self._tree.folder(temporary[:-1]) as folder:
                self._tree.prepare(folder, temporary[-1], state, likes.get(step.path))
                status = self._tree.status(folder, temporary[-1])
            if status is None:
                raise DriftSeen(step.path)
            self._inodes[step.path] = status.st_ino

    def carry_out(self) -> None:
        """Bring all new files in and prove what they displaced. Raises DriftSeen, OSError, PathRefused."""
        for step in self._set.steps:
            if step.new is None:
                self._move(step.path, step.temporary, step.path)
        for step in self._set.steps:
            if step.new is not None and step.old is None:
                self._make_room(parts_of(step.path))
                self._move(step.temporary, step.path, step.path)
        for step in self._set.steps:
            if step.old is not None and step.new is not None:
                self._exchange(step)
        self._prove()
        for folder in self._folders():
            # A folder may be gone, or a link of this set may stand there now.
            with contextlib.suppress(*MISSING, BehindLink), self._tree.folder(folder) as opened:
                self._calls.sync_folder(opened)

    def _move(self, source: str, target: str, path: str) -> None:
        old, new = parts_of(source), parts_of(target)
        try:
            with self._tree.folder(old[:-1]) as here, self._tree.folder(new[:-1]) as there:
                self._calls.move_new(here, old[-1], there, new[-1])
        except (FileExistsError, *MISSING) as error:
            raise DriftSeen(path) from error

    def _exchange(self, step: Step) -> None:
        old, new = parts_of(step.temporary), parts_of(step.path)
        try:
            with self._tree.folder(old[:-1]) as here, self._tree.folder(new[:-1]) as there:
                self._calls.exchange(here, old[-1], there, new[-1])
        except (FileExistsError, *MISSING) as error:
            raise DriftSeen(step.path) from error

    def _make_room(self, target: Parts) -> None:
        """Remove the emptied folder that a new file takes the place of; make the folders that it needs."""
        for folder in self._emptied(target):
            if not self._remove_folder(folder):
                raise PathRefused(f"{shown(folder)} is a folder with other files in it")
        for number in range(1, len(target)):
            with self._tree.folder(target[: number - 1]) as above:
                if self._tree.status(above, target[number - 1]) is None:
                    self._calls.make_folder(above, target[number - 1])

    def _emptied(self, target: Parts) -> list[Parts]:
        """Folders from `target` inwards that held deleted files, innermost first; none when it is no folder."""
        try:
            with self._tree.folder(target):
                pass
        except MISSING:
            return []
        deleted = [parts_of(step.path) for step in self._set.steps if step.new is None]
        inside = {parts[:n] for parts in deleted for n in range(len(target), len(parts))}
        return sorted((folder for folder in inside if folder[: len(target)] == target), key=len, reverse=True)

    def _remove_folder(self, folder: Parts) -> bool:
        try:
            with self._tree.folder(folder[:-1]) as above:
                self._calls.remove_folder(above, folder[-1])
        except OSError as error:
            if error.errno in TAKEN:
                return False
            raise
        return True

    def _prove(self) -> None:
        """What was displaced is what was approved, and what we wrote lies where the path leads now."""
        for step in self._set.steps:
            if step.old is not None and not is_state(self._tree.find(parts_of(step.temporary)), step.old):
                raise DriftSeen(step.path)
            if step.new is not None and self._inode(parts_of(step.path)) != self._inodes[step.path]:
                raise DriftSeen(step.path)

    def _inode(self, parts: Parts) -> int | None:
        try:
            with self._tree.folder(parts[:-1]) as folder:
                status = self._tree.status(folder, parts[-1])
        except MISSING:
            return None
        return status.st_ino if status else None

    def _folders(self) -> list[Parts]:
        names = {parts_of(step.path)[:-1] for step in self._set.steps}
        names |= {parts_of(step.temporary)[:-1] for step in self._set.steps}
        names |= {parts_of(folder)[:-1] for folder in self._set.folders}
        return sorted(names)

    def clean(self) -> tuple[str, ...]:
        """After the set is committed: remove what was displaced, and folders that became empty.

        Returns where displaced files lie that were written to in the last moment: beside the target.
        """
        left = []
        for step in self._set.steps:
            temporary = parts_of(step.temporary)
            with contextlib.suppress(PathRefused, DriftSeen):
                self._finish_exchange(temporary)
            found = self._look(temporary)
            if found is not None and (is_state(found, step.old) or is_state(found, step.new)):
                self._remove(temporary)
            elif found is not None:
                left.append(step.temporary)
        for step in self._set.steps:
            if step.new is None:
                self._remove_empty_above(parts_of(step.path))
        return tuple(left)

    def _look(self, parts: Parts) -> Found | None:
        """The file; None also for a folder or what else is no file."""
        try:
            return self._tree.find(parts)
        except PathRefused:
            return None

    def _remove_empty_above(self, parts: Parts) -> None:
        """As git does when the last file of a folder goes."""
        for number in range(len(parts) - 1, 0, -1):
            if parts[:number] in self._kept:
                return
            try:
                if not self._remove_folder(parts[:number]):
                    return
            except MISSING:
                continue
            except (OSError, PathRefused):
                # An empty folder that stays harms nobody.
                return

    def _remove(self, parts: Parts) -> None:
        with (
            contextlib.suppress(*MISSING),
            self._tree.folder(parts[:-1]) as folder,
        ):
            self._calls.remove(folder, parts[-1])

    # Backward

    def is_complete(self) -> bool:
        """True when every path is as the set wants it."""
        try:
            return self._set.armed and all(
                is_state(self._tree.find(parts_of(step.path)), step.new) for step in self._set.steps
            )
        except PathRefused:
            return False

    def take_back(self) -> tuple[str, ...]:
        """Restore what was there before. Returns the paths that the person changed meanwhile: left as they are."""
        left = []
        for step in reversed(self._set.steps):
            try:
                if not self._set.armed:
                    self._remove(parts_of(step.temporary))
                elif not self._take_back(step):
                    left.append(step.path)
            except (DriftSeen, PathRefused):
                # Moved under our hands, or something else lies there now: it is the person's.
                left.append(step.path)
        self._remove_made()
        return tuple(left)

    def _remove_made(self, within: str = "") -> None:
        """Remove the folders that the set made, where they are empty; those at and below `within` only."""
        for name in reversed(self._set.folders):
            if within in ("", name) or name.startswith(within + "/"):
                with contextlib.suppress(*MISSING, PathRefused):
                    self._remove_folder(parts_of(name))

    def _take_back(self, step: Step) -> bool:
        target, temporary = parts_of(step.path), parts_of(step.temporary)
        self._finish_exchange(temporary)
        aside, here = self._tree.find(temporary), self._look(target)
        if step.old is None:
            return self._take_back_creation(step, aside, here)
        if aside is None:
            return is_state(here, step.old)
        if step.new is not None and is_state(aside, step.new):
            self._remove(temporary)
            return True
        if here is None and step.new is None:
            self._remove_made(step.path)
            self._make_room(target)
            self._move(step.temporary, step.path, step.path)
            return True
        if step.new is not None and is_state(here, step.new):
            self._exchange(step)
            # Written to between the look and the exchange: the person's bytes go back.
            if is_state(self._tree.find(temporary), step.new):
                self._remove(temporary)
                return True
            self._exchange(step)
            aside, here = self._tree.find(temporary), None
        if is_state(aside, step.old):
            # It is in the blob store too; what lies at the target is the person's.
            self._remove(temporary)
        return is_state(here, step.old)

    def _take_back_creation(self, step: Step, aside: Found | None, here: Found | None) -> bool:
        target, temporary = parts_of(step.path), parts_of(step.temporary)
        if aside is not None:
            # Also made by link and not yet unlinked, where renames have no flags: the same inode twice.
            if here is not None and here.status.st_ino == aside.status.st_ino:
                self._remove(target)
            self._remove(temporary)
            return True
        if here is None:
            return True
        if not is_state(here, step.new):
            return False
        self._move(step.path, step.temporary, step.path)
        if not is_state(self._tree.find(temporary), step.new):
            self._move(step.temporary, step.path, step.path)
            return False
        self._remove(temporary)
        return True

    def _finish_exchange(self, temporary: Parts) -> None:
        """Where exchange is made of link and rename, a crash may leave `NAME~`; see `calls.exchange`."""
        aside = (*temporary[:-1], temporary[-1] + b"~")
        if self._tree.find(aside) is None:
            return
        if self._tree.find(temporary) is None:
            self._move(join(aside), join(temporary), join(temporary))
        else:
            self._remove(aside)
