"""Which file a path means when the model gave it relative to the wrong folder.

Pure: works on a list of known paths. Answers with one path only when exactly one fits.
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_CANDIDATES = 5


def tidy(said: str) -> str:
    """`said` without the ornaments that models put around a path: quotes, `./`, backslashes, a leading `/`."""
    path = said.strip().strip("`\"'*").strip()
    if "\\" in path and "/" not in path:
        path = path.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join(parts)


def locate(said: str, known: Iterable[str], *, by_name: bool = True) -> str | tuple[str, ...]:
    """The one known path that `said` means, else the candidates (none: nothing is like it).

    In order: the path itself; with or without leading folders; only the file's name, if `by_name`.
    """
    names = list(known)
    if said in names:
        return said
    path = tidy(said)
    if path in names:
        return path
    fits = [name for name in names if name.endswith("/" + path) or path.endswith("/" + name)]
    if not fits:
        base = path.rsplit("/", 1)[-1]
        fits = [name for name in names if name.rsplit("/", 1)[-1] == base]
        if not by_name:
            return tuple(sorted(fits)[:MAX_CANDIDATES])
    if not fits:
        folded = path.casefold()
        fits = [name for name in names if name.casefold() == folded]
        return tuple(fits[:MAX_CANDIDATES])
    return fits[0] if len(fits) == 1 else tuple(sorted(fits)[:MAX_CANDIDATES])
