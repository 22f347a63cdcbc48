"""Syntax colours: which part of a line is a keyword, string, comment, number or name. Pygments, cut to a few kinds.

The lexer is chosen by file name. Unknown languages and slow input get no colours, never an error.
"""

from __future__ import annotations

from fnmatch import fnmatch
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class, get_all_lexers
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, Token, _TokenType

Spans = list[tuple[int, int, str]]
"""(start, end, kind) in one line; `kind` is a theme's name."""

MAX_CHARS = 200_000

_KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Comment.Preproc, "deco"),
    (Comment, "comment"),
    (String.Doc, "comment"),
    (String, "string"),
    (Number, "literal"),
    (Keyword.Constant, "literal"),
    (Keyword.Type, "deco"),
    (Keyword, "keyword"),
    (Operator.Word, "keyword"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Decorator, "deco"),
    (Name.Tag, "keyword"),
    (Name.Attribute, "name"),
    (Token.Generic.Heading, "name"),
    (Token.Generic.Subheading, "name"),
    (Literal, "literal"),
)


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer | None:
    """The lexer that `get_lexer_for_filename` gives, which turns 900 patterns into regular expressions: 0.1 s."""
    known = [(title, own) for title, _, patterns, _ in get_all_lexers(plugins=False) for own in patterns]
    plain = (name, f"*.{name.rpartition('.')[2]}")
    found = [pair for pair in known if pair[1] in plain]
    found = found or [pair for pair in known if _is_odd(pair[1]) and fnmatch(name, pair[1])]
    classes = [(find_lexer_class(title), "*" not in pattern) for title, pattern in found]
    rated = [(own.priority + whole / 2, own.__name__, own) for own, whole in classes if own is not None]
    return max(rated)[2](stripnl=False, ensurenl=True) if rated else None


def _is_odd(pattern: str) -> bool:
    return "*" in pattern[1:] or "[" in pattern


@lru_cache(maxsize=512)
def _kind(token: _TokenType) -> str:
    return next((kind for parent, kind in _KINDS if token in parent), "")


def _key(name: str) -> str:
    """Names that pygments knows whole (`Makefile`) stay; others are reduced to their suffix, for the cache."""
    stem, dot, suffix = name.rpartition(".")
    return f"x.{suffix}" if dot and stem else name


def spans(name: str, lead: str, lines: list[str]) -> list[Spans]:
    """Colour spans of each of `lines`, which follow `lead` (whole lines, may be empty) in the file `name`."""
    found: list[Spans] = [[] for _ in lines]
    lexer = _lexer(_key(name))
    if lexer is None or len(lead) + sum(map(len, lines)) > MAX_CHARS:
        return found
    row, column = -lead.count("\n"), 0
    for token, text in lexer.get_tokens(lead + "\n".join(lines) + "\n"):
        kind = _kind(token)
        for index, piece in enumerate(text.split("\n")):
            if index:
                row, column = row + 1, 0
            if piece:
                if kind and 0 <= row < len(found):
                    found[row].append((column, column + len(piece), kind))
                column += len(piece)
    return found
