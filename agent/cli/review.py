"""`copair review` for programs: one JSON document on stdout, progress on stderr."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from agent.cli.workbench import Workbench
from agent.core.clean import clean
from agent.core.errors import StateError
from agent.review.script import Wanted, decide_stack, list_stack, open_stack

SHOW_FROM = 500
"""Progress is worth a line from so many files on."""


def review_script(argument: str | None, *, decisions: str | None, onto: str) -> int:
    """List the stack, or with `decisions` (a file, `-` for stdin) write what they approve. The exit code."""
    bench = Workbench.open(Path.cwd())
    bench.recover()
    wanted = Wanted(argument, Path.cwd(), sys.stdin.buffer.read, onto, progress=_progress)
    opened = open_stack(bench.repo, bench.target, wanted)
    if decisions is None:
        text, code = list_stack(opened)
    else:
        data = sys.stdin.buffer.read() if decisions == "-" else _read(decisions)
        text, code = decide_stack(opened, data, f"review.{secrets.token_hex(8)}")
    sys.stdout.write(text)
    bench.repo.close()
    return int(code)


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise StateError(
            f"{name} cannot be read: {error.strerror}", untouched="nothing was written"
        ) from error


def _progress(what: str, done: int, total: int) -> None:
    if total >= SHOW_FROM and (done % 100 == 0 or done == total) and sys.stderr.isatty():
        sys.stderr.write(clean(f"{what} {done} of {total}") + ("\n" if done == total else "\r"))
