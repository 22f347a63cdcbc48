"""Syntax colours: which part of a line is a keyword, string, comment, number or name. Pygments, cut to a few kinds.

The lexer is chosen by file name. Unknown languages and slow input get no colours, never an error.
"""

from __future__ import annotations

from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, Token, _TokenType
from pygments.util import ClassNotFound

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
def _lexer(suffix_name: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(suffix_name, stripnl=False, ensurenl=True)
    except ClassNotFound:
        return None


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
