"""What git would convert in a work tree that has the `.gitattributes` files of some tree."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from agent.core.errors import PathRefused
from agent.core.text import folders, name_from_bytes
from agent.git.paths import lexical
from agent.git.repo import Repo

NAME = ".gitattributes"


def is_attributes(path: str) -> bool:
    """True for a file that git reads attributes from."""
    return path.rpartition("/")[2] == NAME


@contextlib.contextmanager
def with_attributes_of(repo: Repo, tree: str, paths: Iterable[str]) -> Iterator[Repo]:
    """`repo` over a folder that has the `.gitattributes` files of a tree for `paths` and nothing else, and without an index.

    Any git obeys them there: `cat-file --filters` never reads attributes from an index, and options that name a tree
    came with git 2.40 and 2.41.
    """
    with tempfile.TemporaryDirectory(prefix="copair-") as folder:
        root = Path(folder).resolve() / "files"
        root.mkdir()
        for name, data in _files(repo, tree, {folder for path in paths for folder in ("", *folders(path))}):
            path = root / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        place = msgspec.structs.replace(repo.place, root=root)
        with Repo(place, outer=repo.outer, index=root.parent / "none") as there:
            yield there


def _files(repo: Repo, tree: str, above: set[str]) -> list[tuple[bytes, bytes]]:
    """Names and contents of the `.gitattributes` files of a tree in the folders `above`; git follows none that is a link."""
    found: dict[bytes, str] = {}
    for record in repo.git.run("ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0"):
        if record.endswith(NAME.encode()) and record.startswith(b"100"):
            entry, _, name = record.partition(b"\t")
            path = name_from_bytes(name)
            with contextlib.suppress(PathRefused):
                if is_attributes(path) and path.rpartition("/")[0] in above and lexical(path):
                    found[name] = entry.split()[2].decode()
    return list(zip(found, repo.objects.read_all([*found.values()]), strict=True))
