"""What a line defines, by the words it begins with: for files in languages that no parser here knows.

Also what opens a section in texts and settings. Cheap guesses that only name things: never wrong enough to matter.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property

from agent.core.code.structure import Symbol
from agent.core.text import Lines, in_utf8

TEXTS = ("md", "markdown", "rst", "txt", "mdx")
SETTINGS = ("toml", "ini", "cfg", "conf")
KEYED = ("yml", "yaml")
COMMENTED = ("cmakelists", "requirements", "constraints")
"""How names ending in `.txt` begin that are for programs."""
PROGRAMS = frozenset((
    "bash", "bats", "clj", "cljs", "cs", "cu", "d", "dart", "el", "elm", "erl", "ex", "exs",
    "f90", "fish", "fs", "fsx", "gd", "glsl", "graphql", "groovy", "gradle", "hs", "inc",
    "jl", "kt", "kts", "less", "lisp", "lua", "m", "ml", "mli", "mm", "nim", "pas", "php", "pl", "pm", "proto",
    "ps1", "psm1", "purs", "r", "rake", "rb", "rkt", "scala", "scm", "scss", "sh", "sol", "sql", "svelte",
    "swift", "t", "tcl", "tf", "v", "vala", "vb", "vhd", "vim", "vue", "zig", "zsh",
))  # fmt: skip
"""Kinds of files, besides those with a parser, that define names which others use; prose and data do not."""
MAX_LABEL = 80

_HEADING = re.compile(rb"\n#{1,6}[ \t]++([^\r\n]+)", re.MULTILINE)
_SECTION = re.compile(rb"\n\[+[ \t]*+([^\]\r\n]{1,200}?)[ \t]*\]+[ \t]*(?:[#;].*)?\r?$", re.MULTILINE)
_KEY = re.compile(rb"\n[\"']?([A-Za-z_][\w.-]*)[\"']?[ \t]*:(?=[ \t]|\r?$)", re.MULTILINE)

_BEFORE = (
    rb"(?:(?:pub|export|public|private|protected|internal|fileprivate|static|async|abstract|final|sealed|open|override"
    rb"|virtual|inline|suspend|data|local|default|partial|readonly|unsafe|operator|implicit|lazy|case|infix|tailrec"
    rb"|actual|expect|inner|companion|mutating|indirect|recursive|pure|@\w+)[ \t]+)*"
)
_WORDS = (
    rb"(?:def|defp|defmodule|defmacrop?|defprotocol|defimpl|enum[ \t]+class|class|func|fun|fn|function!?|sub|module"
    rb"|struct|trait|interface|enum|record|object|protocol|extension|actor|namespace|macro|proc|method|service|message"
    rb"|contract|library|procedure|subroutine|mixin)"
)
_NAME = rb"(?:<[^>\n]{0,80}>[ \t]*)?&?([A-Za-z_$][\w$.:?!'\\]*|[=<>+\-*/%!~^&|\[\]]{1,3}(?=\())"
_BEHIND = (
    rb"(?=[ \t]*(?:[({<:;,=\[*!|]|->|//|\#|--|\r?$"
    rb"|(?:do|extends|implements|with|where|is|begin|when|on|throws|returns)\b))"
)
_DEFINES = re.compile(
    rb"\n[ \t]*(?:"
    # a word says that something is defined: `def x`, `public final class X`, `local function M.x`
    rb"%(before)s%(words)s[ \t]+(?:`([^`\n]+)`|%(name)s%(behind)s)"
    # lists of Lisp
    rb"|\((?:def\w*-?|define(?:-\w+)*)[ \t]+\(?([^\s()\"']+)"
    # a test that is named by a sentence
    rb"|(?:test|it|describe|context|specify|feature|scenario|test_that|@test)[ \t(]+([\"'][^\"'\n]+[\"'])"
    # a signature on a line of its own, a type, a value at the margin
    rb"|([a-z_][\w']*)[ \t]+::[ \t]|(?:data|newtype|type|rpc|input)[ \t]+([A-Z][\w']*)"
    rb"|(instance[ \t]+[A-Z][^=\n]{0,200}?)(?=[ \t]+where\b|[ \t]*\r?$)"
    rb"|(?<=\n)let(?:[ \t]+rec)?[ \t]+([A-Za-z_][\w':]*)"
    # what a database or an infrastructure is to have
    rb"|(?i:create)(?:[ \t]+[A-Za-z]+){1,6}?[ \t]+([\w.\"`]+)(?=[ \t]*(?:\(|\r?$)|[ \t]+(?i:as|on|for|is)\b)"
    rb"|(?:resource|module|variable|output|provider)[ \t]+((?:\"[\w.-]+\"[ \t]*)+)(?=\{)"
    # a function that is assigned, in Lua and R; in R also an object
    rb"|(?:local[ \t]+)?([A-Za-z_.][\w.:$]*)[ \t]*(?:<<?-|=)[ \t]*(?:function\b|ggproto\(|R6Class\(|setRefClass\()"
    # a function of a shell
    rb"|([A-Za-z_][\w:.-]*)[ \t]*\(\)[ \t]*\r?\n?[ \t]*\{"
    rb")" % {b"before": _BEFORE, b"words": _WORDS, b"name": _NAME, b"behind": _BEHIND},
    re.MULTILINE,
)
_FUNCTION = re.compile(
    rb"\n[ \t]*(?:"
    rb"(?!(?:if|for|while|switch|return|else|catch|throw|new|do|case|using|foreach|lock|await|yield|synchronized)\b)"
    rb"(?:[\w<>,.*&\[\]?:@]+[ \t]+[*&]*)++([A-Za-z_~][\w:~]*)"
    rb"(?=\((?:[^;\n]*[{,(])?[ \t]*\r?$|\([^;\n]*\r?\n[ \t]*\{)"
    rb"|[-+][ \t]*\([^)\n]*\)[ \t]*([A-Za-z_]\w*)|@(?:interface|implementation|protocol)[ \t]+(\w+)"
    rb"|%(before)s(?:enum[ \t]+class|class|struct|interface|enum|extension|mixin|namespace|module|trait)[ \t]+"
    rb"([A-Za-z_][\w.]*)"
    rb")" % {b"before": _BEFORE},
    re.MULTILINE,
)
"""Where a type stands before the name of a function, and no word says that it is one."""
_FUNCTIONS = (
    "cpp",
    "cc",
    "cxx",
    "hpp",
    "hh",
    "hxx",
    "cu",
    "cs",
    "m",
    "mm",
    "d",
    "dart",
    "vala",
    "groovy",
    "glsl",
)
_RULE = re.compile(rb"\n[ \t]*+([^\s{};/*][^{};\n]*+)\{", re.MULTILINE)
RULES = ("css", "scss", "less")
_TARGET = re.compile(rb"\n([\w./%-]+)[ \t]*:(?!=)", re.MULTILINE)
_TARGETS = ("mk", "makefile", "gnumakefile")
_AT_MARGIN = re.compile(rb"\n(?=[a-z])%s%s[ \t]+([A-Za-z_][\w.:?!]*)" % (_BEFORE, _WORDS))


class Margin:
    """The names of what begins at the margin, looked for upwards from a line: for texts that there is no time to parse.

    The text is read when it is first asked for, and not cut into lines.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self._path, self._data = path, data

    def at(self, line: int) -> Symbol | None:
        """What begins at this line, or is the last that begins above it."""
        index = bisect_right(self._starts, line) - 1
        return Symbol(self._labels[index], self._starts[index], line + 1) if index >= 0 else None

    def begun(self, low: int, high: int) -> list[str]:
        """Names of what begins at these lines."""
        first = bisect_left(self._starts, low)
        return self._labels[first : bisect_left(self._starts, high, first)]

    @cached_property
    def _marks(self) -> dict[int, str]:
        text = b"".join((b"\n", *in_utf8((self._data,))))
        return _found(_sections(kind_of(self._path)) or _AT_MARGIN, text)

    @cached_property
    def _starts(self) -> list[int]:
        return list(self._marks)

    @cached_property
    def _labels(self) -> list[str]:
        return list(self._marks.values())


def kind_of(path: str) -> str:
    """What tells of which kind a text is: the suffix of its name, or the name."""
    name = path.rpartition("/")[2].lower()
    if name.endswith(".txt") and name.startswith(COMMENTED):
        return name.removesuffix(".txt")  # no text: what begins with # there is a comment, not a heading
    return name.rpartition(".")[2]


def has_sections(kind: str) -> bool:
    """True for texts and settings: what a line opens there goes on to the next such line."""
    return _sections(kind) is not None


def marks(kind: str, lines: Lines) -> dict[int, str]:
    """Lines that open a section or define something in this kind of file, with the name, in order."""
    found = _found(_sections(kind) or _definitions(kind), b"\n" + b"".join(lines))
    if kind in TEXTS and found:
        inside = _fenced(lines)
        return {at: label for at, label in found.items() if not inside[at]}
    return found


def _found(pattern: re.Pattern[bytes], text: bytes) -> dict[int, str]:
    """The names that `pattern` finds by their lines. `text` has an LF before it.

    Patterns begin with the end of the line before: what begins with a plain byte is found much faster.
    """
    found: dict[int, str] = {}
    at = counted = 0
    for mark in pattern.finditer(text):
        at += text.count(b"\n", counted, mark.start())
        counted = mark.start()
        found[at] = _label(mark)
    return found


def _sections(kind: str) -> re.Pattern[bytes] | None:
    """What opens a section in this kind of file; None where lines define something instead."""
    if kind in TEXTS:
        return _HEADING
    if kind in SETTINGS:
        return _SECTION
    return _KEY if kind in KEYED else None


def _definitions(kind: str) -> re.Pattern[bytes]:
    if kind in _FUNCTIONS:
        return _FUNCTION
    if kind in RULES:
        return _RULE
    return _TARGET if kind in _TARGETS else _DEFINES


def _label(mark: re.Match[bytes]) -> str:
    name = mark[mark.lastindex or 1].decode("utf-8", "replace")
    if mark.re is _HEADING:
        return name.rstrip(" \t#")[:MAX_LABEL] or name[:MAX_LABEL]
    if name[:1] in "\"'" and name[-1:] == name[:1]:
        return f'"{name[1:-1][:MAX_LABEL]}"'
    return name.rstrip(" \t.:'\\")[:MAX_LABEL] or name[:MAX_LABEL]


def _fenced(lines: Lines) -> list[bool]:
    """Whether each line is inside of a fence, or opens one."""
    inside = False
    found = []
    for line in lines:
        if line.lstrip()[:3] in (b"```", b"~~~"):
            inside = not inside
        found.append(inside)
    return found
