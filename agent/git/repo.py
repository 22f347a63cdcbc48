"""One repository, as the rest of copair asks about it: files, index, commits, state. Read-only.

Paths are `str` from git's bytes (`text.name_from_bytes`), relative to the top of the work tree. Everything runs
through `command.Git`; contents come through `cat-file` processes that stay open (`objects`).
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from agent.core.errors import GitFailed, PathRefused
from agent.core.hunk import FileState, Mode
from agent.core.text import name_from_bytes, name_to_bytes
from agent.git.command import Git
from agent.git.index import Entry, read_entries, without_intents
from agent.git.objects import Objects
from agent.git.paths import Fence
from agent.io.calls import Calls, Folder
from agent.io.files import Parts, Tree
from agent.ports import Place


class Operation(StrEnum):
    """What git is in the middle of."""

    MERGE = "merge"
    REBASE = "rebase"
    CHERRY_PICK = "cherry-pick"
    REVERT = "revert"
    BISECT = "bisect"
    MAIL = "applying mails"


MARKS = {
    "rebase-merge": Operation.REBASE,
    "rebase-apply/applying": Operation.MAIL,
    "rebase-apply": Operation.REBASE,
    "MERGE_HEAD": Operation.MERGE,
    "CHERRY_PICK_HEAD": Operation.CHERRY_PICK,
    "REVERT_HEAD": Operation.REVERT,
    "BISECT_LOG": Operation.BISECT,
}

KNOWN_MODES = frozenset(Mode)


class Head(msgspec.Struct, frozen=True):
    """`commit` is None on an unborn branch, `branch` is None when detached."""

    commit: str | None
    branch: str | None


class Commit(msgspec.Struct, frozen=True):
    oid: str
    author: str
    time: int
    subject: str


class Repo:
    """The repository at `place`. `close` ends its kept-open processes; also a context manager."""

    def __init__(
        self,
        place: Place,
        calls: Calls | None = None,
        outer: Mapping[str, str] | None = None,
        index: Path | None = None,
    ) -> None:
        self.place = place
        self.outer = outer
        self.git = Git(place.root, place.git_dir, place.common_dir, outer, index)
        self.objects = Objects(self.git)
        self.tree = Tree(place.root, calls, (place.git_dir, place.common_dir, place.state))
        self.fence = Fence(place, self.git, self.tree)

    def __enter__(self) -> Repo:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.objects.close()

    def read(self, path: str) -> FileState | None:
        """The file in the work tree, None when absent; no link is followed. Raises PathRefused."""
        try:
            found = self.tree.find(self.fence.check(path).parts)
        except OSError as error:
            raise PathRefused(f"{path} cannot be read: {error.strerror}") from error
        return found.state if found else None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Callable[[str], FileState | None]]:
        """`read` for many files: the folder of one stays open until the next file lies in another."""
        with contextlib.ExitStack() as stack:
            opened: tuple[Parts, Folder] | None = None

            def read(path: str) -> FileState | None:
                nonlocal opened
                parts = self.fence.check(path).parts
                try:
                    if opened is None or opened[0] != parts[:-1]:
                        opened = None
                        stack.close()
                        opened = parts[:-1], stack.enter_context(self.tree.folder(parts[:-1]))
                    found = self.tree.find_in(opened[1], parts[-1], parts)
                except (FileNotFoundError, NotADirectoryError):
                    return None
                except OSError as error:
                    raise PathRefused(f"{path} cannot be read: {error.strerror}") from error
                return found.state if found else None

            yield read

    def stored(self, mode: int, oid: str) -> FileState:
        """The state that an index or tree entry means; for a submodule the data is its commit id."""
        return self.stored_all([(mode, oid)])[0]

    def stored_all(self, entries: Sequence[tuple[int, str]]) -> list[FileState]:
        """The state of each (mode, id), in order: much faster than one by one."""
        contents = iter(self.objects.read_all([oid for mode, oid in entries if mode != Mode.SUBMODULE]))
        return [
            FileState(mode, oid.encode())
            if mode == Mode.SUBMODULE
            # 100664 of very old commits is a plain file.
            else FileState(mode if mode in KNOWN_MODES else Mode.FILE, next(contents))
            for mode, oid in entries
        ]

    def checked_out(self, path: str, mode: int, oid: str) -> FileState:
        """A stored file as git would check it out: line endings converted, drivers off."""
        return self.checked_out_all([(path, mode, oid)])[0]

    def checked_out_all(self, entries: Sequence[tuple[str, int, str]]) -> list[FileState]:
        """`checked_out` of each (path, mode, id), in order: one process for all whose names are plain."""
        found: list[FileState | None] = [None] * len(entries)
        lines: dict[int, bytes] = {}
        for at, (path, mode, oid) in enumerate(entries):
            name = name_to_bytes(path)
            if mode in (Mode.SYMLINK, Mode.SUBMODULE):
                found[at] = self.stored(mode, oid)
            elif b"\n" in name or name[:1].isspace() or name.endswith(b"\r"):
                # What reads a line drops blanks before the name, and would take the end of it for its own.
                found[at] = FileState(mode, self.git.run("cat-file", "--filters", b"--path=" + name, oid))
            else:
                lines[at] = oid.encode() + b" " + name + b"\n"
        for at, data in zip(lines, self._filtered([*lines.values()]), strict=True):
            found[at] = FileState(entries[at][1], data)
        return [state for state in found if state is not None]

    def _filtered(self, lines: Sequence[bytes]) -> list[bytes]:
        """What `cat-file --filters` gives for each `ID PATH`. Raises GitFailed when an object is missing.

        The size that git prints is the one before the conversion: a word that no file can know parts the answers.
        """
        if not lines:
            return []
        mark = secrets.token_hex(16)
        answers = self.git.run("cat-file", f"--batch={mark}", "--filters", stdin=b"".join(lines))
        found = answers.split(f"{mark}\n".encode())[1:]
        if len(found) != len(lines):
            raise GitFailed("an object is missing from the repository", hint="see `git fsck`")
        return [data[:-1] for data in found]

    def resolve(self, rev: str, kind: str = "commit") -> str:
        """The id of a revision that a person named. Raises GitFailed."""
        arguments = ("--verify", "--quiet", "--end-of-options", f"{rev}^{{{kind}}}")
        return self.git.run("rev-parse", *arguments).strip().decode()

    def head(self) -> Head:
        commit = self.git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1)).strip().decode()
        branch = self.git.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).strip()
        name = name_from_bytes(branch).removeprefix("refs/heads/")
        return Head(commit or None, name or None)

    def operation(self) -> Operation | None:
        """The merge, rebase or the like that is in progress."""
        for name, operation in MARKS.items():
            if (self.place.git_dir / name).exists():
                return operation
        return None

    def entries(self, paths: Iterable[str] | None = None) -> list[Entry]:
        return read_entries(self.git, paths)

    def staged(self) -> list[Entry]:
        """Entries of the index but for what is only intended to be added."""
        return without_intents(self.git, self.entries())

    def unmerged(self) -> set[str]:
        """Paths that are in conflict."""
        records = self.git.run("ls-files", "--unmerged", "-z").split(b"\0")[:-1]
        return {name_from_bytes(record.partition(b"\t")[2]) for record in records}

    def tracked(self) -> list[str]:
        """Paths in the index, in git's order, each once."""
        names = self.git.run("ls-files", "-z").split(b"\0")[:-1]
        return [name_from_bytes(name) for name in dict.fromkeys(names)]

    def list_files(self) -> list[str]:
        """Tracked files and untracked ones that are not ignored, each once."""
        return list(dict.fromkeys([*self.tracked(), *self.untracked()]))

    def untracked(self) -> list[str]:
        """Files that are neither tracked nor ignored; a nested repository is one name with a slash at its end."""
        names = self.git.run("ls-files", "-z", "--others", "--exclude-standard").split(b"\0")[:-1]
        return [name_from_bytes(name) for name in names]

    def ignored(self, paths: Iterable[str]) -> set[str]:
        """Those of `paths` that git ignores (tracked ones never are, nor what lies behind a link)."""
        wanted = [name_to_bytes(path) for path in paths]
        found = self._ask_ignored(wanted)
        if found is None:
            # One path behind a link or in a submodule fails all of them: ask one by one.
            found = [name for path in wanted for name in self._ask_ignored([path]) or ()]
        return {name_from_bytes(name) for name in found}

    def _ask_ignored(self, paths: list[bytes]) -> list[bytes] | None:
        if not paths:
            return []
        # check-ignore refuses GIT_LITERAL_PATHSPECS; the leading ./ keeps `:(magic)` a name.
        ran = self.git.ran(
            "check-ignore",
            "-z",
            "--stdin",
            stdin=b"".join(b"./" + path + b"\0" for path in paths),
            variables={"GIT_LITERAL_PATHSPECS": "0"},
        )
        if ran.status > 1:
            return None
        return [name.removeprefix(b"./") for name in ran.stdout.split(b"\0")[:-1]]

    def attributes(self, paths: Iterable[str], names: Iterable[str]) -> dict[str, dict[str, str]]:
        """The attributes `names` of each path; `unspecified` ones are left out."""
        wanted = [name_to_bytes(path) for path in paths]
        found: dict[str, dict[str, str]] = {name_from_bytes(path): {} for path in wanted}
        if not wanted:
            return found
        out = self.git.run("check-attr", "-z", "--stdin", *names, stdin=b"\0".join(wanted) + b"\0")
        fields = out.split(b"\0")[:-1]
        for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
            if value != b"unspecified":
                found[name_from_bytes(path)][name.decode()] = value.decode("utf-8", "replace")
        return found

    def log(self, count: int = 10, path: str | None = None) -> list[Commit]:
        """The newest commits, those that touch `path` only when it is given; none on an unborn branch."""
        if self.head().commit is None:
            return []
        arguments: list[str | bytes] = [f"--max-count={count}", "-z", "--format=%H%x00%an%x00%at%x00%s"]
        arguments += [
            "--no-ext-diff",
            "--no-textconv",
            "--no-show-signature",
            "--encoding=UTF-8",
            "--end-of-options",
            "HEAD",
            "--",
        ]
        if path is not None:
            arguments.append(name_to_bytes(path))
        fields = self.git.run("log", *arguments).decode("utf-8", "replace").split("\0")
        rows = zip(fields[::4], fields[1::4], fields[2::4], fields[3::4], strict=False)
        return [Commit(oid, author, int(time), subject) for oid, author, time, subject in rows]
