"""The diff of one file as rows of data: numbers, kind, clean segments. The heart of what a card shows.

Promise: every changed line is there, from exactly the old and new bytes, or under a fold that says how many are
not shown; two lines with different bytes never look the same without a mark. Knows no colours and no widths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from agent.core.cards.words import Line, emphasise, partners
from agent.core.clean import EMPTY, Clean, Segment, clean, cut, pieced, plain, segments
from agent.core.hunk import FileState, Hunk
from agent.core.text import UTF8, Encoding, Lines, sniff, split_lines

FOLD_RUN = 120
"""A run of rows of one kind longer than this is folded, unless unfolded."""
HEAD_ROWS, TAIL_ROWS = 60, 10
LONG_LINE = 4000
"""Characters; what is longer is folded in its middle, unless unfolded."""
LEAD_LINES = 120
MAX_LOOK_BACK = 2000
"""Lines that are searched for the enclosing function."""


class RowKind(StrEnum):
    HEAD = "head"
    CONTEXT = "context"
    ADD = "add"
    REMOVE = "remove"
    FOLD = "fold"
    NOTE = "note"


class Row(msgspec.Struct, frozen=True):
    """One line of a card's diff. Numbers count from 1; 0: none on that side.

    A HEAD row's text is the enclosing function; `lead` is the clean text from there to the hunk, so that a
    lexer starts in the right state.
    """

    kind: RowKind
    segments: Line = ()
    old_no: int = 0
    new_no: int = 0
    lead: Clean = EMPTY

    @property
    def text(self) -> Clean:
        return plain(self.segments)


class Side(msgspec.Struct, frozen=True):
    """One version of a text file."""

    lines: Lines = ()
    encoding: Encoding = UTF8

    @classmethod
    def of(cls, state: FileState | None) -> Side | None:
        """None for a binary file; an absent file has no lines."""
        if state is None:
            return cls()
        encoding = sniff(state.data)
        return None if encoding is None else cls(split_lines(state.data, encoding), encoding)

    def raw(self, at: int) -> str:
        """The text of a line with its ending; undecodable bytes as surrogates, a byte order mark left out."""
        errors = "surrogateescape" if self.encoding.codec == "utf-8" else "replace"
        text = self.lines[at].decode(self.encoding.codec, errors)
        return text[1:] if at == 0 and self.encoding.bom and text.startswith("\ufeff") else text


def file_rows(
    old: Side, new: Side, hunks: Sequence[Hunk], *, context: int = 3, unfold: bool = False, path: str = ""
) -> tuple[Row, ...]:
    """The rows of a file that goes from `old` to `new` by `hunks`, with `context` lines around each."""
    shower = _Shower(old, new, hunks, unfold, path)
    rows: list[Row] = []
    for group in _groups(hunks, context):
        rows += shower.group(group, context)
    return tuple(rows if unfold else _fold(rows))


def _groups(hunks: Sequence[Hunk], context: int) -> Iterator[list[Hunk]]:
    """Hunks whose context would touch, or hide a single line, belong together."""
    group: list[Hunk] = []
    for hunk in hunks:
        if group and hunk.start - group[-1].end > 2 * context + 1:
            yield group
            group = []
        group.append(hunk)
    if group:
        yield group


class _Shower:
    """Shows lines of two versions so that what differs can be told apart."""

    def __init__(self, old: Side, new: Side, hunks: Sequence[Hunk], unfold: bool, path: str) -> None:
        self._old, self._new, self._path = old, new, path
        self._unfold = unfold
        self._mark_eol = len(_endings(old) | _endings(new)) > 1
        self._tabs = 4
        self._shift: dict[int, int] = {}
        offset = 0
        for hunk in hunks:
            self._shift[id(hunk)] = offset
            offset += len(hunk.new) - len(hunk.old)
        if self._ambiguous(hunks) or any(self._reindents(hunk) for hunk in hunks):
            self._tabs = 0

    def _ambiguous(self, hunks: Sequence[Hunk]) -> bool:
        """True when a removed and an added line differ in bytes but would look the same."""
        for hunk in hunks:
            start = hunk.start + self._shift[id(hunk)]
            gone = {self.shown(self._old, at): self._old.raw(at) for at in range(hunk.start, hunk.end)}
            for at in range(start, start + len(hunk.new)):
                line = self.shown(self._new, at)
                if line in gone and gone[line] != self._new.raw(at):
                    return True
        return False

    def _reindents(self, hunk: Hunk) -> bool:
        """True when a line goes from tabs to spaces, or back, whatever else changes in it."""
        start = hunk.start + self._shift[id(hunk)]
        old = [self._old.raw(at) for at in range(hunk.start, hunk.end)]
        new = [self._new.raw(start + at) for at in range(len(hunk.new))]
        if not any("\t" in _blanks(line) for line in (*old, *new)):
            return False
        removed = [self.shown(self._old, hunk.start + n) for n in range(len(old))]
        added = [self.shown(self._new, start + n) for n in range(len(new))]
        pairs = ((_blanks(old[i]), _blanks(new[j])) for i, j in partners(removed, added))
        return any(before and after and before != after for before, after in pairs)

    def shown(self, side: Side, at: int, *, changed: bool = False) -> Line:
        """A line as it is drawn. Of one that is `changed` a tab at its end is told from spaces."""
        raw = side.raw(at)
        text = raw.removesuffix("\n")
        crlf = text.endswith("\r") and raw.endswith("\n")
        text = text[:-1] if crlf else text
        if len(text) > LONG_LINE and not self._unfold:
            hidden = len(text) - LONG_LINE // 2
            fold = Segment(clean(f" … {hidden} more characters, v shows them … "), mark=True)
            head = segments(text[: LONG_LINE // 4], tabs=self._tabs, spaces=True)
            return (*head, fold, *segments(text[-LONG_LINE // 4 :], tabs=self._tabs, spaces=True))
        body = text.rstrip(" \t") if changed else text
        end = text[len(body) :] if "\t" in text[len(body) :] else ""
        parts = segments(text.removesuffix(end), tabs=self._tabs, spaces=True)
        if end:
            parts = (*parts, Segment(clean(end.replace(" ", "·"), tabs=0), mark=True))
        return (*parts, Segment(clean("\r"), mark=True)) if crlf and self._mark_eol else parts

    def group(self, hunks: Sequence[Hunk], context: int) -> Iterator[Row]:
        first, last = hunks[0], hunks[-1]
        begin, end = max(0, first.start - context), min(len(self._old.lines), last.end + context)
        yield self._head(begin, first)
        at = begin
        for hunk in hunks:
            shift = self._shift[id(hunk)]
            yield from self._context(at, hunk.start, shift)
            yield from self._changed(hunk, hunk.start + shift)
            at = hunk.end
        yield from self._context(at, end, self._shift[id(last)] + len(last.new) - len(last.old))

    def _head(self, begin: int, hunk: Hunk) -> Row:
        side = self._old
        inside = next((line for line in (*hunk.old, *hunk.new) if line.strip()), b"")
        found = enclosing(side, hunk.start, inside, self._path)
        new_no = begin + self._shift[id(hunk)] + 1
        if found is None or found >= begin:
            lead = EMPTY
        else:
            texts = [side.raw(line) for line in range(max(found, begin - LEAD_LINES), begin)]
            lead = clean("".join(texts), multiline=True)
        # A definition that is among the rows below needs no mention above them.
        name = EMPTY if found is None or found >= begin else cut(clean(side.raw(found).strip()), 200)
        return Row(RowKind.HEAD, (Segment(name),) if name else (), begin + 1, new_no, lead)

    def _context(self, start: int, end: int, shift: int) -> Iterator[Row]:
        for at in range(start, end):
            yield Row(RowKind.CONTEXT, self.shown(self._old, at), at + 1, at + shift + 1)
            yield from self._unended(self._old, at)

    def _changed(self, hunk: Hunk, new_start: int) -> Iterator[Row]:
        removed = [self.shown(self._old, at, changed=True) for at in range(hunk.start, hunk.end)]
        added = [self.shown(self._new, new_start + at, changed=True) for at in range(len(hunk.new))]
        removed, added = emphasise(removed, added)
        for at, line in enumerate(removed, hunk.start):
            yield Row(RowKind.REMOVE, _trailing(line), old_no=at + 1)
            yield from self._unended(self._old, at)
        for at, line in enumerate(added, new_start):
            yield Row(RowKind.ADD, _trailing(line), new_no=at + 1)
            yield from self._unended(self._new, at)

    def _unended(self, side: Side, at: int) -> Iterator[Row]:
        if at == len(side.lines) - 1 and not side.raw(at).endswith("\n"):
            yield Row(RowKind.NOTE, (Segment(clean("no newline at end of file")),))


def _endings(side: Side) -> set[bool]:
    """Whether lines end in CR LF (True) or LF (False)."""
    lf, cr = side.encoding.newline, "\r\n".encode(side.encoding.codec)
    return {line.endswith(cr) for line in side.lines if line.endswith(lf)}


def _blanks(line: str) -> set[str]:
    """Of which kinds its indentation is."""
    return set(line[: len(line) - len(line.lstrip(" \t"))])


def _trailing(line: Line) -> Line:
    """Blanks at the end of a changed line become marks."""
    if not line or line[-1].mark or not line[-1].text.endswith(" "):
        return line
    last = line[-1]
    body = last.text.rstrip(" ")
    dots = Segment(clean("·" * (len(last.text) - len(body))), mark=True, strong=last.strong)
    return (*line[:-1], Segment(pieced((body,)), strong=last.strong), dots) if body else (*line[:-1], dots)


_NAMES = re.compile(
    r"\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([^)]*\))?"
    r"|unsafe|extern|const|inline|virtual|override)\s+)*"
    r"(?:def|class|function|func|fn|impl|struct|enum|trait|interface|module|mod|namespace|type|sub|macro_rules!"
    r"|describe|it|test|record|object|resource|data)\b\s*[\w(<\"'*]"
)
_OUTER = re.compile(r"[A-Za-z_$].*[({]\s*$|[A-Za-z_$][\w\s*&:<>,~]*\([^;]*$")
_HEADINGS = {
    ("md", "markdown", "mdx"): re.compile(r"#{1,6} \S"),
    ("toml", "ini", "cfg", "conf"): re.compile(r"\[{1,2}[^\]]+\]"),
}
"""Files whose lines belong to the heading above them, whatever their indentation."""


def enclosing(side: Side, at: int, inside: bytes = b"", path: str = "") -> int | None:
    """Index of the line that opens what line `at` is in (git's function name), or None.

    `inside` is the line that stands there, or will. A definition indented less than it wins; else a line at the
    left margin that looks like one. In prose and settings it is the heading.
    """
    suffix = path.rpartition(".")[2].lower()
    heading = next((rule for suffixes, rule in _HEADINGS.items() if suffix in suffixes), None)
    limit = _indent(inside.decode(side.encoding.codec, "replace"))
    for line in range(min(at, len(side.lines)) - 1, max(-1, at - MAX_LOOK_BACK), -1):
        text = side.raw(line)
        if heading:
            if heading.match(text):
                return line
            continue
        indent = _indent(text)
        if indent < limit and (_NAMES.match(text) or (indent == 0 and _OUTER.match(text))):
            return line
    return None


def _indent(text: str) -> int:
    """Columns of indentation; a blank line counts as deeper than all."""
    body = text.lstrip(" \t")
    return len(text[: len(text) - len(body)].expandtabs(4)) if body.strip() else 999


def _fold(rows: Sequence[Row]) -> Iterator[Row]:
    """Long runs of one kind with their middle as one FOLD row."""
    at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and rows[end].kind is rows[at].kind:
            end += 1
        if end - at <= FOLD_RUN:
            yield from rows[at:end]
        else:
            yield from rows[at : at + HEAD_ROWS]
            count = end - at - HEAD_ROWS - TAIL_ROWS
            word = {RowKind.ADD: "added ", RowKind.REMOVE: "removed "}.get(rows[at].kind, "")
            yield Row(RowKind.FOLD, (Segment(clean(f"{count} more {word}lines · v shows them")),))
            yield from rows[end - TAIL_ROWS : end]
        at = end
