"""Which files git stores in another form than they have in the work tree, so that both sides speak of the same form.

Line endings are converted by git itself (`checked_out`), drivers are never run: a path with a `filter` is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.core.patches.blob_names import same_blob
from agent.core.text import name_to_bytes
from agent.git.line_ends import EndsConfig, LineEnds
from agent.git.repo import Repo

ATTRIBUTES = ("text", "eol", "crlf", "ident", "working-tree-encoding", "filter")
MAX_AT_ONCE = 8_000_000
"""Bytes of stored files that one process converts."""

_OFF = ("unset", "")


class Conversion:
    """What git would convert of `paths`, by the attributes and the configuration as they are now."""

    def __init__(self, repo: Repo, paths: Iterable[str]) -> None:
        self._repo = repo
        wanted = sorted(set(paths))
        self._attributes: Mapping[str, Mapping[str, str]] = {}
        if wanted:
            self._attributes = repo.attributes(wanted, ATTRIBUTES)
        config = _config(repo)
        self._ends = EndsConfig(config)
        # Cautious: any of the values that are set, in whichever file.
        self._everywhere = any(key == "core.autocrlf" and value != "false" for key, value in config)
        self._crlf = ("core.eol", "crlf") in config
        self.ignores_modes = _is_off("core.filemode", config)
        """The file system tells nothing of what is executable: the index alone knows."""
        self.links_are_files = _is_off("core.symlinks", config)
        """The file system has no symbolic links: what the index has as one is a file with its target."""

    def why_no_link(self, *modes: int | None) -> str:
        """Why a change between these modes is none for the files of the work tree; empty when it is."""
        if self.links_are_files and Mode.SYMLINK in modes:
            return "a link, and by core.symlinks a file stands for it here: stage it with --onto index"
        return ""

    def filter_of(self, path: str) -> str:
        """The name of the filter that a file goes through; empty when none."""
        name = self._attributes.get(path, {}).get("filter", "")
        return "" if name in _OFF else name

    def encoding_of(self, path: str) -> str:
        """The encoding that a file has in the work tree alone; empty when it is stored as it is."""
        name = self._attributes.get(path, {}).get("working-tree-encoding", "")
        return "" if name in (*_OFF, "set") else name

    def recodes(self, path: str) -> bool:
        """True when more than the line ends of a file differ from what is stored."""
        return bool(self._own(path) & {"ident", "working-tree-encoding"})

    def is_as_in(self, other: Conversion, path: str, there: str = "") -> bool:
        """True when the attributes of a path are the same there, or those of `there`."""
        return self._attributes.get(path, {}) == other._attributes.get(there or path, {})

    def concerns(self, path: str) -> bool:
        """True when git would check the file out with other bytes than it has stored."""
        own = self._own(path)
        if not own:
            return self._everywhere and self._attributes.get(path, {}).get("text") != "unset"
        return self._everywhere or self._crlf or bool(own - {"text"})

    def leaves(self, path: str) -> bool:
        """True when the file has the same bytes in the work tree and in the repository, whatever they are."""
        return not self._own(path) and not self.concerns(path)

    def line_ends(self, path: str) -> LineEnds:
        """What git would do to the line ends of a regular file that it checks out."""
        return self._ends.of(self._attributes.get(path, {}))

    def _own(self, path: str) -> set[str]:
        found = self._attributes.get(path, {})
        return {name for name, value in found.items() if name != "filter" and value != "unset"}

    def to_work_tree(self, path: str, state: FileState, oid: str) -> FileState:
        """A stored file as it would stand in the work tree."""
        return self.to_work_trees([(path, state, oid)])[0]

    def to_work_trees(
        self, files: Sequence[tuple[str, FileState, str]], names: Sequence[Sequence[str]] = ()
    ) -> list[FileState]:
        """`to_work_tree` of each (path, stored file, its id), in order: git converts many at once.

        `names`, for each of them: where it may be in the work tree, when it is renamed.
        """
        found = [state for _, state, _ in files]
        waiting: list[int] = []
        size = 0
        for at, (path, state, _) in enumerate(files):
            if state.mode in (Mode.SYMLINK, Mode.SUBMODULE) or not self.concerns(path):
                continue
            if self._stands_as_stored(path, names[at] if names else (path,)):
                continue
            if waiting and size + len(state.data) > MAX_AT_ONCE:
                self._check_out(files, waiting, found)
                waiting, size = [], 0
            waiting.append(at)
            size += len(state.data)
        self._check_out(files, waiting, found)
        return found

    def _stands_as_stored(self, path: str, names: Sequence[str]) -> bool:
        """True for a file of the work tree that has no carriage returns, which git would put in when it checks it out.

        It was written before the attributes came: git takes it for unchanged, and a change of it is one of its lines.
        """
        if self.recodes(path):
            return False
        now = next(filter(None, map(self._converted, names)), None)
        return now is not None and has_no_returns(now)

    def _converted(self, name: str) -> FileState | None:
        """A file of the work tree that git would convert; None when there is none."""
        try:
            return self._repo.read(name) if self.concerns(name) else None
        except PathRefused:
            return None

    def _check_out(
        self, files: Sequence[tuple[str, FileState, str]], wanted: Sequence[int], found: list[FileState]
    ) -> None:
        entries = [(files[at][0], files[at][1].mode, files[at][2]) for at in wanted]
        for at, state in zip(wanted, self._repo.checked_out_all(entries), strict=True):
            found[at] = state

    def to_stored(self, path: str, state: FileState, staged: FileState | None) -> FileState | None:
        """A file of the work tree as `git add` would store it; None when only git itself could say."""
        # `text` alone checks nothing out differently, but is stored without carriage returns.
        normal = "text" in self._own(path) and b"\r\n" in state.data
        if state.mode == Mode.SYMLINK or not (normal or self.concerns(path)) or self.keeps(path, staged):
            return state
        arguments = (b"--path=" + name_to_bytes(path), b"--stdin")
        oid = self._repo.git.run("hash-object", *arguments, stdin=state.data).strip().decode()
        for data in (state.data, state.data.replace(b"\r\n", b"\n")):
            if same_blob(data, oid):
                return FileState(state.mode, data)
        return None

    def keeps(self, path: str, staged: FileState | None) -> bool:
        """Where git only guesses that a file is text, it leaves one alone that has carriage returns stored."""
        found = self._attributes.get(path, {})
        guessed = (
            found.get("text", "auto" if self._own(path).isdisjoint(("eol", "crlf")) else "set") == "auto"
        )
        return guessed and not self.recodes(path) and staged is not None and b"\r\n" in staged.data


def has_no_returns(state: FileState) -> bool:
    """True for a text that has lines, none of which ends as on Windows."""
    return state.mode != Mode.SYMLINK and b"\n" in state.data and b"\r\n" not in state.data


def _is_off(key: str, config: Iterable[tuple[str, str]]) -> bool:
    return dict(config).get(key, "true") in ("false", "no", "off", "0")


def _config(repo: Repo) -> list[tuple[str, str]]:
    """(key, value) in small letters of what decides about line ends, modes and links; a key without a value is true."""
    out = repo.git.run("config", "-z", "--get-regexp", r"^core\.(autocrlf|eol|filemode|symlinks)$", ok=(0, 1))
    entries = (entry.partition("\n") for entry in out.decode("utf-8", "replace").lower().split("\0")[:-1])
    return [(key, value if found else "true") for key, found, value in entries]
