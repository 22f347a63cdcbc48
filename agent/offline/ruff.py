"""Runs ruff and reads what it says. ruff only reads: no fixes, no cache, no output file, whatever the repository says.

The repository's own ruff settings are used as data (which rules, which files); ruff runs nothing that they name.
When they cannot be used, ruff's defaults are, and that is said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from ruff import find_ruff_bin

from agent.core.errors import CopairError
from agent.core.text import name_from_bytes, name_to_bytes
from agent.io.process import Ran, run
from agent.ports import Cancel

SECONDS = 120.0
CAP_BYTES = 96 * 1024 * 1024
READ_ONLY = (
    "--no-cache", "--no-fix", "--no-fix-only", "--no-unsafe-fixes", "--no-show-fixes", "--exit-zero", "--quiet",
    "--force-exclude", "--color=never", "--output-format=json-lines",
)  # fmt: skip
ARGUMENT_BYTES = 100_000
"""Paths of one call; the system's limit is higher, Windows has 32,767 characters."""
SYNTAX = "invalid-syntax"
PYTHON = (".py", ".pyi", ".pyw")


class Position(msgspec.Struct, frozen=True):
    """Row and column from 1; columns are characters, a byte order mark does not count."""

    row: int
    column: int


class FixEdit(msgspec.Struct, frozen=True):
    content: str
    location: Position
    end_location: Position


class Fix(msgspec.Struct, frozen=True):
    applicability: str
    edits: tuple[FixEdit, ...]
    message: str | None = None

    @property
    def usable(self) -> bool:
        return self.applicability in ("safe", "unsafe")

    @property
    def safe(self) -> bool:
        return self.applicability == "safe"


class Finding(msgspec.Struct, frozen=True):
    """One finding of ruff. `path` is inside the repository."""

    filename: str
    message: str
    location: Position
    code: str | None = None
    name: str | None = None
    fix: Fix | None = None
    noqa_row: int | None = None
    path: str = ""

    @property
    def rule(self) -> str:
        return self.code or SYNTAX

    @property
    def fixable(self) -> bool:
        return self.fix is not None and self.fix.usable and bool(self.fix.edits)

    @property
    def broken(self) -> bool:
        """The file cannot be parsed; older versions of ruff give no code for it."""
        return self.rule == SYNTAX

    @property
    def where(self) -> str:
        return f"{self.path}:{self.location.row}"


class Rule(msgspec.Struct, frozen=True):
    """A rule's own documentation; `explanation` is Markdown."""

    code: str
    name: str = ""
    summary: str = ""
    explanation: str = ""
    linter: str = ""


class Report(msgspec.Struct, frozen=True):
    findings: tuple[Finding, ...]
    note: str = ""
    """What the person should know about how this was found; raw text."""


class RuffFailed(CopairError):
    """ruff did not run, or not to its end."""


class Ruff:
    """ruff over the work tree at `root`. `environment` is where HOME and the like are taken from."""

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None) -> None:
        self._root = root
        # RUFF_* could name an output file; only what finds the person's own settings is passed on.
        kept = ("HOME", "XDG_CONFIG_HOME", "APPDATA", "USERPROFILE", "SYSTEMROOT", "PATH", "TMPDIR")
        self._environment = {key: value for key, value in (environment or os.environ).items() if key in kept}
        self._rules: dict[str, Rule | None] = {}

    def look(self, paths: Sequence[str], select: Sequence[str], cancel: Cancel) -> Report:
        """Findings in the files `paths`, sorted; `select` adds rules to the chosen ones. Links are followed."""
        findings: list[Finding] = []
        notes: dict[str, None] = {}
        extra = [f"--extend-select={code}" for code in select]
        for batch in _batches(paths):
            ran, note = self._check([*extra, "--", *map(name_to_bytes, batch)], b"", cancel)
            findings += self._parsed(ran)
            notes[note] = None
            if ran.cut:
                notes["There are more findings than could be read; these are the first."] = None
        findings.sort(key=lambda f: (f.path, f.location.row, f.location.column, f.rule))
        return Report(tuple(findings), " ".join(note for note in notes if note))

    def look_at_bytes(
        self, path: str, data: bytes, select: Sequence[str], cancel: Cancel
    ) -> tuple[Finding, ...]:
        """Findings in `data` as if it were the file at `path`."""
        extra = [f"--extend-select={code}" for code in select]
        ran, _ = self._check([*extra, b"--stdin-filename=" + name_to_bytes(path), "-"], data, cancel)
        found = [msgspec.structs.replace(finding, path=path) for finding in _decoded(ran.stdout)]
        return tuple(sorted(found, key=lambda f: (f.location.row, f.location.column, f.rule)))

    def rule(self, code: str) -> Rule | None:
        """The documentation of a rule; None when ruff does not know it."""
        if code not in self._rules:
            ran = self._run(["rule", "--output-format", "json", "--", code], b"", Cancel())
            self._rules[code] = msgspec.json.decode(ran.stdout, type=Rule) if ran.status == 0 else None
        return self._rules[code]

    def _check(self, arguments: Sequence[str | bytes], stdin: bytes, cancel: Cancel) -> tuple[Ran, str]:
        ran = self._run(["check", *READ_ONLY, *arguments], stdin, cancel)
        note = ""
        if ran.status == 2:
            reason = ran.stderr.decode("utf-8", "replace").strip().split("\n")[-1].strip()
            note = f"The ruff settings of this repository cannot be used ({reason}); ruff's defaults are."
            ran = self._run(["check", "--isolated", *READ_ONLY, *arguments], stdin, cancel)
        if ran.status != 0:
            why = "took too long" if ran.timed_out else ran.stderr.decode("utf-8", "replace").strip()[-300:]
            raise RuffFailed(
                f"ruff failed: {why or f'it ended with {ran.status}'}", untouched="nothing was changed"
            )
        return ran, note

    def _run(self, arguments: Sequence[str | bytes], stdin: bytes, cancel: Cancel) -> Ran:
        return run(
            [find_ruff_bin(), *arguments],
            cwd=self._root,
            env=self._environment,
            stdin=stdin,
            timeout_seconds=SECONDS,
            cap_bytes=CAP_BYTES,
            cancel=cancel,
        )

    def _parsed(self, ran: Ran) -> list[Finding]:
        top = name_from_bytes(os.path.realpath(os.fsencode(self._root))) + "/"
        found = []
        for finding in _decoded(ran.stdout):
            path = finding.filename.removeprefix(top).replace(os.sep, "/")
            found.append(msgspec.structs.replace(finding, path=path))
        return found


def _decoded(output: bytes) -> list[Finding]:
    """One JSON object a line; a last line that was cut by our cap is left out."""
    lines = output.split(b"\n")
    decoder = msgspec.json.Decoder(Finding)
    return [decoder.decode(line) for line in lines[:-1] if line]


def _batches(paths: Sequence[str]) -> list[list[str]]:
    batches: list[list[str]] = []
    size = ARGUMENT_BYTES
    for path in paths:
        size += len(name_to_bytes(path)) + 1
        if size > ARGUMENT_BYTES:
            batches.append([])
            size = len(name_to_bytes(path)) + 1
        batches[-1].append(path)
    return batches
