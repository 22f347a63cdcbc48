"""Entries of trees and of an index, by path: read, and written into an index that git is pointed at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from agent.core.errors import PathRefused
from agent.core.text import name_from_bytes, name_to_bytes
from agent.git.command import Git
from agent.git.index import MANY, read_entries

EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)


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
    """Set entries in the index that `variables` point at; None removes one. assume-unchanged stays."""
    gone = [_name(path) for path, spot in spots.items() if spot is None]
    lines = [f"{spot.mode:o} {spot.oid}\t".encode() + _name(path) for path, spot in spots.items() if spot]
    before = read_entries(git, spots, variables)
    assumed = [_name(entry.path) for entry in before if entry.assumed and spots.get(entry.path)]
    for arguments, records in (
        (("--force-remove", "-z", "--stdin"), gone),
        (("-z", "--index-info"), lines),
        (("--assume-unchanged", "-z", "--stdin"), assumed),
    ):
        if records:
            git.run("update-index", *arguments, stdin=b"".join(records), variables=variables)


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
