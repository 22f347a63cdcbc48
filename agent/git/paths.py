"""The fence: the only place where a path becomes one that may be written (threats: G4).

Lexical rules come first, and depend on nothing: no absolute path, no `..`, no spelling of `.git` on any system
(case, `git~1`, trailing dots and spaces, streams, ignorable code points). Then the repository: submodules,
entries that a sparse checkout keeps away, names that collide on systems that ignore case or Unicode form. Links,
nested repositories and odd files are refused by `io.files` when a folder is opened, which is at the moment of
writing. Names with newlines, quotes and undecodable bytes are allowed: they are names.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from agent.core.errors import PathRefused
from agent.core.text import name_from_bytes, name_to_bytes
from agent.git.collisions import IGNORABLE, IndexNames, Names, folded
from agent.git.command import Git, file_stamp
from agent.git.index import is_plain, read_entries
from agent.io.files import TEMPORARY, BehindLink, Parts, Tree
from agent.ports import Place

DRIVE = re.compile(r"[A-Za-z]:")
GIT_SHORT = re.compile(r"git~[0-9]+")
WINDOWS_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)( *(\.|:).*)?$")
WINDOWS_ODD = re.compile(r'[\\:*?"<>|\x00-\x1f]|[. ]$')
MAX_BYTES = 4095
"""PATH_MAX of Linux; git itself goes no further."""
_SEAL = object()


class Fenced(msgspec.Struct, frozen=True):
    """A path that passed the fence. Only this module can build one."""

    path: str
    parts: Parts
    seal: object = None

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise AssertionError("only the fence makes fenced paths")


def is_git_name(component: str) -> bool:
    """True for every spelling that some system takes for `.git`."""
    if component.isascii() and "git" not in component.lower():
        return False
    plain = IGNORABLE.sub("", unicodedata.normalize("NFKC", component)).casefold()
    plain = plain.partition(":")[0].rstrip(". ")
    return plain == ".git" or GIT_SHORT.fullmatch(plain) is not None


@lru_cache(maxsize=1 << 15)
def lexical(path: str) -> Parts:
    """The components of a path that is inside the repository by its spelling. Raises PathRefused."""
    if not path:
        raise PathRefused("an empty path is no file")
    if "\0" in path:
        raise PathRefused("a path cannot hold a NUL byte")
    if len(name_to_bytes(path)) > MAX_BYTES:
        raise PathRefused(f"a path of more than {MAX_BYTES} bytes is not usable")
    if path.startswith("/"):
        raise PathRefused(f"{path} is absolute", hint="give the path from the top of the repository")
    if path.startswith("\\") or DRIVE.match(path):
        raise PathRefused(
            f"{path} would be outside of the repository on Windows, and is not written anywhere"
        )
    components = path.split("/")
    for component in components:
        _check_component(component, path)
    return tuple(name_to_bytes(component) for component in components)


def _check_component(component: str, path: str) -> None:
    if component in ("", ".", ".."):
        raise PathRefused(f"{path} is not spelled plainly (empty, `.` or `..` in it)")
    # Windows takes a backslash for a slash, and git itself refuses such names there.
    for piece in component.split("\\"):
        if is_git_name(piece):
            raise PathRefused(f"{path} is (another spelling of) git's own folder")
        if piece == "..":
            raise PathRefused(f"{path} leaves the repository on some systems")
    if os.name == "nt" and (WINDOWS_ODD.search(component) or WINDOWS_RESERVED.match(component.casefold())):
        raise PathRefused(f"{path} is no usable name on Windows")
    if component.startswith(TEMPORARY.decode()):
        raise PathRefused(f"{path} has a name that copair keeps for its temporary files")


class Fence:
    """Checks paths against one repository as it is now."""

    def __init__(self, place: Place, git: Git, tree: Tree) -> None:
        self._index = place.git_dir / "index"
        self._git = git
        self._tree = tree
        self._names = IndexNames(place, git)
        self._known: tuple[object, set[str], set[str]] | None = None

    def check(self, path: str) -> Fenced:
        """`path`, fenced. Raises PathRefused."""
        parts = lexical(path)
        self._check_entries(path, parts)
        return Fenced(path, parts, _SEAL)

    def newcomers(
        self, new: Iterable[str], leaving: Iterable[str], *, twins: bool = False
    ) -> Callable[[Fenced], None]:
        """A check for each of the `new` names of one set; `leaving` are the paths that it deletes.

        It raises PathRefused when the name collides with another new one, or with one that is there and stays.
        With `twins` it does so only where the file system takes the two names for one.
        """
        if twins and self._tree.tells_case_apart():
            return lambda fenced: None
        gone = {name_to_bytes(path) for path in leaving}
        together = Names(name_to_bytes(path) for path in new)

        def check(fenced: Fenced) -> None:
            other = together.collision(b"/".join(fenced.parts), set())
            if other is not None:
                _refuse_collision(fenced.parts, tuple(other.split(b"/")))
            self._check_collisions(fenced.parts, gone)

        return check

    def _check_entries(self, path: str, parts: Parts) -> None:
        submodules, skipped = self._special()
        for number in range(1, len(parts) + 1):
            prefix = name_from_bytes(b"/".join(parts[:number]))
            if prefix in submodules:
                raise PathRefused(
                    f"{prefix} is a submodule", hint="change it inside the submodule's repository"
                )
        if path in skipped:
            raise PathRefused(
                f"{path} is kept out of the work tree by a sparse checkout",
                hint="`git sparse-checkout add` its folder first",
            )

    def _special(self) -> tuple[set[str], set[str]]:
        """Submodules and skipped paths of the index, read again when its file has changed."""
        stamp = file_stamp(self._index)
        if self._known is None or self._known[0] != stamp:
            entries = [] if is_plain(self._index) else read_entries(self._git)
            submodules = {entry.path for entry in entries if entry.is_submodule}
            self._known = (stamp, submodules, {entry.path for entry in entries if entry.skipped})
        return self._known[1], self._known[2]

    def _check_collisions(self, parts: Parts, leaving: set[bytes]) -> None:
        """Looks only into the deepest folder that exists, and into the index below it."""
        depth = 0
        while depth < len(parts) - 1 and self._is_folder(parts[: depth + 1]):
            depth += 1
        above = parts[:depth]
        wanted = parts[depth:]
        for name in self._tree.names(above):
            if (
                name != wanted[0]
                and folded(name) == folded(wanted[0])
                and not _all_leave(above, name, leaving)
            ):
                _refuse_collision(parts, (*above, name))
        other = self._names.below(above).collision(b"/".join(parts), leaving)
        if other is not None:
            _refuse_collision(parts, tuple(other.split(b"/")))

    def _is_folder(self, parts: Parts) -> bool:
        try:
            with self._tree.folder(parts):
                return True
        except (FileNotFoundError, NotADirectoryError, BehindLink):
            return False


def _all_leave(above: Parts, name: bytes, leaving: set[bytes]) -> bool:
    path = b"/".join((*above, name))
    return path in leaving or any(other.startswith(path + b"/") for other in leaving)


def _refuse_collision(parts: Parts, other: Parts) -> None:
    mine, theirs = (name_from_bytes(b"/".join(names)) for names in (parts, other))
    raise PathRefused(
        f"{mine} and {theirs} are one file on systems that ignore case or Unicode form",
        hint="choose another name, or rename the one that is there",
    )
