"""The outline of a file in a language that no parser here knows: by headings, blank lines and indentation.

What begins with the words of a definition holds what is indented deeper below it, up to its closing line. A guess
that only names chunks and says where a text may be cut. Linear in the file; never fails on any bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from agent.core.code.definitions import RULES, has_sections, kind_of, marks
from agent.core.code.naming import qualified
from agent.core.code.structure import Body, Item, Outline, Symbol
from agent.core.text import Lines, indentation

MAX_DEPTH = 40
"""Definitions nested deeper are lines of those around them."""

MAX_HEADER = 30
"""Lines of parameters that are looked for before what a definition holds."""

_COMMENTS = (b"#", b"//", b"/*", b"*", b"--", b";", b"%", b"[<")
_ATTRIBUTE = re.compile(rb"@[\w.]+(?:\(|$|[ \t]+[^=])|\[[^\]]*\]$")
_GOES_ON = re.compile(
    rb"[\])}|=:]|(?:end|fi|done|esac|end(?:if|func|function|class|module|for|while)|else|elif|elsif|elseif|rescue|ensure"
    rb"|catch|finally|except|after|where|then|in|begin|do|is)\b",
    re.IGNORECASE,
)
"""A line that belongs to what begins above it with the same indentation: it closes it, or opens its next part."""


class _Block(msgspec.Struct):
    """A definition, with those in it. `mark` is the line with its name, `start` that of what leads to it."""

    name: str
    start: int
    mark: int
    width: int
    end: int
    header: int
    """The line behind its name and its parameters in brackets."""
    inner: list[_Block] = msgspec.field(default_factory=list)
    filled: bool = False
    """Something deeper was seen, or its end."""


def plain(path: str, lines: Lines) -> Outline:
    """The outline of a text file whose language is not known."""
    kind = kind_of(path)
    found = marks(kind, lines)
    if has_sections(kind) or not found:
        starts = sorted(found)
        ends = [*starts[1:], len(lines)]
        symbols = tuple(Symbol(found[at], at, end) for at, end in zip(starts, ends, strict=bool(starts)))
        items = _items(lines, (0, len(lines)), [_Block("", at, at, 0, at, at) for at in starts])
    else:
        blocks = _blocks(lines, found)
        symbols = tuple(_symbols(blocks, qualified if kind not in RULES else " ".join))
        items = _items(lines, (0, len(lines)), blocks)
    return Outline(symbols, Body("text", 0, len(lines), items), tuple(symbol.start for symbol in symbols))


def _blocks(lines: Lines, found: Mapping[int, str]) -> list[_Block]:
    """The definitions at the margin, with all others in them."""
    roots: list[_Block] = []
    opened: list[_Block] = []
    lead: int | None = None
    for at, line in enumerate(lines):
        text = line.strip()
        name = found.get(at)
        if not text:
            lead = None
            continue
        if name is None and (text.startswith(_COMMENTS) or _ATTRIBUTE.match(text)):
            lead = at if lead is None else lead
            continue
        width = indentation(line)
        while opened and width <= opened[-1].width:
            if width == opened[-1].width and name is None and _goes_on(text, opened[-1]):
                break
            _close(opened)
        if name is None:
            if opened:
                opened[-1].end = at + 1
                opened[-1].filled |= at >= opened[-1].header and not text.startswith(b"{")
        elif len(opened) < MAX_DEPTH:
            block = _Block(name, at if lead is None else lead, at, width, at + 1, _header(lines, at))
            (opened[-1].inner if opened else roots).append(block)
            opened.append(block)
        lead = None
    while opened:
        _close(opened)
    return roots


def _goes_on(text: bytes, block: _Block) -> bool:
    """True for a closing line, an opening brace, the next part; and for an equation behind the signature of its name."""
    if text.startswith(b"{"):
        return not block.filled
    return _GOES_ON.match(text) is not None or text.startswith(f"{block.name} ".encode("utf-8", "replace"))


def _close(opened: list[_Block]) -> None:
    block = opened.pop()
    if opened:
        opened[-1].end = max(opened[-1].end, block.end)
        opened[-1].filled = True


def _symbols(blocks: Sequence[_Block], named: Callable[[Sequence[str]], str]) -> list[Symbol]:
    """In the order of their start; `named` gives the name of one by those from the outermost in."""
    found: list[Symbol] = []
    waiting: list[tuple[_Block, tuple[str, ...]]] = [(block, ()) for block in reversed(blocks)]
    while waiting:
        block, owner = waiting.pop()
        owner = (*owner, block.name)
        found.append(Symbol(named(owner), block.start, block.end, len(owner) - 1))
        waiting += [(inner, owner) for inner in reversed(block.inner)]
    return found


def _items(lines: Lines, within: tuple[int, int], blocks: Sequence[_Block]) -> tuple[Item, ...]:
    """Definitions, and runs of lines that start after a blank line and are not indented (or start at a mark)."""
    at, end = within
    base = 0 if at == 0 else _base(lines, within, blocks)
    items: list[Item] = []
    start: int | None = None
    last = at
    fresh = True
    waiting = list(reversed(blocks))
    while at < end:
        block = waiting[-1] if waiting and waiting[-1].start == at else None
        blank = not lines[at].strip()
        begins = block is not None or (
            not blank and fresh and (start is None or indentation(lines[at]) <= base)
        )
        if begins:
            if start is not None:
                items.append(Item(start, last))
            start = at
        if block is not None:
            waiting.pop()
            if block.end > at:
                items.append(Item(at, block.end, _bodies(lines, block)))
                start, at, last, fresh = None, block.end, block.end, True
                continue
        fresh = blank
        at += 1
        last = last if blank else at
    if start is not None:
        items.append(Item(start, last))
    return tuple(items)


def _base(lines: Lines, within: tuple[int, int], blocks: Sequence[_Block]) -> int:
    """The least indentation of these lines."""
    widths = [block.width for block in blocks]
    at = within[0]
    for low, high in [*((block.start, block.end) for block in blocks), (within[1], within[1])]:
        widths += [indentation(line) for line in lines[at:low] if line.strip()]
        at = high
    return min(widths, default=0)


def _bodies(lines: Lines, block: _Block) -> tuple[Body, ...]:
    """What a definition holds, without its header and closing line."""
    start, end = block.header, block.end
    if start < end and lines[start].strip() == b"{":
        start += 1
    if end > start and indentation(lines[end - 1]) <= block.width:
        end -= 1
    inner = [one for one in block.inner if start <= one.start and one.end <= end]
    items = _items(lines, (start, end), inner) if start < end else ()
    return (Body("block", start, end, items),) if items else ()


def _header(lines: Lines, mark: int) -> int:
    """The line behind a name and its parameters in brackets; behind the name when no bracket closes them."""
    missing = 0
    for at, line in enumerate(lines[mark : mark + MAX_HEADER], mark + 1):
        missing += line.count(b"(") - line.count(b")")
        if missing <= 0:
            return at
    return mark + 1
