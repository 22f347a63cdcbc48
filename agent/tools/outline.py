"""The shape of the work tree for the model: a folder as a tree, a file as its definitions with line numbers."""

from __future__ import annotations

from agent.core.code.structure import Symbol
from agent.core.code.symbols import outline as symbols_of
from agent.core.secrets import is_secret_path
from agent.ports import ToolOutput
from agent.tools.reading import show
from agent.tools.source import Page, Unseen, View, normal, shown

ROWS = 200
LINE_CHARS = 160
NAME_WITHIN = 40
"""Lines from the start of a definition in which its name is looked for."""


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
    rows = _rows(page)
    head = f"{name}, {len(page.lines)} lines, {len(rows)} definitions"
    kept = rows[:ROWS]
    left = (
        [f"[left out: {len(rows) - ROWS} definitions, from line {rows[ROWS].split('-')[0]}]"]
        if rows[ROWS:]
        else []
    )
    body = "\n".join([f"{head}:" if rows else f"{head}.", *kept, *left])
    return ToolOutput(body, f"outline: {head}", withheld=page.secrets)


def _rows(page: Page) -> list[str]:
    """One row a definition: its lines, as `read` takes them, and the line that names it."""
    lines = tuple(f"{line}\n".encode("utf-8", "replace") for line in page.lines)
    symbols = symbols_of(page.path, lines).symbols
    return [f"{one.start + 1}-{one.end}: {_named(page, one)}" for one in symbols]


def _named(page: Page, symbol: Symbol) -> str:
    """The line of a symbol that has its name: comments and decorators may stand before it."""
    last = [symbol.name, *symbol.name.rpartition(".")[2].split()][-1]
    inside = page.lines[symbol.start : min(symbol.end, symbol.start + NAME_WITHIN)]
    plain = [line for line in inside if not line.lstrip().startswith(("#", "//", "/*", "*", "@"))]
    line = next((line for line in (*plain, *inside) if last in line), "")
    return _cut(line) if line else symbol.name


def _cut(line: str) -> str:
    return line.rstrip()[:LINE_CHARS]


def folder(view: View, path: str) -> ToolOutput:
    """The tree of a folder, opened level by level as long as it fits."""
    start = f"{path}/" if path else ""
    inside = [name[len(start) :] for name in view.below(path) if name.startswith(start)]
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
