"""Which source an argument of `copair review` names: commits, a patch file, stdin, or the uncommitted work."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from agent.core.errors import StateError, UsageError
from agent.git.repo import Repo
from agent.review.commits import read_commits, unknown_end
from agent.review.only import ALL, Only, only_below
from agent.review.opening import First
from agent.review.patches import read_patch
from agent.review.source import Progress, Read, Source
from agent.review.uncommitted import read_uncommitted


def open_source(
    repo: Repo,
    read: Read,
    argument: str | None,
    *,
    onto: str,
    cwd: Path,
    stdin: Callable[[], bytes],
    progress: Progress | None = None,
    first: First | None = None,
    only: Only = ALL,
) -> Source:
    """The source for `argument`. `onto` is `worktree` or `index`; without argument it is the index.

    `first` gets the part of a large one that can be cut while the rest is still read. `only` names the files of it.

    Raises UsageError when the argument names nothing, or both a revision and a file.
    """
    if argument is None:
        return read_uncommitted(repo, progress, first, only)
    folder = "/".join(only_below(repo.place.root, cwd, ["."]).paths)
    if argument == "-":
        return read_patch(repo, stdin(), "stdin", read, onto, progress, first, only, folder)
    file = cwd / argument
    is_file = _is_file(file)
    commits = None
    if not argument.startswith("-"):
        commits = read_commits(repo, argument, onto, progress, None if is_file else first, only)
    if commits is not None and is_file:
        raise UsageError(
            f"{argument} is both a revision and a file",
            hint=f"./{argument} names the file, refs/… the revision",
        )
    if commits is not None:
        return commits
    if not is_file:
        raise _unknown(repo, argument)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise StateError(f"{argument} cannot be read: {error.strerror}") from error
    return read_patch(repo, data, argument, read, onto, progress, first, only, folder)


def _unknown(repo: Repo, argument: str) -> UsageError:
    if end := unknown_end(repo, argument):
        return UsageError(
            f"{argument}: {end} is no commit of this repository", hint="git branch --all lists the branches"
        )
    return UsageError(
        f"{argument} is neither a revision, nor a range A..B, nor a patch file",
        hint="- reads a patch from stdin; without argument the uncommitted changes are reviewed",
    )


def _is_file(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):  # too long for a name, or a NUL in it
        return path.is_file() or path.is_fifo()  # `<(git diff)` of a shell is a pipe
    return False
