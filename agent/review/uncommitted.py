"""The uncommitted work as a source: from the index to the work tree, untracked files included, in stored form."""

from __future__ import annotations

from agent.core.errors import PathRefused
from agent.core.hunk import FileState, Mode
from agent.core.lines.renames import find_renames
from agent.core.outcome import States
from agent.git.conversion import Conversion
from agent.git.index import Entry
from agent.git.repo import Repo
from agent.review.commits import refused_name
from agent.review.only import ALL, Only
from agent.review.opening import First, Sides, begin, filled
from agent.review.pairs import raw_pairs
from agent.review.source import UNCOMMITTED, LeftOut, Progress, Source

MAX_UNTRACKED_BYTES = 20_000_000
"""Larger untracked files are left out: nobody means to review them."""

PLAIN = (Mode.FILE, Mode.EXECUTABLE)


def read_uncommitted(
    repo: Repo, progress: Progress | None = None, first: First | None = None, only: Only = ALL
) -> Source:
    """What is not staged yet: `before` is the index, `after` the work tree. Onto the index."""
    reader = _Reader(repo)
    pairs = [pair for pair in raw_pairs(_raw(repo)) if only.takes(pair.old_path)]
    changed = [pair.old_path for pair in pairs]
    reader.gone = {pair.old_path for pair in pairs if pair.status == "D"}
    names = [*dict.fromkeys(changed), *filter(only.takes, repo.untracked())]
    reader.conversion = Conversion(repo, [name for name in names if not name.endswith("/")])
    label, spec = only.told("what is not staged yet"), only.told(UNCOMMITTED)
    nothing = "" if names or only.paths else _nothing(repo)
    source = Source(label, spec, {}, {}, onto="index", nothing=nothing)
    opening = begin(changed, len(names), reader.read, source, first)
    for done, path in enumerate(names):
        # What becomes of the file that is open already is met when its chunks are placed.
        is_open = opening is not None and path == opening.path
        reader.take(path, (opening.old, opening.new) if opening and is_open else reader.read(path))
        if progress is not None:
            progress("reading", done + 1, len(names))
    renames = find_renames(reader.before, reader.after)
    return filled(source, opening, reader.before, reader.after, renames, reader.left_out)


def _nothing(repo: Repo) -> str:
    """What is said of a work tree that is as the index is."""
    all_of_it = repo.git.run(
        "diff", "--cached", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"
    )
    return "no changes that are not staged" if all_of_it else "no uncommitted changes"


def _raw(repo: Repo) -> bytes:
    return repo.git.run(
        "diff", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--full-index", "--"
    )


class _Reader:
    conversion: Conversion

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.entries: dict[str, list[Entry]] = {}
        for entry in repo.staged():
            self.entries.setdefault(entry.path, []).append(entry)
        self.before: States = {}
        self.after: States = {}
        self.left_out: list[LeftOut] = []
        self.gone: set[str] = set()
        """Files of the index that git does not find; a folder or a link may stand there now, or above them."""

    def take(self, path: str, found: Sides | str) -> None:
        """Put what was found of a path where it belongs."""
        if isinstance(found, str):
            self.left_out.append(LeftOut(path, found))
        elif found[0] != found[1]:
            self.before[path], self.after[path] = found

    def read(self, path: str) -> Sides | str:
        """Both sides of one path, or why it is left out."""
        entries = self.entries.get(path, [])
        if reason := self._why_not(path, entries):
            return reason
        staged = self.repo.stored(entries[0].mode, entries[0].oid) if entries else None
        try:
            now = self.repo.read(path)
        except PathRefused as error:
            return (staged, None) if path in self.gone else error.message
        if now is None:
            return staged, None
        is_link = staged is not None and staged.mode == Mode.SYMLINK
        if self.conversion.links_are_files and is_link and now.mode in PLAIN:
            return staged, FileState(Mode.SYMLINK, now.data)
        if self.conversion.ignores_modes and now.mode in PLAIN:
            mode = staged.mode if staged is not None and staged.mode in PLAIN else Mode.FILE
            now = FileState(mode, now.data)
        stored = self.conversion.to_stored(path, now, staged)
        return (staged, stored) if stored else "git converts it in a way that only `git add` can do"

    def _is_huge(self, path: str) -> bool:
        try:
            return (self.repo.place.root / path).lstat().st_size > MAX_UNTRACKED_BYTES
        except (OSError, ValueError):
            return False  # what it is instead is said when it is read

    def _why_not(self, path: str, entries: list[Entry]) -> str:
        if path.endswith("/"):
            return "a repository of its own"
        if any(entry.stage for entry in entries):
            return "in conflict: resolve it first"
        if any(entry.mode == Mode.SUBMODULE for entry in entries):
            return "a submodule: copair does not change which commit it is at"
        if name := self.conversion.filter_of(path):
            return f"goes through the filter {name}, which copair does not run"
        if not entries and self._is_huge(path):
            return f"untracked and larger than {MAX_UNTRACKED_BYTES // 1_000_000} MB"
        return refused_name(path)
