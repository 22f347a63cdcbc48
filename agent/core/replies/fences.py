"""The shape of a model's text: where fences open and close, which line names a file, where blocks are marked.

Knows how models write, nothing about what it means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_OPEN = re.compile(r" {0,3}(`{3,}|~{3,})\s*([^`]*)$")
_TAG = re.compile(r" {0,3}<(source|code|pre|codeblock|sourcecode)>([\w+-]*)\s*$")
_TAG_END = re.compile(r" {0,3}</(?:source|code|pre|codeblock|sourcecode)>\s*$")
_PATH = re.compile(r"[^\s:*?\"<>|`]+")
_NAMES = frozenset(
    {
        "Dockerfile",
        "Containerfile",
        "Makefile",
        "Justfile",
        "README",
        "LICENSE",
        "CHANGELOG",
        "Gemfile",
        "Pipfile",
    }
    | {"Rakefile", "Procfile", "Jenkinsfile", "Vagrantfile", "BUILD", "WORKSPACE", "CODEOWNERS"}
)
_LABEL = re.compile(r"(?:\d+[.)]\s+|[-*+]\s+)?(?:(?:new |the )?(?:file ?name|file|path)\s*[:=]\s*)?", re.I)


class Fence(msgspec.Struct, frozen=True):
    """`mark` closes it (empty: a closing tag does); `info` is what stands behind the opening mark."""

    mark: str
    info: str


def fence_open(line: str) -> Fence | None:
    if match := _OPEN.match(line):
        return Fence(match[1], match[2].strip())
    if match := _TAG.match(line):
        return Fence("", match[2])
    return None


def closes(line: str, fence: Fence) -> bool:
    """True for the closing mark, hardly indented: deeper ones belong to the content."""
    if not fence.mark:
        return _TAG_END.match(line) is not None
    text = line.rstrip()
    bare = text.lstrip(" ")
    return len(text) - len(bare) < 4 and len(bare) >= len(fence.mark) and set(bare) == {fence.mark[0]}


def close_of(lines: Sequence[str], start: int, fence: Fence, *, markdown: bool) -> int | None:
    """The line that closes a fence opened before `start`; fences with an info inside it are nested.

    `markdown`: the content may have bare fences of its own; one with text right behind it opens such a one.
    A longer mark fences something in the content, until the same mark again.
    """
    opened: list[str] = []
    for index in range(start, len(lines)):
        line = lines[index]
        mark = line.strip()
        inner = fence_open(line)
        if opened:
            if mark == opened[-1]:
                opened.pop()
            elif inner and inner.info and inner.mark == opened[-1]:
                opened.append(inner.mark)
        elif inner and fence.mark and inner.mark.startswith(fence.mark + fence.mark[0]):
            opened.append(inner.mark)
        elif closes(line, fence):
            following = lines[index + 1] if index + 1 < len(lines) else ""
            if not (markdown and following.strip() and not path_in(following)):
                return index
            opened.append(mark)
        elif inner and inner.info and inner.mark == fence.mark:
            opened.append(inner.mark)
    return None


def goes_on(lines: Sequence[str], end: int, fence: Fence) -> bool:
    """True when the mark at `end` may be inside the content: text right behind it, and more such marks below."""
    following = lines[end + 1] if end + 1 < len(lines) else ""
    if not fence.mark or not following.strip() or path_in(following) or fence_open(following):
        return False
    for index in range(end + 2, len(lines)):
        if path_in(lines[index]):
            return False
        if lines[index].startswith(fence.mark):
            return True
    return False


def path_in(line: str) -> str | None:
    """The path that a line names and hardly says anything else: bare, in backticks, bold, as a heading."""
    text = line.strip()
    if not text or len(text) > 400:
        return None
    quoted = re.findall(r"`([^`]+)`", text)
    text = text.lstrip("#").strip()
    text = _LABEL.sub("", text.strip("*_ "), count=1).strip().rstrip(":").strip("*_` ").rstrip(":").strip()
    text = re.sub(r"\s+\((?:new|new file|modified|updated|created)\)$", "", text, flags=re.I).strip("`*_ ")
    if _is_path(text, spaces=bool(quoted) and len(quoted) == 1 and quoted[0].strip() == text):
        return text
    likely = [name for name in quoted if _is_path(name.strip(), spaces=False)]
    return likely[0].strip() if len(likely) == 1 and len(line) < 160 else None


def path_in_info(info: str) -> str | None:
    """A path behind the opening mark: `python src/x.py`, `src/x.py`, `python:src/x.py`, `title="x.py"`."""
    for part in re.split(r"[\s:=,{}]+", info)[::-1]:
        name = part.strip("\"'`")
        if _is_path(name, spaces=False) and ("." in name or "/" in name or name in _NAMES):
            return name
    return None


def _is_path(text: str, *, spaces: bool) -> bool:
    if not text or text.startswith(("http://", "https://", "//", "<", "-")) or text.endswith("/"):
        return False
    if spaces:
        return "." in text or "/" in text
    if not _PATH.fullmatch(text) or re.search(r"[(){};,=]|\.\.\.", text):
        return False
    base = text.rsplit("/", 1)[-1]
    named = re.fullmatch(r".*\w\.\w{1,12}|\.\w[\w.-]*", base) is not None
    return base in _NAMES or named or ("/" in text and re.fullmatch(r"[\w.@/+-]+", text) is not None)
