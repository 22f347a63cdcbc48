"""`copair review`: any diff as a stack of chunks, by hand, or as JSON for a program."""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.errors import UsageError
from agent.core.frontend import Interrupt, Progress, Quit, WorkOffer
from agent.io import journal
from agent.review import script
from agent.review.script import Opened
from agent.review.source import Progress as ProgressLine
from agent.review.uncommitted import UNCOMMITTED

if TYPE_CHECKING:
    from agent.cli.session import Wanted
    from agent.loop.driver import Driver
    from agent.ports import Frontend

EARLIER = 3
"""So many earlier reviews of uncommitted work are asked what was refused in them."""

HUGE = 200
"""Files of a diff whose reading and cutting is worth a word."""


def review(
    cwd: Path,
    argument: str | None,
    wanted: Wanted,
    *,
    onto: str = "",
    as_json: bool = False,
    decide: str = "",
) -> int:
    """Walk through a diff, print it as JSON, or carry out decisions. Returns the exit code."""
    bench = Workbench.open(cwd)
    asked = script.Wanted(argument, cwd, sys.stdin.buffer.read, onto, bench.settings.budget, _on_stderr())
    if as_json and decide:
        raise UsageError("--json lists and --decide writes: take one of them")
    if as_json:
        with _uncollected():
            text, code = script.list_stack(script.open_stack(bench.repo, bench.target_of_diff, asked))
        sys.stdout.write(text)
        return int(code)
    if decide:
        return _decide(bench, asked, decide)
    data = sys.stdin.buffer.read() if argument == "-" else b""
    if argument == "-" and not (wanted.jsonl or wanted.plain):
        _keys_from_the_terminal()

    def build(bench: Workbench, frontend: Frontend, inbox: queue.SimpleQueue[Any]) -> Driver:
        def show(label: str, done: int, total: int) -> None:
            _stop_if_asked(inbox)
            frontend.tick(Progress(label, done, total))

        frontend.offer(WorkOffer("reading the diff"))

        given = script.Wanted(argument, cwd, lambda: data, onto, bench.settings.budget, show)
        with _uncollected():
            opened = script.open_stack(bench.repo, bench.target_of_diff, given)
        return review_driver(bench, frontend, inbox, opened, wanted)

    from agent.cli.session import run

    return run(bench, build, wanted)


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
        decisions = sys.stdin.buffer.read() if decide == "-" else Path(decide).read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {decide}: {error.strerror}", untouched="nothing was changed"
        ) from error
    bench.recover_and_say()
    opened = script.open_stack(bench.repo, bench.target_of_diff, asked)
    text, code = script.decide_stack(opened, decisions, new_session_id(bench.clock.now()))
    sys.stdout.write(text)
    return int(code)


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


def review_driver(
    bench: Workbench, frontend: Frontend, inbox: queue.SimpleQueue[Any], opened: Opened, wanted: Wanted
) -> Driver:
    """A session whose chunks come from a diff. One over the same input that was left goes on."""
    from agent.cli.wire import REVIEW, make_desk, make_driver, pick_real_model

    source = f"{REVIEW}{opened.stack.source.spec}"
    desk = make_desk(bench, opened.onto, twins=True)
    bases = desk.store(opened.stack.source.before)
    proposed = ev.Proposed("r1", "", opened.stack.chunks, bases)
    left = [
        info
        for info in journal.sessions(bench.place.state)
        if info.source == source and not info.open and _goes_on(info.path, proposed, opened.onto)
    ]
    driver = make_driver(
        bench,
        frontend,
        inbox,
        pick_real_model(bench, wanted),
        source=source,
        onto=opened.onto,
        resume=left[0].id if left else "",
        first=() if left else (proposed,),
    )
    if not left and opened.stack.source.spec == UNCOMMITTED:
        driver.parts.desk.remarks = _refused_before(bench, source, opened.stack.chunks)
    count = len(opened.stack.chunks)
    driver.tell(
        f"{opened.stack.source.label}: {count} {'chunk' if count == 1 else 'chunks'}"
        + (", going on" if left else "")
    )
    for one in opened.stack.left_out:
        driver.tell(f"left out: {one.path}: {one.reason}", "warning")
    return driver


def _refused_before(bench: Workbench, source: str, chunks: Sequence[Chunk]) -> dict[str, str]:
    """For each chunk that does what was refused in one of the last reviews of such work: that it was, by its id.

    Whatever is staged changes the uncommitted work, so that a review of the rest begins anew.
    """
    from agent.core.sessions.session import Status, fold

    refused: dict[str, str] = {}
    known = [info for info in journal.sessions(bench.place.state) if info.source == source and not info.open]
    for info in known[:EARLIER]:
        for item in fold(journal.read(info.path)).items:
            if item.status is Status.REJECTED:
                why = f": {item.reason}" if item.reason else ""
                refused.setdefault(_content(item.chunk), f"You refused this before{why}")
    return {chunk.id: refused[_content(chunk)] for chunk in chunks if _content(chunk) in refused}


def _content(chunk: Chunk) -> str:
    """The same for chunks that change the same lines, wherever these stand now."""
    return repr([(c.path, c.kind, [(h.old, h.new) for h in c.hunks], c.new_path) for c in chunk.changes])


def _goes_on(path: Path, proposed: ev.Proposed, onto: str) -> bool:
    """Whether a session that was left walks through these very chunks, to the same place, and has some left.

    What waits for something that was refused is not left: there would be nothing to decide.
    """
    from agent.core.sessions.session import Status, fold

    events = journal.read(path)
    state = fold(events)
    if state.onto != onto or proposed not in events:
        return False
    stuck: set[str] = set()
    for item in state.items:
        waits = item.status is Status.BLOCKED and not stuck.isdisjoint(item.chunk.needs)
        if waits or item.status in (Status.REJECTED, Status.UNDONE, Status.DROPPED):
            stuck.add(item.chunk.id)
    left = (Status.PENDING, Status.APPROVED, Status.DEFERRED, Status.BLOCKED)
    return any(item.status in left and item.chunk.id not in stuck for item in state.items)
