"""A source cut into its stack, with what of it is in the files already. Shared by the list and the decisions."""

from __future__ import annotations

import msgspec

from agent.core.chunk import Budget, Chunk
from agent.core.cutting.cut import cut
from agent.core.cutting.presence import present
from agent.core.errors import PathRefused
from agent.core.outcome import States
from agent.core.text import folders
from agent.review.commits import all_paths
from agent.review.source import LeftOut, Progress, Read, Source


class Stack(msgspec.Struct, frozen=True):
    """Chunks in their order over `source.before`; `current` are the files as they are now."""

    source: Source
    chunks: tuple[Chunk, ...]
    present: frozenset[str]
    current: States
    left_out: tuple[LeftOut, ...]


def build_stack(
    source: Source, read: Read, budget: Budget | None = None, progress: Progress | None = None
) -> Stack:
    """Cut `source` and compare it with the files that `read` gives. A path that may not be read is left out."""
    current: States = {}
    refused: list[LeftOut] = []
    emptied = _emptied(source)
    for path in all_paths((source.before, source.after)):
        try:
            current[path] = read(path)
        except PathRefused as error:
            if path in emptied:
                current[path] = None
            else:
                refused.append(LeftOut(path, error.message))
    names = {out.path for out in refused}
    names |= {path for pair in source.renames.items() for path in pair if names & set(pair)}
    before = {path: state for path, state in source.before.items() if path not in names}
    after = {path: state for path, state in source.after.items() if path not in names}
    kept = msgspec.structs.replace(source, before=before, after=after, known={})

    def cutting(done: int, total: int) -> None:
        if progress is not None:
            progress("cutting", done, total)

    chunks = cut(
        before,
        after,
        renames=source.renames,
        needed=source.needed,
        known=source.known,
        budget=budget,
        progress=cutting,
        opening=source.opening,
        opening_end=source.opening_end,
    )
    there = present(chunks, before, after, current)
    return Stack(kept, chunks, there, current, (*source.left_out, *refused))


def _emptied(source: Source) -> set[str]:
    """Names that may be absent as files: folders on the other side of the source, and what is in such folders."""
    gone = {path for path, state in source.before.items() if state and source.after.get(path, state) is None}
    come = {path for path, state in source.after.items() if state and source.before.get(path) is None}
    above = {folder for path in (*gone, *come) for folder in folders(path)}
    turned = {path for one, other in ((gone, come), (come, gone)) for path in one if other & {*folders(path)}}
    return above | turned
