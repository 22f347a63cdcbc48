"""Commits exactly the approved changes, and leaves everything else of the person as it was.

The changes are placed three-way onto HEAD's version and onto the index's version of each file. The commit is
made from a private index, by the person's own `git commit`; then the real index gets its version. Git's index
lock is held over both, as git does it, and a record lets the second step be finished after a crash. All
refusals come before anything happens, or leave everything as it was.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.core.errors import PathRefused, RepositoryError
from agent.core.events import StoredWrite
from agent.git import spots
from agent.git.commit_record import CommitRecord, IndexChange, Records, update_index, was_made
from agent.git.index_write import IndexFile
from agent.git.message import add_trailer
from agent.git.person import Person
from agent.git.placing import Placing, Unplaceable
from agent.git.repo import Repo
from agent.git.spots import Spots
from agent.git.writer import WAIT_SECONDS, Recovered
from agent.io.blobs import Blobs
from agent.io.calls import Calls
from agent.io.locks import locked
from agent.io.signals import SIGNALS
from agent.ports import BlobStore, Place

T = TypeVar("T")
OTHER_SESSION_HINT = (
    "`copair commit --session NAME` commits what was approved in another session; copair log lists them"
)
HEAD_HINT = (
    "commit your own changes around it first; what you committed yourself meanwhile is finished with git"
)
STAGED_HINT = "commit or unstage your own changes around it first"
IDENTITY_HINT = 'git config --global user.name "Your Name"; git config --global user.email you@example.org'


class Committed(msgspec.Struct, frozen=True):
    """The commit is made. `hooks_changed`: a hook of the person put more or other things into it.

    `index_later`: the index could not be written now; the next start does it. `moved`: the branch was moved in the
    very moment, so that the commit also has what lies between.
    """

    commit: str
    subject: str
    hooks_changed: bool = False
    index_later: bool = False
    moved: bool = False


class CommitRefused(msgspec.Struct, frozen=True):
    """Nothing was committed and nothing of ours changed. `output` is what git or a hook said, raw.

    `write` is the one of those given that cannot be placed, at `line` (1-based; 0: as a whole). `is_there`: the last
    commit has all of it already.
    """

    reason: str
    path: str = ""
    hint: str = ""
    output: bytes = b""
    write: StoredWrite | None = None
    line: int = 0
    is_there: bool = False


class Committer:
    """Makes commits in one work tree."""

    def __init__(
        self,
        place: Place,
        blobs: BlobStore | None = None,
        *,
        repo: Repo | None = None,
        calls: Calls | None = None,
        outer: Mapping[str, str] | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        calls = calls or Calls()
        self._place = place
        self._lock = place.state / "write.lock"
        self._wait_seconds = wait_seconds
        self._repo = repo or Repo(place, calls)
        self._placing = Placing(self._repo, blobs or Blobs(place.state / "blobs", calls))
        self._index = IndexFile(place, calls)
        self._records = Records(place.state / "commits", calls)
        self._person = Person(place, os.environ if outer is None else outer)

    def refusal(self, writes: Sequence[StoredWrite]) -> CommitRefused | None:
        """Why a commit of `writes` would be refused before it starts; None when it would not."""
        operation = self._repo.operation()
        if operation is not None:
            return CommitRefused(f"a {operation.value} is in progress", hint="finish or abort it first")
        words = self._person.missing_identity()
        if words:
            return CommitRefused("git does not know who you are", hint=IDENTITY_HINT, output=words.encode())
        paths = list(dict.fromkeys(write.path for write in writes))
        for path, attributes in self._repo.attributes(paths, ["filter"]).items():
            if attributes.get("filter", "unset") not in ("unset", "set"):
                reason = f"it goes through the filter {attributes['filter']}, which copair does not run"
                return CommitRefused(reason, path, "commit this file with `git add` and `git commit`")
        return None

    def has(self, writes: Sequence[StoredWrite]) -> bool:
        """True when the last commit has all of `writes` already. Raises RepositoryError."""
        paths = [self._repo.fence.check(path).path for path in dict.fromkeys(write.path for write in writes)]
        at_head = spots.in_tree(self._repo.git, self._repo.head().commit, paths)
        try:
            return self._placing.place(writes, at_head) == at_head
        except Unplaceable:
            return False

    def has_each(self, groups: Sequence[Sequence[StoredWrite]]) -> list[bool]:
        """Which of `groups`, in the order they were applied, the last commit has already; none where that is not certain."""
        names = dict.fromkeys(write.path for writes in groups for write in writes)
        try:
            paths = [self._repo.fence.check(name).path for name in names]
            at_head = spots.in_tree(self._repo.git, self._repo.head().commit, paths)
            return self._placing.adds_nothing(groups, at_head)
        except (Unplaceable, RepositoryError, OSError):
            return [False] * len(groups)

    def commit(
        self, writes: Sequence[StoredWrite], message: str, *, trailer: str = "", editor: str = ""
    ) -> Committed | CommitRefused:
        """Commit `writes` (of approved sets, in the order they were applied) with `message`.

        `trailer` is a whole one (`Assisted-by: copair:MODEL`); with `editor`, a command, the person edits the
        message first. Raises StateError.
        """
        if not writes:
            return CommitRefused("there is nothing to commit")
        try:
            with locked(self._lock, wait_seconds=self._wait_seconds, what="this repository"):
                self._recover()
                return self.refusal(writes) or self._commit(writes, message, trailer, editor)
        except Unplaceable as error:
            where, hint = (
                ("what is staged", STAGED_HINT) if error.is_index else ("the last commit", HEAD_HINT)
            )
            reason = f"it does not fit {where}: {error.clash.reason}"
            return CommitRefused(reason, error.clash.path, hint, write=error.write, line=error.clash.line)
        except RepositoryError as error:
            return CommitRefused(error.message, hint=error.hint)
        except OSError as error:
            return CommitRefused(error.strerror or str(error))

    def recover(self) -> list[Recovered]:
        """Give the index what a commit before a crash still owes it; `set_id` is the commit. Raises StateError."""
        if not self._records.of(self._place) and not self._index.leftovers():
            return []
        with locked(self._lock, wait_seconds=self._wait_seconds, what="this repository"):
            return self._recover()

    def _recover(self) -> list[Recovered]:
        finished = []
        self._index.tidy()
        for record in self._records.of(self._place):
            if was_made(self._repo, record):
                with self._index.hold(record.token):
                    update_index(self._repo, self._index, record)
                paths = tuple(change.path for change in record.changes)
                finished.append(Recovered(self._repo.resolve("HEAD"), True, paths))
            self._records.forget(record.token)
        return finished

    def _commit(
        self, writes: Sequence[StoredWrite], message: str, trailer: str, editor: str
    ) -> Committed | CommitRefused:
        token = secrets.token_hex(6)
        paths = [self._repo.fence.check(path).path for path in dict.fromkeys(write.path for write in writes)]
        with self._index.hold(token):
            head = self._repo.head().commit
            at_head = spots.in_tree(self._repo.git, head, paths)
            at_index = spots.in_index(self._repo.git, paths, at_head)
            new_head = self._after(writes, at_head)
            if new_head == at_head:
                return CommitRefused("all of it is committed already", hint=OTHER_SESSION_HINT, is_there=True)
            staged = [write for write in writes if at_index[write.path] != at_head[write.path]]
            new_index = new_head | self._placing.place(staged, at_index, is_index=True)
            if any(spot is None and new_index[path] for path, spot in at_index.items()):
                with self._index.copy(token) as (variables, _):
                    spots.write(self._repo.git, new_index, variables)
            with self._index.copy(token) as (variables, private):
                tree = self._build(head, new_head, variables)
                changes = tuple(IndexChange(path, at_index[path], new_index[path]) for path in paths)
                root, work_tree = str(self._place.root), self._place.work_tree
                record = CommitRecord(token, root, head or "", tree, changes, work_tree)
                self._records.save(record)
                refused = self._moved(head)
                if refused is None:
                    refused = self._make(private, message, trailer, editor)
                    if refused is not None and _twice(lambda: was_made(self._repo, record)):
                        refused = None  # git was stopped after it, in a hook
            if refused is not None:
                self._records.forget(token)
                return refused
            return self._finish(record)

    def _after(self, writes: Sequence[StoredWrite], at_head: Spots) -> Spots:
        """HEAD with `writes`. Raises Unplaceable, PathRefused."""
        try:
            new = self._placing.place(writes, at_head)
        except Unplaceable:
            _check_known(writes, at_head)
            raise
        if new != at_head:
            _check_known(writes, at_head)
        return new

    def _moved(self, head: str | None) -> CommitRefused | None:
        """`reset --soft` and `update-ref` move the branch whoever holds the index."""
        if self._repo.head().commit == head:
            return None
        return CommitRefused("the branch was moved while the commit was made", hint="commit again")

    def _build(self, head: str | None, new: Spots, variables: Mapping[str, str]) -> str:
        """HEAD with `new` in the private index, keeping what git knows of the other files; its tree."""
        git = self._repo.git
        git.run("read-tree", *(("--reset", head) if head else ("--empty",)), variables=variables)
        spots.write(git, new, variables)
        return git.run("write-tree", variables=variables).strip().decode()

    def _make(self, private: Path, message: str, trailer: str, editor: str) -> CommitRefused | None:
        text = message.encode("utf-8", "replace")
        if trailer:
            env = self._repo.git.environment()
            text = add_trailer(message, trailer, folder=private.parent, env=env)
        if editor:
            text += b"\n" + self._person.template()
        path = private.with_name("message")
        path.write_bytes(text)
        ran = self._person.commit(path, private, editor=editor)
        if ran.status == 0:
            return None
        output, kept = ran.stdout + ran.stderr, "nothing was committed, and your index is as it was"
        if -ran.status in SIGNALS:
            return CommitRefused("you stopped it", hint=kept, output=output)
        reason = "git did not make the commit (a hook, the signing or the editor stopped it)"
        return CommitRefused(reason, hint=f"see what it said; {kept}", output=output)

    def _finish(self, record: CommitRecord) -> Committed:
        commit = _twice(lambda: self._repo.log(1)[0])
        names = _twice(lambda: self._repo.git.run("log", "-1", "--format=%P", "--no-show-signature"))
        moved = names.decode().split() != ([record.head] if record.head else [])
        hooks_changed, later = False, True
        with contextlib.suppress(OSError, RepositoryError):
            hooks_changed = _twice(lambda: update_index(self._repo, self._index, record))
            self._records.forget(record.token)
            later = False
        return Committed(commit.oid, commit.subject, hooks_changed, later, moved)


def _twice(ask: Callable[[], T]) -> T:
    """What `ask` gives. A Ctrl-C at the terminal also ends the git that runs for us: the second one is not hit."""
    try:
        return ask()
    except RepositoryError:
        return ask()


def _check_known(writes: Sequence[StoredWrite], at_head: Spots) -> None:
    """A change to a file that HEAD does not have is a change inside the person's own uncommitted work."""
    first: dict[str, StoredWrite] = {}
    for write in writes:
        first.setdefault(write.path, write)
    for path, write in first.items():
        if at_head[path] is None and write.old is not None:
            raise PathRefused(
                f"the last commit has no {path}",
                hint="commit the file itself first; what you moved or deleted since is committed with git",
            )
