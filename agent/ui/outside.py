"""The person's own editor and pager. Never the repository's: git is asked outside of any repository.

Promises: files for the editor lie in the state folder, readable by the person alone, and are removed after; the
program runs as an argument vector, without a shell; what comes back are bytes, exactly as they were saved.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agent.core.frontend import Card
from agent.core.hunk import FileState, Mode, Write
from agent.core.outcome import States
from agent.core.patches.unified import print_writes
from agent.core.text import name_to_bytes, sniff

_TAKES_LINE = frozenset(
    ("vi", "vim", "nvim", "nvi", "elvis", "emacs", "nano", "micro", "kak", "joe", "mg", "ne")
)
_KEPT_GIT = frozenset(("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"))


class Edited(msgspec.Struct, frozen=True):
    """The person's version of all files of a card."""

    states: States


class NotEdited(msgspec.Struct, frozen=True):
    """Nothing came of it, and why."""

    reason: str


class Outside:
    """Runs interactive programs on the terminal; the caller has given it back to the line mode."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environ = dict(os.environ if environ is None else environ)

    def editor(self) -> list[str]:
        """VISUAL, EDITOR, GIT_EDITOR, what git would take by the person's global configuration, vi."""
        for name in ("VISUAL", "EDITOR", "GIT_EDITOR"):
            if self._environ.get(name, "").strip():
                return shlex.split(self._environ[name])
        return shlex.split(self._git("var", "GIT_EDITOR")) or ["vi"]

    def pager(self) -> list[str]:
        """delta when git is set up for it, else PAGER, git's core.pager, less."""
        configured = [
            self._git("config", "--get", key)
            for key in ("core.pager", "interactive.diffFilter", "pager.diff")
        ]
        for command in configured:
            words = shlex.split(command)
            if (
                words
                and Path(words[0]).name == "delta"
                and shutil.which(words[0], path=self._environ.get("PATH"))
            ):
                return [words[0], "--paging=always"]
        chosen = self._environ.get("GIT_PAGER") or configured[0] or self._environ.get("PAGER") or "less"
        words = shlex.split(chosen)
        return [*words, "-R"] if words and Path(words[0]).name == "less" else words

    def page(self, card: Card) -> str:
        """Show the exact diff of `card` in the pager; a reason when that was not possible."""
        command = self.pager()
        with tempfile.TemporaryFile() as file:
            file.write(visible(print_writes(card.writes)))
            file.seek(0)
            try:
                subprocess.run(command, stdin=file, env=self._environ, check=False)
            except OSError as error:
                return f"{command[0]}: {error.strerror}"
        return ""

    def edit(self, card: Card) -> Edited | NotEdited:
        """The files of `card` as they would be written, in the editor."""
        writes = [write for write in card.writes if _editable(write)]
        if not writes:
            return NotEdited("there is no text to edit in this card")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="edit-", dir=self._folder))
        try:
            return self._edit_in(folder, writes, card)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _edit_in(self, folder: Path, writes: Sequence[Write], card: Card) -> Edited | NotEdited:
        files = {write.path: _put(folder, number, write) for number, write in enumerate(writes)}
        try:
            command = self.editor()
        except ValueError as error:
            return NotEdited(f"the editor's command cannot be read: {error}")
        line = _first_line(writes[0])
        place = [f"+{line}"] if line > 1 and self._takes_line(command[0]) else []
        try:
            ran = subprocess.run(
                [*command, *place, *map(str, files.values())], env=self._environ, check=False
            )
        except OSError as error:
            return NotEdited(f"{command[0]}: {error.strerror}; set VISUAL or EDITOR")
        if ran.returncode:
            return NotEdited(f"{command[0]} ended with {ran.returncode}; nothing was changed")
        states: States = {write.path: write.new for write in card.writes}
        try:
            for write in writes:
                assert write.new is not None
                states[write.path] = FileState(write.new.mode, files[write.path].read_bytes())
        except OSError as error:
            return NotEdited(f"the edited file cannot be read: {error.strerror}")
        if all(states[write.path] == write.new for write in card.writes):
            return NotEdited("nothing was changed in the editor")
        return Edited(states)

    def _takes_line(self, program: str) -> bool:
        """True for editors that open a file at `+LINE`, also by a link to one, as `editor` is to `vim.basic`."""
        found = shutil.which(program, path=self._environ.get("PATH"))
        names = {Path(program).name, Path(found).resolve().name if found else ""}
        return any(name.partition(".")[0] in _TAKES_LINE for name in names)

    def _git(self, *arguments: str) -> str:
        """What git says outside of any repository; empty when it says nothing."""
        environ = {
            name: value
            for name, value in self._environ.items()
            if not name.startswith("GIT_") or name in _KEPT_GIT
        }
        environ["GIT_CEILING_DIRECTORIES"] = "/"
        try:
            ran = subprocess.run(
                ["git", *arguments],
                cwd="/",
                env=environ,
                capture_output=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except OSError:
            return ""
        return ran.stdout.decode("utf-8", "replace").strip() if ran.returncode == 0 else ""


def visible(diff: bytes) -> bytes:
    """A diff for a program that draws on the terminal: what does not print becomes marks, line by line."""
    from agent.core.clean import clean

    return "".join(f"{clean(line, tabs=8)}\n" for line in diff.split(b"\n")[:-1]).encode("utf-8")


def _editable(write: Write) -> bool:
    new = write.new
    return new is not None and new.mode in (Mode.FILE, Mode.EXECUTABLE) and sniff(new.data) is not None


def _put(folder: Path, number: int, write: Write) -> Path:
    """The new content under the file's own name, so that the editor knows the language."""
    assert write.new is not None
    place = folder / str(number)
    place.mkdir(mode=0o700)
    path = place / os.fsdecode(name_to_bytes(write.path.rpartition("/")[2]))
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "wb") as file:
        file.write(write.new.data)
    return path


def _first_line(write: Write) -> int:
    """The first line that the card changes, counted from 1."""
    old = write.old.data.split(b"\n") if write.old else []
    new = write.new.data.split(b"\n") if write.new else []
    same = next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
    return same + 1
