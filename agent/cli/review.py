"""`copair review`: any diff as a stack of chunks, by hand, or as JSON for a program."""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from agent.cli.reading import Reading
from agent.cli.signals import as_interrupts
from agent.cli.workbench import Workbench
from agent.core.errors import Exit, UsageError
from agent.core.frontend import Interrupt, Progress, Quit, WorkOffer
from agent.git.repo import Repo
from agent.review import script
from agent.review.script import Opened
from agent.review.source import Progress as ProgressLine

if TYPE_CHECKING:
    from agent.cli.wanted import Wanted
    from agent.loop.driver import Driver
    from agent.ports import Frontend

HUGE = 200
"""Files of a diff whose reading and cutting is worth a word."""


def review(
    cwd: Path,
    argument: str | None,
    wanted: Wanted,
    *,
    only: Sequence[str] = (),
    onto: str = "",
    as_json: bool = False,
    decide: str | None = None,
) -> int:
    """Walk through a diff, print it as JSON, or carry out decisions. Returns the exit code."""
    bench = Workbench.open(cwd)
    budget = bench.settings.budget
    asked = script.Wanted(argument, cwd, _standard_input, onto, budget, only, _on_stderr())
    if as_json and decide is not None:
        raise UsageError("--json lists and --decide writes: take one of them")
    if as_json:
        bench.recover_and_say()  # as --decide does first: the chunks are the same for both
        with _uncollected():
            opened = script.open_stack(bench.repo, bench.target_of_diff, asked)
            text, code = script.list_stack(opened, bench.repo.place.object_hash)
        return int(code if _print(text, "") else Exit.FAILED)
    if decide == "":
        raise UsageError(
            "--decide needs a file, or - for the standard input", untouched="nothing was changed"
        )
    if decide is not None:
        with as_interrupts():
            return _decide(bench, asked, decide)
    data = _standard_input() if argument == "-" else b""
    if argument == "-" and not (wanted.jsonl or wanted.plain):
        _keys_from_the_terminal()

    asked = msgspec.structs.replace(asked, stdin=lambda: data)
    from agent.cli.session import run

    def build(bench: Workbench, frontend: Frontend, inbox: queue.SimpleQueue[Any]) -> Driver:
        return _walk(bench, frontend, inbox, asked, wanted)

    return run(bench, build, wanted)


def _walk(
    bench: Workbench,
    frontend: Frontend,
    inbox: queue.SimpleQueue[Any],
    asked: script.Wanted,
    wanted: Wanted,
) -> Driver:
    """The session of a review, over the beginning of the diff while the rest of a large one is still cut."""
    from agent.cli.frontends import is_drawn
    from agent.cli.walk import grow, may_begin, review_driver
    from agent.loop.inputs import StackCut

    def show(label: str, done: int, total: int) -> None:
        if reading.is_left:
            raise KeyboardInterrupt
        if not reading.has_begun:
            _stop_if_asked(inbox)
        frontend.tick(Progress(label, done, total))

    def read(first: Callable[[Opened], None]) -> Opened:
        def begin(beginning: Opened) -> None:
            if by_hand and may_begin(bench, beginning):
                first(beginning)

        given = msgspec.structs.replace(asked, progress=show, first=begin)
        with _uncollected(), contextlib.closing(Repo(bench.place)) as repo:
            return script.open_stack(repo, bench.target_of_diff, given)

    def deliver(beginning: Opened, whole: Opened | Exception) -> None:
        inbox.put(StackCut(lambda driver: grow(driver, bench, beginning, whole)))

    by_hand = is_drawn(wanted)
    bench.recover()
    frontend.offer(WorkOffer("reading the diff"))
    reading = Reading(read, deliver)
    bench.closing.append(reading.close)
    opened = reading.begin()
    driver = review_driver(bench, frontend, inbox, opened, wanted, more=reading.has_begun)
    if not driver.state.growing:
        reading.leave()
    return driver


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for circles among hundreds of thousands of small values that have none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _stop_if_asked(inbox: queue.SimpleQueue[Any]) -> None:
    """Ctrl-C while a huge diff is read and cut ends the review, as nothing of it is open yet."""
    kept = []
    while not inbox.empty():
        thing = inbox.get()
        if isinstance(thing, Interrupt | Quit):
            raise KeyboardInterrupt
        kept.append(thing)
    for thing in kept:
        inbox.put(thing)


def _on_stderr() -> ProgressLine | None:
    """How far a huge diff is, in a line that vanishes, where somebody looks; stdout has the document alone."""
    if not sys.stderr.isatty():
        return None

    def show(label: str, done: int, total: int) -> None:
        if total >= HUGE:
            text = f"{label} {done:,} of {total:,} files" if done < total else ""
            sys.stderr.write(f"\r{text}\x1b[K")

    return show


def _decide(bench: Workbench, asked: script.Wanted, decide: str) -> int:
    from agent.cli.wire import new_session_id

    if decide == "-" and asked.argument == "-":
        raise UsageError("the diff and the decisions cannot both come from standard input")
    try:
        decisions = _standard_input() if decide == "-" else Path(decide).read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {decide}: {error.strerror}", untouched="nothing was changed"
        ) from error
    bench.recover_and_say()
    opened = script.open_stack(bench.repo, bench.target_of_diff, asked)
    text, code = script.decide_stack(opened, decisions, new_session_id(bench.clock.now()))
    done = "what is approved is written" if code is Exit.DONE else "nothing was written"
    _print(text, f" ({done})")
    return int(code)


def _standard_input() -> bytes:
    """All of it. Raises UsageError when it is closed."""
    if sys.stdin is None:
        raise UsageError("the standard input is closed", untouched="nothing was changed")
    return sys.stdin.buffer.read()


def _print(text: str, done: str) -> bool:
    """To standard output; `done` is said where that cannot be, as on a full disk, and False is returned."""
    if sys.stdout is None:
        _complain(f"the standard output is closed{done}")
        return False
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
        return True
    except OSError as error:
        if isinstance(error, BrokenPipeError) and not done:
            raise  # the reader has enough
        _complain(f"{error.strerror}{done}")
        _close(sys.stdout)
        return False


def _complain(why: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"copair: the result cannot be printed: {why}\n")
        sys.stderr.flush()
    except OSError:
        _close(sys.stderr)


def _close(stream: TextIO) -> None:
    """Give up what could not be written: the interpreter would fail at its end when it tries once more."""
    with contextlib.suppress(OSError):
        stream.close()


def _keys_from_the_terminal() -> None:
    """The diff came through standard input: decisions come from the terminal itself."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise UsageError(
            "there is no terminal to decide at",
            hint="save the diff to a file, or use --decide",
            untouched="nothing was changed",
        ) from error
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="replace")
