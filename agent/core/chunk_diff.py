"""One chunk as a git diff over its base with what it needs in place: what `git apply` takes, made of its hunks.

The cost is that of the chunk, not of the file, so that listing thousands of chunks stays linear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.core.chunk import Chunk
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Write
from agent.core.patch import FilePatch, LineKind, Patch, PatchHunk, PatchLine
from agent.core.patch_print import print_patch, print_writes
from agent.core.place import file_lines
from agent.core.splice import splice
from agent.core.stack import step
from agent.core.text import Lines

CONTEXT = 3


class ChunkDiffs:
    """Diffs of chunks of one base; the lines of a file are split once."""

    def __init__(self, chunks: Sequence[Chunk], base: Mapping[str, FileState | None]) -> None:
        self._base = base
        self._chunks = {chunk.id: chunk for chunk in chunks}
        self._lines: dict[str, Lines] = {}

    def of(self, chunk: Chunk) -> bytes:
        """A git diff with three lines of context; applies where what the chunk needs is applied."""
        needed = self._needed(chunk)
        files = []
        for change in chunk.changes:
            file = self._file(change, [c for other in needed for c in other.changes if c.path == change.path])
            if file is None:
                return self._whole(chunk, needed)
            files.append(file)
        if len({file.path for file in files}) < len(files):
            return self._whole(chunk, needed)
        return print_patch(Patch(tuple(files)))

    def _needed(self, chunk: Chunk) -> list[Chunk]:
        """What `chunk` needs, and what that needs."""
        found: dict[str, Chunk] = {}
        pending = list(chunk.needs)
        while pending:
            name = pending.pop()
            if name in self._chunks and name not in found:
                found[name] = self._chunks[name]
                pending += found[name].needs
        return list(found.values())

    def _whole(self, chunk: Chunk, needed: Sequence[Chunk]) -> bytes:
        paths = {path for other in (chunk, *needed) for path in other.paths}
        work = step(chunk, {path: self._base.get(path) for path in paths}, needed)
        return print_writes([Write(path, work.expected[path], work.target[path]) for path in work.paths])

    def _file(self, change: FileChange, earlier: Sequence[FileChange]) -> FilePatch | None:
        path, base = change.path, self._base.get(change.path)
        if change.kind is ChangeKind.RENAME:
            return FilePatch(path, change.new_path, rename=True, similarity=100, git=True)
        if change.kind not in (ChangeKind.MODIFY, ChangeKind.CREATE):
            return None
        if any(other.kind is not change.kind for other in earlier):
            return None
        lines = self._lines_of(path)
        before = [hunk for other in earlier for hunk in other.hunks]
        hunks = change.hunks
        if before:
            hunks, lines = _over(lines, before, hunks)
        if not hunks or any(not _is_plain(line) for hunk in hunks for line in (*hunk.old, *hunk.new)):
            return None
        if base is None and not before:
            return FilePatch(None, path, _with_context(lines, hunks), new_mode=change.mode, git=True)
        return FilePatch(path, path, _with_context(lines, hunks), git=True)

    def _lines_of(self, path: str) -> Lines:
        if path not in self._lines:
            state = self._base.get(path)
            self._lines[path] = file_lines(state) if state else ()
        return self._lines[path]


def _is_plain(line: bytes) -> bool:
    return b"\0" not in line


def _over(lines: Lines, before: Sequence[Hunk], own: Sequence[Hunk]) -> tuple[tuple[Hunk, ...], Lines]:
    """`own` over what `before` makes of `lines`, and these lines."""
    moved, offset = [], 0
    theirs = set(before)
    for hunk in sorted([*before, *own], key=lambda h: (h.start, bool(h.old), h.seq)):
        if hunk in theirs:
            offset += len(hunk.new) - len(hunk.old)
        else:
            moved.append(Hunk(hunk.start + offset, hunk.old, hunk.new, hunk.seq))
    return tuple(moved), splice(lines, before)


def _with_context(lines: Lines, hunks: Sequence[Hunk]) -> tuple[PatchHunk, ...]:
    """`hunks` with the lines around them, those that would touch joined."""
    groups: list[list[Hunk]] = []
    for hunk in sorted(hunks, key=lambda h: (h.start, bool(h.old), h.seq)):
        if groups and hunk.start - groups[-1][-1].end <= 2 * CONTEXT:
            groups[-1].append(hunk)
        else:
            groups.append([hunk])
    found, offset = [], 0
    for group in groups:
        start = max(0, group[0].start - CONTEXT)
        end = min(len(lines), group[-1].end + CONTEXT)
        body: list[PatchLine] = []
        at = start
        for hunk in group:
            body += [PatchLine(LineKind.CONTEXT, line) for line in lines[at : hunk.start]]
            body += [PatchLine(LineKind.OLD, line) for line in hunk.old]
            body += [PatchLine(LineKind.NEW, line) for line in hunk.new]
            at = hunk.end
        body += [PatchLine(LineKind.CONTEXT, line) for line in lines[at:end]]
        grown = sum(len(hunk.new) - len(hunk.old) for hunk in group)
        empty_old, empty_new = start == end, end - start + grown == 0
        found.append(PatchHunk(tuple(body), start + (not empty_old), start + offset + (not empty_new)))
        offset += grown
    return tuple(found)
