"""Names in backticks: what a model says exists, held against what does.

A name is a path, an identifier, or identifiers joined by dots; anything else in backticks (an expression, an
option, a number) is no claim. Words of the languages themselves are always known.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable, Iterable, Sequence

from agent.core.chunk import Chunk
from agent.core.hunk import Write

SPAN = re.compile(r"`([^`\n]{1,200})`")
_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|::|->|#)[A-Za-z_$][\w$]*)*")
_PATH = re.compile(r"(?:\.{0,2}/)?[\w.@+-]+(?:/[\w.@+-]+)+/?|[\w@+-][\w.@+-]*\.[a-z][a-z0-9]{0,5}")
_SPLIT = re.compile(r"\.|::|->|#")
_WORDS = """
    self cls this super true false null nil none undefined void int str string bool float double char byte long
    var let const func fn function async await new struct enum interface impl trait type package module use
    extends implements throws throw catch switch case default do end then public private protected static final
    unsafe mut pub mod match where dyn Result Option Some Ok Err Vec String Box stdin stdout stderr main
"""
_LANGUAGE = frozenset(dir(builtins)) | frozenset(keyword.kwlist) | frozenset(re.findall(r"\w+", _WORDS))


def names_in(text: str) -> tuple[str, ...]:
    """Names and paths in the backticks of `text`, in order, once each; `f(x)` counts as `f`."""
    found: dict[str, None] = {}
    for match in SPAN.finditer(text):
        span = match[1].strip().removesuffix("()")
        call = re.match(r"([\w$.:]+)\(.*\)$", span)
        span = call[1] if call else span
        span = re.sub(r":\d+(?:-\d+)?$", "", span)
        if _NAME.fullmatch(span) or _PATH.fullmatch(span):
            found[span] = None
    return tuple(found)


def unknown_names(
    chunk: Chunk,
    writes: Sequence[Write],
    paths: Callable[[], Iterable[str]],
    known: Callable[[str], bool] | None = None,
) -> tuple[str, ...]:
    """Names in backticks in what `chunk` says, that exist neither in the files it writes nor in the repository.

    `paths` gives the repository's files; `known` says whether an identifier occurs in it, and without it only
    paths are judged. Both are called only when a name is not in the written files.
    """
    said = [chunk.title, chunk.why, *(because.text for because in chunk.because)]
    names = dict.fromkeys(name for text in said for name in names_in(text))
    here = _words(writes) if names else set()
    open_names = [name for name in names if not _is_here(name, writes, here)]
    if not open_names:
        return ()
    files = set(paths())
    return tuple(name for name in open_names if not _in_repository(name, files, known))


def _words(writes: Sequence[Write]) -> set[str]:
    texts = [state.data for write in writes for state in (write.old, write.new) if state]
    return {word for data in texts for word in re.findall(r"[\w$]+", data.decode("utf-8", "replace"))}


def _is_here(name: str, writes: Sequence[Write], words: set[str]) -> bool:
    """In the diff: a path that is written, or all parts of the name are words of the written files."""
    bare = name.removeprefix("./").rstrip("/")
    if any(
        write.path == bare or write.path.endswith("/" + bare) or f"/{bare}/" in f"/{write.path}"
        for write in writes
    ):
        return True
    if "/" in name:
        return False
    parts = [part for part in _SPLIT.split(name) if part]
    return all(part in words or part in _LANGUAGE for part in parts)


def _in_repository(name: str, files: set[str], known: Callable[[str], bool] | None) -> bool:
    bare = name.removeprefix("./").rstrip("/")
    if any(path == bare or path.endswith("/" + bare) or f"/{bare}/" in f"/{path}" for path in files):
        return True
    looks_like_path = "/" in name
    if known is None:
        return not looks_like_path and not re.fullmatch(
            r"[\w-]+\.(?:py|js|ts|go|rs|c|h|java|toml|json|md|ya?ml)", name
        )
    parts = [part for part in _SPLIT.split(name) if part and part not in _LANGUAGE]
    return not looks_like_path and all(known(part) for part in parts)
