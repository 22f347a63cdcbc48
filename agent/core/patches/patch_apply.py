"""What one file of a patch makes of a file: strictly for what git wrote, by matching for what a model wrote.

Promises never to guess: a hunk stands where its header says (as far off as the hunk before it, or the next one), or at
the only place where its lines are; anything else is a problem, said so that the next try fits.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from functools import cached_property
from itertools import islice

import msgspec

from agent.core.chunk import Grade
from agent.core.hunk import FileState, Hunk, Mode
from agent.core.lines.place import file_lines
from agent.core.lines.splice import splice
from agent.core.matching.document import Document
from agent.core.matching.match import Ambiguous, Found, Located, Missing, find
from agent.core.matching.report import briefly, explain
from agent.core.patches.binary import apply_delta
from agent.core.patches.blob_names import same_blob
from agent.core.patches.gaps import find_with_gaps
from agent.core.patches.patch import FilePatch, LineKind, PatchHunk, PatchLine
from agent.core.text import Lines, name_from_bytes

SURE_LINES = 3
"""Lines that are not blank, from which on a model's line number may choose between equal places."""

MAX_PLACES = 6
MAX_NEXT = 8
"""So many hunks further on one is looked for that tells where a hunk with several places stands."""


class Changed(msgspec.Struct, frozen=True):
    """The file afterwards, how well the patch matched, and what is worth telling."""

    state: FileState | None
    grade: Grade = Grade.EXACT
    notes: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Why the patch does not fit, for who wrote it."""

    message: str


def apply_to(patch: FilePatch, base: FileState | None, *, lenient: bool) -> Changed | Problem:
    """`lenient`: a model wrote it; its text is matched, and a new file may replace one that is there."""
    odd = _odd(patch, base, lenient=lenient)
    if odd:
        return Problem(odd)
    mode = _mode(patch, base)
    if patch.binary:
        return _binary(patch, base, mode)
    if patch.new_path is None:
        return _deleted(patch, base, lenient=lenient)
    if patch.old_path is None or base is None:
        return Changed(FileState(mode, b"".join(line for hunk in patch.hunks for line in hunk.new)))
    if not patch.hunks:
        return Changed(FileState(mode, base.data))
    return _hunks(patch, base, mode, lenient=lenient)


def _odd(patch: FilePatch, base: FileState | None, *, lenient: bool) -> str:
    modes = [mode for mode in (patch.old_mode, patch.new_mode) if mode is not None]
    if any(stat.S_IFMT(mode) == stat.S_IFMT(Mode.SUBMODULE) for mode in modes):
        return "it changes a submodule, which copair does not do"
    if patch.old_path is None:
        return "the file exists already" if base is not None and not lenient else ""
    if base is None:
        return "there is no such file"
    if patch.old_mode is not None and stat.S_IFMT(patch.old_mode) != stat.S_IFMT(base.mode):
        return "the file is of another kind (link or regular file) than the patch says"
    return ""


def _mode(patch: FilePatch, base: FileState | None) -> int:
    old = base.mode if base else Mode.FILE
    new = patch.new_mode
    if new is None or new == patch.old_mode:
        return old
    if stat.S_IFMT(new) == stat.S_IFMT(Mode.SYMLINK):
        return Mode.SYMLINK
    return Mode.EXECUTABLE if new & 0o100 else Mode.FILE


def _binary(patch: FilePatch, base: FileState | None, mode: int) -> Changed | Problem:
    piece = patch.binary.forward if patch.binary else None
    if piece is None:
        return Problem("it only says that binary files differ; make it with `git diff --binary`")
    data = base.data if base else b""
    if base is not None and not same_blob(data, patch.old_blob):
        return Problem("the binary file is not the one that the patch was made for")
    result = apply_delta(data, piece.data) if piece.delta else piece.data
    if result is None:
        return Problem("the binary delta does not fit")
    if patch.new_path is None:
        return Changed(None)
    if not same_blob(result, patch.new_blob):
        return Problem("the binary patch is damaged: it gives another file than it says")
    return Changed(FileState(mode, result))


def _deleted(patch: FilePatch, base: FileState | None, *, lenient: bool) -> Changed | Problem:
    data = base.data if base else b""
    said = b"".join(line for hunk in patch.hunks for line in hunk.old)
    known = said == data or same_blob(data, patch.old_blob)
    loose = lenient and (not patch.hunks or said.split() == data.split())
    if known or loose:
        return Changed(None)
    return Problem("the file to be deleted is not as the patch says")


def _hunks(patch: FilePatch, base: FileState, mode: int, *, lenient: bool) -> Changed | Problem:
    lines = file_lines(base)
    exact_base = same_blob(base.data, patch.old_blob)
    document = Document.of(base.data) if stat.S_ISREG(base.mode) else None
    places = _Places(lines)
    placed: list[Hunk] = []
    notes: list[str] = []
    grade = Grade.EXACT
    drift = 0
    for number, hunk in enumerate(patch.hunks, 1):
        edges = (False, False) if lenient else _edges(hunk)
        trusted = exact_base or (patch.git and not lenient)
        at = _exactly(places, hunk, edges, drift, exact_base=exact_base, trusted=trusted)
        if not isinstance(at, int) and len(at) > 1 and not lenient:
            at = _as_the_next(places, hunk, patch.hunks[number : number + MAX_NEXT], at)
        if isinstance(at, int):
            if hunk.old_start is not None and at != _stated(hunk):
                notes.append(f"hunk {number} stands at line {at + 1}, not {hunk.old_start}")
            drift = 0 if lenient or hunk.old_start is None else at - _stated(hunk)
            placed.append(Hunk(at, hunk.old, hunk.new, number))
            continue
        is_exact = any(edges) or (patch.git and not lenient and hunk.old_start is not None)
        if document is None or is_exact:
            return Problem(f"hunk {number} (line {hunk.old_start}): {_why(at, edges)}")
        found = _loosely(document, hunk)
        if not isinstance(found, Located):
            words = explain(found, document, _texts(hunk.old)) if lenient else briefly(found)
            return Problem(f"hunk {number}: {words}")
        grade = max(grade, found.grade, key=list(Grade).index)
        if not lenient:
            notes.append(f"hunk {number} is not quoted exactly")
        placed += [Hunk(h.start, h.old, h.new, number) for h in found.hunks]
    try:
        return Changed(FileState(mode, b"".join(splice(lines, placed))), grade, tuple(notes))
    except ValueError:
        return Problem("two of its hunks change the same lines")


def _stated(hunk: PatchHunk) -> int:
    """0-based index of the first old line; without old lines git counts the line before."""
    return (hunk.old_start or 0) - (1 if hunk.old else 0)


def _edges(hunk: PatchHunk) -> tuple[bool, bool]:
    """Whether it must stand at the beginning, at the end of the file: lines come in there, and nothing but an edge
    is on the other side of them. Without any context nothing is said: the patch may have been made so."""
    kinds = [line.kind for line in hunk.lines]
    if LineKind.CONTEXT not in kinds:
        return False, False
    above = kinds[: kinds.index(LineKind.CONTEXT)]
    below = kinds[len(kinds) - kinds[::-1].index(LineKind.CONTEXT) :]
    begins = bool(above) and LineKind.OLD not in above and (hunk.old_start or 1) <= 1
    return begins, bool(below) and LineKind.OLD not in below


def _exactly(
    places: _Places, hunk: PatchHunk, edges: tuple[bool, bool], drift: int, *, exact_base: bool, trusted: bool
) -> int | list[int]:
    """Where the hunk stands, byte for byte; else all places it could. The hunk before it was off by `drift` lines.

    The line number of a model counts only where the quotation is long enough not to fit there by chance.
    """
    old, stated, lines = hunk.old, _stated(hunk), places.lines
    if not old:
        numbered = exact_base and hunk.old_start is not None and stated <= len(lines)
        return stated if numbered else [] if lines else 0
    if any(edges):
        at = 0 if edges[0] else len(lines) - len(old)
        fits = places.has(old, at) and (not all(edges) or len(lines) == len(old))
        return at if fits else []
    if hunk.old_start is None:
        return places.of(old)
    if drift and len(old) > 1 and places.has(old, stated + drift):
        return stated + drift
    if places.has(old, stated) and (trusted or sum(bool(line.strip()) for line in old) >= SURE_LINES):
        return stated
    found = places.of(old)
    return found[0] if len(found) == 1 else found


def _as_the_next(
    places: _Places, hunk: PatchHunk, following: Sequence[PatchHunk], found: list[int]
) -> int | list[int]:
    """The place of a hunk with several that is as far off as the next one with a single place; else all of them."""
    for other in following:
        alone = places.of(other.old) if other.old and other.old_start is not None else []
        if len(alone) == 1:
            at = _stated(hunk) + alone[0] - _stated(other)
            return at if hunk.old_start is not None and places.has(hunk.old, at) else found
    return found


class _Places:
    """Where lines stand in a file; it is read once for all hunks."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    @cached_property
    def _index(self) -> dict[bytes, list[int]]:
        index: dict[bytes, list[int]] = {}
        for at, line in enumerate(self.lines):
            index.setdefault(line, []).append(at)
        return index

    def has(self, old: Lines, at: int) -> bool:
        return at >= 0 and self.lines[at : at + len(old)] == old

    def of(self, old: Lines) -> list[int]:
        """The first places of `old`, by its rarest line."""
        rarest = min(range(len(old)), key=lambda number: len(self._index.get(old[number], ())))
        starts = (at - rarest for at in self._index.get(old[rarest], ()) if at >= rarest)
        found = (at for at in starts if self.lines[at : at + len(old)] == old)
        return list(islice(found, MAX_PLACES))


def _why(places: Sequence[int], edges: tuple[bool, bool]) -> str:
    if any(edges):
        return f"its lines are not at the {'beginning' if edges[0] else 'end'} of the file"
    if not places:
        return "these lines are not in the file as the patch quotes them"
    return f"its lines stand at several places: {', '.join(str(at + 1) for at in places)}"


def _texts(lines: Lines) -> list[str]:
    return [name_from_bytes(line).removesuffix("\n").removesuffix("\r") for line in lines]


def _loosely(document: Document, hunk: PatchHunk) -> Found:
    old, new = _texts(hunk.old), _texts(hunk.new)
    if not any(line.strip() for line in old):
        return _appended(document, hunk, new)
    found = find(document, old, new)
    if isinstance(found, Ambiguous) and (region := _told(document, hunk, len(old))):
        narrowed = find(document, old, new, region)
        known = isinstance(narrowed, Located) and narrowed.start in found.candidates
        return narrowed if known else found
    if isinstance(found, Missing):
        return find_with_gaps(document, [(line.kind, text) for line, text in _both(hunk)]) or found
    return found


def _told(document: Document, hunk: PatchHunk, length: int) -> tuple[int, int] | None:
    """Which of several places the hunk means: by its line number, its end mark or its anchor."""
    if hunk.old_start is not None:
        if sum(bool(line.strip()) for line in hunk.old) < SURE_LINES:
            return None
        return max(0, _stated(hunk)), max(0, _stated(hunk)) + length
    if hunk.at_end:
        return max(0, len(document.texts) - length), len(document.texts)
    return _region(document.texts, _texts(tuple(hunk.section.split(b"\n")))) if hunk.section else None


def _both(hunk: PatchHunk) -> list[tuple[PatchLine, str]]:
    return [(line, _texts((line.data,))[0]) for line in hunk.lines]


def _appended(document: Document, hunk: PatchHunk, new: Sequence[str]) -> Found:
    """Lines without any context go to the end where the hunk says so, and nowhere else."""
    end = len(document.texts)
    if not (hunk.at_end or end == 0):
        return Missing()
    return Located(end, end, Grade.EXACT, document.replace(end, end, list(new)))


def _region(texts: Sequence[str], anchors: Sequence[str]) -> tuple[int, int] | None:
    """The block under the anchor lines: to the next line that is not indented deeper. Each must occur once."""
    low, high = 0, len(texts)
    for anchor in anchors:
        said = anchor.strip()
        fits = [at for at in range(low, high) if texts[at].strip() == said]
        fits = fits or [at for at in range(low, high) if said and texts[at].strip().startswith(said)]
        if len(fits) != 1:
            return None
        start = fits[0]
        depth = len(texts[start]) - len(texts[start].lstrip())
        low, end = start, start + 1
        while end < high and (not texts[end].strip() or len(texts[end]) - len(texts[end].lstrip()) > depth):
            end += 1
        high = end
    return low, high
