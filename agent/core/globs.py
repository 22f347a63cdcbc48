"""Many shell patterns at once: does a name fit one of them? Most are a beginning, an end or a part, told without `re`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate


class Globs:
    """Patterns of `fnmatch` (with `*` only) for names, or for the last parts of a path."""

    def __init__(self, patterns: Iterable[str]) -> None:
        ends, parts, odd = [], [], []
        for pattern in patterns:
            body = pattern.strip("*")
            if "*" in body:
                odd.append(pattern)
            elif pattern.endswith("*"):
                parts.append(body if pattern.startswith("*") else f"/{body}")
            else:
                ends.append(body if pattern.startswith("*") else f"/{body}")
        self._ends = tuple(ends)
        self._parts = tuple(parts)
        self._odd = re.compile("|".join(translate(f"*/{pattern}") for pattern in odd)) if odd else None

    def fit(self, name: str) -> bool:
        """True when `name`, or what follows one of its slashes, fits a pattern as a whole."""
        whole = f"/{name}"
        if whole.endswith(self._ends):
            return True
        for part in self._parts:
            if part in whole:
                return True
        return self._odd is not None and self._odd.match(whole) is not None
