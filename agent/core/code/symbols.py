"""The structure of one text file: its symbols, and the lines between which it can be cut.

An `Outline` is made of the syntax tree where the language is known, of headings and indentation elsewhere. It
keeps no tree and no text, only line numbers (0-based, half-open). Never fails on any bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import msgspec
from tree_sitter import Node

from agent.core.code.grammar import Grammar, grammar_of, root
from agent.core.code.naming import name_of, qualified
from agent.core.text import Lines

MAX_DEPTH = 120
"""Nesting beyond this is not looked into."""

DOCUMENTATION = (b"/**", b"/*!")
"""How a comment begins that documents what follows it, also behind a blank line."""


class Symbol(msgspec.Struct, frozen=True):
    """A definition (or a heading): its qualified name and its lines, comments and decorators included."""

    name: str
    start: int
    end: int
    depth: int = 0


class Item(msgspec.Struct, frozen=True):
    """One statement, definition or paragraph, and the bodies in it that can be taken out of it."""

    start: int
    end: int
    bodies: tuple[Body, ...] = ()
    is_lead: bool = False
    """Only comments, with nothing right behind that they belong to."""


class Body(msgspec.Struct, frozen=True):
    """Items in one pair of brackets, or under one header. `loose`: the first one has to stay."""

    kind: str
    start: int
    end: int
    items: tuple[Item, ...]
    loose: bool = False


class Outline(msgspec.Struct, frozen=True):
    """Symbols in the order of their start, and the whole file as a body."""

    symbols: tuple[Symbol, ...]
    body: Body
    starts: tuple[int, ...] = ()
    grammar: Grammar | None = None

    def at(self, line: int) -> Symbol | None:
        """The innermost symbol that holds this line."""
        index = bisect_right(self.starts, line) - 1
        while index >= 0:
            symbol = self.symbols[index]
            if line < symbol.end:
                return symbol
            if symbol.depth == 0:
                return None
            index -= 1
        return None

    def begun(self, low: int, high: int) -> list[str]:
        """Names of the symbols whose first line is in [low, high)."""
        first, last = bisect_left(self.starts, low), bisect_left(self.starts, high)
        return [symbol.name for symbol in self.symbols[first:last]]


def outline(path: str, lines: Lines) -> Outline:
    """The outline of a text file."""
    data = b"".join(lines)
    grammar = grammar_of(path, data)
    if grammar is None:
        return _plain(path, lines)
    reader = _Reader(grammar)
    node = root(grammar, data)
    items = reader.items(node, 0, len(lines), 0, ())
    body = Body(node.type, 0, len(lines), items)
    symbols = tuple(sorted(reader.symbols, key=lambda s: (s.start, -s.end)))
    return Outline(symbols, body, tuple(s.start for s in symbols), grammar)


class _Lead(msgspec.Struct, frozen=True):
    """Comments and attributes that wait for what they belong to."""

    start: int
    end: int
    bodies: tuple[Body, ...]
    is_doc: bool
    """The last is documentation by its form: it may have a blank line behind it. Not what opens the file."""

    def leads_to(self, line: int, is_lead: bool) -> bool:
        """True when what begins at this line is what they belong to, or one more of them."""
        return line <= self.end + (self.is_doc and not is_lead)


class _Reader:
    """Walks the nodes that span several lines; collects symbols on the way."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.symbols: list[Symbol] = []

    def items(self, node: Node, low: int, high: int, depth: int, owner: tuple[str, ...]) -> tuple[Item, ...]:
        """Children of a container on lines of their own within [low, high)."""
        found: list[Item] = []
        lead: _Lead | None = None
        for child in _children(node):
            start, end = _span(child)
            if start < low or end > high:
                continue
            is_lead = child.type in self.grammar.leading
            if is_lead and found and lead is None and start < found[-1].end:
                # A comment behind code, on its line: no item of its own.
                found[-1] = Item(found[-1].start, max(end, found[-1].end), found[-1].bodies)
                continue
            if lead is not None and not lead.leads_to(start, is_lead):
                found.append(Item(lead.start, lead.end, lead.bodies, is_lead=True))
                lead = None
            begin, bodies = (start, ()) if lead is None else (lead.start, lead.bodies)
            if is_lead:
                if end - start > 1 and child.type in self.grammar.texts:
                    bodies += self._bodies(child, start, depth, owner)
                lead = _Lead(begin, end, bodies, start > 0 and (child.text or b"").startswith(DOCUMENTATION))
                continue
            lead = None
            bodies += self._inside(child, begin, depth, owner)
            if found and begin < found[-1].end:
                found[-1] = Item(found[-1].start, max(end, found[-1].end), (*found[-1].bodies, *bodies))
                continue
            found.append(Item(begin, end, bodies))
        if lead is not None:
            found.append(Item(lead.start, lead.end, lead.bodies, is_lead=True))
        return tuple(found)

    def _inside(self, node: Node, begin: int, depth: int, owner: tuple[str, ...]) -> tuple[Body, ...]:
        """Note the definition that `node` is or wraps; its bodies."""
        kind = node.type
        if kind in self.grammar.definitions:
            name = name_of(node)
            if name:
                owner = (*owner, name)
                self.symbols.append(Symbol(qualified(owner), begin, _span(node)[1], len(owner) - 1))
        start, end = _span(node)
        if kind in self.grammar.wrappers:
            for child in node.named_children:
                if child.type in self.grammar.definitions | self.grammar.wrappers and end - start == 1:
                    self._inside(child, begin, depth, owner)
        if end - start == 1:
            return ()
        return self._bodies(node, begin, depth, owner)

    def _bodies(self, node: Node, begin: int, depth: int, owner: tuple[str, ...]) -> tuple[Body, ...]:
        """The outermost bodies in `node`."""
        if depth > MAX_DEPTH:
            return ()
        start, end = _span(node)
        grammar = self.grammar
        if node.type in grammar.texts:
            lines = tuple(Item(at, at + 1) for at in range(start + 1, end - 1))
            return (Body(node.type, start + 1, end - 1, lines),) if lines else ()
        if node.type in grammar.containers:
            inner = self._body(node, start, end, depth, owner)
            if inner.items:
                return (inner,)
        found: list[Body] = []
        for child in node.children:
            if child.end_point.row > child.start_point.row or child.type in grammar.definitions:
                if child.type in grammar.definitions:
                    found += self._inside(child, begin, depth + 1, owner)
                elif child.type in grammar.containers and child.prev_sibling is not None:
                    first = child.start_point.row > child.prev_sibling.end_point.row
                    inner = self._body(child, *_span(child), depth + 1, owner, own_line=first)
                    found += [inner] if inner.items else self._bodies(child, begin, depth + 1, owner)
                else:
                    found += self._bodies(child, begin, depth + 1, owner)
        return tuple(found)

    def _body(
        self, node: Node, start: int, end: int, depth: int, owner: tuple[str, ...], *, own_line: bool = False
    ) -> Body:
        first = node.children[0] if node.children else node
        bracketed = node.type not in ("block", "statement_list") or not first.is_named
        if bracketed:
            low, high = start + 1, end - 1
        else:
            low, high = (start if own_line else start + 1), end
        if node.type == "enum_body_declarations":  # begins with `;` and ends with its last member
            high = end
        items = self.items(node, low, high, depth + 1, owner)
        return Body(node.type, low, high, items, node.type in self.grammar.loose)


def _children(node: Node) -> Iterator[Node]:
    """Children of a container; a list in brackets of a node of its own counts as its contents."""
    for child in node.children:
        if child.type == "statement_list" and node.type == "block":
            yield from child.children
        else:
            yield child


def _span(node: Node) -> tuple[int, int]:
    """The lines of a node; one that ends at the start of a line does not hold that line."""
    start, end = node.start_point.row, node.end_point.row
    if node.end_point.column == 0 and end > start:
        end -= 1
    return start, end + 1


_HEADING = re.compile(rb"\n#{1,6}[ \t]+([^\r\n]+?)[ \t#]*\r?$", re.MULTILINE)
_SECTION = re.compile(rb"\n\[+[ \t]*([^\]\r\n]+?)[ \t]*\]+[ \t]*(?:[#;].*)?\r?$", re.MULTILINE)
_KEY = re.compile(rb"\n[\"']?([A-Za-z_][\w.-]*)[\"']?[ \t]*:(?=[ \t]|\r?$)", re.MULTILINE)
_DEFINES = re.compile(
    rb"\n(?=[a-z])(?:(?:pub|export|public|private|protected|static|async|abstract|final|local|default)[ \t]+)*"
    rb"(?:def|class|func|fun|fn|function|sub|module|struct|trait|interface|enum|proc|macro)[ \t]+([A-Za-z_][\w.:?!]*)"
)
_MARKDOWN = ("md", "markdown", "rst", "txt", "mdx")
MAX_LABEL = 80


class Margin:
    """The names of what begins at the margin, looked for upwards from a line: for texts that there is no time to parse.

    Lines are best asked for in their order: none is looked at twice then.
    """

    def __init__(self, path: str, lines: Lines) -> None:
        self._lines = lines
        self._pattern = _pattern(path.rpartition(".")[2].lower())
        self._last: Symbol | None = None
        self._seen = 0
        """Up to here it is known that `_last` is the last symbol."""

    def at(self, line: int) -> Symbol | None:
        """What begins at this line, or is the last that begins above it."""
        line = min(line, len(self._lines) - 1)
        floor, found = (self._seen, self._last) if line >= self._seen else (0, None)
        text, marks = self._marks(floor, line + 1)
        if marks:
            start = floor + text.count(b"\n", 0, marks[-1].start())
            found = Symbol(_label(marks[-1]), start, line + 1)
        self._seen, self._last = line + 1, found
        return found

    def begun(self, low: int, high: int) -> list[str]:
        """Names of what begins at these lines."""
        return [_label(mark) for mark in self._marks(low, high)[1]]

    def _marks(self, low: int, high: int) -> tuple[bytes, list[re.Match[bytes]]]:
        text = b"\n" + b"".join(self._lines[low:high])
        return text, list(self._pattern.finditer(text))


def _plain(path: str, lines: Lines) -> Outline:
    """Headings, sections, top-level keys and blocks of any other text."""
    suffix = path.rpartition(".")[2].lower()
    marks = _marks(suffix, lines)
    if suffix in _MARKDOWN:
        inside = _fenced(lines)
        marks = [(at, label) for at, label in marks if not inside[at]]
    items = _paragraphs(lines, suffix, {at for at, _ in marks})
    symbols = _sections(marks, len(lines))
    return Outline(symbols, Body("text", 0, len(lines), items), tuple(symbol.start for symbol in symbols))


def _marks(suffix: str, lines: Lines) -> list[tuple[int, str]]:
    """Lines that open a section in this kind of file, with its name."""
    # Patterns begin with the end of the line before: what begins with a plain byte is found much faster.
    text = b"\n" + b"".join(lines)
    marks = []
    at = counted = 0
    for found in _pattern(suffix).finditer(text):
        at += text.count(b"\n", counted, found.start())
        counted = found.start()
        marks.append((at, _label(found)))
    return marks


def _pattern(suffix: str) -> re.Pattern[bytes]:
    """What opens a section in this kind of file."""
    if suffix in _MARKDOWN:
        return _HEADING
    if suffix in ("toml", "ini", "cfg", "conf"):
        return _SECTION
    return _KEY if suffix in ("yml", "yaml") else _DEFINES


def _label(mark: re.Match[bytes]) -> str:
    return mark[1].decode("utf-8", "replace")[:MAX_LABEL]


def _sections(marks: Sequence[tuple[int, str]], end: int) -> tuple[Symbol, ...]:
    """Each reaches to the next one."""
    ends = [*(at for at, _ in marks[1:]), end]
    return tuple(Symbol(label, at, stop) for (at, label), stop in zip(marks, ends, strict=bool(marks)))


def _fenced(lines: Lines) -> list[bool]:
    """Whether each line is inside of a fence, or opens one."""
    inside = False
    found = []
    for line in lines:
        if line.lstrip()[:3] in (b"```", b"~~~"):
            inside = not inside
        found.append(inside)
    return found


def _paragraphs(lines: Lines, suffix: str, marks: set[int]) -> tuple[Item, ...]:
    """Runs of lines that start unindented after a blank line (or at a mark)."""
    items = []
    start = None
    last = 0
    blank = True
    for at, line in enumerate(lines):
        if not line.strip():
            blank = True
            continue
        if at in marks or start is None or (blank and not line[:1].isspace()):
            if start is not None:
                items.append(Item(start, last))
            start = at
        last = at + 1
        blank = False
    if start is not None:
        items.append(Item(start, last))
    return tuple(items)


def borders(body: Body, count: int) -> list[tuple[str, ...] | None]:
    """For each gap before line 0..count: what it cuts through (kinds, from the file inward), None in the middle
    of something that cannot be cut there."""
    found: list[tuple[str, ...] | None] = [None] * (count + 1)
    pending: list[tuple[Body, tuple[str, ...]]] = [(body, (body.kind,))]
    found[0] = found[count] = (body.kind,)
    while pending:
        own, context = pending.pop()
        at = own.start
        for item in own.items:
            for gap in range(at, item.start + 1):
                if found[gap] is None or gap > own.start:
                    found[gap] = context
            at = item.end
            for inner in item.bodies:
                pending.append((inner, (*context, inner.kind)))
        if own is body or not (own.kind == "statement_list" or (own.kind == "block" and own.loose)):
            for gap in range(at, own.end + 1):
                found[gap] = context
    return found
