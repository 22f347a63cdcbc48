"""The same patch of a file in another form: taken back, in part, or with Windows line ends."""

from __future__ import annotations

import msgspec

from agent.core.hunk import FileState
from agent.core.patches.patch import BinaryPatch, FilePatch, LineKind, PatchHunk, PatchLine
from agent.core.patches.patch_apply import Problem, apply_to

MAX_TRIED = 200
"""Hunks of one file that are tried one by one."""


def with_crlf(file: FilePatch) -> FilePatch:
    """`file` with Windows line ends in all lines that have an end."""
    hunks = tuple(
        msgspec.structs.replace(hunk, lines=tuple(map(_with_crlf, hunk.lines))) for hunk in file.hunks
    )
    return msgspec.structs.replace(file, hunks=hunks)


def has_old_crlf(file: FilePatch) -> bool:
    """True when a line that is in the file already ends as on Windows."""
    lines = (line for hunk in file.hunks for line in hunk.lines if line.kind is not LineKind.NEW)
    return any(line.data.endswith(b"\r\n") for line in lines)


def _with_crlf(line: PatchLine) -> PatchLine:
    plain = line.data.endswith(b"\n") and not line.data.endswith(b"\r\n")
    return msgspec.structs.replace(line, data=line.data[:-1] + b"\r\n") if plain else line


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


def before_some(file: FilePatch, state: FileState) -> FileState | None:
    """The file as it was before some hunks of `file`, which are in `state` while the others fit it; else None."""
    if not 1 < len(file.hunks) <= MAX_TRIED or file.old_path is None or file.new_path is None:
        return None
    base = state
    for hunk in file.hunks:
        one = FilePatch(file.new_path, file.new_path, (hunk,), git=file.git)
        if isinstance(apply_to(one, base, lenient=False), Problem):
            back = apply_to(turned(one), base, lenient=False)
            if isinstance(back, Problem) or back.state is None:
                return None
            base = back.state
    return base if base != state else None
