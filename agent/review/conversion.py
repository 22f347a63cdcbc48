"""Which files git stores in another form than they have in the work tree, so that both sides speak of the same form.

Line endings are converted by git itself (`checked_out`), drivers are never run: a path with a `filter` is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.core.hunk import FileState, Mode
from agent.core.patch_apply import same_blob
from agent.core.text import name_to_bytes
from agent.git.repo import Repo

ATTRIBUTES = ("text", "eol", "crlf", "ident", "working-tree-encoding", "filter")
_OFF = ("unset", "")


class Conversion:
    """What git would convert of `paths`, by the attributes and the configuration as they are now."""

    def __init__(self, repo: Repo, paths: Iterable[str]) -> None:
        self._repo = repo
        wanted = sorted(set(paths))
        self._attributes: Mapping[str, Mapping[str, str]] = {}
        if wanted:
            self._attributes = repo.attributes(wanted, ATTRIBUTES)
        settings = repo.git.run("config", "--get", "core.autocrlf", ok=(0, 1)).strip().lower()
        self._everywhere = settings not in (b"", b"false")

    def filter_of(self, path: str) -> str:
        """The name of the filter that a file goes through; empty when none."""
        name = self._attributes.get(path, {}).get("filter", "")
        return "" if name in _OFF else name

    def concerns(self, path: str) -> bool:
        """True when the work tree may hold other bytes than the repository."""
        found = self._attributes.get(path, {})
        own = {name: value for name, value in found.items() if name != "filter" and value != "unset"}
        if not own:
            return self._everywhere and found.get("text") != "unset"
        return self._everywhere or bool(own.keys() - {"text"}) or bool(self._eol_configured())

    def _eol_configured(self) -> bytes:
        return self._repo.git.run("config", "--get", "core.eol", ok=(0, 1)).strip()

    def to_work_tree(self, path: str, state: FileState, oid: str) -> FileState:
        """A stored file as it would stand in the work tree."""
        if state.mode in (Mode.SYMLINK, Mode.SUBMODULE) or not self.concerns(path):
            return state
        return self._repo.checked_out(path, state.mode, oid)

    def to_stored(self, path: str, state: FileState) -> FileState | None:
        """A file of the work tree as git would store it; None when only git itself could say."""
        if state.mode == Mode.SYMLINK or not self.concerns(path):
            return state
        arguments = (b"--path=" + name_to_bytes(path), b"--stdin")
        oid = self._repo.git.run("hash-object", *arguments, stdin=state.data).strip().decode()
        for data in (state.data, state.data.replace(b"\r\n", b"\n")):
            if same_blob(data, oid):
                return FileState(state.mode, data)
        return None
