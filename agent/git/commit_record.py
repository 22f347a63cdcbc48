"""What a commit still has to do to the real index, on the disk before the commit is made.

A commit and the index cannot change in one step. The record names the tree to be committed and the entries that
the index gets; when a crash came between, the next start sees from HEAD whether the commit was made, and gives
the index its entries, or forgets the record.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from agent.core.errors import StateError
from agent.core.patches.blob_names import EMPTY_BLOBS
from agent.git import spots
from agent.git.index_write import IndexFile
from agent.git.repo import Repo
from agent.git.spots import Spot
from agent.git.worktrees import owns
from agent.io import durable
from agent.io.calls import Calls
from agent.io.paths import make_private
from agent.ports import Place


class IndexChange(msgspec.Struct, frozen=True):
    path: str
    old: Spot | None
    new: Spot | None


class CommitRecord(msgspec.Struct, frozen=True):
    """`head` is the parent (empty on an unborn branch), `tree` what is committed when no hook changes it."""

    token: str
    root: str
    head: str
    tree: str
    changes: tuple[IndexChange, ...]
    work_tree: str = ""
    """That of the `Place`; `root` is where it stood."""


class Records:
    """The records in one folder."""

    def __init__(self, folder: Path, calls: Calls) -> None:
        self._folder = folder
        self._calls = calls

    def save(self, record: CommitRecord) -> None:
        """Durably. Raises OSError."""
        make_private(self._folder)
        data = json.dumps(msgspec.to_builtins(record)).encode("ascii")
        durable.replace(self._path(record.token), data, self._calls)

    def forget(self, token: str) -> None:
        self._path(token).unlink(missing_ok=True)

    def of(self, place: Place) -> list[CommitRecord]:
        """The unfinished ones of one work tree."""
        if not self._folder.is_dir():
            return []
        paths = sorted(self._folder.glob("*.json"))
        return [record for record in map(_load, paths) if owns(place, record.work_tree, record.root)]

    def _path(self, token: str) -> Path:
        return self._folder / f"{token}.json"


def _load(path: Path) -> CommitRecord:
    try:
        return msgspec.convert(json.loads(path.read_bytes()), CommitRecord)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise StateError(
            f"the record of a commit cannot be read: {path}: {error}",
            hint="move it away when you are sure that no copair is committing",
        ) from error


def was_made(repo: Repo, record: CommitRecord) -> bool:
    """True when HEAD is the commit of `record`, also where a hook put other things into it."""
    fields = repo.git.run("log", "-1", "--format=%T %P", "--no-show-signature", ok=(0, 128)).decode().split()
    if not fields or fields[1:] != ([record.head] if record.head else []):
        return False
    if fields[0] == record.tree:
        return True
    # A commit of the person's over the same parent has our files as they are there, or as the index has them.
    paths = [change.path for change in record.changes]
    parent, planned, made = (
        spots.in_tree(repo.git, tree, paths) for tree in (record.head or None, record.tree, fields[0])
    )
    ours = [change for change in record.changes if planned[change.path] != parent[change.path]]
    return all(made[change.path] not in (parent[change.path], change.old) for change in ours)


def update_index(repo: Repo, index: IndexFile, record: CommitRecord) -> bool:
    """Give the real index its entries, while its lock is held. True when hooks changed what was committed.

    An entry that is not as it was when the commit was made is the person's, and stays.
    """
    committed = repo.resolve("HEAD", "tree")
    by_hooks = spots.changed_between(repo.git, record.tree, committed) if committed != record.tree else {}
    wanted = {change.path: (change.old, change.new) for change in record.changes}
    with index.copy(record.token) as (variables, private):
        now = spots.in_index(repo.git, [*wanted, *by_hooks], None, variables)
        edits = {path: new for path, (old, new) in wanted.items() if _same(now[path], old)}
        for path, (planned, real) in by_hooks.items():
            if edits.get(path, now[path]) == planned:
                edits[path] = real
        spots.write(repo.git, edits, variables)
        index.put(record.token, private.read_bytes())
    return bool(by_hooks)


def _same(now: Spot | None, old: Spot | None) -> bool:
    # `add -N` was seen as absent when the record was made.
    return now == old or (old is None and now is not None and now.oid in EMPTY_BLOBS)
