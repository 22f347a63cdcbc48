"""Whether a text still parses with some hunks, read anew only where they change it.

tree-sitter keeps what it read: told what was edited, it reads the lines around that and takes the rest from its last
tree. A fault that it finds so is looked at once more in the whole text, for it may be left over from the way.
Source: tree-sitter's documentation, "Editing".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import msgspec
from tree_sitter import Tree

from agent.core.code.grammar import Grammar, reread, tree
from agent.core.hunk import Hunk
from agent.core.lines.splice import position
from agent.core.text import Lines

Point = tuple[int, int]
"""Row and column, both from 0."""

PER_EDIT = 1_000
PER_HUNK = 15
PER_ITEM = 4
DEEP = 64
AGAIN = 3
"""How many bytes an edit counts, each hunk, each item of the lists around it; beyond which depth which part of all bytes."""


class _State(msgspec.Struct, frozen=True):
    """A text that was read, with `hunks` in their order; how far these have moved what is behind each of them."""

    data: bytes
    tree: Tree
    hunks: Sequence[Hunk] = ()
    rows: Sequence[int] = (0,)
    sizes: Sequence[int] = (0,)

    def moved(self, hunk: Hunk) -> tuple[int, int]:
        """By how many rows and bytes a hunk of the old text stands further down here."""
        at = bisect_left(self.hunks, position(hunk), key=position)
        return self.rows[at], self.sizes[at]


class Reparser:
    """Reads one text with hunks of it, always from the nearest state that it has read without a fault."""

    def __init__(self, grammar: Grammar, lines: Lines) -> None:
        self.grammar = grammar
        self.lines = lines
        self.starts = list(accumulate(map(len, lines), initial=0))
        self.cost = 0
        """What the last reading took, as many bytes of a text that is read for the first time."""
        self._growths: dict[int, tuple[Hunk, int]] = {}
        self._states: list[_State] = []
        """The old text, and the last one that was read without a fault."""

    def has_fault(self, hunks: Sequence[Hunk]) -> bool:
        """True when tree-sitter finds a fault in the text with hunks that are in order."""
        state = self._near(hunks)
        data, edited, at = self._edited(state, hunks)
        self.cost = _cost(edited, at) + max(0, len(data) - len(state.data)) + PER_HUNK * len(hunks)
        found = reread(self.grammar, data, edited)
        if found.root_node.has_error:
            return True
        rows = accumulate([len(hunk.new) - len(hunk.old) for hunk in hunks], initial=0)
        sizes = accumulate(map(self._growth, hunks), initial=0)
        self._states[1:] = [_State(data, found, list(hunks), list(rows), list(sizes))]
        return False

    def _growth(self, hunk: Hunk) -> int:
        """By how many bytes a hunk makes the text longer."""
        found = self._growths.get(id(hunk))  # a hunk is long to hash
        if found is None:
            size = sum(map(len, hunk.new)) - sum(map(len, hunk.old))
            found = self._growths[id(hunk)] = hunk, size
        return found[1]

    def forget(self) -> None:
        """Free the trees, which are large; they are made again when they are asked for."""
        self._states.clear()

    def _near(self, hunks: Sequence[Hunk]) -> _State:
        """The state that was read last if it lacks only some of these hunks, else the old text."""
        if not self._states:
            data = b"".join(self.lines)
            self._states = [_State(data, tree(self.grammar, data))]
        last = self._states[-1]
        known = set(map(id, hunks))
        return last if all(id(hunk) in known for hunk in last.hunks) else self._states[0]

    def _edited(self, state: _State, hunks: Sequence[Hunk]) -> tuple[bytes, Tree, int]:
        """The text with all of `hunks`, the tree of `state` that knows where they changed it, and the word above that."""
        there = set(map(id, state.hunks))
        edited = state.tree.copy()
        parts: list[bytes] = []
        behind = len(state.data)
        for hunk in reversed(hunks):
            if id(hunk) in there:
                continue
            rows, size = state.moved(hunk)
            start, end = self.starts[hunk.start] + size, self.starts[hunk.end] + size
            new = b"".join(hunk.new)
            top = hunk.start + rows
            points = (top, 0), _end(top, hunk.old), _end(top, hunk.new)
            edited.edit(start, end, start + len(new), *points)
            parts += state.data[end:behind], new
            behind = start
        above = state.data[:behind]
        parts.append(above)
        return b"".join(reversed(parts)), edited, max(0, len(above.rstrip()) - 1)


def _cost(edited: Tree, at: int) -> int:
    """What reading a text takes that was edited at a byte.

    The lists around it are gone through item by item; what is nested beyond measure, as a long chain of calls is, is
    read again. The factors were measured.
    """
    cursor, cost = edited.walk(), PER_EDIT
    for _ in range(DEEP):
        node = cursor.node
        cost += PER_ITEM * node.child_count if node else 0
        if cursor.goto_first_child_for_byte(at) is None:
            return cost
    return cost + (cursor.node.end_byte - cursor.node.start_byte) // AGAIN if cursor.node else cost


def _end(row: int, lines: Lines) -> Point:
    """Where some lines end that begin at a row."""
    if lines and not lines[-1].endswith(b"\n"):
        return row + len(lines) - 1, len(lines[-1])
    return row + len(lines), 0
