"""Code that could forge the tests it is judged by: what reaches into the process, equals everything, or does nothing new.

A test and the code under test share one process, so no run can prove that such code did not help itself. What is
found only lowers a verdict. Python by its syntax tree; strings that are put together at run time are not seen.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterator

from agent.core.hunk import FileState, Write
from agent.core.testfile import is_test_path

_MODULES = frozenset(
    (
        "_pytest",
        "pytest",
        "pluggy",
        "unittest",
        "ctypes",
        "builtins",
        "gc",
        "atexit",
        "copair_report",
        "copair_reach",
    )
)
_ATTRIBUTES = frozenset(
    ("os._exit", "os.abort", "os.kill", "os.write", "os.fdopen", "os.dup2", "os.fork", "os.execv", "os.execve",
     "sys.modules", "sys.meta_path", "sys.settrace", "sys.setprofile", "sys.monitoring", "sys._getframe",
     "sys.excepthook", "sys.unraisablehook", "inspect.stack", "inspect.currentframe", "inspect.getouterframes",
     "inspect.trace", "importlib.reload", "threading.settrace", "threading.setprofile", "signal.raise_signal")
)  # fmt: skip
_CALLS = frozenset(("exec", "eval", "compile", "__import__", "import_module"))
_COMPARISONS = frozenset(
    ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "__instancecheck__")
)


def meddling(write: Write) -> tuple[str, ...]:
    """What of this a write brings in that was not there before, each kind once; nothing for tests."""
    if is_test_path(write.path) or not write.path.endswith(".py"):
        return ()
    before, after = Counter(_marks(write.old)), Counter(_marks(write.new))
    return tuple(mark for mark in after if after[mark] > before[mark])


def same_code(write: Write) -> bool:
    """True when Python would run the same before and after: only comments, blanks or line breaks differ."""
    if write.old is None or write.new is None or not write.path.endswith(".py"):
        return False
    old, new = _tree(write.old), _tree(write.new)
    return old is not None and new is not None and ast.dump(old) == ast.dump(new)


def _tree(state: FileState) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(state.data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _marks(state: FileState | None) -> list[str]:
    """A file that does not parse has none: it cannot run either."""
    tree = _tree(state) if state is not None else None
    return [mark for node in ast.walk(tree) for mark in _of(node)] if tree is not None else []


def _of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names if alias.name.partition(".")[0] in _MODULES)
        case ast.ImportFrom(module=str(module), names=names):
            whole = module.partition(".")[0] in _MODULES
            full = (f"{module}.{alias.name}" for alias in names)
            yield from (name for name in full if whole or name in _ATTRIBUTES)
        case ast.Attribute(value=ast.Name(id=owner), attr=attr) if f"{owner}.{attr}" in _ATTRIBUTES:
            yield f"{owner}.{attr}"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _CALLS:
            if isinstance(node.func, ast.Name) or name == "import_module":
                yield name
        case ast.FunctionDef(name=name, body=body) if name in _COMPARISONS and _is_constant(body):
            yield f"{name} that always says the same"
        case ast.Constant(value=str(text)) if "COPAIR_" in text or text.startswith("/proc/"):
            yield text[:40]


def _is_constant(body: list[ast.stmt]) -> bool:
    """True for a body that is nothing but `return CONSTANT`, a docstring aside."""
    rest = [
        item for item in body if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
    ]
    return len(rest) == 1 and isinstance(rest[0], ast.Return) and isinstance(rest[0].value, ast.Constant)
