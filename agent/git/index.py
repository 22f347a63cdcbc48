"""What the index says about paths: entries with their flags, and cheap facts read from the file itself.

`ls-files` reads the whole index, 15 ms for 50,000 files, and a write has to know only whether there are
submodules or skipped entries at all. The file answers that in 3 ms: version 2 has no skipped entries (nor the
folders of a sparse index), and the mode of a submodule is four bytes that are searched for. False alarms cost
one `ls-files`, nothing else.
Format: gitformat-index(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from agent.core.hunk import Mode
from agent.core.patches.blob_names import EMPTY_BLOBS
from agent.core.text import name_from_bytes, name_to_bytes
from agent.git.command import Git

SUBMODULE_BYTES = b"\x00\x00\xe0\x00"
SUBMODULE_BYTE = b"\xe0"
PLAIN_VERSION = 2
MANY = 500


class Entry(msgspec.Struct, frozen=True):
    """One entry of the index. `stage` is 0, or 1 to 3 in a conflict."""

    path: str
    mode: int
    oid: str
    stage: int = 0
    skipped: bool = False
    """skip-worktree: sparse checkout keeps the file out of the work tree."""
    assumed: bool = False
    """assume-unchanged."""

    @property
    def is_submodule(self) -> bool:
        return self.mode == Mode.SUBMODULE


def read_entries(
    git: Git, paths: Iterable[str] | None = None, variables: Mapping[str, str] | None = None
) -> list[Entry]:
    """Entries of `paths` (files, or folders with all they hold), or of the whole index.

    For more than MANY paths it may be more than was asked: they do not fit into one command line.
    """
    arguments: list[str | bytes] = ["-v", "-s", "-z"]
    if paths is not None:
        wanted = [name_to_bytes(path) for path in paths]
        if not wanted:
            return []
        arguments += ["--", *wanted] if len(wanted) <= MANY else []
    return [
        _entry(record) for record in git.run("ls-files", *arguments, variables=variables).split(b"\0")[:-1]
    ]


def without_intents(
    git: Git, entries: Iterable[Entry], variables: Mapping[str, str] | None = None
) -> list[Entry]:
    """Entries but for those of files that are only intended to be added (`add -N`), which hold nothing yet.

    `ls-files` shows them as empty files; for git's diffs they are not there.
    """
    found = list(entries)
    empty = [name_to_bytes(entry.path) for entry in found if entry.oid in EMPTY_BLOBS and not entry.stage]
    if not empty:
        return found
    names = empty if len(empty) <= MANY else []
    shown = ("--name-only", "-z", "--diff-filter=A", "--no-renames", "--no-ext-diff", "--no-textconv")
    told = git.run("diff", *shown, "--", *names, variables=variables)
    intents = {name_from_bytes(name) for name in told.split(b"\0")[:-1]}
    return [entry for entry in found if entry.path not in intents]


def _entry(record: bytes) -> Entry:
    """`H 100644 OID 0<TAB>path`; the letter is S when skipped, lower case when assumed unchanged."""
    head, _, path = record.partition(b"\t")
    tag, mode, oid, stage = head.split(b" ")
    return Entry(
        path=name_from_bytes(path),
        mode=int(mode, 8),
        oid=oid.decode(),
        stage=int(stage),
        skipped=tag in (b"S", b"s"),
        assumed=tag.islower(),
    )


def is_plain(index: Path) -> bool:
    """True when the index certainly has neither submodules nor skipped entries."""
    if any(index.parent.glob("sharedindex.*")):
        # A split index keeps most entries there.
        return False
    try:
        content = index.read_bytes()
    except FileNotFoundError:
        return True
    version = int.from_bytes(content[4:8], "big")
    return content[:4] == b"DIRC" and version == PLAIN_VERSION and not _has_submodule(content)


def _has_submodule(content: bytes) -> bool:
    """As `SUBMODULE_BYTES in content`, in half the time: bytes.find is memchr for one byte only."""
    at = content.find(SUBMODULE_BYTE)
    while at >= 0:
        if content[at - 2 : at + 2] == SUBMODULE_BYTES:
            return True
        at = content.find(SUBMODULE_BYTE, at + 1)
    return False
