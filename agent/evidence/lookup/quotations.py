"""Whether a quotation stands in what is installed, word for word. Files are read, nothing is imported.

Looked through are the package's sources, stubs, documents and compiled parts, the description of its distribution, and
the signature and documentation of the name as `docs` shows them. Only what differs between a page and its source may
differ: white space, line ends, comment signs, quotation marks, backslashes, and marks of emphasis, code and links.
That words are not there is only said when everything was read.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent.evidence.lookup.project_env import ProjectEnv, top_levels
from agent.evidence.lookup.pymodules import SourceModule
from agent.evidence.lookup.signature import written
from agent.evidence.lookup.symbols import Answer, Symbol, Unknown
from agent.ports import Cancel

MIN_CHARS = 12
"""Fewer prove nothing: they stand everywhere."""
MAX_FILES = 5000
MAX_BYTES = 256 << 20
MAX_FILE_BYTES = 64 << 20
MAX_SECONDS = 5.0
WINDOW = 64 << 10
"""Bytes that are searched at a stretch, during which nothing else runs; text that is laid out to be slow stays bounded."""
OVERLAP = 8 << 10

_TEXTS = (".py", ".pyi", ".pyx", ".pxd", ".md", ".rst", ".txt")
_BINARIES = (".so", ".pyd")
_TOKEN = re.compile(r"\w+|[^\w\s`'\"\\#*]")
_ROLE = re.compile(r":[\w:+-]{1,20}:(?=`)|(?<=`)_")
_MARKS = rb"[\s`'\"\\#*]"
_MARKUP = rb"(?:(?::[\w:+-]{1,20}:(?=`)|(?<=`)_)" + _MARKS + rb"*+)*+"
"""What a page does not show of its source: also emphasis, roles (``:class:`X` ``) and the ends of links."""
_SELF = rb"(?:\$\w+(?:,\s*)?)?"
"""How C writes the first parameter that nobody passes."""
_IMPORTED = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)
_BEFORE_CALL = re.compile(r"^(?:async\s+)?(?:def\s+|class\s+)?(?:\w+\.)*(?=\w+\()")


class Found(msgspec.Struct, frozen=True):
    """`where`: file and line; the file alone for what is compiled."""

    where: str


class Absent(msgspec.Struct, frozen=True):
    """Everything was read, and the words are nowhere."""


class Unread(msgspec.Struct, frozen=True):
    """It cannot be told, for this reason."""

    reason: str


class Shelf(msgspec.Struct, frozen=True):
    """The files in which the words of one package stand; `lacks` says what else there is that cannot be read."""

    files: tuple[Path, ...]
    lacks: str = ""


def find(
    name: str, text: str, answer: Answer | None, env: ProjectEnv, cancel: Cancel
) -> Found | Absent | Unread:
    """Look for `text`, which is said to be of `name`; `answer` is what a look-up of that name gave, if it is one."""
    words = _BEFORE_CALL.sub("", text.strip(" .…:"))
    wanted = _Wanted(words)
    if len("".join(wanted.tokens)) < MIN_CHARS:
        return Unread("it is too short to prove anything")
    if isinstance(answer, Symbol) and isinstance(answer.module, SourceModule):
        own = _search([answer.module.file], wanted, cancel)
        if isinstance(own, Found):
            return own
        if wanted.at(_as_shown(answer).encode("utf-8", "replace")) >= 0:
            return Found(answer.where)
    tops = dict.fromkeys([name.partition(".")[0], *([_top(answer)] if isinstance(answer, Symbol) else [])])
    shelf = _shelf(name, tuple(tops), env)
    if not shelf.files:
        return Unread(f"{name.partition('.')[0]} is not installed in {env.label}")
    found = _search(shelf.files, wanted, cancel)
    if isinstance(found, Found | Unread):
        return found
    if shelf.lacks or isinstance(answer, Unknown) or _has_hidden_signature(answer, words):
        return Unread(shelf.lacks or "not all of it can be read without running code")
    return found


class _Wanted:
    """The words of a quotation, and where they stand in a text."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(_ROLE.sub("", text))
        encoded = [token.encode("utf-8", "replace") for token in self.tokens]
        self._longest = max(encoded, key=len, default=b"")
        parts: list[bytes] = []
        for number, token in enumerate(encoded):
            if token == b")":
                parts.append(b",?" + _MARKS + b"*+")
            parts.append(re.escape(token))
            if number + 1 < len(encoded):
                both = _is_word(token) and _is_word(encoded[number + 1])
                parts += [_SELF if token == b"(" else b"", _MARKS, b"++" if both else b"*+", _MARKUP]
        self._ends_in_word = bool(encoded) and _is_word(encoded[-1])
        self._pattern = re.compile(b"".join(parts))

    def may_be_in(self, data: bytes) -> bool:
        return self._longest in data

    def at(self, data: bytes, start: int = 0, end: int = WINDOW) -> int:
        """Where the words begin in `data[start:end]`; -1 when they are not there."""
        for match in self._pattern.finditer(data, start, end):
            before, after = data[match.start() - 1 : match.start()], data[match.end() : match.end() + 1]
            if not (_is_word(before) and _is_word(match[0][:1])) and not (
                self._ends_in_word and _is_word(after)
            ):
                return match.start()
        return -1


def _is_word(text: bytes) -> bool:
    return re.fullmatch(rb"[\w\x80-\xff]+", text) is not None


def _search(files: Sequence[Path], wanted: _Wanted, cancel: Cancel) -> Found | Absent | Unread:
    left, unread, deadline = MAX_BYTES, "", time.monotonic() + MAX_SECONDS
    for file in files:
        try:
            size = file.stat().st_size
            if size > MAX_FILE_BYTES or size > left:
                unread = f"{file.name} is too large to read"
                continue
            data = file.read_bytes()
        except OSError:
            unread = f"{file.name} cannot be read"
            continue
        left -= size
        for start in range(0, len(data) if wanted.may_be_in(data) else 1, WINDOW):
            if cancel.cancelled or time.monotonic() > deadline:
                return Unread("stopped" if cancel.cancelled else "it takes too long to find")
            at = wanted.at(data, start, start + WINDOW + OVERLAP)
            if at >= 0:
                return Found(_place(file, data, at))
    return Unread(unread) if unread else Absent()


def _place(file: Path, data: bytes, at: int) -> str:
    is_text = file.suffix in _TEXTS or file.name == "METADATA"
    return f"{file}:{data.count(10, 0, at) + 1}" if is_text else str(file)


def _shelf(name: str, tops: Sequence[str], env: ProjectEnv) -> Shelf:
    """What there is of the import packages `tops`, or of the distribution that is called `name`."""
    files = list(_of_tops(tops, env))
    infos = [env.info(top) for top in tops]
    is_stdlib = tops[0] in sys.stdlib_module_names
    if not files and not is_stdlib:
        infos = [env.info(name)]
        tops = sorted(top_levels(infos[0])) if infos[0] else ()
        files = list(_of_tops(tops, env))
    files += [info / "METADATA" for info in infos if info is not None and (info / "METADATA").is_file()]
    if is_stdlib:
        return _with_builtins(tops, files, env)
    compiled = next((file.name for file in files if file.suffix in _BINARIES), "")
    lacks = f"{compiled} is compiled" if compiled else ""
    return Shelf(
        tuple(files[:MAX_FILES]), "it has too many files to read" if len(files) > MAX_FILES else lacks
    )


def _of_tops(tops: Sequence[str], env: ProjectEnv) -> Iterator[Path]:
    for top in tops:
        if re.fullmatch(r"\w+", top):
            for folder in (*env.sites, env.stdlib, env.stdlib / "lib-dynload"):
                yield from _of_top(folder, top)


def _of_top(folder: Path, top: str) -> Iterator[Path]:
    for file in (folder / f"{top}.py", folder / f"{top}.pyi"):
        if file.is_file():
            yield file
    for ending in _BINARIES:
        yield from sorted(folder.glob(f"{top}.*{ending[1:]}"))
    for inside in (folder / top, folder / f"{top}-stubs"):
        for file in sorted(inside.rglob("*")):
            if file.suffix in (*_TEXTS, *_BINARIES) and file.is_file():
                yield file


def _with_builtins(tops: Sequence[str], files: list[Path], env: ProjectEnv) -> Shelf:
    """Modules of the standard library say much in others that they import, and in those that are written in C."""
    imported: dict[str, None] = dict.fromkeys(f"_{top}" for top in tops)
    for file in files:
        if file.suffix == ".py":
            imported |= dict.fromkeys(top.decode() for top in _IMPORTED.findall(file.read_bytes()))
    others = _of_tops([top for top in imported if top not in tops], env)
    every = dict.fromkeys([*files, *others, *env.binaries])
    return Shelf(tuple(every), "" if env.binaries else "the interpreter was not found")


def _top(symbol: Symbol) -> str:
    return symbol.path.partition(".")[0]


def _as_shown(symbol: Symbol) -> str:
    """Signature and documentation as they are read on a page: with and without annotations, without `self`."""
    item = symbol.item if symbol.item is not None else getattr(symbol.module, "api", None)
    if item is None:
        return ""
    texts = [item.docstring.value] if item.docstring else []
    call = _callable(symbol)
    if call is not None:
        name = symbol.path.rpartition(".")[2]
        first = call.parameters[0].name if len(call.parameters) else ""
        every = list(call.parameters)
        returns = f" -> {call.returns}" if call.returns else ""
        for parameters in (every, every[1:]) if first in ("self", "cls") else (every,):
            for annotated in (True, False):
                texts.append(f"{name}({written(parameters, annotated=annotated)}){returns}")
    return "\n\n".join(texts)


def _callable(symbol: Symbol) -> Any:
    """griffe's function behind a name that is called; None where none is written down."""
    if symbol.is_function:
        return symbol.item
    made = symbol.item.members.get("__init__") if symbol.is_class else None
    return made if made is not None and made.is_function else None


def _has_hidden_signature(answer: Answer | None, words: str) -> bool:
    """The words are a signature, and the one of this name is made when it runs."""
    is_signature = re.match(r"\w+\(", words) is not None
    return is_signature and not (isinstance(answer, Symbol) and _callable(answer) is not None)
