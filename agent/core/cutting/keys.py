"""Names for changes of files of nested keys (YAML, JSON): the keys that all of a change stands below.

By indentation, as people write such files. A wrong guess costs a word of a title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.core.code.definitions import kind_of
from agent.core.cutting.groups import Group
from agent.core.hunk import Hunk
from agent.core.lines.splice import position
from agent.core.text import Lines

KINDS = ("json", "json5", "jsonc", "yaml", "yml")
MAX_KEYS = 3
"""So many keys make a name, the outermost first."""

MAX_UP = 300
"""So many lines up the keys around a line are looked for."""

_START = re.compile(rb"[ \t]*(?:-[ \t]+)*")
_KEY = re.compile(rb"(?:\"([^\"\n]{1,80})\"|'([^'\n]{1,80})'|([\w$./@-]{1,80}))[ \t]*:(?:[ \t\r\n]|$)")


def named(path: str, groups: Sequence[Group], old: Lines, new: Lines) -> dict[int, str]:
    """The name of each group, by its index, all of whose lines stand below one key of such a file."""
    if kind_of(path) not in KINDS:
        return {}
    places: dict[int, list[tuple[str, ...]]] = {}
    by = 0
    owned = [(hunk, index) for index, group in enumerate(groups) for hunk in group.hunks]
    for hunk, index in sorted(owned, key=lambda both: position(both[0])):
        lines, start = (new, hunk.start + by) if hunk.new else (old, hunk.start)
        places.setdefault(index, []).extend(around(lines, at) for at in _ends(hunk, start))
        by += len(hunk.new) - len(hunk.old)
    shared = {index: _shared(found) for index, found in places.items()}
    return {index: ".".join(keys[:MAX_KEYS]) for index, keys in shared.items() if keys}


def around(lines: Lines, at: int) -> tuple[str, ...]:
    """The keys around line `at` and its own, the outermost first."""
    found: list[str] = []
    width = -1
    for line in reversed(lines[max(0, at - MAX_UP) : at + 1]):
        start = _START.match(line)
        own = start.end() if start else 0
        key = _KEY.match(line, own)
        if key and (width < 0 or own < width):
            found.append((key[1] or key[2] or key[3]).decode("utf-8", "replace"))
            width = own
        elif width < 0:
            width = own + line[own : own + 1].startswith((b"}", b"]"))
        if not width:
            break
    return tuple(reversed(found))


def _ends(hunk: Hunk, start: int) -> list[int]:
    """The first and the last line of a hunk that say something, counted from `start`."""
    said = [at for at, line in enumerate(hunk.new or hunk.old, start) if line.strip(b" \t\r\n{}[],")]
    return said[:1] + said[1:][-1:]


def _shared(places: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    first, last = min(places, default=()), max(places, default=())
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first[: min(len(first), len(last)) if same is None else same]
