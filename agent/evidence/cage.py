"""A hard bound on the number of processes of a check, which a fork bomb cannot outrun (Linux).

An ordinary user gets RLIMIT_NPROC. It does not bind root, so root gets a control group with `pids.max`, which the
program enters before anything of the check begins. Where neither is to be had, only `run._watch` bounds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
SPARE = 64
"""Above the number at which the watch ends a check, so that it is the watch that says so."""
ENTER = "import os, sys; open(sys.argv[1], 'w').write('0'); os.execvp(sys.argv[2], sys.argv[2:])"
LEAVE_SECONDS = 2.0


@contextlib.contextmanager
def cage(processes: int, mark: str) -> Iterator[tuple[str, ...]]:
    """What to put before an argv so that it and all it starts are at most `processes` (and a few more)."""
    if not sys.platform.startswith("linux"):
        yield ()
    elif os.geteuid() != 0:
        yield _by_user(processes + SPARE)
    else:
        group = _make(processes + SPARE, mark)
        try:
            yield (sys.executable, "-I", "-S", "-c", ENTER, str(group / "cgroup.procs")) if group else ()
        finally:
            if group:
                _remove(group)


def _by_user(processes: int) -> tuple[str, ...]:
    """The limit counts all processes of the user, so those that are there already come on top."""
    program = shutil.which("prlimit")
    mine = sum(1 for pid in _pids() if _owner(pid) == os.geteuid())
    return (program, f"--nproc={mine + processes}", "--") if program else ()


def _pids() -> Sequence[str]:
    with contextlib.suppress(OSError):
        return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return ()


def _owner(pid: str) -> int:
    try:
        return Path("/proc", pid).stat().st_uid
    except OSError:
        return -1


def _make(processes: int, mark: str) -> Path | None:
    """A group below the one we are in; None where there is no such controller or we may not."""
    for parent in _parents():
        group = parent / f"copair-{mark[:12]}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / "pids.max").write_text(str(processes))
        except OSError:
            group.rmdir()
            continue
        return group
    return None


def _parents() -> Iterator[Path]:
    """Our own place in the hierarchy of the pids controller (version 1), or in the one of version 2."""
    try:
        lines = Path("/proc/self/cgroup").read_text().split("\n")
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        if "pids" in controllers.split(","):
            yield CGROUP / "pids" / place.lstrip("/")
        if number == "0" and not controllers:
            yield CGROUP / place.lstrip("/")


def _remove(group: Path) -> None:
    """The group goes once its last process is gone; they were killed already."""
    until = time.monotonic() + LEAVE_SECONDS
    while time.monotonic() < until:
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
