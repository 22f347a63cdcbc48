"""Everything of one repository that a command needs, opened once: place, git, blobs, targets, settings.

`recover` comes before anything is written: a set of writes that a crash left half done is finished or rolled back.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent.core.clean import Clean, clean
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.git.moved import follow
from agent.git.origin import note_origin, put_aside
from agent.git.repo import Repo
from agent.git.stage import Index
from agent.git.worktrees import owns
from agent.git.writer import Recovered
from agent.io import config, journal, paths
from agent.io.blobs import Blobs
from agent.ports import Place, Target

if TYPE_CHECKING:
    from agent.git.commit import Committer


NAMED = 3
"""So many files of an interrupted write are named; the others are counted."""


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


def recovered_words(one: Recovered) -> tuple[str, str]:
    """What a recovery did, and what it left of the person's."""
    done = "finished" if one.finished else "rolled back"
    more = f" and {len(one.paths) - NAMED:,} more" if len(one.paths) > NAMED else ""
    text = f"A write that a crash had interrupted was {done}: {', '.join(one.paths[:NAMED])}{more}"
    return text, f"your later version was kept in {', '.join(one.left)}" if one.left else ""


def on_standard_error(line: Clean) -> None:
    sys.stderr.write(f"{line}\n")


class Workbench:
    def __init__(self, place: Place, settings: config.Config) -> None:
        self.place = place
        self.settings = settings
        self.clock = SystemClock()
        self.repo = Repo(place)
        self.blobs = Blobs(place.state / "blobs")
        self.tree = WorkTree(place, self.blobs, repo=self.repo)
        self.recovered: list[Recovered] = []
        """All that `recover` did."""
        self.closing: list[Callable[[], None]] = []
        """What else must be closed at the end of the session."""

    def close(self) -> None:
        """End kept-open processes and remove what was made for the session."""
        for close in self.closing:
            close()
        self.repo.close()

    @classmethod
    def open(
        cls, cwd: Path, state: Path | None = None, tell: Callable[[Clean], None] = on_standard_error
    ) -> Workbench:
        """`state`: another folder than the repository's own. `tell` shows a line about the state of the repository.

        Raises RepositoryError, UsageError, StateError.
        """
        place = discover(cwd)
        if state is not None:
            place = msgspec.structs.replace(place, state=state)
        bench = cls(place, config.load(paths.config_file()))
        aside = put_aside(bench.repo)
        if aside is not None:
            tell(clean(f"copair: another repository stood here before; its sessions are kept in {aside}"))
        for text in follow(bench.repo):
            tell(clean(f"copair: {text}"))
        return bench

    def sessions(self) -> list[journal.SessionInfo]:
        """Those of this work tree, the newest first. Other work trees of the repository have their own."""
        return [info for info in journal.sessions(self.place.state) if self.owns(info)]

    def owns(self, info: journal.SessionInfo) -> bool:
        """True when the session is of this work tree, also where that stood elsewhere then."""
        return owns(self.place, info.work_tree, info.root)

    def recover(self) -> Sequence[Recovered]:
        """Finish or roll back what a crash left, in the work tree, in the index, between commit and index."""
        note_origin(self.repo)
        index = Index(self.place, self.blobs, repo=self.repo)
        found = [*self.tree.recover(), *index.recover(), *self.committer.recover()]
        self.recovered += found
        return found

    def recover_and_say(self) -> None:
        """`recover` for a command without a frontend: what was done is told on standard error."""
        for one in self.recover():
            text, kept = recovered_words(one)
            sys.stderr.write(f"{clean(f'copair: {text}' + (f'; {kept}' if kept else ''))}\n")

    def say_what_waits(self) -> None:
        """For a command that only lists: on standard error, that a write is not whole, and what makes it so."""
        if self.tree.waits() or Index(self.place, self.blobs, repo=self.repo).waits():
            sys.stderr.write(
                "copair: a write is not whole: a crash interrupted it, or another copair is at it\n"
                "hint: the next session, review or commit finishes it or takes it back\n"
            )

    @functools.cached_property
    def committer(self) -> Committer:
        from agent.git.commit import Committer

        return Committer(self.place, self.blobs, repo=self.repo)

    def target(self, onto: str, *, twins: bool = False) -> Target:
        kind = Index if onto == "index" else WorkTree
        return kind(self.place, self.blobs, repo=self.repo, twins=twins)

    def target_of_diff(self, onto: str) -> Target:
        """What a person's own diff goes to, whatever names it has."""
        return self.target(onto, twins=True)

    @functools.cached_property
    def known_paths(self) -> tuple[str, ...]:
        """Tracked files and new ones that are not ignored; listed when first needed."""
        return tuple(sorted({*self.repo.tracked(), *self.repo.untracked()}))

    @functools.cached_property
    def _words(self) -> dict[str, bool]:
        return {}

    def knows(self, name: str) -> bool:
        """Does the identifier occur in a tracked file? Looked up once a session; `git grep` runs no program."""
        if name not in self._words:
            ran = self.repo.git.ran(
                "grep", "--quiet", "--no-textconv", "--cached", "-w", "-F", "-e", name, "--"
            )
            self._words[name] = ran.status == 0
        return self._words[name]

    def where(self) -> str:
        """The branch and folder for the prompt: `main · copair`."""
        return f"{self.place.root.name} · {self.repo.head().branch or 'detached'}"
