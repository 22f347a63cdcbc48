"""Names and extended headers of git's diffs. Source: git-diff(1), git's apply.c and quote.c."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from agent.core.patches.blob_names import EMPTY_BLOBS
from agent.core.patches.patch import BinaryPatch, FilePatch, PatchHunk
from agent.core.text import name_from_bytes, name_to_bytes

_ESCAPE = re.compile(rb"\\([0-3][0-7][0-7]|.)", re.S)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
PREFIXES = (b"a", b"b", b"i", b"w", b"c", b"o", b"1", b"2")
_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{5,6}))?")
_NEEDS_QUOTES = re.compile(rb'[\x00-\x1f"\\\x7f-\xff]')


def unquote(raw: bytes) -> bytes:
    """The bytes between C-style quotes."""

    def one(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8)]) if len(code) == 3 else _LETTERS.get(code, code)

    return _ESCAPE.sub(one, raw)


@lru_cache(maxsize=1024)
def quote(name: str, prefix: bytes = b"") -> bytes:
    """A path as git writes it, in quotes where it needs them."""
    raw = prefix + name_to_bytes(name)
    if not _NEEDS_QUOTES.search(raw):
        return raw
    letters = {value[0]: b"\\" + key for key, value in _LETTERS.items()}
    letters |= {ord('"'): b'\\"', ord("\\"): b"\\\\"}
    return b'"' + _NEEDS_QUOTES.sub(lambda m: letters.get(m[0][0], b"\\%03o" % m[0][0]), raw) + b'"'


def unquote_line(raw: bytes) -> bytes:
    """The name in a `---` or `+++` line: quoted, or up to the tab before a time stamp."""
    if match := _QUOTED.match(raw):
        return unquote(match[1])
    return raw.partition(b"\t")[0].rstrip(b"\r")


def split_git_names(raw: bytes) -> tuple[bytes, bytes] | None:
    """Both names of a `diff --git` line; None when it cannot be told where the first one ends."""
    if match := _QUOTED.match(raw):
        rest = raw[match.end() :].lstrip(b" ")
        other = _QUOTED.fullmatch(rest)
        return unquote(match[1]), unquote(other[1]) if other else rest
    if raw.endswith(b'"') and (at := raw.find(b' "')) > 0 and (other := _QUOTED.fullmatch(raw[at + 1 :])):
        return raw[:at], unquote(other[1])
    half = len(raw) // 2
    if raw[half : half + 1] == b" ":
        first, second = raw[:half], raw[half + 1 :]
        if _bare(first) == _bare(second) or first.partition(b"/")[2] == second.partition(b"/")[2] != b"":
            return first, second
    parts = raw.split(b" ")
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _bare(raw: bytes) -> bytes:
    head, slash, rest = raw.partition(b"/")
    return rest if slash and head in PREFIXES else raw


def strip_names(old: bytes, new: bytes) -> tuple[str | None, str | None]:
    """Both names without `a/` and `b/`, or other first folders that are all they differ in; None for `/dev/null`."""
    pair = [None if raw == b"/dev/null" else raw for raw in (old, new)]
    heads = [raw.partition(b"/")[0] for raw in pair if raw is not None]
    known = all(head in PREFIXES for head in heads) and all(b"/" in raw for raw in pair if raw is not None)
    same = len(set(heads)) < len(heads)
    if tops_apart(old, new) or (known and heads and not (same and heads[0] not in (b"a", b"b"))):
        pair = [raw and raw.partition(b"/")[2] for raw in pair]
    first, second = (None if raw is None else name_from_bytes(raw) for raw in pair)
    return first, second


def tops_apart(old: bytes, new: bytes) -> set[bytes]:
    """The first folders of two names that differ in nothing else; of others none."""
    (first, _, one), (second, _, other) = old.partition(b"/"), new.partition(b"/")
    return {first, second} if first != second and one == other != b"" and first != b"" != second else set()


def _is_one_sided(names: tuple[bytes, bytes], old: bytes, new: bytes) -> bool:
    """True when a file comes or goes that both names of `diff --git` name too."""
    null = b"/dev/null"
    return (old == null and new == names[1]) or (new == null and old == names[0])


class Header:
    """The extended header of one file, line by line."""

    def __init__(self, names: tuple[bytes, bytes] | None) -> None:
        self._raw = names
        self._bare = names is not None and names[0] == names[1]
        """Git's two prefixes differ: the same name twice has none."""
        self._old, self._new = self._stripped(*names) if names else (None, None)
        self.known = names is not None
        self._modes: list[int | None] = [None, None]
        self._blobs = ("", "")
        self._rename = self._copy = False
        self._similarity: int | None = None

    @property
    def says(self) -> bool:
        """True when it alone changes something: a mode, a name, an empty file that comes or goes."""
        gone = self._old is None or self._new is None
        return gone or self._rename or self._copy or self._modes[0] != self._modes[1]

    @property
    def moves(self) -> bool:
        """True when both names differ."""
        return self._old != self._new

    @property
    def wants_content(self) -> bool:
        """True when the `index` line names contents that differ, and not just those of an empty file."""
        old, new = self._blobs
        return old != new and any(
            blob.strip("0") and not any(empty.startswith(blob) for empty in EMPTY_BLOBS)
            for blob in (old, new)
        )

    def take(self, line: bytes) -> bool:
        """Read one line; False when it is none of the header."""
        if match := _INDEX.fullmatch(line):
            self._blobs = (match[1].decode(), match[2].decode())
            if match[3]:
                self._modes = [int(match[3], 8)] * 2
            return True
        for start, action in self._actions():
            if line.startswith(start):
                return action(line[len(start) :])
        return False

    def _actions(self) -> tuple[tuple[bytes, Callable[[bytes], bool]], ...]:
        return (
            (b"old mode ", lambda rest: self._mode(rest, 0)),
            (b"new mode ", lambda rest: self._mode(rest, 1)),
            (b"new file mode ", lambda rest: self._absent(0) and self._mode(rest, 1)),
            (b"deleted file mode ", lambda rest: self._absent(1) and self._mode(rest, 0)),
            (b"rename from ", lambda rest: self._move(rest, 0, copy=False)),
            (b"rename to ", lambda rest: self._move(rest, 1, copy=False)),
            (b"rename old ", lambda rest: self._move(rest, 0, copy=False)),
            (b"rename new ", lambda rest: self._move(rest, 1, copy=False)),
            (b"copy from ", lambda rest: self._move(rest, 0, copy=True)),
            (b"copy to ", lambda rest: self._move(rest, 1, copy=True)),
            (b"similarity index ", self._like),
            (b"dissimilarity index ", lambda rest: True),
            (b"index ", lambda rest: True),
        )

    def _stripped(self, old: bytes, new: bytes) -> tuple[str | None, str | None]:
        if not self._bare or not {old, new} <= {*(self._raw or ()), b"/dev/null"}:
            return strip_names(old, new)
        first, second = (None if raw == b"/dev/null" else name_from_bytes(raw) for raw in (old, new))
        return first, second

    def _mode(self, raw: bytes, side: int) -> bool:
        if not re.fullmatch(rb"[0-7]{5,6}\s*", raw):
            return False
        self._modes[side] = int(raw, 8)
        return True

    def _absent(self, side: int) -> bool:
        if side == 0:
            self._new, self._old = self._new or self._old, None
        else:
            self._old, self._new = self._old or self._new, None
        return True

    def _move(self, raw: bytes, side: int, *, copy: bool) -> bool:
        match = _QUOTED.fullmatch(raw)
        name = name_from_bytes(unquote(match[1]) if match else raw)
        self._old, self._new = (name, self._new) if side == 0 else (self._old, name)
        self._copy, self._rename = copy, not copy
        self.known = True
        return True

    def _like(self, raw: bytes) -> bool:
        match = re.fullmatch(rb"(\d{1,3})%\s*", raw)
        self._similarity = int(match[1]) if match else None
        return match is not None

    def names(self, old: bytes, new: bytes) -> None:
        """The names of the `---` and `+++` lines, which are what is applied."""
        if not (self._rename or self._copy):
            first, second = self._stripped(old, new)
            if self._raw is not None and _is_one_sided(self._raw, old, new):
                # Whether the first folder is one of git's or a part of the name is told by two names only.
                both = self._stripped(*self._raw)
                first, second = (first and both[0], second and both[1])
            self._old, self._new = first, second
        self.known = True

    def file(self, hunks: tuple[PatchHunk, ...], binary: BinaryPatch | None = None) -> FilePatch:
        old_mode, new_mode = self._modes
        return FilePatch(
            self._old,
            self._new,
            hunks,
            old_mode if self._old is not None else None,
            new_mode if self._new is not None else None,
            self._rename,
            self._copy,
            self._similarity,
            *self._blobs,
            binary=binary,
            git=True,
        )
