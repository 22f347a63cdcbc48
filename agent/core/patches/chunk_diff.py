"""One chunk as a git diff over its base with what it needs in place: what `git apply` takes, made of its hunks.

The cost is that of the chunk, not of the file, so that listing thousands of chunks stays linear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.core.chunk import Chunk
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Write
from agent.core.lines.place import file_lines
from agent.core.lines.splice import position, splice
from agent.core.lines.stack import step
from agent.core.patches.blob_names import Hash
from agent.core.patches.patch import FilePatch
from agent.core.patches.patch_print import print_file, print_hunks, print_writes
from agent.core.text import Lines


class ChunkDiffs:
    """Diffs of chunks of one base; the lines of a file are split once. `kind` is that of the repository."""

    def __init__(
        self, chunks: Sequence[Chunk], base: Mapping[str, FileState | None], kind: Hash = Hash.SHA1
    ) -> None:
        self._base = base
        self._kind = kind
        self._chunks = {chunk.id: chunk for chunk in chunks}
        self._lines: dict[str, Lines] = {}
        self._heads: dict[str, bytes] = {}

    def of(self, chunk: Chunk) -> bytes:
        """A git diff with three lines of context; applies where what the chunk needs is applied."""
        needed = self._needed(chunk) if chunk.needs else []
        files: list[bytes] = []
        for change in chunk.changes:
            file = self._file(change, [c for other in needed for c in other.changes if c.path == change.path])
            if file is None:
                return self._whole(chunk, needed)
            files.append(file)
        if len(files) > 1 and len({change.path for change in chunk.changes}) < len(files):
            return self._whole(chunk, needed)
        return b"".join(files)

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
        writes = [Write(path, work.expected[path], work.target[path]) for path in work.paths]
        return print_writes(writes, kind=self._kind)

    def _file(self, change: FileChange, earlier: Sequence[FileChange]) -> bytes | None:
        path, base = change.path, self._base.get(change.path)
        if change.kind is ChangeKind.RENAME:
            return print_file(FilePatch(path, change.new_path, rename=True, similarity=100, git=True), b"")
        if change.kind not in (ChangeKind.MODIFY, ChangeKind.CREATE):
            return None
        if any(other.kind is not change.kind for other in earlier):
            return None
        lines = self._lines_of(path)
        before = [hunk for other in earlier for hunk in other.hunks]
        hunks: Sequence[Hunk] = sorted(change.hunks, key=position) if len(change.hunks) > 1 else change.hunks
        if before:
            hunks, lines = _over(lines, before, hunks)
        body = print_hunks(lines, hunks)
        if not body or b"\0" in body:
            return None
        if base is None and not before:
            return print_file(FilePatch(None, path, new_mode=change.mode, git=True), body)
        if path not in self._heads:
            self._heads[path] = print_file(FilePatch(path, path, git=True), b"\0")[:-1]
        return self._heads[path] + body

    def _lines_of(self, path: str) -> Lines:
        if path not in self._lines:
            state = self._base.get(path)
            self._lines[path] = file_lines(state) if state else ()
        return self._lines[path]


def _over(lines: Lines, before: Sequence[Hunk], own: Sequence[Hunk]) -> tuple[Sequence[Hunk], Lines]:
    """`own` over what `before` makes of `lines`, and these lines."""
    moved, offset = [], 0
    theirs = set(before)
    for hunk in sorted([*before, *own], key=position):
        if hunk in theirs:
            offset += len(hunk.new) - len(hunk.old)
        else:
            moved.append(Hunk(hunk.start + offset, hunk.old, hunk.new, hunk.seq))
    return moved, splice(lines, before)
