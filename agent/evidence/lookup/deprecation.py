"""Whether a name is deprecated as a whole, by its decorator, its documentation, or a warning that every call gives.

A deprecated parameter or way of calling is none of that: those sentences are about uses that the code may not make.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Any

from agent.evidence.lookup.pymodules import SourceModule
from agent.evidence.lookup.symbols import Symbol

CHARS = 120
_WARNINGS = ("DeprecationWarning", "PendingDeprecationWarning")
_DIRECTIVE = re.compile(
    r"^\.\. deprecated::[ \t]*([^\n]*(?:\n[ \t]+[^\n]+|\n[ \t]*(?=\n[ \t]+\S))*)", re.MULTILINE
)
_IN_PART = re.compile(
    r"\b(?:param(?:eter)?s?|arg(?:ument)?s?|keywords?|options?|values?|pass(?:ing|ed)?|positional|when|if|calling|subclass\w*"
    r"|inherit\w*|attributes?|defaults?|behaviou?r|usage|support for)\b",
    re.IGNORECASE,
)


def deprecation(symbol: Symbol) -> str:
    """What is said about the deprecation of `symbol`; empty when it is not deprecated, or only in part."""
    item = symbol.item
    if item is None or symbol.is_module:
        return ""
    for decorator in getattr(item, "decorators", ()):
        if "deprecated" in str(decorator.callable_path).rpartition(".")[2].lower():
            return _first_string(str(decorator.value)) or "marked by its decorator"
    return _documented(item) or _warned(symbol)


def _documented(item: Any) -> str:
    text = item.docstring.value if item.docstring else ""
    match = _DIRECTIVE.search(text)
    if match:
        said = " ".join(match[1].split())
        return "" if _is_in_part(said, item) else said[:CHARS] or "says its documentation"
    first = text.strip().split("\n")[0]
    return first[:CHARS] if re.match(r"(?:\[?deprecated\]?\b|DEPRECATED\b)", first, re.IGNORECASE) else ""


def _is_in_part(said: str, item: Any) -> bool:
    """The sentence is about a parameter of `item`, or about a way to use it."""
    names = {parameter.name for parameter in getattr(item, "parameters", ())}
    marked = set(re.findall(r"[*`]+(\w+)[*`]+", said))
    return bool(names & marked) or _IN_PART.search(said) is not None


def _warned(symbol: Symbol) -> str:
    """The text of a warning that stands in the body itself of a function, so that every call gives it."""
    if not symbol.is_function or not isinstance(symbol.module, SourceModule):
        return ""
    lines = symbol.module.source.split("\n")[symbol.item.lineno - 1 : symbol.item.endlineno]
    if not any(word in line for word in _WARNINGS for line in lines):
        return ""
    try:
        (node,) = ast.parse(textwrap.dedent("\n".join(lines))).body
    except (SyntaxError, ValueError):
        return ""
    for statement in getattr(node, "body", ()):
        match statement:
            case ast.Expr(value=ast.Call(args=[first, *_]) as call) if _warns(call):
                return _first_string(ast.unparse(first)) or "every call of it warns"
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
                continue
            case _:
                return ""
    return ""


def _warns(call: ast.Call) -> bool:
    """`warnings.warn("...", DeprecationWarning)`."""
    words = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    is_warn = ast.unparse(call.func).rpartition(".")[2] == "warn"
    return is_warn and any(isinstance(word, ast.Name) and word.id in _WARNINGS for word in words)


def _first_string(code: str) -> str:
    match = re.search(r"""["']([^"']{3,120})["']""", code)
    return match[1] if match else ""
