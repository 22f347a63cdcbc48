"""Puts a file of our own in place in one step: after a crash it is all there, or what was there before is."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from agent.io.calls import Calls, Folder


def replace(path: Path, data: bytes, calls: Calls | None = None, *, sync: bool = True) -> None:
    """Put `data` at `path`, for the user alone; with `sync` it is on the disk afterwards. Raises OSError."""
    calls = calls or Calls()
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with Folder.open(path.parent) as folder:
            fd = calls.create(folder, os.fsencode(temporary.name), data, 0o600)
            try:
                if sync:
                    calls.sync(fd)
            finally:
                os.close(fd)
            temporary.replace(path)
            if sync:
                calls.sync_folder(folder)
    finally:
        temporary.unlink(missing_ok=True)
