"""The form of `copair review` that a program drives: list the stack, or write what it decided.

Both print one JSON document and nothing else on stdout. Listing changes nothing. Exit codes: 0 listed, or all that
was approved is in the files; 1 nothing was written (blocked, unknown, conflict, refused); 2 the arguments, the
patch or the decisions cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent.core.chunk import Budget
from agent.core.errors import Exit, PathRefused, UsageError
from agent.core.hunk import FileState
from agent.core.patches.blob_names import Hash
from agent.git.repo import Repo
from agent.ports import Target
from agent.review.choose import open_source
from agent.review.commits import all_paths
from agent.review.decide import decide, read_decisions
from agent.review.listing import listing
from agent.review.only import Only, only_below
from agent.review.opening import opened
from agent.review.source import LeftOut, Progress, Source
from agent.review.stack import Stack, build_stack

ONTO = ("worktree", "index")


class Wanted(msgspec.Struct, frozen=True):
    """What `copair review` was asked: the argument, where to, and where from the decisions come."""

    argument: str | None
    cwd: Path
    stdin: Callable[[], bytes]
    onto: str = ""
    budget: Budget = Budget()
    only: Sequence[str] = ()
    """Paths as they were typed in `cwd`; none: every file."""
    progress: Progress | None = None
    first: Callable[[Opened], None] | None = None
    """Called with the beginning of the stack of a large difference, while the rest is not read yet."""


class Opened(msgspec.Struct, frozen=True):
    """A stack and the target that it goes to."""

    stack: Stack
    target: Target
    onto: str


def open_stack(repo: Repo, target_of: Callable[[str], Target], wanted: Wanted) -> Opened:
    """Read the source, cut it, compare it with the target. Raises UsageError."""
    if wanted.onto and wanted.onto not in ONTO:
        raise UsageError(f"--onto is worktree or index, not {wanted.onto}")
    onto = wanted.onto or ("index" if wanted.argument is None else "worktree")
    target = target_of(onto)
    with repo.reading() as from_tree:
        read = _staged(repo) if onto == "index" else _without_conflicts(repo, from_tree)

        def begin(source: Source) -> None:
            stack = build_stack(source, read, wanted.budget)
            if wanted.first is not None and stack.chunks:
                wanted.first(Opened(stack, target, onto))

        first = begin if wanted.first is not None else None
        only = only_below(repo.place.root, wanted.cwd, wanted.only)
        source: Source = open_source(
            repo,
            read,
            wanted.argument,
            onto=onto,
            cwd=wanted.cwd,
            stdin=wanted.stdin,
            progress=wanted.progress,
            first=first,
            only=only,
        )
        source = opened(_with_missed(source, only), first)
        return Opened(build_stack(source, read, wanted.budget, wanted.progress), target, onto)


def _with_missed(source: Source, only: Only) -> Source:
    """`source`, where what a person has asked for and is not in it is left out by name: it may be misspelt."""
    known = [*all_paths([source.before, source.after]), *(out.path for out in source.left_out)]
    missed = [LeftOut(path, "nothing changes there") for path in only.missed(known)]
    return msgspec.structs.replace(source, left_out=(*source.left_out, *missed)) if missed else source


def _without_conflicts(
    repo: Repo, read: Callable[[str], FileState | None]
) -> Callable[[str], FileState | None]:
    """`read` of the work tree but for what a merge has left in conflict: who resolves it is not disturbed."""
    conflicts = repo.unmerged()

    def resolved(path: str) -> FileState | None:
        if path in conflicts:
            raise PathRefused(f"{path} is in conflict", hint="resolve the conflict first")
        return read(path)

    return resolved if conflicts else read


def _staged(repo: Repo) -> Callable[[str], FileState | None]:
    """Reads files of the index, which is listed once, not once for each file. Raises PathRefused."""
    entries = repo.staged()
    staged = {entry.path: entry for entry in entries}
    conflicts = {entry.path for entry in entries if entry.stage}

    def read(path: str) -> FileState | None:
        if path in conflicts:
            raise PathRefused(f"{path} is in conflict", hint="resolve the conflict first")
        repo.fence.check(path)
        entry = staged.get(path)
        return repo.stored(entry.mode, entry.oid) if entry else None

    return read


def list_stack(opened: Opened, kind: Hash) -> tuple[str, Exit]:
    """The document of `--json`. `kind` is that of the repository."""
    return _document(listing(opened.stack, opened.onto, kind)), Exit.DONE


def decide_stack(opened: Opened, decisions: bytes, set_id: str) -> tuple[str, Exit]:
    """Write what is approved; the document of `--decide`. Raises UsageError for decisions that cannot be read."""
    outcome = decide(opened.stack, read_decisions(decisions), opened.target, opened.onto, set_id)
    return _document(outcome.result), outcome.code


def _document(content: dict[str, Any]) -> str:
    """In ASCII whatever is in it, also a path that is not UTF-8."""
    try:
        fast = msgspec.json.format(msgspec.json.encode(content), indent=0)
    except UnicodeEncodeError:
        fast = b"\xff"
    return (fast.decode("ascii") if fast.isascii() else json.dumps(content, ensure_ascii=True)) + "\n"
