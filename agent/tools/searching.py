"""Finds text in the work tree for the model: where it occurs, with the lines, capped and counted."""

from __future__ import annotations

from agent.core.secrets import is_secret_path
from agent.ports import Cancel, ToolOutput
from agent.tools.source import Hits, Page, View, normal, shown

PER_FILE = 8
MATCHES = 60
LINE_CHARS = 200


def search(view: View, wanted: str, under: str, cancel: Cancel) -> ToolOutput:
    """Lines that hold `wanted` (a literal text, or `/regex/`) in files under `under` ("" for all)."""
    folder = normal(under, view.source.root)
    if folder is None:
        return ToolOutput(f"{shown(under)} is not inside the repository.", "search: refused", True)
    if not wanted.strip() or "\n" in wanted:
        return ToolOutput("Search for one line of text.", "search: nothing to search for", True)
    regex = len(wanted) > 2 and wanted.startswith("/") and wanted.endswith("/")
    pattern = wanted[1:-1] if regex else wanted
    any_case = False
    hits = view.source.find(pattern, regex=regex, any_case=False, under=folder, cancel=cancel)
    if regex and not hits.lines and (hits.invalid or pattern.count("/")):
        # A path like /usr/lib/ is a text, whatever it looks like.
        regex, pattern = False, wanted
        literal = view.source.find(pattern, regex=False, any_case=False, under=folder, cancel=cancel)
        hits = literal if literal.lines or not hits.invalid else hits
    if not hits.lines and not hits.invalid and not hits.stopped:
        any_case = True
        hits = view.source.find(pattern, regex=regex, any_case=True, under=folder, cancel=cancel)
    if hits.invalid:
        return ToolOutput(f"Not a regular expression: {hits.invalid}", "search: not understood", True)
    return _found(view, wanted, folder, hits, any_case)


def _found(view: View, wanted: str, folder: str, hits: Hits, any_case: bool) -> ToolOutput:
    known = frozenset(view.names) if hits.lines else frozenset()
    secret = [path for path in hits.lines if is_secret_path(path) or path not in known]
    found = {path: lines for path, lines in hits.lines.items() if path not in secret}
    rows: list[str] = []
    left: list[str] = []
    kept_back = len(secret)
    for path, lines in found.items():
        room = min(PER_FILE, MATCHES - len(rows))
        page = view.page(path) if room > 0 else None
        if not isinstance(page, Page):
            left.append(f"{shown(path)} ({len(lines)})")
            continue
        rows += [_row(page, number) for number in lines[:room]]
        kept_back += sum("[withheld: 1 secret]" in row for row in rows[-min(room, len(lines)) :])
        if len(lines) > room:
            left.append(f"{shown(path)} ({len(lines) - room})")
    total = sum(map(len, found.values()))
    place = f" under {shown(folder)}" if folder else ""
    case = ", upper or lower case" if any_case and total else ""
    head = f'{total} lines with "{wanted}"{place} in {len(found)} files{case}'
    notes = [f"[left out: {_listed(left)}]"] if left else []
    notes += [f"[withheld: matches in {len(secret)} files]"] if secret else []
    notes += [f"[not complete: {hits.stopped}]"] if hits.stopped else []
    return ToolOutput(
        "\n".join([f"{head}:" if rows else f"{head}.", *rows, *notes]), f"search: {head}", withheld=kept_back
    )


def _row(page: Page, number: int) -> str:
    line = page.lines[number - 1] if number <= len(page.lines) else ""
    return f"{shown(page.path)}:{number}: {line.strip()[:LINE_CHARS]}"


def _listed(names: list[str], count: int = 12) -> str:
    more = f", and {len(names) - count} more files" if len(names) > count else ""
    return ", ".join(names[:count]) + more
