"""The first process of a check: bounded by the kernel before it begins, and waited for until all of it is gone.

A fork bomb outruns any look now and then on a busy machine. RLIMIT_NPROC holds ordinary users but not root; so a check
goes into a control group of its own where we may make one. bubblewrap says who heads the sandbox (`--info-fd`) and
waits for our word (`--block-fd`) meanwhile; without it a small program enters the group and becomes the check.
bubblewrap may return before the last process of the sandbox has died: only when its head is gone, all are gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from pathlib import Path

import msgspec

START_SECONDS = 10.0
KILL_SECONDS = 30.0
TRIES = 100
SPARE = 64
"""So many more than the watch allows, so that it is the watch that says why a check was ended."""
ENTER = "import os, sys; open(sys.argv[1], 'w').write('0'); os.execvp(sys.argv[2], sys.argv[2:])"


class _Told(msgspec.Struct):
    """What bubblewrap writes to its --info-fd."""

    pid: int = msgspec.field(name="child-pid")


class Head:
    """For one run. `prefix` goes before the argv, `options` behind its first word, `fds` to the process."""

    def __init__(self, is_bwrap: bool, processes: int, memory_bytes: int) -> None:
        self._group = _group(processes + SPARE, memory_bytes)
        enters = self._group is not None and not is_bwrap
        self.prefix = (
            (sys.executable, "-I", "-S", "-c", ENTER, f"{self._group}/cgroup.procs") if enters else ()
        )
        self._told, told = os.pipe() if is_bwrap else (-1, -1)
        wait, self._go = os.pipe() if is_bwrap else (-1, -1)
        self._process = -1
        self.fds = (told, wait) if is_bwrap else ()
        self.options = ("--info-fd", str(told), "--block-fd", str(wait)) if is_bwrap else ()

    def __enter__(self) -> Head:
        return self

    def __exit__(self, *exception: object) -> None:
        for fd in (self._told, self._go, self._process, *self.fds):
            if fd >= 0:
                os.close(fd)
        if self._group is not None:
            _remove(self._group)

    def release(self) -> None:
        """After the start: take hold of the head, bound it, let it begin. A sandbox that never begins is left alone."""
        if self._told < 0:
            return
        for fd in self.fds:
            os.close(fd)
        self.fds = ()
        with contextlib.suppress(msgspec.DecodeError, ProcessLookupError, OSError):
            told = msgspec.json.decode(self._read(), type=_Told)
            self._process = os.pidfd_open(told.pid)
            if self._group is not None:
                (self._group / "cgroup.procs").write_text(str(told.pid))
        with contextlib.suppress(BrokenPipeError):
            os.write(self._go, b"\n")

    def end(self) -> None:
        """Kill it and wait until the kernel has ended everything in the sandbox."""
        if self._process < 0:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)
        select.select([self._process], [], [], KILL_SECONDS)

    def _read(self) -> bytes:
        """All that bubblewrap says; it comes in pieces."""
        data, deadline = b"", time.monotonic() + START_SECONDS
        while not data.rstrip().endswith(b"}"):
            ready, _, _ = select.select([self._told], [], [], max(0.0, deadline - time.monotonic()))
            block = os.read(self._told, 4096) if ready else b""
            if not block:
                break
            data += block
        return data


def _group(processes: int, memory_bytes: int) -> Path | None:
    """A new control group with its limits; None where we may not make one, or need none."""
    for base in _bases():
        group = base / f"copair-{os.urandom(8).hex()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / "pids.max").write_text(str(processes))
            if (group / "memory.max").exists():
                (group / "memory.max").write_text(str(memory_bytes))
        except OSError:
            _remove(group)
            continue
        return group
    return None


def _bases() -> list[Path]:
    """Where a group may be made: below our own, or beside it. Others than root are held by a resource limit."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return []
    try:
        ours = Path("/proc/self/cgroup").read_text("utf-8").split("\n")
        mounts = [line.split(" ") for line in Path("/proc/mounts").read_text("utf-8").split("\n") if line]
    except OSError:
        return []
    own = {name: path for line in ours if line.count(":") >= 2 for _, name, path in [line.split(":", 2)]}
    found: list[Path] = []
    for _, mount, kind, options, *_ in mounts:
        if kind == "cgroup" and "pids" in options.split(",") and (name := _named(own, "pids")) is not None:
            found.append(Path(mount) / own[name].lstrip("/"))
        elif kind == "cgroup2" and "" in own:
            inside = Path(mount) / own[""].lstrip("/")
            found += [inside, inside.parent] if inside != Path(mount) else [inside]
    return found


def _named(own: dict[str, str], controller: str) -> str | None:
    return next((name for name in own if controller in name.split(",")), None)


def _remove(group: Path) -> None:
    """A group can be removed once its last process has been reaped."""
    for _ in range(TRIES):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
