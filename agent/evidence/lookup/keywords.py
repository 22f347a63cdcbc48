"""Which keywords a callable takes, as far as its signature, overloads, bases and decorators leave no doubt."""

from __future__ import annotations

import re

from agent.evidence.lookup.pymodules import SourceModule
from agent.evidence.lookup.symbols import Symbol, Symbols

_SAME_SIGNATURE = frozenset((
    "staticmethod", "classmethod", "abstractmethod", "overload", "cache", "lru_cache", "contextmanager",
    "asynccontextmanager", "final", "override", "deprecated",
))  # fmt: skip


def wrong_keyword(symbols: Symbols, called: Symbol, names: list[str]) -> str:
    """The first of `names` that `called` certainly does not take; empty when it takes all, or that is not certain."""
    if not names:
        return ""
    taken = _keywords(symbols, called)
    return next((name for name in names if taken is not None and name not in taken), "")


def _keywords(symbols: Symbols, called: Symbol) -> set[str] | None:
    """The names that a call may use; None when any may do, or it cannot be seen."""
    if called.is_function:
        return _parameters(called)
    if not called.is_class:
        return None
    for parent in symbols.mro(called):
        if not isinstance(parent, Symbol) or parent.item is None:
            return None
        if parent.item.decorators or "__new__" in parent.item.members or _has_metaclass(parent):
            return None
        init = parent.item.members.get("__init__")
        if init is not None:
            return (
                _parameters(Symbol(f"{parent.path}.__init__", parent.module, init))
                if init.is_function
                else None
            )
    return None


def _has_metaclass(parent: Symbol) -> bool:
    """A metaclass may take the call itself; looked for in the text of the module, which is more than enough."""
    if not isinstance(parent.module, SourceModule):
        return True
    return re.search(r"metaclass\s*=\s*(?!(?:abc\.)?ABCMeta)", parent.module.source) is not None


def _parameters(called: Symbol) -> set[str] | None:
    names: set[str] = set()
    functions = [called.item, *_overloads(called)]
    for function in functions:
        decorators = {str(decorator.callable_path).rpartition(".")[2] for decorator in function.decorators}
        if not decorators <= _SAME_SIGNATURE:
            return None
        for parameter in function.parameters:
            kind = parameter.kind.value if parameter.kind is not None else ""
            if kind == "variadic keyword":
                return None
            if kind not in ("positional-only", "variadic positional"):
                names.add(parameter.name)
    return names


def _overloads(called: Symbol) -> list[object]:
    found = getattr(called.item, "overloads", None)
    return list(found) if found else []
