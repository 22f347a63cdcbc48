"""Edits of a model against the files as they are: either all of them fit, or the model hears what to do.

Promises: never at a wrong place; edits of one file compose, in their order; untouched lines keep their bytes; a
text is quoted from the files only where it helps the next try. Reads through a function and writes nothing.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence

from agent.core.chunk import Because, Grade
from agent.core.hunk import FileState, Mode
from agent.core.lines.place import transplant_states
from agent.core.lines.splice import splice
from agent.core.matching.document import MARK, Document, Unwritable
from agent.core.matching.elision import left_out
from agent.core.matching.match import Found, Located, find_edit, find_text, text_lines
from agent.core.matching.report import explain
from agent.core.matching.rewrite import rewritten
from agent.core.outcome import Clash, States
from agent.core.patches.begin_patch import is_begin_patch, parse_begin_patch
from agent.core.patches.patch import FilePatch, Patch, PatchError
from agent.core.patches.patch_apply import Problem, apply_to
from agent.core.patches.unified import parse
from agent.core.replies.edits import EditProblem, ModelEdit, Resolved
from agent.core.replies.paths import locate, tidy
from agent.core.text import name_from_bytes

Read = Callable[[str], FileState | None]
Known = Callable[[], Sequence[str]]


def resolve(edits: Sequence[ModelEdit], read: Read, known_paths: Known) -> Resolved | tuple[EditProblem, ...]:
    """The files before and after all `edits`; or the problems of those that do not fit.

    `read` may raise what it likes for a path that must not be read; that passes through.
    """
    bench = _Bench(read, known_paths)
    problems: list[EditProblem] = []
    for index, edit in enumerate(edits):
        try:
            bench.take(edit)
        except _Unfit as unfit:
            where = f"edit {index + 1}" + (f", {unfit.path}" if unfit.path else "")
            problems.append(EditProblem(index, unfit.path, f"{where}: {unfit.reason}"))
    return tuple(problems) if problems else bench.resolved()


def resolve_patch(patch: Patch, read: Read) -> Resolved | tuple[EditProblem, ...]:
    """A patch against the files, strictly for what git wrote: paths and contexts as they are, nothing guessed."""
    bench = _Bench(read, tuple)
    problems = []
    for index, file in enumerate(patch.files):
        try:
            bench.take_file(file, "", lenient=not file.git)
        except _Unfit as unfit:
            problems.append(EditProblem(index, unfit.path, f"{unfit.path}: {unfit.reason}"))
    return tuple(problems) if problems else bench.resolved()


class _Unfit(Exception):
    """An edit that does not fit; never leaves this module."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


class _Bench:
    """The files while edits are made to them, one after the other."""

    def __init__(self, read: Read, known: Known) -> None:
        self.read = read
        self.known = known
        self.before: States = {}
        self.now: States = {}
        self.renames: dict[str, str] = {}
        self.because: list[Because] = []
        self.details: list[str] = []

    def resolved(self) -> Resolved:
        renames = {
            old: new for old, new in self.renames.items() if self.before.get(old) and self.now.get(new)
        }
        return Resolved(self.before, self.now, tuple(self.because), renames, tuple(self.details))

    def take(self, edit: ModelEdit) -> None:
        """Make one edit. Raises _Unfit and changes nothing when it does not fit."""
        if edit.patch is not None:
            self._patch(edit)
        elif edit.delete:
            path = self._existing(edit.path, by_name=False)
            self._put(path, None, edit.because)
        elif edit.rename_to is not None:
            self._rename(self._existing(edit.path, by_name=False), tidy(edit.rename_to), edit.because)
        elif edit.content is not None:
            path = self._new_or_existing(edit.path)
            self._put(path, self._whole(path, edit.content), edit.because)
        elif edit.insert_after is not None:
            path = self._existing(edit.path)
            self._put(path, self._inserted(path, edit.insert_after, edit.new or ""), edit.because)
        else:
            self._replace(edit)

    def state(self, path: str) -> FileState | None:
        """The file as the edits so far left it."""
        if path not in self.before:
            self.before[path] = self.now[path] = self.read(path)
        return self.now[path]

    def _put(self, path: str, state: FileState | None, because: str, grade: Grade = Grade.EXACT) -> None:
        self.now[path] = state
        self.because.append(Because(path, because, grade))

    def _existing(self, said: str, *, by_name: bool = True) -> str:
        """The path of a file that is there; completed when only one fits.

        A file that is to go, or to be moved, is not found by its mere name (`by_name`).
        """
        said = self.renames.get(said, said)
        if said and self.now.get(said) is not None:
            return said
        known = [*self.known(), *(path for path, state in self.now.items() if state)]
        if said not in known and self._is_untracked(tidy(said)):
            return tidy(said)
        found = locate(said, known, by_name=by_name)
        if isinstance(found, str):
            path = self.renames.get(found, found)
        elif found:
            raise _Unfit(said, f"no such file; several are like it: {', '.join(found)}")
        else:
            path = tidy(said)
        if not path:
            raise _Unfit(said, "the edit names no file")
        if self.state(path) is None:
            raise _Unfit(
                said, "no such file; look for its path first, or give its whole content to create it"
            )
        if path != said:
            self.details.append(f"{said} was taken for {path}")
        return path

    def _is_untracked(self, path: str) -> bool:
        """True for a file that is there though nobody listed it."""
        return (
            bool(path)
            and path not in self.now
            and ".." not in path.split("/")
            and self.read(path) is not None
        )

    def _new_or_existing(self, said: str) -> str:
        said = self.renames.get(said, said)
        path, rooted = tidy(said), said.strip().startswith("/")
        if not path or path.startswith("../"):
            raise _Unfit(said, "the edit names no file in the repository")
        known = self.known()
        if said in known:
            return said
        if path in known:
            return path
        ends = [name for name in known if path.endswith("/" + name) and (rooted or "/" in name)]
        if len(ends) != 1 and rooted:
            raise _Unfit(said, "give the path relative to the top of the repository")
        return ends[0] if len(ends) == 1 else path

    def _document(self, path: str, state: FileState) -> Document:
        if not stat.S_ISREG(state.mode):
            raise _Unfit(path, "it is a symbolic link, not a text; edit the file that it points to")
        document = Document.of(state.data)
        if document is None:
            raise _Unfit(path, "it is a binary file; it cannot be edited as text")
        return document

    def _whole(self, path: str, content: str) -> FileState:
        """`content` in the place of the whole file; lines that stay keep their bytes."""
        state = self.state(path)
        if state is None or not state.data:
            return FileState(state.mode if state else Mode.FILE, self._encoded(path, content))
        document = self._document(path, state)
        lines = text_lines(content.removeprefix(MARK))
        if omitted := left_out(lines, document.texts):
            raise _Unfit(
                path,
                f"the content leaves something out (`{omitted.strip()}`); write the whole file, or edits",
            )
        items = rewritten(document.texts, document.texts, lines, Grade.EXACT)
        final = None if lines[-1:] == document.texts[-1:] else content.endswith("\n")
        return self._spliced(path, state, document, 0, len(document.texts), items or [], final)

    def _encoded(self, path: str, content: str) -> bytes:
        try:
            return Document.empty().encode(content)
        except Unwritable:
            raise _Unfit(path, "the content has half of a surrogate pair, which no file can hold") from None

    def _spliced(
        self,
        path: str,
        state: FileState,
        document: Document,
        start: int,
        end: int,
        items: Sequence[str | int],
        final: bool | None,
    ) -> FileState:
        try:
            hunks = document.replace(start, end, items, final)
        except Unwritable as error:
            reason = f"the file's encoding, {error.codec}, has no character {error.char!a}"
            raise _Unfit(path, reason) from None
        return FileState(state.mode, b"".join(splice(document.lines, hunks)))

    def _inserted(self, path: str, line: int, text: str) -> FileState:
        state = self.state(path)
        assert state is not None
        document = self._document(path, state)
        if not 0 <= line <= len(document.texts):
            raise _Unfit(path, f"there is no line {line}; the file has {len(document.texts)}")
        return self._spliced(path, state, document, line, line, text_lines(text), None)

    def _replace(self, edit: ModelEdit) -> None:
        old, new = edit.old or "", edit.new or ""
        if not old.strip():
            self._fill(edit, new)
            return
        path = self._existing(edit.path)
        state = self.state(path)
        assert state is not None
        document = self._document(path, state)
        found = _search(document, old, new, edit.literal)
        if isinstance(found, Located):
            data = b"".join(splice(document.lines, found.hunks))
            self._put(path, FileState(state.mode, data), edit.because, found.grade)
            return
        placed = self._over_base(path, state, old, new, edit.literal)
        if placed is None:
            raise _Unfit(path, explain(found, document, text_lines(old)))
        self._put(path, placed[0], edit.because, placed[1])

    def _over_base(
        self, path: str, state: FileState, old: str, new: str, literal: bool
    ) -> tuple[FileState, Grade] | None:
        """The edit made to the file as it was before the other edits, and carried over these by position."""
        base = self.before[path]
        if base is None or base == state or (document := Document.of(base.data)) is None:
            return None
        found = _search(document, old, new, literal)
        if not isinstance(found, Located):
            return None
        target = FileState(base.mode, b"".join(splice(document.lines, found.hunks)))
        placed = transplant_states(base, target, state, path)
        return None if placed is None or isinstance(placed, Clash) else (placed, found.grade)

    def _fill(self, edit: ModelEdit, new: str) -> None:
        """No old text: a new file, or one that is empty."""
        path = self._new_or_existing(edit.path)
        state = self.state(path)
        if state is not None and state.data.strip():
            raise _Unfit(
                path, "the old text is empty but the file is not; quote the lines that are to change"
            )
        self._put(path, self._whole(path, new), edit.because)

    def _rename(self, path: str, target: str, because: str) -> None:
        if not target or target == path or target.startswith("../"):
            raise _Unfit(path, "`rename_to` names no other file in the repository")
        if self.state(target) is not None:
            raise _Unfit(path, f"it cannot become {target}, which exists already")
        state = self.state(path)
        self.now[target], self.now[path] = state, None
        origin = next((old for old, new in self.renames.items() if new == path), path)
        self.renames[origin] = target
        self.because.append(Because(origin, because))

    def _patch(self, edit: ModelEdit) -> None:
        text = edit.patch or ""
        if is_begin_patch(text):
            patch = parse_begin_patch(text)
        else:
            patch = parse(text.encode("utf-8", "surrogatepass"), lenient=True)
        if isinstance(patch, PatchError):
            raise _Unfit(edit.path, patch.message)
        for file in patch.files:
            self.take_file(file, edit.because, lenient=True, only=edit.path)

    def take_file(self, file: FilePatch, because: str, *, lenient: bool, only: str = "") -> None:
        """One file of a patch. `only` stands for a path that the patch leaves out."""
        path = self._patched_path(file, lenient=lenient)
        base = self.state(path) if path else None
        if file.old_path is None and base is not None and lenient and not file.binary:
            content = b"".join(line for hunk in file.hunks for line in hunk.new)
            self._put(path, self._whole(path, name_from_bytes(content)), because)
            return
        changed = apply_to(file, base, lenient=lenient)
        if isinstance(changed, Problem):
            raise _Unfit(path, changed.message)
        self.details += [f"{path}: {note}" for note in changed.notes]
        target = file.new_path
        if (file.rename or file.copy) and target is not None and target != path:
            if self.state(target) is not None:
                raise _Unfit(path, f"it cannot become {target}, which exists already")
            if file.rename:
                self._rename(path, target, because)
            self.now[target] = changed.state
            if file.copy:
                self.because.append(Because(target, because, changed.grade))
            return
        self._put(path, changed.state, because, changed.grade)

    def _patched_path(self, file: FilePatch, *, lenient: bool) -> str:
        old, new = file.old_path, file.new_path
        if old is None:
            return self._new_or_existing(new or "") if lenient else new or ""
        if not lenient:
            return old
        moved = file.rename or file.copy or new is None or new == old
        return self._existing(old if moved or not self._is_there(new or "") else new or "")

    def _is_there(self, path: str) -> bool:
        return self.now.get(path) is not None or path in self.known()


def _search(document: Document, old: str, new: str, literal: bool) -> Found:
    return find_text(document, old, new) if literal else find_edit(document, old, new)
