"""What `copair --help` prints: a file, for the commands themselves take five times as long to import as to read it.

A test writes it from the commands (PYTEST_UPDATE_GOLDEN=1) and holds it to them. Imports nothing heavy.
"""

from __future__ import annotations

PAGE = f"{__file__.removesuffix('.py')}.txt"


def page() -> str:
    """The whole text, at 80 columns."""
    with open(PAGE, encoding="utf-8") as file:
        return file.read()
