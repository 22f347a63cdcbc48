"""A patch (a file, stdin) as a source: placed on what it was made for, else on the files as they are.

git's own patches name the blob that they were made for: when the repository has it, that is the base, and what
changed since is met when the chunks are placed. Otherwise a patch must fit the files as they are, or be in them
already. A file that it does not fit is left out with the reason; the others are reviewed.
"""

from __future__ import annotations

import contextlib
import stat
from collections import Counter
from collections.abc import Iterator

from agent.core.errors import GitFailed, PathRefused, UsageError
from agent.core.hunk import FileState, Mode
from agent.core.outcome import States
from agent.core.patches.blob_names import same_blob
from agent.core.patches.patch import FilePatch, PatchError
from agent.core.patches.patch_apply import Problem, apply_to
from agent.core.patches.patch_forms import before_some, has_old_crlf, turned, with_crlf
from agent.core.patches.unified import parse
from agent.core.text import digest
from agent.git.conversion import Conversion
from agent.git.line_ends import LineEnds, checked_out
from agent.git.repo import Repo
from agent.review.commits import refused_name
from agent.review.only import ALL, Only
from agent.review.opening import First, Sides, begin, filled
from agent.review.patch_files import meant, names, oldest_first, sources_first
from agent.review.source import LeftOut, Progress, Read, Source


def read_patch(
    repo: Repo,
    data: bytes,
    label: str,
    read: Read,
    onto: str,
    progress: Progress | None = None,
    first: First | None = None,
    only: Only = ALL,
    folder: str = "",
) -> Source:
    """`read` gives a file as it is now; names may also be told from `folder`. Raises UsageError when `data` is no patch."""
    spec = only.told(f"patch:{digest(data)}")
    if not data.strip():
        return Source(label, spec, {}, {}, onto=onto)
    patch = parse(oldest_first(repo, data))
    if isinstance(patch, PatchError):
        hint = "it is coloured: write it with git diff --no-color" if data.startswith(b"\x1b[") else ""
        raise UsageError(f"{label}: {patch.message}", hint=hint, untouched="nothing was changed")
    found, told_from = meant(patch.files, read, folder)
    spec += f" in {told_from}" if told_from else ""
    files = sources_first([file for file in found if only.takes(*names(file))])
    named = [path for file in files for path in names(file)]
    reader = _Reader(repo, read, Conversion(repo, [path for path in named if not refused_name(path)]), onto)
    source = Source(only.told(label), spec, {}, {}, onto=onto)
    times = Counter(named)
    alone = {file.path: file for file in files if file.old_path == file.new_path and times[file.path] == 2}
    opening = begin(alone, len(files), lambda path: reader.sides(alone[path]), source, first)
    for done, file in enumerate(files):
        if opening is not None and file.path == opening.path:
            # What becomes of the file that is open already is met when its chunks are placed.
            reader.before[file.path], reader.after[file.path] = opening.old, opening.new
        else:
            reader.take(file)
        if progress is not None:
            progress("reading", done + 1, len(files))
    return filled(source, opening, reader.before, reader.after, reader.renames, reader.left_out)


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
        self._made: set[str] = set()
        """Names under which the patch so far puts a file."""

    def sides(self, file: FilePatch) -> Sides:
        """Both sides of a file that nothing else in the patch names; absent ones when it is left out."""
        alone = _Reader(self.repo, self.read, self.conversion, self.onto)
        alone.take(file)
        return alone.before.get(file.path), alone.after.get(file.path)

    def take(self, file: FilePatch) -> None:
        reason = next((why for path in names(file) if (why := self._why_not(path))), "")
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
        if name := self.conversion.filter_of(path):
            return f"goes through the filter {name}, which copair does not run"
        if self.onto == "worktree" and (encoding := self.conversion.encoding_of(path)):
            return (
                f"is {encoding} in the work tree, and UTF-8 in patches: use `git apply`, or review the commit"
            )
        return ""

    def _why_no_link(self, file: FilePatch) -> str:
        if self.onto != "worktree" or not self.conversion.links_are_files:
            return ""
        # A patch that only renames says nothing of modes.
        staged = (entry.mode for entry in self.repo.entries(names(file)))
        return self.conversion.why_no_link(file.old_mode, file.new_mode, *staged)

    def _place(self, file: FilePatch) -> str:
        """Put both sides of `file` among the states; the reason when it does not fit.

        What stands at the very lines that the patch names goes before what stands elsewhere: lines that come behind
        others like them fit a second time, further down.
        """
        if Mode.SUBMODULE in (file.old_mode, file.new_mode):
            return "a submodule: copair does not change which commit it is at"
        if why := self._why_no_link(file):
            return why
        for mode in (file.old_mode, file.new_mode):
            if mode is not None and stat.S_IFMT(mode) not in (stat.S_IFREG, stat.S_IFLNK):
                return f"mode {mode:06o} is not one of a file or a link"
        problem = ""
        elsewhere: tuple[FileState | None, FileState | None] | None = None
        for base, is_there in self._bases(file):
            for lines in self._forms(file, base):
                result = apply_to(turned(lines) if is_there else lines, base, lenient=False)
                if isinstance(result, Problem):
                    problem = problem or result.message
                    continue
                given = self._checked_out(file, base, result.state)
                sides = (result.state, base) if is_there else (base, given)
                if not result.notes:
                    self._put(file, *sides)
                    return ""
                elsewhere = elsewhere or sides
        if elsewhere is None:
            return problem
        self._put(file, *elsewhere)
        return ""

    def _bases(self, file: FilePatch) -> Iterator[tuple[FileState | None, bool]]:
        """What to try: what the patch so far gives, or the blob it was made for, the file as it is.

        Last, and with True, that it is in the file already.
        """
        source = file.old_path
        if source is None:
            yield self.after.get(file.path), False
            return
        if source in self.after:
            for state in self._moved(file, source) if file.copy or file.rename else [self.after[source]]:
                yield state, False
            return
        named = self._named(file, source)
        if named is not None:
            yield named, False
        now = self.read(source)
        if now is not None or file.new_path is not None:
            yield _with_mode(now, file.old_mode, file), False
        there = None
        if file.new_path is not None:
            # A folder that the patch turns into a file is no sign that it is applied already.
            with contextlib.suppress(PathRefused):
                there = self.read(file.new_path)
        yield _with_mode(there, file.new_mode, file), True
        if there is not None and (base := before_some(file, there)) is not None:
            yield _with_mode(base, file.old_mode, file), False

    def _moved(self, file: FilePatch, source: str) -> list[FileState | None]:
        """What a copy or a rename may mean by a file that the patch has changed before.

        In the patch of one commit it is the file as it was, whatever the order; in one of several, as it is by then.
        """
        was = self.before.get(source) or (self.read(source) if source in self._made else None)
        by_then = self.after[source]
        tries = [was, by_then] if file.copy or source in self._made else [by_then, was]
        known = [state for state in tries if state is not None]
        return [*sorted(known, key=lambda state: not _is_blob(state, file.old_blob))] or [None]

    def _forms(self, file: FilePatch, base: FileState | None) -> Iterator[FilePatch]:
        """`file` as it is, before that with the line ends of the work tree: git's patches have those that it stores.

        Where the old lines of a patch have Windows line ends, git stores these too.
        """
        if base is not None and b"\r\n" in base.data and self._ends_in_crlf(file) and not has_old_crlf(file):
            yield with_crlf(file)
        yield file

    def _checked_out(
        self, file: FilePatch, base: FileState | None, given: FileState | None
    ) -> FileState | None:
        """What the patch gives, with the line ends of the work tree when the file had none of its own."""
        if given is None or not stat.S_ISREG(given.mode) or (base is not None and b"\n" in base.data):
            return given
        if not self._ends_in_crlf(file):
            return given
        return FileState(given.mode, checked_out(given.data, self.conversion.line_ends(file.path)))

    def _ends_in_crlf(self, file: FilePatch) -> bool:
        return self.onto == "worktree" and self.conversion.line_ends(file.path) is not LineEnds.AS_STORED

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
        now = self.read(path) if file.old_mode is None else None
        mode = file.old_mode or (now.mode if now else Mode.FILE)
        state = FileState(mode if mode in list(Mode) else Mode.FILE, found.data)
        return self.conversion.to_work_tree(path, state, file.old_blob) if self.onto == "worktree" else state

    def _put(self, file: FilePatch, old: FileState | None, new: FileState | None) -> None:
        source, goal = file.old_path, file.new_path
        if source is not None and (not file.copy or source == goal):
            swapped = source in self._made and old is not self.after.get(source)
            self.before[source] = old if swapped else self.before.get(source, old)
            if not swapped:
                self.after[source] = None
        if goal is not None:
            self.before.setdefault(goal, None)
            self.after[goal] = new
            self._made.add(goal)
        if file.rename and source is not None and goal is not None:
            first = next((name for name, other in self.renames.items() if other == source), source)
            self.renames[first] = goal


def _with_mode(state: FileState | None, mode: int | None, file: FilePatch) -> FileState | None:
    """`state` with the mode that it has on this side of a patch that changes it: lines and mode are taken apart."""
    if state is None or mode is None or file.old_mode == file.new_mode:
        return state
    if not (stat.S_ISREG(state.mode) and stat.S_ISREG(mode)):
        return state
    return FileState(Mode.EXECUTABLE if mode & 0o100 else Mode.FILE, state.data)


def _is_blob(state: FileState, name: str) -> bool:
    """True when git would store the file under this name, with whichever line ends."""
    return any(same_blob(data, name) for data in (state.data, state.data.replace(b"\r\n", b"\n")))
