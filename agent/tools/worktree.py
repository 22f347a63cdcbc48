"""`Source` over git: which files there are, where a text occurs, and what happened lately.

Every call is one git process that lists or searches and runs no program of the repository. A search goes through
`git grep`, in a process of its own, because a pattern of a model may take for ever: it is killed then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol as Interface

from agent.core.errors import GitFailed
from agent.core.hunk import FileState
from agent.core.text import name_from_bytes, name_to_bytes
from agent.io.process import CAP_BYTES, Ran, run
from agent.ports import Cancel
from agent.tools.source import Hits

LIST_SECONDS = 60.0
SEARCH_SECONDS = 8.0
SEARCH_BYTES = 16 * 1024 * 1024

_NO_PCRE = b"USE_LIBPCRE"


class Git(Interface):
    """What is needed of `agent.git.command.Git`."""

    root: Path

    def environment(self) -> dict[str, str]:
        """The whole environment of a call, with every program of the configuration switched off."""


class Reader(Interface):
    """The file now, None when absent; no link is followed. Raises PathRefused."""

    def __call__(self, path: str) -> FileState | None: ...


class WorkTree:
    """`agent.tools.source.Source` over the work tree of `git`; `read` is a Target's."""

    def __init__(self, git: Git, read: Reader) -> None:
        self._root = str(git.root)
        self._outside = git
        self.read = read

    @property
    def root(self) -> str:
        return self._root

    def names(self, under: str = "") -> Sequence[str]:
        place = [b"--", name_to_bytes(under)] if under else []
        ran = self._git(["ls-files", "-z", "--cached", "--others", "--exclude-standard", *place])
        if ran.status != 0:
            raise GitFailed("git cannot list the files", stderr=ran.stderr, status=ran.status)
        # A nested repository is listed as a folder; what it holds is not of this one.
        listed = {name for name in ran.stdout.split(b"\0") if name and not name.endswith(b"/")}
        return [name_from_bytes(name) for name in sorted(listed)]

    def find(self, pattern: str, *, regex: bool, any_case: bool, under: str, cancel: Cancel) -> Hits:
        ran = self._grep("-P" if regex else "-F", pattern, any_case, under, cancel)
        if ran.status not in (0, 1) and _NO_PCRE in ran.stderr:
            ran = self._grep("-E", pattern, any_case, under, cancel)
        if ran.timed_out or ran.cancelled:
            why = "stopped" if ran.cancelled else f"the time limit of {SEARCH_SECONDS:.0f} s was reached"
            return Hits(_hits(ran.stdout), stopped=why)
        if ran.status not in (0, 1):
            reason = ran.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
            return Hits(_hits(ran.stdout), invalid=reason[:200] or f"git grep ended with {ran.status}")
        return Hits(_hits(ran.stdout), stopped="there are too many matches" if ran.cut else "")

    def _grep(self, kind: str, pattern: str, any_case: bool, under: str, cancel: Cancel) -> Ran:
        options = ["--untracked", "--no-textconv", "--no-recurse-submodules", "--no-color", "--no-column"]
        case = ["-i"] if any_case else []
        place = [b"--", name_to_bytes(under)] if under else [b"--"]
        return self._git(
            [
                "grep",
                "-z",
                "-n",
                "-I",
                "--full-name",
                *options,
                kind,
                *case,
                "-e",
                name_to_bytes(pattern),
                *place,
            ],
            timeout_seconds=SEARCH_SECONDS,
            cap_bytes=SEARCH_BYTES,
            cancel=cancel,
        )

    def _git(
        self,
        arguments: Sequence[str | bytes],
        *,
        timeout_seconds: float = LIST_SECONDS,
        cap_bytes: int = CAP_BYTES,
        cancel: Cancel | None = None,
    ) -> Ran:
        return run(
            ["git", *arguments],
            cwd=self._outside.root,
            env=self._outside.environment(),
            timeout_seconds=timeout_seconds,
            cap_bytes=cap_bytes,
            cancel=cancel,
        )

    def recent(self, path: str, count: int) -> Sequence[str]:
        place = [b"--", name_to_bytes(path)] if path else [b"--"]
        ran = self._git(["log", f"-n{count}", "--no-color", "--date=short", "--format=%h %ad %s", *place])
        # An unborn branch has no commits; git calls that a failure.
        return [line for line in ran.stdout.decode("utf-8", "replace").split("\n") if line]


def _hits(output: bytes) -> dict[str, list[int]]:
    """`path NUL line NUL text LF` rows; a path may hold line ends, a cut last row is left out."""
    found: dict[str, list[int]] = {}
    at = 0
    while True:
        name_end = output.find(b"\0", at)
        line_end = output.find(b"\0", name_end + 1)
        text_end = output.find(b"\n", line_end + 1)
        number = output[name_end + 1 : line_end]
        if -1 in (name_end, line_end, text_end) or not number.isdigit():
            return found
        found.setdefault(name_from_bytes(output[at:name_end]), []).append(int(number))
        at = text_end + 1
