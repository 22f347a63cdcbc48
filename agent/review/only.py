"""Which files of a difference are reviewed: all of them, or those at or below the paths that a person named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from agent.core.errors import UsageError
from agent.core.text import folders


class Only(msgspec.Struct, frozen=True):
    """Paths from the top of the repository; none: every file."""

    paths: tuple[str, ...] = ()

    def takes(self, *names: str | None) -> bool:
        """Whether a file is reviewed that had or gets one of these names."""
        below = tuple([f"{path}/" for path in self.paths])
        return not below or any(name is not None and f"{name}/".startswith(below) for name in names)

    def missed(self, names: Iterable[str]) -> list[str]:
        """Those paths at or below which none of these files is."""
        found = {start for name in names for start in (name, *folders(name))}
        return [path for path in self.paths if path not in found]

    def told(self, words: str) -> str:
        """`words` that name a difference, with what of it is reviewed."""
        return f"{words}, only {', '.join(self.paths)}" if self.paths else words


ALL = Only()


def only_below(root: Path, cwd: Path, given: Sequence[str]) -> Only:
    """Paths as they were typed in `cwd`, of a repository at `root`. Raises UsageError for one outside of it."""
    top, here = os.path.realpath(root), Path(os.path.realpath(cwd))
    found = []
    for path in given:
        inside = Path(os.path.relpath(here / path, top))
        if not inside.parts:
            return ALL
        if inside.parts[0] == os.pardir or inside.is_absolute():
            raise UsageError(f"{path} is outside of the repository", hint=f"the repository is {top}")
        found.append(inside.as_posix())
    return Only(tuple(sorted(set(found))))
