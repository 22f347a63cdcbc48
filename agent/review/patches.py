"""A patch (a file, stdin) as a source: placed on what it was made for, else on the files as they are.

git's own patches name the blob that they were made for: when the repository has it, that is the base, and what
changed since is met when the chunks are placed. Otherwise a patch must fit the files as they are, or be in them
already. A file that it does not fit is left out with the reason; the others are reviewed.
"""

from __future__ import annotations

import contextlib
import stat
from collections import Counter

import msgspec

from agent.core.errors import GitFailed, PathRefused, UsageError
from agent.core.hunk import FileState, Mode
from agent.core.outcome import States
from agent.core.patches.patch import BinaryPatch, FilePatch, LineKind, PatchError, PatchHunk, PatchLine
from agent.core.patches.patch_apply import Problem, apply_to
from agent.core.patches.unified import parse
from agent.core.text import digest
from agent.git.repo import Repo
from agent.review.commits import refused_name
from agent.review.conversion import Conversion
from agent.review.opening import First, Sides, begin
from agent.review.source import LeftOut, Progress, Read, Source


def read_patch(
    repo: Repo,
    data: bytes,
    label: str,
    read: Read,
    onto: str,
    progress: Progress | None = None,
    first: First | None = None,
) -> Source:
    """`read` gives a file as it is now. Raises UsageError when `data` is no patch."""
    spec = f"patch:{digest(data)}"
    if not data.strip():
        return Source(label, spec, {}, {}, onto=onto)
    patch = parse(data)
    if isinstance(patch, PatchError):
        raise UsageError(f"{label}: {patch.message}", untouched="nothing was changed")
    named = [path for file in patch.files for path in _names(file)]
    reader = _Reader(repo, read, Conversion(repo, [path for path in named if not refused_name(path)]), onto)
    source = Source(label, spec, {}, {}, onto=onto)
    times = Counter(named)
    alone = {
        file.path: file for file in patch.files if file.old_path == file.new_path and times[file.path] == 2
    }
    opening = begin(alone, len(patch.files), lambda path: reader.sides(alone[path]), source, first)
    for done, file in enumerate(patch.files):
        if opening is not None and file.path == opening.path:
            # What becomes of the file that is open already is met when its chunks are placed.
            reader.before[file.path], reader.after[file.path] = opening.old, opening.new
        else:
            reader.take(file)
        if progress is not None:
            progress("reading", done + 1, len(patch.files))
    return msgspec.structs.replace(
        source,
        before=reader.before,
        after=reader.after,
        renames=reader.renames,
        left_out=tuple(reader.left_out),
        opening=opening.path if opening else "",
    )


def _names(file: FilePatch) -> list[str]:
    return [path for path in (file.old_path, file.new_path) if path is not None]


class _Reader:
    """Files of a patch in order: a later one may stand over what an earlier one gives."""

    def __init__(self, repo: Repo, read: Read, conversion: Conversion, onto: str) -> None:
        self.repo = repo
        self.read = read
        self.conversion = conversion
        self.onto = onto
        self.before: States = {}
        self.after: States = {}
        self.renames: dict[str, str] = {}
        self.left_out: list[LeftOut] = []

    def sides(self, file: FilePatch) -> Sides:
        """Both sides of a file that nothing else in the patch names; absent ones when it is left out."""
        alone = _Reader(self.repo, self.read, self.conversion, self.onto)
        alone.take(file)
        return alone.before.get(file.path), alone.after.get(file.path)

    def take(self, file: FilePatch) -> None:
        reason = next((why for path in _names(file) if (why := self._why_not(path))), "")
        if not reason:
            try:
                reason = self._place(file)
            except PathRefused as error:
                reason = error.message
        if reason:
            self.left_out.append(LeftOut(file.path, reason))

    def _why_not(self, path: str) -> str:
        if reason := refused_name(path):
            return reason
        name = self.conversion.filter_of(path)
        return f"goes through the filter {name}, which copair does not run" if name else ""

    def _place(self, file: FilePatch) -> str:
        """Put both sides of `file` among the states; the reason when it does not fit."""
        if Mode.SUBMODULE in (file.old_mode, file.new_mode):
            return "a submodule: copair does not change which commit it is at"
        for mode in (file.old_mode, file.new_mode):
            if mode is not None and stat.S_IFMT(mode) not in (stat.S_IFREG, stat.S_IFLNK):
                return f"mode {mode:06o} is not one of a file or a link"
        source = file.old_path if file.old_path is not None else file.path
        if source in self.after:
            result = apply_to(file, self.after[source], lenient=False)
            if isinstance(result, Problem):
                return result.message
            self._put(file, self.after[source], result.state)
            return ""
        problem = ""
        for base, result_of in self._bases(file, source):
            result = apply_to(result_of, base, lenient=False)
            if isinstance(result, Problem):
                problem = problem or result.message
            elif result_of is file:
                self._put(file, base, result.state)
                return ""
            else:
                self._put(file, result.state, base)
                return ""
        return problem

    def _bases(self, file: FilePatch, source: str) -> list[tuple[FileState | None, FilePatch]]:
        """What to try: the blob it was made for, the file as it is, and that it is in the file already."""
        tries: list[tuple[FileState | None, FilePatch]] = []
        if file.old_path is None:
            tries.append((None, file))
            return tries
        named = self._named(file, source)
        if named is not None:
            tries.append((named, file))
        now = self.read(source)
        if now is not None or file.new_path is not None:
            tries.append((now, file))
        there = None
        if file.new_path is not None:
            # A folder that the patch turns into a file is no sign that it is applied already.
            with contextlib.suppress(PathRefused):
                there = self.read(file.new_path)
        tries.append((there, turned(file)))
        return tries

    def _named(self, file: FilePatch, path: str) -> FileState | None:
        """The file that the patch says it was made for, when the repository has it."""
        if len(file.old_blob) < 7 or set(file.old_blob) == {"0"}:
            return None
        try:
            found = self.repo.objects.find(file.old_blob)
        except GitFailed:
            return None
        if found is None or found.kind != "blob":
            return None
        now = self.read(path)
        mode = file.old_mode or (now.mode if now else Mode.FILE)
        state = FileState(mode if mode in list(Mode) else Mode.FILE, found.data)
        return self.conversion.to_work_tree(path, state, file.old_blob) if self.onto == "worktree" else state

    def _put(self, file: FilePatch, old: FileState | None, new: FileState | None) -> None:
        source, goal = file.old_path, file.new_path
        if source is not None and (not file.copy or source == goal):
            self.before.setdefault(source, old)
            self.after[source] = None
        if goal is not None:
            self.before.setdefault(goal, None)
            self.after[goal] = new
        if file.rename and source is not None and goal is not None:
            first = next((name for name, other in self.renames.items() if other == source), source)
            self.renames[first] = goal


def turned(file: FilePatch) -> FilePatch:
    """The patch that takes `file` back."""
    turn = {LineKind.OLD: LineKind.NEW, LineKind.NEW: LineKind.OLD, LineKind.CONTEXT: LineKind.CONTEXT}
    hunks = tuple(
        PatchHunk(
            tuple(PatchLine(turn[line.kind], line.data) for line in hunk.lines),
            hunk.new_start,
            hunk.old_start,
            hunk.section,
            hunk.at_end,
        )
        for hunk in file.hunks
    )
    binary = BinaryPatch(file.binary.backward, file.binary.forward) if file.binary else None
    return msgspec.structs.replace(
        file,
        old_path=file.new_path,
        new_path=file.old_path,
        old_mode=file.new_mode,
        new_mode=file.old_mode,
        old_blob=file.new_blob,
        new_blob=file.old_blob,
        hunks=hunks,
        binary=binary,
    )
