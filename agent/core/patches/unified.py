"""Read unified diffs: git's full language, and what models write for it. Bytes in, values out.

Promises: never raises, linear time, names and contents that are not UTF-8 survive, nothing is dropped in silence
that looks like a change. A hunk whose numbers are missing or wrong is kept without them: it must then be found by
its text. Fences, mail headers and other text around the patch are passed over.
"""

from __future__ import annotations

import re
from functools import cached_property

from msgspec.structs import replace

from agent.core.patches.mail import decoded
from agent.core.patches.patch import BinaryPatch, FilePatch, LineKind, Patch, PatchError, PatchHunk, PatchLine
from agent.core.patches.patch_binary import read_binary
from agent.core.patches.patch_headers import (
    PREFIXES,
    Header,
    split_git_names,
    strip_names,
    tops_apart,
    unquote_line,
)
from agent.core.patches.patch_print import print_patch, print_writes
from agent.core.text import name_to_bytes, split_lines

__all__ = ["parse", "print_patch", "print_writes"]

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.S)
_FENCE = re.compile(rb"(?:```|~~~)")
"""Only at the start of a line: a blank before it makes it context."""

_EPOCH = re.compile(rb"\t(?:(?:1970-01-01|1969-12-31)[ T]|\(nonexistent\)|\(revision 0\))")
"""How `diff -N` dates a file that is not there, and how Subversion marks it."""

_KINDS = {b" ": LineKind.CONTEXT, b"-": LineKind.OLD, b"+": LineKind.NEW}
_NO_NEWLINE = b"\\"

_EATEN = (b"\n", b"\r\n")
"""Lines of context that lost the blank in front of them; those that begin with a tab did too."""

MAX_SHOWN = 60


def parse(x: bytes, *, lenient: bool = False) -> Patch | PatchError:
    """The files of a patch. `lenient`: a model wrote it, so a git diff may have wrong counts at its end too."""
    lines = split_lines(x if lenient else decoded(x))
    if all(line.endswith(b"\r\n") for line in lines):
        # The text of the patch was converted, not the lines of a file: its headers have such ends too.
        lines = tuple([line.removesuffix(b"\r\n") + b"\n" for line in lines])
    return _Reader(lines, lenient).patch()


class _Stop(Exception):
    def __init__(self, error: PatchError) -> None:
        super().__init__(error)
        self.error = error


class _Reader:
    """One pass over the lines of a patch; `at` is the line to be read next."""

    def __init__(self, lines: tuple[bytes, ...], lenient: bool) -> None:
        self.lines = lines
        self.lenient = lenient
        self.at = 0
        self.tops: set[bytes] = set()
        """First folders of plain names that were taken off because the two of a pair differ in nothing else."""

    def patch(self) -> Patch | PatchError:
        files: list[FilePatch] = []
        try:
            while self.at < len(self.lines):
                line = self.line()
                if line.startswith(b"diff --git "):
                    files.append(self._git_file())
                elif self._at_names() and self._is_quoted():
                    self.at += 2
                elif self._at_names():
                    files.append(self._plain_file())
                elif _HUNK.fullmatch(line):
                    raise self.stop("`--- path` and `+++ path` before the hunk")
                elif files and not self.lenient and not self._is_ended() and b"diff --git ".startswith(line):
                    raise self.stop("the names of the next file: the patch is cut off")
                else:
                    self.at += 1
        except _Stop as stop:
            return stop.error
        if not files:
            return PatchError(1, _shown(self.lines[0]) if self.lines else "nothing", "a unified diff")
        return Patch(tuple(self._one_sided(file) for file in files))

    def line(self, ahead: int = 0) -> bytes:
        """A line without its ending; empty behind the end."""
        at = self.at + ahead
        return self.lines[at].removesuffix(b"\n").removesuffix(b"\r") if at < len(self.lines) else b""

    def stop(self, expected: str) -> _Stop:
        found = _shown(self.lines[self.at]) if self.at < len(self.lines) else "the end"
        return _Stop(PatchError(self.at + 1, found, expected))

    def _at_names(self, ahead: int = 0) -> bool:
        return self.line(ahead).startswith(b"--- ") and self.line(ahead + 1).startswith(b"+++ ")

    def _is_quoted(self) -> bool:
        """True for names without a hunk in the text of a mail, before the diff itself."""
        mail = self.lines[0].startswith(b"From ") and not self.lenient
        return mail and not self.line(2).startswith(b"@@") and self._last_git >= self.at

    @cached_property
    def _last_git(self) -> int:
        """Where the last `diff --git` is; -1 when there is none."""
        found = (at for at in reversed(range(len(self.lines))) if self.lines[at].startswith(b"diff --git "))
        return next(found, -1)

    def _git_file(self) -> FilePatch:
        header = Header(split_git_names(self.line()[len(b"diff --git ") :]))
        start = self.at
        self.at += 1
        while header.take(self.line()):
            self.at += 1
        if self._at_names():
            header.names(unquote_line(self.line()[4:]), unquote_line(self.line(1)[4:]))
            self.at += 2
            hunks = self._hunks(git=True)
            if not hunks:
                raise self.stop("a hunk (`@@ -1,2 +1,2 @@`)")
            return header.file(hunks)
        binary = self._binary()
        if not header.known:
            self.at = start
            raise self.stop("two names that can be told apart")
        if binary is None and not self.lenient:
            self._check_whole(header, start)
        return header.file((), binary)

    def _check_whole(self, header: Header, start: int) -> None:
        """A header without contents says a mode, a new name or an empty file; one that was cut off says less."""
        over = self.at >= len(self.lines) or (self.at == len(self.lines) - 1 and not self._is_ended())
        if self.line().startswith(b"--- ") or (over and not self._is_ended()):
            raise self.stop("the rest of the header: the patch is cut off")
        if header.wants_content or (not header.says and (over or header.moves)):
            self.at = start
            raise self.stop("what happens to the file: the patch is cut off")

    def _is_ended(self) -> bool:
        return self.lines[-1].endswith(b"\n")

    def _binary(self) -> BinaryPatch | None:
        if self.line() != b"GIT binary patch" and not self.line().startswith(b"Binary files "):
            return None
        read = read_binary(self.lines, self.at)
        if isinstance(read, PatchError):
            raise _Stop(read)
        self.at = read.next
        return read.patch

    def _plain_file(self) -> FilePatch:
        raw = unquote_line(self.line()[4:]), unquote_line(self.line(1)[4:])
        old, new = strip_names(*raw)
        self.tops |= tops_apart(*raw) - set(PREFIXES)
        nothing = [_EPOCH.search(self.line(ahead)) is not None for ahead in (0, 1)]
        self.at += 2
        hunks = self._hunks(git=False)
        if len(hunks) == 1 and new is not None and nothing[0] and not hunks[0].old:
            old = None
        elif len(hunks) == 1 and old is not None and nothing[1] and not hunks[0].new:
            new = None
        if not hunks or (old is None and new is None):
            raise self.stop("a hunk (`@@ -1,2 +1,2 @@`)")
        return FilePatch(old, new, hunks)

    def _one_sided(self, file: FilePatch) -> FilePatch:
        """A plain file that comes or goes, without the first folder that the pairs of this patch have for show."""
        top, _, rest = file.path.partition("/")
        if file.git or None not in (file.old_path, file.new_path) or name_to_bytes(top) not in self.tops:
            return file
        return replace(file, old_path=file.old_path and rest, new_path=file.new_path and rest)

    def _hunks(self, *, git: bool) -> tuple[PatchHunk, ...]:
        hunks: list[PatchHunk] = []
        if not git and not self.line().startswith(b"@@") and self.line()[:1] in _KINDS:
            hunks.append(self._loose(b""))
        while self.line().startswith(b"@@"):
            if self.line().startswith(b"@@@"):
                raise self.stop("a diff against one parent; this is a combined diff of a merge")
            header = _HUNK.fullmatch(self.line())
            start, clean = self.at, not self.lines[self.at].endswith(b"\r\n")
            self.at += 1
            hunk = self._counted(header) if header and clean else None
            if hunk is None and header and clean and not self.lenient:
                raise self.stop("as many lines as the numbers of the hunk say: the patch is damaged")
            if hunk is None:
                section = header[5] if header else self.lines[start].strip()[2:].strip().removesuffix(b"@@")
                self.at = start + 1
                hunk = self._loose(section.strip())
                if git and not self.lenient and self.at >= len(self.lines):
                    raise self.stop("the rest of the hunk: its counts say that lines are missing")
            hunks.append(hunk)
        return tuple(hunk for hunk in hunks if hunk.lines)

    def _counted(self, header: re.Match[bytes]) -> PatchHunk | None:
        """A hunk as long as its header says; None when the counts are not right."""
        old = int(header[2]) if header[2] is not None else 1
        new = int(header[4]) if header[4] is not None else 1
        lines: list[PatchLine] = []
        while old > 0 or new > 0:
            kind = self._kind()
            if kind is None:
                return None
            old -= kind is not LineKind.NEW
            new -= kind is not LineKind.OLD
            lines.append(self._body(kind))
        while not self.lenient and self.line()[:1] == b" ":
            self.at += 1  # context behind the end changes nothing
        if old or new or self._goes_on():
            return None
        return PatchHunk(tuple(lines), int(header[1]), int(header[3]), header[5])

    def _kind(self) -> LineKind | None:
        if self.at >= len(self.lines):
            return None
        if self.lines[self.at] in _EATEN or self.lines[self.at].startswith(b"\t"):
            return LineKind.CONTEXT
        return _KINDS.get(self.lines[self.at][:1])

    def _body(self, kind: LineKind) -> PatchLine:
        raw = self.lines[self.at]
        data = raw if raw in _EATEN or raw.startswith(b"\t") else raw[1:]
        if kind is not LineKind.CONTEXT and not raw.endswith(b"\n") and not self.lenient:
            raise self.stop("the end of the line: the patch is cut off")
        data = data if data.endswith(b"\n") else data + b"\n"
        self.at += 1
        if self.line().startswith(_NO_NEWLINE):
            self.at += 1
            data = data.removesuffix(b"\n")
        return PatchLine(kind, data)

    def _goes_on(self) -> bool:
        """True when more of a hunk follows: its counts were too small. `-- ` is the signature of a mail."""
        if self.line().rstrip() == b"--" or self._at_names() or _FENCE.match(self.line()):
            return False
        return self.line()[:1] in _KINDS

    def _loose(self, section: bytes) -> PatchHunk:
        """A hunk up to the next thing that is none; lines that lost their blank in front are context."""
        lines: list[PatchLine] = []
        while self.at < len(self.lines) and not self._ends_loose():
            kind = self._kind()
            if kind is None and self.line().startswith(_NO_NEWLINE):
                self.at += 1
                continue
            if kind is None:
                lines.append(PatchLine(LineKind.CONTEXT, self.line() + b"\n"))
                self.at += 1
            else:
                line = self._body(kind)
                lines.append(PatchLine(kind, line.data.replace(b"\r\n", b"\n")))
        while lines and lines[-1].kind is LineKind.CONTEXT and not lines[-1].data.strip():
            lines.pop()
        return PatchHunk(tuple(lines), section=section)

    def _ends_loose(self) -> bool:
        line = self.line()
        if line.startswith((b"@@", b"diff --git ", b"*** ", b"Index: ")) or _FENCE.match(line):
            return True
        return self._at_names() or (line.rstrip() == b"--" and self.at + 3 >= len(self.lines))


def _shown(line: bytes) -> str:
    return ascii(line[:MAX_SHOWN].decode("utf-8", "replace").rstrip("\r\n"))
