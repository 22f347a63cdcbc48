"""Which processes another one has started, and those that these have started (Linux; none elsewhere)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def below(pid: int) -> Iterator[int]:
    """All descendants of `pid`, each after its parent."""
    open_pids = [pid]
    while open_pids:
        for children in _children(open_pids.pop()):
            open_pids += children
            yield from children


def _children(pid: int) -> Iterator[list[int]]:
    """The children of each thread of `pid`; nothing once it is gone."""
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            yield [int(word) for word in (thread / "children").read_bytes().split()]
