"""Entries of trees and of an index, by path: read, and written into an index that git is pointed at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from agent.core.errors import PathRefused
from agent.core.patches.blob_names import EMPTY_BLOBS
from agent.core.text import folders, name_from_bytes, name_to_bytes
from agent.git.command import Git, failed
from agent.git.index import MANY, read_entries


class Spot(msgspec.Struct, frozen=True):
    """An entry of a tree or index: mode and object id."""

    mode: int
    oid: str


Spots = dict[str, Spot | None]
"""Entries by path; None is an absent one."""


def in_tree(git: Git, tree: str | None, paths: Iterable[str]) -> Spots:
    """What a commit or tree has at `paths`; nothing when `tree` is None."""
    spots: Spots = dict.fromkeys(paths)
    if tree is None or not spots:
        return spots
    names = [name_to_bytes(path) for path in spots] if len(spots) <= MANY else []
    for record in git.run("ls-tree", "-z", "-r", tree, "--", *names).split(b"\0")[:-1]:
        meta, _, name = record.partition(b"\t")
        mode, _, oid = meta.split(b" ")
        if name_from_bytes(name) in spots:
            spots[name_from_bytes(name)] = Spot(int(mode, 8), oid.decode())
    return spots


def in_index(
    git: Git, paths: Iterable[str], head: Spots | None = None, variables: Mapping[str, str] | None = None
) -> Spots:
    """What the index has at `paths`. Raises PathRefused for a conflict.

    With `head`, a file that is only intended to be added (`add -N`) counts as absent: `ls-files` shows it as an
    empty blob, and HEAD has none of it.
    """
    spots: Spots = dict.fromkeys(paths)
    for entry in read_entries(git, spots, variables):
        if entry.path not in spots:
            continue
        if entry.stage:
            raise PathRefused(f"{entry.path} is in conflict", hint="resolve the conflict first")
        if head is None or entry.oid not in EMPTY_BLOBS or head.get(entry.path) is not None:
            spots[entry.path] = Spot(entry.mode, entry.oid)
    return spots


def write(git: Git, spots: Spots, variables: Mapping[str, str]) -> None:
    """Set entries in the index that `variables` point at; None removes one. assume-unchanged stays.

    Raises PathRefused for a new file where a folder is that stays, or below a file that stays.
    """
    before = read_entries(git, spots, variables)
    known = {entry.path for entry in before}
    wanted = {path: spot for path, spot in spots.items() if spot is not None}
    gone = [_name(path) for path in spots if path not in wanted]
    added = {path: spot for path, spot in wanted.items() if path not in known}
    lines = [
        f"{spot.mode:o} {spot.oid}\t".encode() + _name(path) for path, spot in wanted.items() if path in known
    ]
    assumed = [_name(entry.path) for entry in before if entry.assumed and entry.path in wanted]
    _update(git, gone, variables, "--force-remove", "-z", "--stdin")
    _add(git, added, variables)
    _update(git, lines, variables, "-z", "--index-info")
    _update(git, assumed, variables, "--assume-unchanged", "-z", "--stdin")


def _update(git: Git, records: Sequence[bytes], variables: Mapping[str, str], *arguments: str) -> None:
    if records:
        git.run("update-index", *arguments, stdin=b"".join(records), variables=variables)


def _add(git: Git, added: Mapping[str, Spot], variables: Mapping[str, str]) -> None:
    """Set entries that are new. `--index-info` would drop what is in their way without a word."""
    names = list(added)
    for at in range(0, len(names), MANY):
        arguments: list[bytes] = []
        for path in names[at : at + MANY]:
            spot = added[path]
            arguments += [b"--cacheinfo", f"{spot.mode:o},{spot.oid},".encode() + name_to_bytes(path)]
        ran = git.ran("update-index", "--add", *arguments, variables=variables)
        if ran.status:
            raise _in_the_way(git, added, variables) or failed("update-index", ran)


def _in_the_way(git: Git, added: Mapping[str, Spot], variables: Mapping[str, str]) -> PathRefused | None:
    there = [entry.path for entry in read_entries(git, None, variables)]
    files = set(there)
    for path in added:
        above = next((folder for folder in folders(path) if folder in files), "")
        other = above or next((name for name in there if name.startswith(f"{path}/")), "")
        if other:
            return PathRefused(
                f"{path} cannot be staged while {other} is", hint=f"stage that {other} is gone first"
            )
    return None


def _name(path: str) -> bytes:
    return name_to_bytes(path) + b"\0"


def changed_between(git: Git, old: str, new: str) -> dict[str, tuple[Spot | None, Spot | None]]:
    """The entries in which two trees differ."""
    fields = git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", old, new).split(b"\0")[:-1]
    found = {}
    for meta, name in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old_oid, new_oid, _ = meta.lstrip(b":").decode().split(" ")
        before = Spot(int(old_mode, 8), old_oid) if int(old_mode, 8) else None
        after = Spot(int(new_mode, 8), new_oid) if int(new_mode, 8) else None
        found[name_from_bytes(name)] = (before, after)
    return found
