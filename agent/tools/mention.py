"""`@file` and `@file:10-40` in what the person types: the file is sent along, capped, and its size is said."""

from __future__ import annotations

import re

import msgspec

from agent.tools.outline import folder
from agent.tools.reading import show, split_range
from agent.tools.source import View, normal

CHARS = 16_000
ALL_CHARS = 48_000
"""All mentioned files of one sentence together."""

_MENTION = re.compile(r'(?<![\w@./])@(?:"([^"\n]+)"|([^\s@"`,;()<>\[\]{}]+))')


class Mentioned(msgspec.Struct, frozen=True):
    """A sentence with its files: `sent` for the model, `notices` (raw text) for the screen."""

    sent: str
    read: dict[str, str] = {}
    notices: tuple[str, ...] = ()
    withheld: int = 0


def mention(view: View, text: str, prefix: str = "") -> Mentioned:
    """Expand the mentions of `text`. Paths are looked up in the person's folder `prefix` first, then the top."""
    blocks: list[str] = []
    read: dict[str, str] = {}
    notices: list[str] = []
    withheld = 0
    done: set[tuple[str, int | None, int | None]] = set()
    for match in _MENTION.finditer(text):
        found = _look(view, match[1] or match[2].rstrip(".:!?'"), prefix)
        if found is None:
            if "/" in match[0] or "." in match[0]:
                notices.append(f"{match[0]}: there is no such file; sent as you typed it")
            continue
        if found in done:
            continue
        done.add(found)
        path, first, last = found
        room = min(CHARS, ALL_CHARS - sum(map(len, blocks)))
        if room <= 0:
            notices.append(
                f"{match[0]}: left out, the files of this message are over {ALL_CHARS:,} characters"
            )
            continue
        is_folder = path not in view and view.is_folder(path)
        output = folder(view, path) if is_folder else show(view, path, first, last, room)
        withheld += output.withheld
        read |= output.read
        blocks.append(output.content)
        notices.append(f"{output.line} ({_size(output.content)} sent)")
    return Mentioned("\n\n".join([text, *blocks]), read, tuple(notices), withheld)


def _look(view: View, name: str, prefix: str) -> tuple[str, int | None, int | None] | None:
    """The file or folder that a mention names, if there is one: also one that will be withheld."""
    cut, first, last = split_range(name)
    for base in dict.fromkeys((prefix, "")):
        for spelling, start, stop in ((name, None, None), (cut, first, last)):
            path = normal(spelling if spelling.startswith("/") else base + spelling, view.source.root)
            if path and (path in view or view.is_folder(path) or view.exists(path)):
                return path, start, stop
    return None


def _size(text: str) -> str:
    count = len(text)
    return f"{count} characters" if count < 1000 else f"{count / 1000:.1f}k characters"
