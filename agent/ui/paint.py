"""Styles and lines: themes by name, and lines of fragments that are measured, wrapped and padded by columns.

A fragment is `(style, text)` with a prompt_toolkit style string, so that the same lines are drawn by an open card,
printed into the scrollback, and exported. Every text that comes in is Clean; nothing here reads a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from wcwidth import wcwidth

from agent.core.clean import Segment

Fragment = tuple[str, str]
Line = list[Fragment]
Theme = Mapping[str, str]

_SHARED = {
    "": "",
    "bold": "bold",
    "dim": "#808080",
    "rule": "#6c7086",
    "key": "bold",
    "mark": "#ffffff bg:#b3261e bold",
}

DARK: Theme = {
    **_SHARED,
    "title": "bold #8ab4f8", "code": "#8ab4f8", "good": "#7bc98f", "warn": "#e5b567", "bad": "bold #ff7b72",
    "file": "bold #d7dae0", "head": "#8a8fa3", "number": "#6c7086",
    "add": "#d5e8d9 bg:#12291b", "add.strong": "#ffffff bg:#22683b", "add.sign": "bold #7bc98f bg:#12291b",
    "remove": "#ecd4d4 bg:#331618", "remove.strong": "#ffffff bg:#84282f", "remove.sign": "bold #ff8f87 bg:#331618",
    "keyword": "#c792ea", "string": "#a5c982", "comment": "#8a8fa3 italic", "literal": "#f0a875", "name": "#82aaff",
    "deco": "#7fd5d0",
}  # fmt: skip
LIGHT: Theme = {
    **_SHARED,
    "dim": "#6e7781", "rule": "#9aa1a9",
    "title": "bold #0b57d0", "code": "#0b57d0", "good": "#1a7f37", "warn": "#8a5700", "bad": "bold #b3261e",
    "file": "bold #24292f", "head": "#6e7781", "number": "#8c959f",
    "add": "#10331c bg:#e3f9e8", "add.strong": "#06240f bg:#a4ecb6", "add.sign": "bold #1a7f37 bg:#e3f9e8",
    "remove": "#4a1512 bg:#ffebe9", "remove.strong": "#3b0907 bg:#ffbdb6", "remove.sign": "bold #b3261e bg:#ffebe9",
    "keyword": "#8250df", "string": "#0a6640", "comment": "#6e7781 italic", "literal": "#953800", "name": "#0550ae",
    "deco": "#0f6f75",
}  # fmt: skip
MONO: Theme = {
    **dict.fromkeys({*DARK}, ""),
    "bold": "bold", "key": "bold", "title": "bold", "file": "bold", "bad": "bold", "mark": "reverse",
    "code": "bold", "add.sign": "bold", "remove.sign": "bold",
    "add.strong": "bold underline", "remove.strong": "bold underline",
}  # fmt: skip


_DARK_256: Theme = {
    "add": "#d7ffd7 bg:#005f00", "add.strong": "bold #ffffff bg:#008700", "add.sign": "bold #87ff87 bg:#005f00",
    "remove": "#ffd7d7 bg:#5f0000", "remove.strong": "bold #ffffff bg:#af0000", "remove.sign": "bold #ffafaf bg:#5f0000",
}  # fmt: skip
_LIGHT_256: Theme = {
    "add": "#005f00 bg:#d7ffd7", "add.strong": "bold #000000 bg:#87ff87", "add.sign": "bold #005f00 bg:#d7ffd7",
    "remove": "#5f0000 bg:#ffd7d7", "remove.strong": "bold #000000 bg:#ffafaf", "remove.sign": "bold #870000 bg:#ffd7d7",
}  # fmt: skip
_ANSI: Theme = {
    **MONO,
    "title": "bold ansicyan", "code": "ansicyan", "good": "ansigreen", "warn": "ansiyellow", "bad": "bold ansired",
    "add": "ansigreen", "add.strong": "bold underline ansigreen", "add.sign": "bold ansigreen",
    "remove": "ansired", "remove.strong": "bold underline ansired", "remove.sign": "bold ansired",
}  # fmt: skip


def theme(name: str, environ: Mapping[str, str], bits: int) -> Theme:
    """The theme of a setting (`auto`, `light`, `dark`, `none`) for 1, 4, 8 or 24 bits of colour.

    `auto` looks at COLORFGBG and takes dark if unsure. With 256 colours the grounds are those of the palette:
    rounded dark tints would all become the same grey.
    """
    if bits == 1 or name == "none":
        return MONO
    if bits == 4:
        return _ANSI
    if name == "auto":
        background = environ.get("COLORFGBG", "").rpartition(";")[2]
        name = "light" if background in ("7", "15") else "dark"
    chosen, palette = (LIGHT, _LIGHT_256) if name == "light" else (DARK, _DARK_256)
    return chosen if bits == 24 else {**chosen, **palette}


@lru_cache(maxsize=8192)
def char_width(char: str) -> int:
    """Columns of one character, as terminals draw it."""
    return max(0, wcwidth(char))


def text_width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(char_width, text))


def line_width(line: Line) -> int:
    return sum(text_width(text) for _, text in line)


def pad(line: Line, width: int, style: str = "") -> Line:
    """`line` filled with blanks of `style` to `width` columns."""
    missing = width - line_width(line)
    return [*line, (style, " " * missing)] if missing > 0 else line


def wrap(line: Line, width: int, *, words: bool = True) -> list[Line]:
    """`line` in pieces of at most `width` columns; nothing is left out but, with `words`, the blank at a break."""
    width = max(width, 4)
    if line_width(line) <= width:
        return [line]
    cells = [(style, char, char_width(char)) for style, text in line for char in text]
    pieces = []
    start = 0
    while start < len(cells):
        end, used = start, 0
        while end < len(cells) and used + cells[end][2] <= width:
            used += cells[end][2]
            end += 1
        skip = 0
        if end < len(cells):
            end, skip = _break(cells, start, end, words)
        pieces.append(_merge((style, char) for style, char, _ in cells[start:end]))
        start = end + skip
    return pieces


def _break(cells: Sequence[tuple[str, str, int]], start: int, end: int, words: bool) -> tuple[int, int]:
    """Where to break between `start` and `end`, and how many blanks to leave out there."""
    if words and cells[end][1] == " ":
        return end, 1
    limit = start if words else max(start, end - 16)
    for at in range(end - 1, limit, -1):
        if cells[at][1] == " ":
            return (at, 1) if words else (at + 1, 0)
    return max(end, start + 1), 0


def _merge(fragments: Iterable[Fragment]) -> Line:
    merged: Line = []
    run: list[str] = []
    for style, text in fragments:
        if merged and merged[-1][0] == style:
            run.append(text)
            continue
        if run:
            merged[-1] = (merged[-1][0], "".join(run))
        merged.append((style, text))
        run = [text]
    if run:
        merged[-1] = (merged[-1][0], "".join(run))
    return merged


def paragraph(
    parts: Sequence[Segment], colours: Theme, width: int, *, indent: int = 0, style: str = ""
) -> list[Line]:
    """Prose as wrapped lines, each indented by `indent` columns."""
    line: Line = []
    for part in parts:
        look = colours["mark"] if part.mark else (colours["code"] if part.strong else style)
        line.append((look, part.text))
    return [[("", " " * indent), *piece] for piece in wrap(line, width - indent)]


def cut_line(line: Line, width: int) -> Line:
    """The first piece of `line`; only for lines of our own (keys, messages), never for what is decided on."""
    return wrap(line, width, words=False)[0]


def plain_text(lines: Iterable[Line]) -> str:
    """Lines without their styles; for tests and for output without a terminal."""
    return "\n".join("".join(text for _, text in line).rstrip() for line in lines)
