"""Names that are one file on systems that ignore case or Unicode form, found without listing twice.

The index is listed once per folder and state of its file, however many new names are checked against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set

from agent.core.text import name_from_bytes, name_to_bytes
from agent.git.command import Git, file_stamp
from agent.git.index import read_entries
from agent.io.files import Parts
from agent.ports import Place

# What HFS+ ignores in names (git's utf8.c, next_hfs_char).
IGNORABLE = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


def folded(name: bytes) -> str:
    """What systems that ignore case and Unicode form take for the same name."""
    if name.isascii():
        return name.decode("ascii").lower()
    text = IGNORABLE.sub("", name_from_bytes(name))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


class Names:
    """The paths of one folder of the index, and how each prefix of them is spelled."""

    def __init__(self, paths: Iterable[bytes]) -> None:
        self._paths = list(paths)
        self._spellings: dict[str, set[bytes]] = {}
        known: set[bytes] = set()
        for path in self._paths:
            end = len(path)
            while end > 0 and path[:end] not in known:
                known.add(path[:end])
                self._spellings.setdefault(folded(path[:end]), set()).add(path[:end])
                end = path.rfind(b"/", 0, end)

    def collision(self, path: bytes, leaving: Set[bytes]) -> bytes | None:
        """A path that stays and differs from `path` only in case or form, up to some folder."""
        end = len(path)
        while end > 0:
            for other in self._spellings.get(folded(path[:end]), ()):
                # Where an outer folder differs already, that one is the collision.
                if other != path[:end]:
                    staying = self._staying(other, leaving)
                    if staying is not None:
                        return staying
            end = path.rfind(b"/", 0, end)
        return None

    def _staying(self, prefix: bytes, leaving: Set[bytes]) -> bytes | None:
        below = prefix + b"/"
        for path in self._paths:
            if (path == prefix or path.startswith(below)) and path not in leaving:
                return path
        return None


class IndexNames:
    """`Names` of folders of one index, kept as long as its file does not change."""

    def __init__(self, place: Place, git: Git) -> None:
        self._index = place.git_dir / "index"
        self._git = git
        self._stamp: object = None
        self._known: dict[Parts, Names] = {}

    def below(self, folder: Parts) -> Names:
        stamp = file_stamp(self._index)
        if stamp != self._stamp:
            self._stamp, self._known = stamp, {}
        if folder not in self._known:
            scope = [name_from_bytes(b"/".join(folder))] if folder else None
            self._known[folder] = Names(name_to_bytes(entry.path) for entry in read_entries(self._git, scope))
        return self._known[folder]
