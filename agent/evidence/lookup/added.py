"""Which uses a change of a Python file adds: those of the statements that differ, before against after."""

from __future__ import annotations

import ast
import re
from collections import Counter, deque
from collections.abc import Iterator

MAX_BYTES = 1_000_000
"""Larger files are not parsed: that stops everything else for a second, keys too."""


def added_sites(old: bytes, new: bytes) -> tuple[ast.Module, list[ast.AST]] | None:
    """The tree of `new`, and the imports, attributes and calls in it that `old` had not; None when there are none.

    A file that does not parse, or is huge on either side, has none.
    """
    if max(len(old), len(new)) > MAX_BYTES:
        return None
    before, after = _parsed(old), _parsed(new)
    if after is None:
        return None
    bound = _imported_names(after)
    changed: list[ast.AST] = [after]
    known: Counter[str] = Counter()
    if before is not None:
        bound_before = _imported_names(before)
        gone: list[ast.AST] = [before]
        if bound == bound_before:
            gone, changed = _differing(_statements(before, old), _statements(after, new))
        known.update(key for node in gone for key, _ in _sites(node, bound_before))
    wanted: list[ast.AST] = []
    for key, node in (site for part in changed for site in _sites(part, bound)):
        known[key] -= 1
        if known[key] < 0:
            wanted.append(node)
    return (after, wanted) if wanted else None


def _parsed(data: bytes) -> ast.Module | None:
    try:
        return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _imported_names(tree: ast.Module) -> dict[str, str]:
    """Each name that some import of a file binds, with the last of the innermost such imports."""
    found: dict[str, str] = {}
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0]: ast.unparse(node) for alias in node.names}
        for block in ("body", "handlers", "orelse", "finalbody", "cases"):
            inner = getattr(node, block, ())
            if isinstance(inner, list):  # an expression has such a part too, which holds no statement
                waiting += inner
    return found


def _statements(tree: ast.Module, data: bytes) -> list[tuple[bytes, ast.AST]]:
    """The text and the node of each statement outside of functions; of a class its head and its statements."""
    lines = data.splitlines()  # of bytes: at the ends that Python's parser counts, and at no others
    found: list[tuple[bytes, ast.AST]] = []
    open_nodes: list[ast.AST] = [*reversed(tree.body)]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.ClassDef):
            open_nodes += [*reversed(node.body), *node.decorator_list, *node.bases, *node.keywords]
        elif isinstance(node, ast.stmt | ast.expr | ast.keyword):
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            found.append((b"\n".join(lines[start - 1 : node.end_lineno]), node))
    return found


def _differing(
    old: list[tuple[bytes, ast.AST]], new: list[tuple[bytes, ast.AST]]
) -> tuple[list[ast.AST], list[ast.AST]]:
    """The statements of each side that the other does not have; what both have has the same uses."""
    extra = Counter(text for text, _ in new)
    extra.subtract(text for text, _ in old)
    sides: tuple[list[ast.AST], list[ast.AST]] = [], []
    for side, sign, statements in ((0, -1, old), (1, 1, new)):
        left = {text: sign * count for text, count in extra.items()}
        for text, node in statements:
            if left[text] > 0:
                left[text] -= 1
                sides[side].append(node)
    return sides


def _sites(tree: ast.AST, bound: dict[str, str]) -> Iterator[tuple[str, ast.AST]]:
    """Imports, attribute chains and calls, each with a key that changes with what its first name is bound to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield ast.unparse(node), node
        elif isinstance(node, ast.Attribute | ast.Call):
            yield _site_key(node, bound), node


def _site_key(node: ast.Attribute | ast.Call, bound: dict[str, str]) -> str:
    text, words = ast.unparse(node), ""
    if isinstance(node, ast.Call):
        text, words = (
            ast.unparse(node.func),
            ",".join(sorted(keyword.arg or "**" for keyword in node.keywords)),
        )
    first = re.split(r"[^\w]", text, maxsplit=1)[0]
    return f"{bound.get(first, '')}|{type(node).__name__}|{text}|{words}"
