"""Titles of chunks that no model named: what is touched, and how much. Names come from files: not clean text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.core.cutting.risk import is_document
from agent.core.hunk import ChangeKind, FileChange, Mode

_IMPORT = re.compile(
    rb"\s*(?:from\s+\S+\s+import\b|import\b|use\s|using\s|extern\s+crate\b|#\s*include\b|require\b|(?:const|let|var)\s.{1,200}\brequire\()"
)
_VALUE = re.compile(
    rb"(?:export\s+|pub\s+|static\s+|final\s+|readonly\s+)*(?:(?:const|let|var)\s+)?([A-Za-z_$][\w$]*)\s*(?::[^=\n]{1,60})?=(?![=>])"
)
IMPORTS = "imports of "
"""With this begins the name of a chunk of imports."""

_MAX_READ = 30
"""So many lines are read for a title at most."""

MAX_NAME = 60
"""Longer names of symbols are shortened in the middle."""


def title(
    changes: Sequence[FileChange],
    symbols: Sequence[str],
    part: tuple[int, int] = (1, 1),
    *,
    opens: bool = True,
    line: int = 0,
) -> str:
    """A line for one chunk; `symbols` are what it touches, `part` its number among the pieces of one symbol.

    `opens`: it is the first of its file when the file is new. `line` tells it from others that have but a file to name.
    """
    lines = sum([len(hunk.old) + len(hunk.new) for change in changes for hunk in change.hunks])
    of = f" ({part[0]} of {part[1]})" if part[1] > 1 else ""
    whole = [_whole(change) for change in changes]
    if any(whole):
        named = "; ".join(words for words in whole if words)
        rest = sum(h.changed for c, words in zip(changes, whole, strict=True) if not words for h in c.hunks)
        return f"{named}; {plural(rest)}" if rest else named
    first = changes[0]
    if first.kind is ChangeKind.CREATE and opens:
        return f"New file {first.path}: {plural(lines)}"
    return f"{_subject(symbols) or _of_margin(changes, line)}{of}: {plural(lines)}"


def label(
    changes: Sequence[FileChange], symbols: Sequence[str], line: int = 0, *, opens: bool = False
) -> str:
    """A few words that name this chunk in the reason of another: the first symbol, or as `title` does."""
    symbol = next((symbol for symbol in symbols if symbol), "")
    if symbol:
        return _short(symbol)
    if opens and changes[0].kind is ChangeKind.CREATE:
        return f"new file {_short(changes[0].path.rpartition('/')[2])}"
    return _of_margin(changes, line)


def is_import(line: bytes) -> bool:
    """True for a line that imports something, in any language."""
    return _IMPORT.match(line) is not None


def _of_margin(changes: Sequence[FileChange], line: int) -> str:
    """What is changed outside of any definition; where that has no name, the file and its `line`."""
    files = ", ".join(_short(c.path.rpartition("/")[2]) for c in changes[:3])
    return _values(changes, files) or (f"{files}:{line}" if line else files)


def _values(changes: Sequence[FileChange], files: str) -> str:
    """What lines outside of any definition are: imports, or values by their names; empty when they are neither."""
    hunks = [hunk for change in changes for hunk in change.hunks]
    lines = [line for hunk in hunks for line in (hunk.new or hunk.old) if line.strip()]
    if not lines:
        return f"blank lines of {files}" if hunks else ""
    if len(lines) > _MAX_READ or is_document(changes[0].path):
        return ""
    if all(map(is_import, lines)):
        return f"{IMPORTS}{files}"
    values = [_VALUE.match(line) for line in lines if line[:1].isalnum() or line[:1] in b"_$"]
    return _subject([found[1].decode("utf-8", "replace") for found in values if found]) if all(values) else ""


def plural(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"


def _subject(symbols: Sequence[str]) -> str:
    names = [name for name in dict.fromkeys(symbols) if name]
    if len(names) > 2:
        return f"{_short(names[0])} and {len(names) - 1} more"
    return ", ".join(map(_short, names))


def _short(name: str) -> str:
    if len(name) <= MAX_NAME:
        return name
    half = MAX_NAME // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def _whole(change: FileChange) -> str:
    """Words for a change that is more than lines; empty for lines."""
    if change.kind is ChangeKind.MODIFY:
        return ""
    path = change.path
    lines = sum(hunk.changed for hunk in change.hunks)
    gone = bool(change.hunks) and change.hunks[0].new == ()
    match change.kind:
        case ChangeKind.RENAME:
            return f"Rename {path} to {change.new_path}"
        case ChangeKind.DELETE:
            return f"Delete {path} ({plural(lines)})"
        case ChangeKind.MODE:
            return f"Make {path} {'' if change.mode == Mode.EXECUTABLE else 'not '}executable"
        case ChangeKind.SYMLINK:
            return _link(change)
        case ChangeKind.BINARY:
            verb = "Delete" if gone else "Replace" if change.hunks and change.hunks[0].old else "Add"
            return f"{verb} binary {path} ({_size(change)})"
        case ChangeKind.CREATE if not change.hunks:
            return f"New empty file {path}"
        case ChangeKind.CREATE | ChangeKind.MODIFY:
            return ""


def _link(change: FileChange) -> str:
    target = change.hunks[0].new if change.hunks else ()
    if not target:
        return f"Delete link {change.path}"
    if change.mode != Mode.SYMLINK:
        return f"Replace link {change.path} by a file"
    shown = target[0][:200].decode("utf-8", "backslashreplace")
    return f"Link {change.path} to {_short(shown)}"


def _size(change: FileChange) -> str:
    hunk = change.hunks[0]
    sizes = [f"{sum(map(len, side)):,} bytes" for side in (hunk.old, hunk.new) if side]
    return " → ".join(sizes)
