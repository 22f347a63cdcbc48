"""The shape of the work tree for the model: a folder as a tree, a file as its definitions with line numbers."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from agent.core.secrets import is_secret_path
from agent.ports import ToolOutput
from agent.tools.reading import show
from agent.tools.source import Page, Unseen, View, normal, shown

ROWS = 200
LINE_CHARS = 160

_DEFINITION = re.compile(
    r"(?:export\s+|default\s+|pub(?:\([a-z]+\))?\s+|public\s+|private\s+|protected\s+|internal\s+|static\s+|final\s+"
    r"|abstract\s+|async\s+|unsafe\s+|const\s+|inline\s+|extern\s+|virtual\s+|override\s+|sealed\s+|declare\s+)*"
    r"(?:class|def|func|fn|function\*?|interface|trait|impl|struct|enum|union|type|module|namespace|object|record"
    r"|protocol|extension|typedef|macro_rules!|contract|sub|proc|defmodule|defp?|fun)\b[ (<*]\s*\S"
    r"|(?:export\s+)?(?:const|let|var)\s+\w+\s*=\s*(?:async\s*)?(?:function\b|\(|\w+\s*=>)"
    r"|\[[^\]\n]+\]\s*$|#{1,6}\s+\S"
    r"|[A-Za-z_][\w\s*&:<>,~]{0,100}\([^;{}]{0,200}\)\s*(?:const\s*)?\{\s*$"
)
_FLOW = re.compile(r"(?:if|for|while|switch|else|catch|return|do|try|with|match)\b")


def outline(view: View, wanted: str) -> ToolOutput:
    path = normal(wanted, view.source.root)
    if path is None:
        return ToolOutput(f"{shown(wanted)} is not inside the repository.", f"{wanted}: refused", True)
    if path not in view and view.is_folder(path):
        return folder(view, path)
    match view.page(path):
        case Unseen():
            return show(view, path)
        case Page() as page:
            return _file(page)


def _file(page: Page) -> ToolOutput:
    name = shown(page.path)
    rows = list(_python(page) if page.path.endswith((".py", ".pyi")) else _other(page))
    head = f"{name}, {len(page.lines)} lines, {len(rows)} definitions"
    kept = rows[:ROWS]
    left = (
        [f"[left out: {len(rows) - ROWS} definitions from line {rows[ROWS].split(':')[0]} on]"]
        if rows[ROWS:]
        else []
    )
    return ToolOutput(
        "\n".join([f"{head}:" if rows else f"{head}.", *kept, *left]),
        f"outline: {head}",
        withheld=page.secrets,
    )


def _row(page: Page, number: int) -> str:
    return f"{number}: {page.lines[number - 1].rstrip()[:LINE_CHARS]}"


def _python(page: Page) -> Iterator[str]:
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse("\n".join(page.lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield from _other(page)
        return
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    waiting: list[ast.AST] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, kinds) or (isinstance(node, ast.Assign | ast.AnnAssign) and node.col_offset == 0):
            yield _row(page, node.lineno)
        if isinstance(node, ast.ClassDef | ast.If | ast.Try):
            waiting += reversed(node.body)


def _other(page: Page) -> Iterator[str]:
    for number, line in enumerate(page.lines, 1):
        text = line.strip()
        if len(text) < 400 and not _FLOW.match(text) and _DEFINITION.match(text):
            yield _row(page, number)


def folder(view: View, path: str) -> ToolOutput:
    """The tree of a folder, opened level by level as long as it fits."""
    start = f"{path}/" if path else ""
    inside = [name[len(start) :] for name in view.names if name.startswith(start)]
    files = [name for name in inside if not is_secret_path(name)]
    secret = len(inside) - len(files)
    rows = _level(files, 1)
    for depth in range(2, 30):
        deeper = _level(files, depth)
        if len(deeper) > ROWS or deeper == rows:
            break
        rows = deeper
    head = f"{shown(path) + '/' if path else 'the repository'}, {len(files)} files"
    notes = [f"[left out: {len(rows) - ROWS} entries]"] if len(rows) > ROWS else []
    notes += [f"[withheld: {secret} files that hold keys]"] if secret else []
    body = "\n".join([f"{head}:", *map(shown, rows[:ROWS]), *notes])
    return ToolOutput(body, f"outline: {head}", withheld=secret)


def _level(files: list[str], depth: int) -> list[str]:
    """Files down to `depth`, and deeper folders as one row each with the number of their files."""
    counts: dict[str, int] = {}
    for name in files:
        parts = name.split("/")
        row = name if len(parts) <= depth else "/".join(parts[:depth]) + "/"
        counts[row] = counts.get(row, 0) + 1
    return [f"{row} ({count} files)" if row.endswith("/") else row for row, count in counts.items()]
