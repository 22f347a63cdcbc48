"""What ruff finds in many files, kept by file until the file changes: a decision costs no second look at the rest.

What is kept is only a matter of speed: a new instruction looks at everything again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.core.text import name_to_bytes
from agent.offline.ruff import PYTHON, Finding, Report, Ruff
from agent.ports import Cancel

Stamp = tuple[int, int, int, int]


class Survey:
    """Findings in the Python files of the work tree at `root`."""

    def __init__(self, root: Path, ruff: Ruff) -> None:
        self._root = os.path.realpath(os.fsencode(root))
        self._ruff = ruff
        self._known: dict[str, tuple[Stamp, tuple[Finding, ...]]] = {}
        self._select: tuple[str, ...] = ()
        self._note = ""

    def look(self, paths: Sequence[str], select: Sequence[str], cancel: Cancel, *, fresh: bool) -> Report:
        """Findings in the Python files among `paths`, in order; `select` adds rules to the chosen ones."""
        if fresh or tuple(select) != self._select:
            self._known, self._select, self._note = {}, tuple(select), ""
        stamps = self._stamps([path for path in paths if path.endswith(PYTHON)])
        unknown = [path for path, stamp in stamps.items() if self._known.get(path, (None,))[0] != stamp]
        if unknown:
            self._learn(unknown, stamps, cancel)
        found = [finding for path in sorted(stamps) for finding in self._known[path][1]]
        return Report(tuple(found), self._note)

    def _learn(self, unknown: Sequence[str], stamps: Mapping[str, Stamp], cancel: Cancel) -> None:
        report = self._ruff.look(unknown, self._select, cancel)
        self._note = report.note or self._note
        by_path: dict[str, list[Finding]] = {}
        for finding in report.findings:
            by_path.setdefault(finding.path, []).append(finding)
        self._known |= {path: (stamps[path], tuple(by_path.get(path, ()))) for path in unknown}

    def _stamps(self, paths: Sequence[str]) -> dict[str, Stamp]:
        """Regular files that are there themselves: ruff would follow a link out, or wait for a pipe."""
        folders: dict[bytes, bool] = {}
        found: dict[str, Stamp] = {}
        for path in paths:
            full = self._root + b"/" + name_to_bytes(path)
            folder = full.rpartition(b"/")[0]
            if folder not in folders:
                folders[folder] = os.path.realpath(folder) == folder
            try:
                status = os.lstat(full)
            except OSError:
                continue
            if folders[folder] and stat.S_ISREG(status.st_mode):
                found[path] = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        return found
