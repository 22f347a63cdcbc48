"""The model's words as they come: lines are finished one by one and never drawn again.

A light reading of Markdown (headings, lists, bold, code, fences) that never waits for more than one line, so its
time is linear in the text. What is not finished yet is the tail, for the live part of the screen.
"""

from __future__ import annotations

import re

from agent.core.clean import Segment, clean, segments
from agent.ui.paint import Line, Theme, wrap
from agent.ui.render import PROSE_COLUMNS
from agent.ui.syntax import spans

MAX_PENDING = 4000
"""Characters of a line without an end that are kept; a longer one is broken here."""
INDENT = 2

_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
"""Not `__bold__`: in what is said about code that is a name, and it would lose its underscores."""
_LIST = re.compile(r"(\s*)([-*+]|\d{1,3}[.)])\s+")
_EMOJI_LOOK = re.compile("(?<=[\u203c-\u3299])\ufe0f")
"""A request for the colourful form of the sign before it; without meaning, and marked everywhere else."""
_SUFFIXES = {
    "python": "py", "javascript": "js", "typescript": "ts", "rust": "rs", "bash": "sh", "shell": "sh", "markdown": "md",
}  # fmt: skip


class Prose:
    """Feed it text; it gives finished lines."""

    def __init__(self, colours: Theme, width: int) -> None:
        self._colours = colours
        self.resize(width)
        self._pending = ""
        self._fence = ""
        self._blank = True

    def resize(self, width: int) -> None:
        """Lines from now on are for `width` columns."""
        self._width = min(width, PROSE_COLUMNS)

    def feed(self, text: str) -> list[Line]:
        """Lines that `text` finishes."""
        *whole, self._pending = (self._pending + text).split("\n")
        lines = [line for source in whole for line in self._line(source)]
        while len(self._pending) > MAX_PENDING:
            lines += self._line(self._pending[:MAX_PENDING])
            self._pending = self._pending[MAX_PENDING:]
        return lines

    def tail(self) -> list[Line]:
        """The line that is not finished, as far as it has come."""
        return self._show(self._pending) if self._pending.strip() else []

    def finish(self) -> list[Line]:
        """The rest, when no more comes."""
        lines = self._line(self._pending) if self._pending.strip() else []
        self._pending, self._fence = "", ""
        if not self._blank:
            lines.append([])
        self._blank = True
        return lines

    def _line(self, source: str) -> list[Line]:
        source = source.removesuffix("\r")
        stripped = source.strip()
        if stripped.startswith(("```", "~~~")):
            self._fence = "" if self._fence else (stripped.strip("`~ ").partition(" ")[0] or "text")
            self._blank = False
            return [[("", " " * INDENT), (self._colours["rule"], clean(stripped))]]
        if not stripped and not self._fence:
            blank, self._blank = self._blank, True
            return [] if blank else [[]]
        self._blank = False
        return self._show(source)

    def _show(self, source: str) -> list[Line]:
        room = self._width - INDENT
        margin = ("", " " * INDENT)
        if self._fence:
            return [[margin, ("", "  "), *piece] for piece in wrap(self._code(source), room - 2, words=False)]
        heading = re.match(r"#{1,6}\s+(.*)", source)
        if heading:
            return [[margin, *piece] for piece in wrap(self._inline(heading[1], self._colours["bold"]), room)]
        item = _LIST.match(source)
        if item:
            lead = f"{item[1]}{'•' if item[2] in '-*+' else item[2]} "
            pieces = wrap(self._inline(source[item.end() :]), room - len(lead))
            return [
                [margin, ("", lead if not n else " " * len(lead)), *piece] for n, piece in enumerate(pieces)
            ]
        quote = re.match(r">\s?(.*)", source)
        if quote:
            pieces = wrap(self._inline(quote[1], self._colours["dim"]), room - 2)
            return [[margin, (self._colours["rule"], "│ "), *piece] for piece in pieces]
        return [[margin, *piece] for piece in wrap(self._inline(source), room)]

    def _inline(self, source: str, style: str = "") -> Line:
        """Words with their emphasis; marks for what does not show."""
        line: Line = []
        at = 0
        for match in _INLINE.finditer(source):
            line += self._plain(source[at : match.start()], style)
            look = self._colours["code"] if match[1] else self._colours["bold"]
            line += self._plain(match[1] or match[2], look)
            at = match.end()
        return [*line, *self._plain(source[at:], style)]

    def _plain(self, text: str, style: str) -> Line:
        shown = segments(_EMOJI_LOOK.sub("", text))
        return [(self._colours["mark"] if part.mark else style, part.text) for part in shown]

    def _code(self, source: str) -> Line:
        parts: tuple[Segment, ...] = segments(source)
        if len(parts) != 1 or parts[0].mark:
            return self._plain(source, "")
        text = parts[0].text
        suffix = _SUFFIXES.get(self._fence.lower(), self._fence.lower())
        line: Line = []
        at = 0
        for start, end, kind in spans(f"x.{suffix}", "", [text])[0]:
            line += [("", text[at:start]), (self._colours[kind], text[start:end])]
            at = end
        return [*line, ("", text[at:])]
