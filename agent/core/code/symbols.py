"""The outline of one text file, made of its syntax tree where the language is known. Never fails on any bytes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from tree_sitter import Node

from agent.core.code.grammar import Grammar, grammar_of, root
from agent.core.code.indentation import plain
from agent.core.code.naming import name_of, qualified
from agent.core.code.structure import Body, Item, Outline, Symbol
from agent.core.text import Lines, in_utf8

MAX_DEPTH = 120
"""Nesting beyond this is not looked into."""

DOCUMENTATION = (b"/**", b"/*!")
"""How a comment begins that documents what follows it, also behind a blank line."""


def outline(path: str, lines: Lines) -> Outline:
    """The outline of a text file."""
    data = b"".join(lines)
    readable = in_utf8(lines)
    grammar = grammar_of(path, data) if readable is lines else None
    if grammar is None:
        return plain(path, readable)
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
