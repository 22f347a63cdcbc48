"""`copair export`: a session as Markdown or as one HTML page, with secrets taken out, for showing to others."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agent.cli.naming import named_session
from agent.cli.sessions import latest_session
from agent.cli.workbench import Workbench
from agent.core.clean import clean
from agent.core.errors import Exit, UsageError
from agent.io import journal


def export_session(cwd: Path, name: str, *, as_html: bool, to: str) -> int:
    """Write one session to `to`, or to standard output. An existing file is not replaced."""
    from agent.ui.export import document
    from agent.ui.pages import html, markdown

    bench = Workbench.open(cwd)
    info = named_session(journal.sessions(bench.place.state), name) if name else latest_session(bench)
    page = (html if as_html else markdown)(document(journal.read(info.path), bench.blobs.get))
    data = page.encode("utf-8", "backslashreplace")
    if not to:
        sys.stdout.buffer.write(data)
        return Exit.DONE
    try:
        file = open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"cannot write {to}: {error.strerror}", untouched="nothing was written") from error
    try:
        with file:
            file.write(data)
    except OSError as error:
        Path(to).unlink()
        raise UsageError(f"cannot write {to}: {error.strerror}", untouched="nothing was written") from error
    sys.stdout.write(f"{clean(f'{info.id} is in {to}')}\n")
    return Exit.DONE
