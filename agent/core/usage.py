"""Which names some lines define and which they use: by their spelling, the same in all languages.

Only good for ordering: a wrong guess changes the order of chunks, never what they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LINE = 400
"""Bytes; longer lines are data."""

_WORD = re.compile(rb"[A-Za-z_$][A-Za-z0-9_$]{2,}")
_DEFINITION = re.compile(
    rb"(?:^|[\s(])(?:def|class|func|fun|fn|function\*?|struct|enum|union|trait|interface|type|const|let|var"
    rb"|static|mod|macro_rules!|#[ \t]*define|record|namespace)[ \t]+(?:\([^)\n]*\)[ \t]*)?(?:mut[ \t]+)?"
    rb"([A-Za-z_$][A-Za-z0-9_$]{2,})"
)
_CONSTANT = re.compile(
    rb"^[ \t]*(?:self\.|this\.)?([A-Za-z_$][A-Za-z0-9_$]{2,})[ \t]*(?::[^=\n]{1,60})?=(?!=)"
)
_IMPORT = re.compile(
    rb"\s*(?:from\s+\S+\s+)?(?:import|use|using|require|include|#\s*include)\b[\s{(*\"'<]*(.*)"
)
_KEYWORDS = frozenset(
    b"and assert async await break case catch class const continue def default del elif else enum except export"
    b" extends false final finally for from func function goto global if impl implements import in int interface"
    b" lambda let match mut new nil none None not null package pass print private protected public pub raise return"
    b" self static struct super switch this throw throws trait true True False try type use var void where while with"
    b" yield str bool float string".split()
)


def used(lines: Iterable[bytes]) -> set[bytes]:
    """Every word in these lines that can be a name."""
    return set(_WORD.findall(b"".join(lines))) - _KEYWORDS


def defined(lines: Iterable[bytes]) -> set[bytes]:
    """Names that these lines seem to define, for the whole project."""
    names: set[bytes] = set()
    for line in lines:
        if len(line) > MAX_LINE:
            continue
        names.update(_DEFINITION.findall(line))
        if not line[:1].isspace() or b"self." in line or b"this." in line:
            names.update(_CONSTANT.findall(line))
    return names - _KEYWORDS


def imported(lines: Iterable[bytes]) -> set[bytes]:
    """Names that these lines bring in, for their own file."""
    names: set[bytes] = set()
    for line in lines:
        if len(line) <= MAX_LINE and (found := _IMPORT.match(line)):
            names.update(_WORD.findall(found[1]))
    return names - _KEYWORDS
