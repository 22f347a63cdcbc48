"""Bytes and lines as they are: digest, encoding, line endings, and names of files as text.

Nothing here normalises. `Lines` concatenated are the file again, byte for byte; the text of a line is only
for looking at. Lines end at LF only: CR, U+2028, U+0085, form feed and others stay inside a line.
"""

from __future__ import annotations

import codecs
import hashlib
import io
from collections import Counter

import msgspec

Lines = tuple[bytes, ...]
"""Lines of a file with their endings; `b"".join(lines)` is the file."""

BOM_UTF8 = codecs.BOM_UTF8
BOMS_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

MARKS = (BOM_UTF8, *(bom for bom, _ in BOMS_UTF16))


class Encoding(msgspec.Struct, frozen=True):
    """How the bytes of a text file are read: a Python codec name and the byte order mark it starts with."""

    codec: str = "utf-8"
    bom: bytes = b""

    @property
    def newline(self) -> bytes:
        """LF in this encoding."""
        return "\n".encode(self.codec)


UTF8 = Encoding()


class Facts(msgspec.Struct, frozen=True):
    """What a new line of this file must look like, so that it fits the lines that are there."""

    encoding: Encoding
    eol: str
    """`"\\n"` or `"\\r\\n"`: the more frequent one; `"\\n"` for a file without line endings."""
    mixed_eol: bool
    final_newline: bool
    tabs: bool
    """True when more lines are indented by tabs than by spaces."""


def digest(data: bytes) -> str:
    """SHA-256 of `data`, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sniff(data: bytes) -> Encoding | None:
    """The encoding of a text file; None for a binary one.

    Only a byte order mark makes a file UTF-16; bytes that are not UTF-8 are read as latin-1 when nothing in
    them looks binary. Like git, a NUL in the first 8,000 bytes makes a file binary.
    """
    if data.isascii() and b"\0" not in data:
        return UTF8
    for bom, codec in BOMS_UTF16:
        if data.startswith(bom) and not data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            try:
                text = data.decode(codec)
            except UnicodeDecodeError:
                return None
            return Encoding(codec, bom) if "\0" not in text else None
    if b"\0" in data[:8000]:
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return Encoding("latin-1")
    return Encoding("utf-8", BOM_UTF8) if data.startswith(BOM_UTF8) else UTF8


def indentation(line: bytes) -> int:
    """Columns of blanks that a line begins with; a tab reaches to the next fourth column."""
    blanks = line[: len(line) - len(line.lstrip())]
    return len(blanks.expandtabs(4)) if b"\t" in blanks else len(blanks)


def split_lines(data: bytes, encoding: Encoding | None = UTF8) -> Lines:
    """`data` cut after each LF. A binary file (encoding None) is one line; an empty file has none."""
    if not data:
        return ()
    if encoding is None:
        return (data,)
    if encoding.codec.startswith("utf-16"):
        parts = data.decode(encoding.codec).split("\n")
        whole = [f"{part}\n".encode(encoding.codec) for part in parts[:-1]]
        return (*whole, parts[-1].encode(encoding.codec)) if parts[-1] else tuple(whole)
    return tuple(io.BytesIO(data))


def in_utf8(lines: Lines) -> Lines:
    """All lines of a text in UTF-16 without its mark as UTF-8, one for one; others as they are.

    What looks for ASCII would find halves of characters in UTF-16, LF among them.
    """
    bom, codec = next((found for found in BOMS_UTF16 if lines and lines[0].startswith(found[0])), (b"", ""))
    if not bom:
        return lines
    whole = (lines[0].removeprefix(bom), *lines[1:])
    return tuple(line.decode(codec, "replace").encode("utf-8") for line in whole)


def has_end(line: bytes) -> bool:
    """True when a line ends with LF, also in UTF-16: it is not the last of a file without a final newline."""
    return line.endswith((b"\n", b"\n\0"))


def are_marked(one: Lines, other: Lines) -> bool:
    """True when both of these begin with a byte order mark."""
    return all(lines and lines[0].startswith(MARKS) for lines in (one, other))


def line_text(line: bytes, encoding: Encoding = UTF8) -> str:
    """The text of a line without its ending (LF or CR LF), undecodable bytes as surrogates."""
    text = line.decode(encoding.codec, "surrogateescape" if encoding.codec == "utf-8" else "replace")
    return text.removesuffix("\n").removesuffix("\r")


def encode_line(text: str, encoding: Encoding = UTF8) -> bytes:
    """The inverse of `line_text` for a text that carries its own ending. Raises UnicodeEncodeError."""
    return text.encode(encoding.codec, "surrogateescape" if encoding.codec == "utf-8" else "strict")


def facts(data: bytes) -> Facts | None:
    """Line endings, indentation and encoding of a text file; None for a binary one."""
    encoding = sniff(data)
    if encoding is None:
        return None
    lines = split_lines(data, encoding)
    texts = [line.decode(encoding.codec, "replace") for line in lines]
    crlf = sum(text.endswith("\r\n") for text in texts)
    ended = sum(text.endswith("\n") for text in texts)
    indents = Counter(text[0] for text in texts if text[:1] in (" ", "\t"))
    return Facts(
        encoding=encoding,
        eol="\r\n" if crlf * 2 > ended else "\n",
        mixed_eol=0 < crlf < ended,
        final_newline=not texts or texts[-1].endswith("\n"),
        tabs=indents["\t"] > indents[" "],
    )


def name_from_bytes(raw: bytes) -> str:
    """A path as git gives it (bytes, `/` between components) as text; undecodable bytes as surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def name_to_bytes(name: str) -> bytes:
    """The inverse of `name_from_bytes`."""
    return name.encode("utf-8", "surrogateescape")


def folders(path: str) -> list[str]:
    """All folders above a path, from the top."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def whole_number(words: str) -> int | None:
    """A number that a person typed in decimal digits; None for all else, and for more digits than any number here has."""
    words = words.strip()
    return int(words) if words.isdecimal() and len(words) <= 18 else None
