"""Runs another program: an argument vector, an environment given whole, a group of its own that is killed whole.

Never a shell. Output is kept up to a cap, the rest is counted and thrown away, so that a program that floods us
costs no memory. It does not know git, checks or sandboxes. Windows has no process groups to kill; there the
process alone is ended (untested).
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from agent.core.errors import CopairError
from agent.ports import Cancel

CAP_BYTES = 256 * 1024 * 1024
GRACE_SECONDS = 0.5
PATIENCE_SECONDS = 10.0
HAND_SECONDS = 0.1
PIPE_BYTES = 1 << 20
"""The most that a pipe holds: what is read beyond that, after the program has ended, is of one that it left behind."""


class ProgramMissing(CopairError):
    """The program could not be started: not found, or not executable."""


class Ran(msgspec.Struct, frozen=True):
    """How a program ended. `status` is negative for a signal; `cut` counts the output bytes beyond the cap.

    `partial`: there was more on `stdout` than could be read in time.
    """

    status: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    cancelled: bool = False
    cut: int = 0
    partial: bool = False
    seconds: float = 0.0


class Pump(threading.Thread):
    """Reads one pipe to its end and keeps at most `cap` bytes of it."""

    def __init__(self, pipe: IO[bytes], cap: int) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._cap = cap
        self._kept = bytearray()
        self.cut = 0
        self.partial = False
        self._taken = 0
        self._is_left = False
        self.start()

    def run(self) -> None:
        while block := os.read(self._pipe.fileno(), 1 << 16):
            self._taken += len(block)
            room = self._cap - len(self._kept)
            self._kept += block[:room]
            self.cut += max(0, len(block) - room)
        if self._is_left:
            self._pipe.close()  # nobody waits for it any more

    def bytes(self) -> bytes:
        """All that the program wrote, which has ended. A grandchild that holds the pipe still is not waited for."""
        end = time.monotonic() + PATIENCE_SECONDS
        most = self._taken + PIPE_BYTES
        self.join(GRACE_SECONDS)
        while self.is_alive() and _waits(self._pipe) and time.monotonic() < end and self._taken <= most:
            # This thread had no turn yet: another one keeps the interpreter to itself.
            self.join(GRACE_SECONDS)
        self.join(HAND_SECONDS)  # what it has taken out, and not put down yet
        self.partial = self.is_alive() and _waits(self._pipe)
        if self.is_alive():
            self._is_left = True
        else:
            self._pipe.close()
        return bytes(self._kept)


def _waits(pipe: IO[bytes]) -> bool:
    """True when there is something to be read, if only the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(0))


def start(
    argv: Sequence[str | bytes],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stderr: int = subprocess.PIPE,
    own_group: bool = True,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `argv` with pipes in a session of its own (no terminal to ask on). Raises ProgramMissing."""
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=own_group,
            pass_fds=pass_fds,
        )
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        name = os.fsdecode(argv[0])
        if not cwd.is_dir():
            raise ProgramMissing(f"cannot run {name} in {cwd}: there is no such folder") from error
        raise ProgramMissing(f"cannot run {name}: {error.strerror}", hint=f"is {name} installed?") from error


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and everything in its group, at once; right after its end: what it left behind."""
    if os.name != "posix":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # macOS says EPERM for a group whose only members are zombies.
        process.kill()


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    pipe = process.stdin
    if pipe is None:
        return
    # A program may end without reading all of its input; its status tells the rest.
    with contextlib.suppress(OSError):
        pipe.write(data)
    with contextlib.suppress(OSError):
        pipe.close()


def _watch(process: subprocess.Popen[bytes], seconds: float | None, late: threading.Event) -> threading.Timer:
    """Kill the group after so many seconds, and set `late`. (`wait` with a timeout looks again and again, ever later.)"""

    def end() -> None:
        if process.returncode is None:
            late.set()
            kill(process)

    timer = threading.Timer(threading.TIMEOUT_MAX if seconds is None else seconds, end)
    timer.daemon = True
    timer.start()
    return timer


def run(
    argv: Sequence[str | bytes],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout_seconds: float | None = None,
    cap_bytes: int = CAP_BYTES,
    cancel: Cancel | None = None,
) -> Ran:
    """Run `argv` to its end, or kill its group after `timeout_seconds` or on `cancel`. Raises ProgramMissing."""
    began = time.monotonic()
    process = start(argv, cwd=cwd, env=env)
    if process.stdout is None or process.stderr is None:
        raise AssertionError("started without pipes")
    out, err = Pump(process.stdout, cap_bytes), Pump(process.stderr, cap_bytes)
    feeder = threading.Thread(target=_feed, args=(process, stdin), daemon=True)
    if stdin:
        feeder.start()
    else:
        _feed(process, stdin)
    if cancel is not None:
        # Much later its number may belong to somebody else.
        cancel.on_cancel(lambda: kill(process) if process.returncode is None else None)
    late = threading.Event()
    watch = None
    try:
        watch = _watch(process, timeout_seconds, late)
        process.wait()
    finally:
        if watch is not None:
            watch.cancel()
        if process.returncode is None:
            kill(process)
            process.wait()
    if stdin:
        feeder.join(GRACE_SECONDS)
    return Ran(
        status=process.returncode,
        stdout=out.bytes(),
        stderr=err.bytes(),
        timed_out=late.is_set(),
        cancelled=cancel is not None and cancel.cancelled,
        cut=out.cut + err.cut,
        partial=out.partial,
        seconds=time.monotonic() - began,
    )
