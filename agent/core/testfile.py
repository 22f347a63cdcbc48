"""Which files belong to the tests of a project, by their names alone."""

from __future__ import annotations

from functools import lru_cache

from agent.core.globs import Globs

_FOLDERS = frozenset(("test", "tests", "testing", "__tests__", "spec", "specs"))
_NAMES = Globs(
    ("test_*.*", "*_test.*", "*_tests.*", "tests.py", "conftest.py", "*.test.*", "*.spec.*", "*_spec.*",
     "*Test.java", "*Tests.java", "*Test.kt", "*Tests.cs")
)  # fmt: skip


@lru_cache(maxsize=1024)
def is_test_path(path: str) -> bool:
    """True for a file that by its name or folder belongs to the tests."""
    *folders, name = path.split("/")
    return not _FOLDERS.isdisjoint(folder.casefold() for folder in folders) or _NAMES.fit(name)
