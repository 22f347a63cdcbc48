"""Which files of this repository a patch means, and in what order they are taken.

Git names files from the top of the repository, behind `a/` and `b/`. Others name what they have compared: a copy
beside the file (`f.orig`), or the folder that a release was unpacked into. What is there decides what is meant.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from agent.core.errors import PathRefused
from agent.core.patches.patch import FilePatch
from agent.git.repo import Repo
from agent.review.source import Read

_LOGGED = re.compile(rb"(?m)^commit ([0-9a-f]{40,64})(?: .*)?$")
"""How `git log -p` heads a commit; nothing of a diff and no message begins so."""

_HERE = re.compile(r"(?:\./+)+")


def oldest_first(repo: Repo, data: bytes) -> bytes:
    """What `git log -p` prints, with the commits in the order in which they were made, where the repository knows them."""
    starts = [match.start() for match in _LOGGED.finditer(data)]
    if len(starts) < 2:
        return data
    commits = [data[start:end] for start, end in pairwise([*starts, len(data)])]
    newest, oldest = (_LOGGED.match(text)[1].decode() for text in (commits[0], commits[-1]))  # type: ignore[index]
    ran = repo.git.ran("merge-base", "--is-ancestor", oldest, newest)
    if ran.status or newest == oldest:
        return data
    return data[: starts[0]] + b"".join(reversed(commits))


def meant(files: Sequence[FilePatch], read: Read, folder: str = "") -> tuple[list[FilePatch], str]:
    """The files with the names that they have here; and `folder`, where the person stands, if it is named from there."""
    named = [_as_one(_without(file, _HERE), read) for file in files]
    while top := _top_for_show(named, read):
        named = [_without(file, re.compile(re.escape(f"{top}/"))) for file in named]
    if folder and _is_told_from(folder, named, read):
        return [_as_new(_below(file, folder), read) for file in named], folder
    return [_as_new(file, read) for file in named], ""


def _as_one(file: FilePatch, read: Read) -> FilePatch:
    """A patch between two names that is no rename (`diff -u f.orig f`) is of one file: of two the one named shorter."""
    old, new = file.old_path, file.new_path
    if file.git or old is None or new is None or old == new:
        return file
    found = []
    for path in (old, new):
        with contextlib.suppress(PathRefused):
            found += [path] if read(path) is not None else []
    name = min(found, key=lambda path: (path.count("/"), len(path)), default=new)
    return replace(file, old_path=name, new_path=name)


def _as_new(file: FilePatch, read: Read) -> FilePatch:
    """A patch that puts lines before the first one (`-0,0`) of a file that is not there makes it."""
    fills = [hunk for hunk in file.hunks if hunk.old_start == 0 and not hunk.old]
    if file.git or file.old_path is None or len(file.hunks) != 1 or not fills or _is_there(read, file.path):
        return file
    return replace(file, old_path=None)


def _top_for_show(files: Sequence[FilePatch], read: Read) -> str:
    """A folder that this repository knows nothing of, while all that the patch changes in it is there without it."""
    tops: dict[str, list[str]] = {}
    for path in _changed(files):
        if "/" in path:
            tops.setdefault(path.partition("/")[0], []).append(path)
    for top, paths in tops.items():
        if any(_is_there(read, path) for path in (top, *paths)):
            continue
        shared = posixpath.commonpath([posixpath.dirname(path) for path in paths]).split("/")
        for depth in range(1, len(shared) + 1):
            if all(_is_there(read, path.split("/", depth)[-1]) for path in paths):
                return "/".join(shared[:depth])
    return ""


def _is_told_from(folder: str, files: Sequence[FilePatch], read: Read) -> bool:
    """True when all that the patch changes is there below `folder`, and nothing of it elsewhere."""
    paths = _changed(files)
    elsewhere = any(_is_there(read, path) for path in paths)
    return bool(paths) and not elsewhere and all(_is_there(read, f"{folder}/{path}") for path in paths)


def _changed(files: Sequence[FilePatch]) -> list[str]:
    """Names of files that must be there for the patch to change them."""
    made = {file.new_path for file in files if file.old_path != file.new_path}
    return [file.path for file in files if file.old_path == file.new_path and file.path not in made]


def _below(file: FilePatch, folder: str) -> FilePatch:
    old, new = (path and f"{folder}/{path}" for path in (file.old_path, file.new_path))
    return replace(file, old_path=old, new_path=new)


def _is_there(read: Read, path: str) -> bool:
    """What is refused, as a folder is, counts as there."""
    try:
        return read(path) is not None
    except PathRefused:
        return True


def _without(file: FilePatch, start: re.Pattern[str]) -> FilePatch:
    """`file` with names that do not begin so."""

    def bare(path: str | None) -> str | None:
        match = start.match(path or "")
        return path[match.end() :] if path and match else path

    return replace(file, old_path=bare(file.old_path), new_path=bare(file.new_path))


def sources_first(files: Sequence[FilePatch]) -> list[FilePatch]:
    """Copies behind the change of what they copy: that says which version of it is meant, also when it is done.

    Only in the patch of one commit; of several the order means something.
    """
    times = Counter(file.new_path for file in files)
    changed = {file.path for file in files if not file.copy and file.old_path == file.new_path}
    if max(times.values(), default=0) > 1:
        return list(files)
    return sorted(files, key=lambda file: file.copy and file.old_path in changed)


def names(file: FilePatch) -> list[str]:
    return [path for path in (file.old_path, file.new_path) if path is not None]
