"""`copair checks`: the person's own list of checks for this repository, and the examiner that runs them."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from agent.cli.workbench import Workbench
from agent.core.chunk import Chunk
from agent.core.clean import clean
from agent.core.errors import CopairError, Exit, PathRefused, StateError, UsageError
from agent.core.hunk import Write
from agent.core.outcome import States
from agent.core.review import Evidence
from agent.evidence.examiner import Examiner, unmade
from agent.evidence.lookup.api import ApiChecker
from agent.evidence.lookup.project_env import find_environment
from agent.evidence.proof.check_tool import CheckTool
from agent.evidence.proof.discover import Check, discover
from agent.evidence.proof.store import CheckStore, withheld
from agent.evidence.runs.bench import Bench
from agent.evidence.runs.listing import GitListing, holds_keys
from agent.git.command import file_stamp
from agent.git.origin import note_origin
from agent.io import paths
from agent.loop.driver import Driver
from agent.ports import Cancel, ToolOutput
from agent.review.uncommitted import read_uncommitted


def make_api(bench: Workbench) -> ApiChecker:
    """Looks up names of installed packages, statically, in the project's own environment."""
    root = bench.place.root
    return ApiChecker(root, lambda: find_environment(root, os.environ), lambda: bench.known_paths)


def _reader(bench: Workbench) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        try:
            found = bench.tree.read(path)
        except PathRefused:
            return None
        return found.data if found else None

    return read


def manage_checks(cwd: Path, *, remove: Sequence[str] = (), yes: bool = False) -> int:
    """Show the accepted checks and what the repository suggests; take a suggestion in after a yes."""
    bench = Workbench.open(cwd)
    store = CheckStore(bench.place.state)
    for name in remove:
        if not store.remove(name):
            raise UsageError(f"there is no check {name}", hint="copair checks lists them")
        sys.stdout.write(f"removed: {clean(name)}\n")
    if remove:
        return Exit.DONE
    read = _reader(bench)
    accepted = {check.name: check for check in store.load()}
    for check in accepted.values():
        sys.stdout.write(f"accepted   {_line(check)}\n")
        if reason := withheld(check, read):
            sys.stdout.write(f"           {clean(reason)}\n")
    offered = [c for c in discover(bench.place.root, read, bench.known_paths) if _is_news(c, accepted)]
    if not offered and not accepted:
        sys.stdout.write("This repository suggests no check that is installed here.\n")
    for check in offered:
        sys.stdout.write(f"suggested  {_line(check)}\n")
        if yes or _says_yes(check):
            note_origin(bench.repo)
            store.accept([check])
            sys.stdout.write("           accepted: it may run on chunks, in a throw-away copy\n")
    if offered and not yes and not sys.stdin.isatty():
        sys.stdout.write("Nothing was accepted: run it in a terminal, or with --yes.\n")
    return Exit.DONE


def _is_news(check: Check, accepted: dict[str, Check]) -> bool:
    known = accepted.get(check.name)
    return known is None or (known.argv, known.digest) != (check.argv, check.digest)


def _line(check: Check) -> str:
    why = f"  ({check.why})" if check.why else ""
    return clean(f"{check.name:10} {shlex.join(check.argv)}{why}")


def _says_yes(check: Check) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stdout.write("           may it run on chunks? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def checks_command(bench: Workbench) -> Callable[[Driver, str], None]:
    """`/checks`: what may run; `/checks add` takes in what the repository suggests."""

    def run(driver: Driver, argument: str) -> None:
        store = CheckStore(bench.place.state)
        accepted = {check.name: check for check in store.load()}
        news = [
            c for c in discover(bench.place.root, _reader(bench), bench.known_paths) if _is_news(c, accepted)
        ]
        names = argument.split()
        if names[:1] == ["add"]:
            for check in _wanted(driver, names[1:], news, accepted):
                store.accept([check])
                driver.tell(f"accepted: {_line(check)}")
            return
        for check in accepted.values():
            driver.tell(f"accepted: {_line(check)}")
        for check in news:
            driver.tell(f"suggested: {_line(check)}", hint="/checks add " + check.name)
        if not accepted and not news:
            driver.tell("This repository suggests no check that is installed here.")

    return run


def _wanted(
    driver: Driver, names: Sequence[str], news: Sequence[Check], accepted: Mapping[str, Check]
) -> list[Check]:
    """Those of the suggested checks that are named, all without a name. Says which names are none."""
    known = {*accepted, *(check.name for check in news)}
    for name in names:
        if name not in known:
            words = ", ".join(check.name for check in news) or "nothing new"
            driver.tell(f"No check `{name}` is suggested here.", "warning", f"suggested: {words}")
    chosen = [check for check in news if not names or check.name in names]
    if not chosen and known.issuperset(names):
        driver.tell("Nothing new is suggested here.")
    return chosen


class ChunkChecks:
    """ports.Checks over the examiner, and the model's `check`, on one scratch tree; made when they are first needed.

    `onto` is where the chunks go: what is to be staged is examined over what is staged, not over the work tree.
    """

    def __init__(self, bench: Workbench, onto: str = "worktree") -> None:
        self._bench = bench
        self._stages = onto == "index"
        self._process = secrets.token_hex(4)
        """What another process found may be about other files: it is marked as old until it is found again."""
        self._store = CheckStore(bench.place.state)
        self._rooms: Bench | None = None
        self._examiner: Examiner | None = None
        self._lock = threading.Lock()

    def examine(
        self, chunk: Chunk, writes: Sequence[Write], before: Sequence[Write], cancel: Cancel
    ) -> Iterator[Evidence]:
        ground: States = {}
        if self._stages:
            try:
                ground = self._staged()
            except CopairError as error:
                yield unmade(writes, error.message)
                return
        yield from self._made()[0].examine(chunk, writes, before, cancel, ground)

    def _staged(self) -> States:
        """What is staged of files that have other bytes in the work tree. Raises CopairError when it cannot be told."""
        if not self._store.load():
            return {}
        found = read_uncommitted(self._bench.repo)
        tracked = {entry.path for entry in self._bench.repo.entries(out.path for out in found.left_out)}
        for out in found.left_out:
            if out.path in tracked:
                raise StateError(f"not run: what is staged of {out.path} cannot be had ({out.reason})")
        return {path: old for path, old in found.before.items() if not holds_keys(path, tracked=True)}

    def run(self, name: str, cancel: Cancel) -> ToolOutput:
        """The accepted check of that name over the files as they are, for the model."""
        return CheckTool(self._made()[1], self._store).run(name, cancel)

    def warm(self) -> None:
        """Make the scratch tree while the model thinks, when a check was accepted; returns at once."""
        threading.Thread(target=lambda: self._made()[0].warm(), name="scratch", daemon=True).start()

    def mark(self) -> str:
        """Another word once what evidence rests on has changed: the person's files, what is staged, the list of checks."""
        staged = file_stamp(self._bench.place.git_dir / "index") if self._stages else ""
        rooms = self._rooms.mark() if self._rooms else 0
        return f"{self._process} {rooms} {self._store.mark()} {staged}"

    def _made(self) -> tuple[Examiner, Bench]:
        with self._lock:
            if self._examiner is None or self._rooms is None:
                place = self._bench.place
                cache = paths.cache_dir() / "scratch"
                self._rooms = Bench(place, GitListing(self._bench.repo), cache, os.environ)
                self._examiner = Examiner(self._rooms, self._store, make_api(self._bench))
                self._bench.closing.append(self._examiner.close)
            return self._examiner, self._rooms
