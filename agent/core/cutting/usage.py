"""Which names some lines define and which they use: by their spelling, the same in all languages.

Only good for ordering: a wrong guess changes the order of chunks, never what they do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

import msgspec

MAX_LINE = 400
"""Bytes; longer lines are data."""

_WORD = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]{2,}")
_DEFINITION = re.compile(
    rb"^[ \t]*(?:(?:export|default|declare|pub(?:\([\w: ]+\))?|public|private|protected|internal|static|async|abstract|final"
    rb"|sealed|open|override|virtual|inline|unsafe|extern|typedef|local|data|partial|suspend|const)[ \t]+)*"
    rb"(?:def|class|func|fun|fn|function\*?|struct|enum|union|trait|interface|type|mod|macro_rules!|record"
    rb"|namespace)[ \t]+(?:\([^)\n]*\)[ \t]*)?([A-Za-z_$][A-Za-z0-9_$]{2,}+)"
    rb"(?=[ \t]*(?:[(:<{=;,!\[?]|\r?$)|[ \t]+(?:extends|implements|struct|interface|func|map|chan|where|with|do)\b)"
    rb"|^type[ \t]+([A-Za-z_$][A-Za-z0-9_$]{2,}+)[ \t]+[\w.*\[\]]+[ \t]*\r?$"
    rb"|^[ \t]*#[ \t]*define[ \t]+([A-Za-z_$][A-Za-z0-9_$]{2,})"
    rb"|^(?:(?:export|pub(?:\([\w: ]+\))?|declare)[ \t]+)*(?:const|let|var|static)[ \t]+"
    rb"(?:mut[ \t]+)?([A-Za-z_$][A-Za-z0-9_$]{2,}+)(?=[ \t]*(?:[=:;,]|\r?$)|[ \t]+[\w.*\[\]]+[ \t]*(?:=|\r?$))",
    re.MULTILINE,
)
"""Words that define, at the begin of a line, and what follows the name, so that no prose is taken for them; values at
the margin only."""
_DEFINERS = frozenset(
    b"def class func fun function struct enum union trait interface type const let var static mod macro_rules"
    b" define record namespace".split()
)
"""The words of `_DEFINITION` that `_WORD` finds: all but `fn`."""
_VALUE = rb"([A-Za-z_$][A-Za-z0-9_$]{2,})[ \t]*(?::[^=\n]{1,60})?=(?!=)"
_CONSTANT = re.compile(rb"^" + _VALUE, re.MULTILINE)
_ATTRIBUTE = re.compile(rb"^[ \t]*(?:self|this)\." + _VALUE, re.MULTILINE)
_PROSE = re.compile(rb"[A-Za-z]+ (?!as\b|from\b)[A-Za-z]+ (?!as\b|from\b)[A-Za-z]+")
"""What no import has: three words in a row."""
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\S+)[ \t]+)?(?:import|use|using|require(?:_relative|_once)?|include(?:_once)?|alias|mod"
    rb"|#[ \t]*include)\b[ \t{(*\"'<]*(.*)|\b(?:require|from)[ (]+([\"'][^\"'\n]+)",
    re.MULTILINE,
)
"""Where something is imported from, and what; or only where from."""
_MARGIN = re.compile(rb"\n\S")
_NONE: frozenset[bytes] = frozenset()
_IMPORTERS = frozenset(
    b"import from use using require require_relative require_once include include_once alias mod".split()
)
_KEYWORDS = frozenset(
    b"and assert async await break case catch class const continue def default del elif else enum except export"
    b" extends false final finally for from func function goto global if impl implements import in int interface"
    b" lambda let match mut new nil none None not null package pass print private protected public pub raise return"
    b" self static struct super switch this throw throws trait true True False try type use var void where while with"
    b" yield str bool float string char double long short unsigned signed auto size_t".split()
)


class Names(msgspec.Struct, frozen=True):
    """What some lines seem to define for the whole project, to bring in for their own file (imports and attributes),
    and to use."""

    defined: Set[bytes]
    imported: Set[bytes]
    used: Set[bytes]
    modules: Set[bytes] = _NONE
    """All words of their imports: names of files may be among them."""


NO_NAMES = Names(_NONE, _NONE, _NONE)


def names_in(lines: Sequence[bytes]) -> Names:
    """The names in these lines. Only what can be part of a definition or an import makes us look for one."""
    text = b"".join(lines)
    words = set(_WORD.findall(text))
    if max(map(len, lines), default=0) > MAX_LINE:
        text = b"".join([line for line in lines if len(line) <= MAX_LINE])
    found: list[bytes] = []
    imports: list[bytes] = []
    modules: list[bytes] = []
    attributes: list[bytes] = []
    if not words.isdisjoint(_DEFINERS) or b"fn " in text:
        found += [word for words in _DEFINITION.findall(text) for word in words if word]
    if b"=" in text and _may_define(text):
        found += _CONSTANT.findall(text)
        attributes = _ATTRIBUTE.findall(text)
    if not words.isdisjoint(_IMPORTERS):
        for source, what, file in _IMPORT.findall(text):
            if _PROSE.search(what):
                continue
            imports += _WORD.findall(what)
            modules += _WORD.findall(b"%s %s" % (source, file))
    own = _names([*imports, *attributes])
    return Names(_names(found), own, words - _KEYWORDS, _names([*modules, *imports]))


def _may_define(text: bytes) -> bool:
    """True when something stands at the margin, or is an attribute: constants are defined nowhere else."""
    at_margin = not text[:1].isspace() or _MARGIN.search(text)
    return bool(at_margin or b"self." in text or b"this." in text)


def _names(words: Sequence[bytes]) -> Set[bytes]:
    return frozenset(words) - _KEYWORDS if words else _NONE


def imported(text: bytes) -> frozenset[bytes]:
    """All words of the imports in this text."""
    found = [b" ".join(parts) for parts in _IMPORT.findall(text) if not _PROSE.search(parts[1])]
    return words_of(b" ".join(found))


def words_of(text: bytes) -> frozenset[bytes]:
    """Every word of three letters or more, keywords too."""
    return frozenset(_WORD.findall(text))


def used(text: bytes) -> frozenset[bytes]:
    """Every word in this text that can be a name."""
    return words_of(text) - _KEYWORDS
