"""The person's list of checks for one repository: in their own state folder, mode 0600, never in the repository.

A model names a check, nothing more. Each check is bound to the text that suggested it: once that has changed, the
check is not run until the person has accepted it again, and that is said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent.core.errors import StateError
from agent.evidence.proof.discover import PARTS, Check, Read, fingerprint
from agent.evidence.runs.copying import stamp
from agent.io import durable
from agent.io.paths import make_private

VERSION = 1


class _File(msgspec.Struct, frozen=True):
    version: int
    checks: tuple[Check, ...]


class CheckStore:
    """The list in `state`, which is `Place.state`."""

    def __init__(self, state: Path) -> None:
        self._file = state / "checks.json"

    def load(self) -> tuple[Check, ...]:
        """All checks; none when nothing was accepted yet. Raises StateError for a damaged or foreign list."""
        try:
            with self._file.open("rb") as file:
                self._refuse_foreign(os.fstat(file.fileno()))
                data = file.read()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._broken(error.strerror or "unreadable") from error
        try:
            found = msgspec.convert(json.loads(data), _File)
        except (ValueError, msgspec.ValidationError) as error:
            raise self._broken("it is damaged") from error
        if found.version != VERSION or any(
            check.part not in PARTS or not check.argv for check in found.checks
        ):
            raise self._broken("it is of another version")
        return found.checks

    def mark(self) -> object:
        """Another value once the list has changed."""
        return stamp(os.fsencode(self._file))

    def named(self, name: str) -> Check | None:
        return next((check for check in self.load() if check.name == name), None)

    def accept(self, checks: Iterable[Check]) -> None:
        """Add `checks`, each in place of the one with its name. Only after the person's yes."""
        known = {check.name: check for check in self.load()}
        known.update({check.name: check for check in checks})
        self._write(tuple(known.values()))

    def remove(self, name: str) -> bool:
        """Forget one; False when there was none."""
        known = self.load()
        kept = tuple(check for check in known if check.name != name)
        if len(kept) != len(known):
            self._write(kept)
        return len(kept) != len(known)

    def _refuse_foreign(self, status: os.stat_result) -> None:
        """Who can write the list can have programs run."""
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            raise self._broken("others can write it")

    def _write(self, checks: tuple[Check, ...]) -> None:
        make_private(self._file.parent)
        data = json.dumps(msgspec.to_builtins(_File(VERSION, checks)), indent=1).encode()
        try:
            durable.replace(self._file, data)
        except OSError as error:
            raise StateError(
                f"cannot write {self._file}: {error.strerror}", untouched="the list of checks is as it was"
            ) from error

    def _broken(self, reason: str) -> StateError:
        return StateError(
            f"cannot use the list of checks {self._file}: {reason}",
            hint="remove the file and run `copair checks` again",
            untouched="no check was run",
        )


def withheld(check: Check, read: Read) -> str:
    """Why `check` may not run on these files; empty when it may."""
    if fingerprint(check.part, check.sources, read) == check.digest:
        return ""
    sources = [source for source in check.sources if read(source) is not None] or list(check.sources)
    return (
        f"{check.name} is not run: {', '.join(sources)} is not as you accepted it; `copair checks` asks again"
    )
