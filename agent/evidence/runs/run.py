"""Runs one check to its end and bounds it: time, number of processes, memory, size of files, amount of output.

Everything that the check started is ended with it: by the sandbox's process namespace where there is one, else by
its group and by a mark in the environment of each process. What cannot be bounded without a sandbox (a process
that wipes its own environment) is why the card names the sandbox's state.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from agent.evidence.runs import head as heads
from agent.io.family import below
from agent.io.process import kill, start
from agent.ports import Cancel

MARK = "COPAIR_RUN"
POLL_SECONDS = 0.02
NICENESS = 5
PAGE_BYTES = 4096


class Limits(msgspec.Struct, frozen=True):
    """What one run may use. Output beyond `output_bytes` is dropped from the middle."""

    seconds: float = 60.0
    processes: int = 512
    memory_bytes: int = 6 << 30
    file_bytes: int = 2 << 30
    output_bytes: int = 256 << 10


class Ending(StrEnum):
    """How a run came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    TOO_MANY = "too many processes"
    TOO_LARGE = "too much memory"


class Finished(msgspec.Struct, frozen=True):
    """A run that is over. `status` is negative for a signal; `output` is stdout and stderr as they came."""

    ending: Ending
    status: int
    output: bytes
    seconds: float


class Launch(msgspec.Struct, frozen=True):
    """A program as it is really started. `is_bwrap`: it is asked for the process that heads the sandbox."""

    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str]
    is_bwrap: bool = False


def supervise(launch: Launch, limits: Limits, cancel: Cancel | None = None) -> Finished:
    """Run without a shell. Raises ProgramMissing; whatever else happens is a value."""
    mark = os.urandom(16).hex()
    began = time.monotonic()
    with heads.Head(launch.is_bwrap, limits.processes, limits.memory_bytes) as head:
        argv = [*head.prefix, *_limited(limits), *launch.argv[:1], *head.options, *launch.argv[1:]]
        env = {**launch.env, MARK: mark}
        process = start(argv, cwd=launch.cwd, env=env, stderr=subprocess.STDOUT, pass_fds=head.fds)
        if process.stdin is None or process.stdout is None:
            raise AssertionError("started without pipes")
        process.stdin.close()
        _yield_to_us(process.pid)
        head.release()
        tape = _Tape(limits.output_bytes)
        try:
            ending = _watch(process, tape, limits, began + limits.seconds, cancel)
        finally:
            # Not reaped yet: the number cannot have become the group of somebody else.
            kill(process)
            head.end()
            process.wait()
            _end_marked(mark)
            tape.drain(process.stdout.fileno())
            process.stdout.close()
    return Finished(ending, process.returncode, tape.bytes(), time.monotonic() - began)


class _Tape:
    """The first and the last part of what a program says, whatever its amount."""

    def __init__(self, cap: int) -> None:
        self._half = cap // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._cut = 0

    def read(self, fd: int) -> bool:
        """Take one block; False at the end of the pipe."""
        block = os.read(fd, 1 << 16)
        room = self._half - len(self._head)
        self._head += block[:room]
        self._tail += block[max(0, room) :]
        over = len(self._tail) - self._half
        if over > 0:
            self._cut += over
            del self._tail[:over]
        return bool(block)

    def drain(self, fd: int) -> None:
        """Take what is there, without waiting for a process that kept the pipe open."""
        os.set_blocking(fd, False)
        with contextlib.suppress(BlockingIOError):
            while self.read(fd):
                pass

    def bytes(self) -> bytes:
        between = b"\n... %d bytes left out ...\n" % self._cut if self._cut else b""
        return bytes(self._head) + between + bytes(self._tail)


def _yield_to_us(pid: int) -> None:
    """A check that takes all processors must not keep us from looking at it, nor the person from typing."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)


def _limited(limits: Limits) -> tuple[str, ...]:
    """Limits of each single process; util-linux is there on Linux, elsewhere only `_watch` bounds."""
    program = shutil.which("prlimit") if sys.platform.startswith("linux") else None
    if program is None:
        return ()
    bounds = ["--core=0", f"--fsize={limits.file_bytes}", f"--data={limits.memory_bytes}"]
    if os.getuid() != 0:
        # Counts all that the user runs, also outside; the kernel does not hold root to it.
        bounds.append(f"--nproc={_running() + limits.processes + heads.SPARE}")
    return (program, *bounds, "--")


def _running() -> int:
    """How many processes and threads the user has now, not fewer."""
    count = 0
    for pid in _pids():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}").stat().st_uid == os.getuid():
                count += sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    return count


def _watch(
    process: subprocess.Popen[bytes], tape: _Tape, limits: Limits, deadline: float, cancel: Cancel | None
) -> Ending:
    """Read and look until the process ends or must end."""
    if process.stdout is None:
        raise AssertionError("started without pipes")
    with selectors.DefaultSelector() as selector, _death(process.pid) as death:
        selector.register(process.stdout, selectors.EVENT_READ, tape)
        if death >= 0:
            selector.register(death, selectors.EVENT_READ)
        look_at = time.monotonic() + POLL_SECONDS
        while not _has_ended(process):
            if cancel is not None and cancel.cancelled:
                return Ending.CANCELLED
            now = time.monotonic()
            if now >= deadline:
                return Ending.TIMED_OUT
            if now >= look_at:
                look_at = now + POLL_SECONDS
                excess = _excess(process.pid, limits)
                if excess is not None:
                    return excess
            _wait(selector, max(0.0, min(deadline, look_at) - now))
    return Ending.EXITED


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has, without reaping it where the system lets us: so its number stays its own."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


@contextlib.contextmanager
def _death(pid: int) -> Iterator[int]:
    """A file descriptor that becomes readable when `pid` ends; -1 where there is none."""
    if not hasattr(os, "pidfd_open"):
        yield -1
        return
    fd = os.pidfd_open(pid)
    try:
        yield fd
    finally:
        os.close(fd)


def _wait(selector: selectors.BaseSelector, seconds: float) -> None:
    """Wait for output or for the end, not longer than `seconds`; a closed pipe still has a process behind it."""
    if not selector.get_map():
        time.sleep(min(seconds, 0.01))
        return
    for key, _ in selector.select(seconds):
        if isinstance(key.data, _Tape) and not key.data.read(key.fd):
            selector.unregister(key.fileobj)


def _excess(pid: int, limits: Limits) -> Ending | None:
    """Whether the processes below `pid` are too many or hold too much; RLIMIT_NPROC does not bind root."""
    pages = 0
    for count, child in enumerate(below(pid), 1):
        if count > limits.processes:
            return Ending.TOO_MANY
        with contextlib.suppress(OSError, ValueError):
            _, resident, shared, *_ = Path(f"/proc/{child}/statm").read_bytes().split()
            pages += int(resident) - int(shared)
    return Ending.TOO_LARGE if pages * PAGE_BYTES > limits.memory_bytes else None


def _end_marked(mark: str) -> None:
    """End what left the group: every process that still carries the mark in its environment."""
    wanted = f"{MARK}={mark}".encode()
    for _ in range(20):
        left = [pid for pid in _pids() if wanted in _environment(pid)]
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError), _death(pid) as held:
                # Looked at again, now that the number is held: it may have been given to another.
                if held >= 0 and wanted in _environment(pid):
                    signal.pidfd_send_signal(held, signal.SIGKILL)
        if not left:
            return


def _pids() -> list[int]:
    try:
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    except OSError:
        return []


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
