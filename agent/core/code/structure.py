"""What is known of the structure of one text file: its symbols, and the lines between which it can be cut.

Only values, made by `symbols` and `indentation`: no tree and no text, only line numbers (0-based, half-open).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import msgspec

from agent.core.code.grammar import Grammar


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
