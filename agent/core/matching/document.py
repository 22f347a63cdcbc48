"""A text file as lines to be looked at, each with the bytes that it is.

Promises that lines nobody changed keep their bytes, and that new ones get the file's encoding, line ending, byte
order mark and missing final newline.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core.hunk import Hunk
from agent.core.lines.splice import diff
from agent.core.text import UTF8, Encoding, Lines, encode_line, facts, line_text, split_lines

MARK = "\ufeff"


class Unwritable(Exception):
    """A new line has a character that the file's encoding lacks. Never leaves the matcher."""

    def __init__(self, char: str, codec: str) -> None:
        super().__init__(char, codec)
        self.char = char
        self.codec = codec


class Document:
    """A text file: `lines` as bytes, `texts` the same without endings and byte order mark."""

    def __init__(self, data: bytes, encoding: Encoding, eol: str) -> None:
        self.encoding = encoding
        self.eol = eol
        self.lines: Lines = split_lines(data, encoding)
        self.texts = [line_text(line, encoding) for line in self.lines]
        self._mark = MARK if encoding.bom else ""
        if self._mark and self.texts:
            self.texts[0] = self.texts[0].removeprefix(MARK)

    @classmethod
    def of(cls, data: bytes) -> Document | None:
        """None for a binary file."""
        known = facts(data)
        return cls(data, known.encoding, known.eol) if known else None

    @classmethod
    def empty(cls) -> Document:
        return cls(b"", UTF8, "\n")

    def ending(self, at: int) -> str:
        """The line ending that a new line at index `at` gets: that of its neighbour."""
        for index in (at, at - 1):
            if 0 <= index < len(self.lines):
                line = self.lines[index].decode(self.encoding.codec, "replace")
                if line.endswith("\n"):
                    return "\r\n" if line.endswith("\r\n") else "\n"
        return self.eol

    @property
    def final_newline(self) -> bool:
        return not self.lines or self.lines[-1].endswith(self.encoding.newline)

    def encode(self, text: str) -> bytes:
        """Raises Unwritable."""
        try:
            return encode_line(text, self.encoding)
        except UnicodeEncodeError as error:
            raise Unwritable(error.object[error.start], self.encoding.codec) from None

    def replace(
        self, start: int, end: int, new: Sequence[str | int], final_newline: bool | None = None
    ) -> tuple[Hunk, ...]:
        """Hunks that put `new` in the place of lines `start` to `end`: texts, or indices of lines to keep.

        `final_newline` says how the file ends when its end is replaced; None: as it did. Raises Unwritable.
        """
        if start == 0 and self._mark and not new and end < len(self.lines):
            new, end = [end], end + 1
        if start == len(self.lines) > 0 and not self.final_newline and new:
            start, new = start - 1, [start - 1, *new]
        out: list[bytes] = []
        for item in new:
            if isinstance(item, int):
                out.append(self.lines[item])
            else:
                out.append(self.encode(item + self.ending(start + len(out))))
        if start == 0 and self._mark:
            self._remark(out, new)
        if end == len(self.lines):
            self._finish(out, start, self.final_newline if final_newline is None else final_newline)
        return tuple(
            Hunk(start + hunk.start, hunk.old, hunk.new) for hunk in diff(self.lines[start:end], tuple(out))
        )

    def _remark(self, out: list[bytes], new: Sequence[str | int]) -> None:
        """The byte order mark stays at the start, whichever line is first now."""
        for index, item in enumerate(new):
            if item == 0 and index > 0:
                out[index] = out[index].removeprefix(self.encoding.bom)
        if out and not out[0].startswith(self.encoding.bom):
            out[0] = self.encoding.bom + out[0]

    def _finish(self, out: list[bytes], start: int, newline: bool) -> None:
        """Inner lines end in a newline, the last one as `newline` says."""
        ended = self.encoding.newline
        for index, line in enumerate(out):
            if index < len(out) - 1 and not line.endswith(ended):
                out[index] = line + self.encode(self.ending(start))
        if out and newline and not out[-1].endswith(ended):
            out[-1] += self.encode(self.ending(start))
        if out and not newline:
            out[-1] = out[-1].removesuffix(ended).removesuffix("\r".encode(self.encoding.codec))
