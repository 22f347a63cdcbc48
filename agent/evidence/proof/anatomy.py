"""What a Python file is made of: its functions, each with a digest, and the rest. Pure.

A function here is an outermost one: what is nested in it belongs to it. Two versions of a file differ in functions,
or at large: then whatever imports the file may behave otherwise.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import msgspec

from agent.core.text import digest

HARMLESS = (
    "property",
    "staticmethod",
    "classmethod",
    "setter",
    "abstractmethod",
    "override",
    "contextmanager",
)
_GLOBAL = re.compile(rb"^\s*global\s", re.MULTILINE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Anatomy(msgspec.Struct, frozen=True):
    """`spans` are (first line, last line, name), lines from 1 and decorators included; `rest` is all other text."""

    spans: tuple[tuple[int, int, str], ...]
    digests: dict[str, str]
    rest: str
    shared: frozenset[str] = frozenset()
    """Functions that act beyond their calls: they keep what they gave, or are handed to another by a decorator."""

    def at(self, line: int) -> str:
        """The function that holds this line; empty when none does."""
        return next((name for first, last, name in self.spans if first <= line <= last), "")


def anatomy(source: bytes | None) -> Anatomy | None:
    """None for what cannot be parsed, or is not there."""
    try:
        tree = ast.parse(source or b"")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if source is None:
        return None
    lines = source.split(b"\n")
    spans: list[tuple[int, int, str]] = []
    texts: dict[str, bytes] = {}
    shared: set[str] = set()
    for name, node in _functions(tree, ""):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        last = node.end_lineno or node.lineno
        spans.append((first, last, name))
        body = b"\n".join(lines[node.lineno - 1 : last])
        texts[name] = texts.get(name, b"") + body + b"\0"
        lines[node.lineno - 1 : last] = [b""] * (last - node.lineno + 1)
        if _GLOBAL.search(body) or not all(_is_harmless(each) for each in node.decorator_list):
            shared.add(name)
    rest = b"\n".join(line for line in lines if line.strip())
    digests = {name: digest(text) for name, text in texts.items()}
    return Anatomy(tuple(spans), digests, digest(rest), frozenset(shared))


def changed(old: Anatomy | None, new: Anatomy | None) -> frozenset[str] | None:
    """Names of the functions that are not the same; None when the files differ at large."""
    if old is None or new is None or old.rest != new.rest or old.digests.keys() != new.digests.keys():
        return None
    names = frozenset(name for name, found in old.digests.items() if found != new.digests[name])
    return None if names & (old.shared | new.shared) else names


def _functions(node: ast.AST, around: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield around + name, child
            case ast.ClassDef(name=name):
                yield from _functions(child, f"{around}{name}.")
            case ast.expr() | ast.arguments():
                pass
            case _:
                yield from _functions(child, around)


def _is_harmless(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in HARMLESS
        case _:
            return False
