"""A fault of copair itself: the details go into a file of the state folder, never onto the person's screen."""

from __future__ import annotations

import traceback
from pathlib import Path

from agent.core.errors import CopairError
from agent.io.paths import make_private, state_dir


def keep_fault(error: BaseException | None) -> Path | None:
    """Write the traceback of `error` to a file; None when that was not possible."""
    details = "".join(traceback.format_exception(error)) if error else "unknown\n"
    try:
        report = make_private(state_dir()) / "fault.txt"
        report.write_text(details, "utf-8", errors="backslashreplace")
    except (CopairError, OSError):
        return None
    return report
