"""Which tests reach a change: test files that import or name the changed modules, by their text. Runs nothing.

The index of imports is kept and follows the scratch tree by its stamps, so that a second question costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n;#]*)|import[ \t]+([^\n;#]+))",
    re.MULTILINE,
)
_WORD = re.compile(rb"[\w.]+")
_SOURCE_ROOTS = ("src", "lib", "python")


def is_pytest_file(path: str) -> bool:
    """A file that pytest collects by its name."""
    if not path.endswith(".py"):
        return False
    return path.rpartition("/")[2].startswith("test_") or path.endswith("_test.py")


def modules_of(path: str) -> frozenset[str]:
    """The dotted names that a Python file may be imported by."""
    parts = path.removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    if parts and parts[0] in _SOURCE_ROOTS:
        parts = parts[1:]
    return frozenset(".".join(parts[start:]) for start in range(len(parts)))


class Selector:
    """Finds the test files for changed paths; `read` and `stamp` are of the tree that is shown."""

    def __init__(self, read: Callable[[str], bytes | None], stamp: Callable[[str], Any]) -> None:
        self._read = read
        self._stamp = stamp
        self._known: dict[str, tuple[Any, frozenset[str]]] = {}

    def related(self, changed: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
        """Test files among `paths`: those that import a changed module, else those that import a package around it."""
        tests = [path for path in paths if is_pytest_file(path)]
        changed = list(changed)
        names = [modules_of(path) for path in changed if path.endswith(".py")]
        near = [path for path in tests if any(self._imports(path) & wanted for wanted in names)]
        stems = {path.rpartition("/")[2].rpartition(".")[0] for path in changed}
        near += [
            path
            for path in tests
            if path.rpartition("/")[2].removesuffix(".py") in {f"test_{s}" for s in stems}
        ]
        if near:
            return tuple(dict.fromkeys(near))
        around = {name.rpartition(".")[0] for wanted in names for name in wanted} - {""}
        return tuple(path for path in tests if self._imports(path) & around)

    def _imports(self, path: str) -> frozenset[str]:
        """Every dotted name that the file imports, `from a import b` as `a` and `a.b`."""
        mark = self._stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != mark or mark is None:
            known = (mark, _imported(self._read(path) or b""))
            self._known[path] = known
        return known[1]


def _imported(data: bytes) -> frozenset[str]:
    found: set[str] = set()
    for match in _IMPORT.finditer(data):
        module, names, plain = match.groups()
        if plain is not None:
            found.update(_first_words(plain))
            continue
        start = module.decode("utf-8", "replace").lstrip(".")
        found.add(start)
        found.update(f"{start}.{name}".lstrip(".") for name in _first_words(names))
    return frozenset(found)


def _first_words(text: bytes) -> list[str]:
    """The names of `a as b, c`, without what they are called here."""
    words = (_WORD.search(part) for part in text.strip(b"()").split(b","))
    return [word[0].decode("utf-8", "replace") for word in words if word]
