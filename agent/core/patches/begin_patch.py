"""Read `*** Begin Patch` blocks: the format that several models were trained to edit with.

Files are `*** Add File:`, `*** Update File:` (perhaps with `*** Move to:`) and `*** Delete File:`; hunks have no
numbers but may name the line they stand under behind `@@`. Ends in the same values as `unified`.
"""

from __future__ import annotations

import re

from agent.core.patches.patch import FilePatch, LineKind, Patch, PatchError, PatchHunk, PatchLine

_FILE = re.compile(r"\*\*\* (Add|Update|Delete|Create|Modify) File: ?(.+)", re.I)
_MOVE = re.compile(r"\*\*\* Move(?:d)? (?:to|File to): ?(.+)", re.I)
_OUTSIDE = ("*** Begin Patch", "*** End Patch", "```", "~~~")


def is_begin_patch(text: str) -> bool:
    """True when a line opens such a block or one of its files."""
    return re.search(r"^\s*\*\*\* (?:Begin Patch|(?:Add|Update|Delete) File:)", text, re.M) is not None


def parse_begin_patch(text: str) -> Patch | PatchError:
    """All files of all blocks in `text`; what stands outside is passed over."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    reader = _Reader(lines)
    return reader.patch()


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0

    def patch(self) -> Patch | PatchError:
        files: list[FilePatch] = []
        while self.at < len(self.lines):
            match = _FILE.match(self.lines[self.at].strip())
            self.at += 1
            if match is None:
                continue
            read = self._file(match[1].lower(), match[2].strip().strip("`\"'"))
            if isinstance(read, PatchError):
                return read
            files.append(read)
        if not files:
            return PatchError(1, ascii(self.lines[0][:60]), "`*** Update File: path`")
        return Patch(tuple(files))

    def _file(self, verb: str, path: str) -> FilePatch | PatchError:
        start = self.at
        if verb == "delete":
            return FilePatch(path, None)
        if verb in ("add", "create"):
            return self._added(path)
        target = path
        if self.at < len(self.lines) and (move := _MOVE.match(self.lines[self.at].strip())):
            target = move[1].strip().strip("`\"'")
            self.at += 1
        hunks = self._hunks()
        if isinstance(hunks, PatchError):
            return hunks
        if not hunks and target == path:
            return PatchError(start, "no hunk", "lines starting with ` `, `+` or `-`")
        return FilePatch(path, target, hunks, rename=target != path)

    def _ends(self) -> bool:
        line = self.lines[self.at]
        return line.startswith(_OUTSIDE) or (line.startswith("*** ") and not line.startswith("*** End of"))

    def _added(self, path: str) -> FilePatch | PatchError:
        body: list[str] = []
        while self.at < len(self.lines) and not self._ends():
            line = self.lines[self.at]
            if not line.startswith("+"):
                if line.strip() and not line.startswith("***"):
                    return PatchError(self.at + 1, ascii(line[:60]), "`+` before each line of a new file")
                if not self._more_added():
                    self.at += 1
                    continue
            body.append(line[1:])
            self.at += 1
        data = tuple(PatchLine(LineKind.NEW, _bytes(line)) for line in body)
        return FilePatch(None, path, (PatchHunk(data),) if data else ())

    def _more_added(self) -> bool:
        """A blank line inside a new file that lost its `+`, not one behind it."""
        following = self.lines[self.at + 1 : self.at + 2]
        return bool(following and following[0].startswith("+"))

    def _hunks(self) -> tuple[PatchHunk, ...] | PatchError:
        hunks: list[PatchHunk] = []
        anchors: list[str] = []
        lines: list[PatchLine] = []
        at_end = False

        def close() -> None:
            while lines and lines[-1].kind is LineKind.CONTEXT and not lines[-1].data.strip():
                lines.pop()
            if lines:
                section = "\n".join(anchors).encode("utf-8", "surrogatepass")
                hunks.append(PatchHunk(tuple(lines), section=section, at_end=at_end))
                anchors.clear()
            lines.clear()

        while self.at < len(self.lines) and not self._ends():
            line = self.lines[self.at]
            if line.startswith("@@"):
                close()
                at_end = False
                anchor = line[2:].strip().removesuffix("@@").strip()
                anchors += [anchor] if anchor else []
            elif line.strip() == "*** End of File":
                at_end = True
                close()
            else:
                kind = {"+": LineKind.NEW, "-": LineKind.OLD}.get(line[:1], LineKind.CONTEXT)
                lines.append(PatchLine(kind, _bytes(line[1:] if line[:1] in ("+", "-", " ") else line)))
            self.at += 1
        close()
        return tuple(hunks)


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogatepass") + b"\n"
