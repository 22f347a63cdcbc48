"""What is special about a set of writes: the sentences above the diff, and which of them want the word `apply`.

Owns the lists of names (lock files, CI, migrations). Pure: it looks at paths, modes and bytes, and at nothing
that the model said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

import msgspec

from agent.core.cards.rows import Side
from agent.core.clean import Clean, clean, cut, segments
from agent.core.hunk import FileState, Mode, Write
from agent.core.secrets import is_secret_path
from agent.core.text import Facts, facts


class Level(StrEnum):
    """How much a sentence wants to be seen."""

    INFO = "info"
    WARN = "warn"
    RISK = "risk"
    """A yes to this needs the word `apply`."""


class Special(msgspec.Struct, frozen=True):
    text: Clean
    level: Level = Level.INFO
    path: str = ""
    says: tuple[str, ...] = ()
    """Risks of a chunk, or reasons to fold it, as `cutting/risk.py` words them, that this says of the file `path`."""


_LOCK_FILES = (
    "*.lock", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "bun.lockb", "go.sum", "mix.lock",
    "packages.lock.json", "Package.resolved", "gradle.lockfile", "*.lock.json", ".terraform.lock.hcl",
)  # fmt: skip
_CI = (
    ".github/workflows/*", ".github/actions/*", ".forgejo/workflows/*", ".gitea/workflows/*", ".gitlab-ci.yml",
    ".gitlab/ci/*", ".circleci/*", ".travis.yml", ".buildkite/*", ".drone.yml", ".woodpecker*", ".ci/*",
    "appveyor.yml", ".appveyor.yml", "azure-pipelines*.yml", "bitbucket-pipelines.yml", "*jenkinsfile*",
    "cloudbuild.y*ml", ".teamcity/*", ".semaphore/*", ".github/dependabot.yml", "codeowners", "*/codeowners",
)  # fmt: skip
_RUNS = (
    ".pre-commit-config.yaml", "lefthook.y*ml", ".husky/*", ".envrc", ".vscode/tasks.json", ".vscode/settings.json",
    ".devcontainer/*", ".idea/*", ".gitattributes", ".gitmodules", "*/.gitattributes", ".mcp.json", ".claude/*",
    ".cursor/*", ".githooks/*",
)  # fmt: skip
_MIGRATION = re.compile(
    r"(?:^|/)(?:migrations?|migrate|alembic/versions|changelogs?/db)/[^/]+\.\w+$|(?:^|/)V\d[\w.]*__\w+\.sql$"
)
_RTL = frozenset(("R", "AL"))
_EXECUTABLE = ("executable", "becomes executable")


@lru_cache(maxsize=2)
def specials(writes: tuple[Write, ...]) -> tuple[Special, ...]:
    """Everything special, risks first. Remembered: each piece of evidence makes a new card of the same writes."""
    renamed = renames(writes)
    found: list[Special] = []
    for old_path, new_path in renamed.items():
        found.append(Special(clean(f"renames {old_path} to {new_path}"), Level.WARN))
    gone = set(renamed)
    come = {new: old for old, new in renamed.items()}
    by_path = {write.path: write for write in writes}
    for write in writes:
        found += _of_name(write.path)
        if write.path in gone:
            continue
        old = by_path[come[write.path]].old if write.path in come else write.old
        found += _of_states(write.path, old, write.new)
    order = {Level.RISK: 0, Level.WARN: 1, Level.INFO: 2}
    return tuple(sorted(found, key=lambda special: order[special.level]))


def renames(writes: Sequence[Write]) -> dict[str, str]:
    """Old path to new path of files that only moved, or moved and changed little (most lines the same)."""
    gone = {write.path: write.old for write in writes if write.old and write.new is None}
    come = {write.path: write.new for write in writes if write.new and write.old is None}
    pairs: dict[str, str] = {}
    for old_path, old in gone.items():
        fresh = [path for path in come if path not in pairs.values()]
        best = max(fresh, key=lambda path: _alike(old, come[path]), default="")
        if best and _alike(old, come[best]) >= 0.5:
            pairs[old_path] = best
    return pairs


def _alike(old: FileState | None, new: FileState | None) -> float:
    """The share of lines that two files have in common."""
    if old is None or new is None:
        return 0.0
    if old.data == new.data:
        return 1.0
    here, there = set(old.data.split(b"\n")), set(new.data.split(b"\n"))
    return len(here & there) / max(len(here), len(there))


def _of_name(path: str) -> Iterator[Special]:
    name = path.rpartition("/")[2]
    folded = path.casefold()
    if any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in _LOCK_FILES):
        yield Special(clean(f"lock file: {path}"), Level.RISK)
    if any(fnmatchcase(folded, pattern) for pattern in _CI):
        yield Special(clean(f"CI or ownership file: {path}"), Level.RISK, path, ("runs in CI",))
    if any(fnmatchcase(folded, pattern) for pattern in _RUNS):
        yield Special(clean(f"{path} configures what tools run or do"), Level.RISK, path, ("git obeys it",))
    if is_secret_path(path):
        yield Special(clean(f"a path where secrets lie: {path}"), Level.RISK, path, ("a file for secrets",))
    if _MIGRATION.search(path):
        yield Special(clean(f"migration: {path}"), Level.RISK, path, ("migrates data",))
    if any(part.mark for part in segments(path, spaces=True)):
        yield Special(clean(f"the name holds characters that do not show: {path}"), Level.WARN)


def _of_states(path: str, old: FileState | None, new: FileState | None) -> Iterator[Special]:
    if new is None:
        if old is not None:
            yield Special(clean(f"deletes {path} ({_size(old)})"), Level.RISK, path, ("deletes a file",))
        return
    if old is None:
        yield Special(clean(f"new file {path}"), Level.INFO)
    yield from _of_modes(path, old, new)
    if new.mode not in (Mode.FILE, Mode.EXECUTABLE):
        return
    before, after = (facts(old.data) if old else None), facts(new.data)
    if after is None or (old is not None and before is None):
        sizes = f"{_bytes(old)} → {_bytes(new)}" if old else _bytes(new)
        yield Special(
            clean(f"binary: {path}, {sizes}; its content cannot be shown"), Level.WARN, path, ("binary",)
        )
        return
    yield from _of_text(path, old, new, before, after)


def _of_modes(path: str, old: FileState | None, new: FileState) -> Iterator[Special]:
    if new.mode == Mode.SYMLINK:
        target = new.data.decode("utf-8", "surrogateescape")
        yield Special(clean(f"{path} is a link to {target}"), Level.RISK, path, ("symbolic link",))
    elif old is not None and old.mode == Mode.SYMLINK:
        yield Special(clean(f"{path} was a link and becomes a file"), Level.RISK)
    elif new.mode == Mode.SUBMODULE or (old is not None and old.mode == Mode.SUBMODULE):
        yield Special(clean(f"{path} is a submodule"), Level.RISK)
    elif new.mode == Mode.EXECUTABLE and (old is None or old.mode != Mode.EXECUTABLE):
        yield Special(clean(f"{path} becomes executable"), Level.WARN, path, _EXECUTABLE)
    elif old is not None and old.mode == Mode.EXECUTABLE and new.mode == Mode.FILE:
        yield Special(clean(f"{path} is not executable any more"), Level.WARN)


def _of_text(
    path: str, old: FileState | None, new: FileState, before: Facts | None, after: Facts
) -> Iterator[Special]:
    if before is not None and old is not None and old.data and new.data:
        if before.encoding != after.encoding:
            words = f"{_encoding(before)} → {_encoding(after)}"
            yield Special(clean(f"encoding of {path}: {words}"), Level.WARN)
        if (before.eol, before.mixed_eol) != (after.eol, after.mixed_eol):
            yield Special(clean(f"line endings of {path}: {_eol(before)} → {_eol(after)}"), Level.WARN)
        if before.final_newline != after.final_newline:
            words = "gains" if after.final_newline else "loses"
            yield Special(clean(f"{path} {words} its newline at the end"), Level.INFO)
    elif new.data:
        form = [_encoding(after)] if after.encoding.bom or after.encoding.codec != "utf-8" else []
        form += [f"{_eol(after)} line endings"] if after.mixed_eol or after.eol != "\n" else []
        if form:
            yield Special(clean(f"{path} is in {', '.join(form)}"), Level.WARN)
    if old is not None and old.data and not new.data:
        yield Special(clean(f"empties {path} ({_size(old)})"), Level.RISK)
    hidden, right_to_left = _hidden(old, new)
    if hidden:
        names = ", ".join(sorted(hidden)[:6])
        yield Special(
            clean(f"adds characters to {path} that do not show or look like others: {names}"), Level.WARN
        )
    if right_to_left:
        yield Special(
            clean(f"adds right-to-left text to {path}: a terminal may show its order wrongly"), Level.WARN
        )


def _hidden(old: FileState | None, new: FileState) -> tuple[set[str], bool]:
    """Marks that lines of `new` need and no line of `old` has; whether they hold right-to-left letters."""
    side, base = Side.of(new), Side.of(old)
    known = set(base.lines) if base else set()
    found: set[str] = set()
    right_to_left = False
    for at, line in enumerate(side.lines if side else ()):
        if (
            side is None
            or line in known
            or (line.isascii() and line.rstrip(b"\r\n").decode("ascii").isprintable())
        ):
            continue
        text = side.raw(at).removesuffix("\n").removesuffix("\r")
        found.update(cut(part.text, 24) for part in segments(text, spaces=True) if part.mark)
        right_to_left = right_to_left or any(unicodedata.bidirectional(char) in _RTL for char in text)
    return found, right_to_left


def _size(state: FileState) -> str:
    side = Side.of(state)
    return _bytes(state) if side is None else f"{len(side.lines):,} line{'s' * (len(side.lines) != 1)}"


def _bytes(state: FileState | None) -> str:
    size = len(state.data) if state else 0
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1024:,.0f} KiB"


def _eol(found: Facts) -> str:
    return "mixed" if found.mixed_eol else {"\n": "LF", "\r\n": "CRLF"}[found.eol]


def _encoding(found: Facts) -> str:
    mark = " with byte order mark" if found.encoding.bom else ""
    return found.encoding.codec.upper() + mark
