"""The session of a review: begun over the stack of a diff or gone on with, and grown by what is cut later.

Of a large diff the first file is reviewed while the rest is read and cut: its chunks are a proposal that says that
more comes, and the same proposal grows by the others.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeGuard

from agent.cli.wire import REVIEW, make_desk, make_driver, pick_real_model
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.chunk import Chunk
from agent.core.errors import CopairError, StateError, UsageError
from agent.core.outcome import States
from agent.core.sessions.session import Status, fold
from agent.core.sessions.state import has_left
from agent.io import journal
from agent.io.journal import SessionInfo
from agent.review.script import Opened
from agent.review.stack import Stack

if TYPE_CHECKING:
    from agent.cli.wanted import Wanted
    from agent.loop.driver import Driver
    from agent.ports import Frontend

EARLIER = 3
"""So many earlier reviews of uncommitted work are asked what was refused in them."""

PROPOSAL = "r1"
"""The name of the proposal that has the whole stack."""


def review_driver(
    bench: Workbench,
    frontend: Frontend,
    inbox: queue.SimpleQueue[Any],
    opened: Opened,
    wanted: Wanted,
    *,
    more: bool = False,
) -> Driver:
    """A session whose chunks come from a diff. One over the same input that was left goes on.

    Raises UsageError when another process has it open: what is decided there would not be seen here.
    `more`: this is the beginning of a diff; `grow` brings the rest, if the state of the session is growing.
    """
    stack, source = opened.stack, _source(opened)
    if any(info.open and info.source == source for info in bench.sessions()):
        raise UsageError(
            "another copair process has this review open",
            hint="decide there, or end it with q and go on here",
            untouched="nothing was changed",
        )
    proposed = _proposed(bench, opened, stack.chunks, stack.source.before, more=more)
    left = _left(bench, opened, proposed)
    driver = make_driver(
        bench,
        frontend,
        inbox,
        pick_real_model(bench, wanted),
        source=source,
        onto=opened.onto,
        resume=left.id if left else "",
        first=() if left else (proposed,),
        kept=bool(stack.chunks),
        label=stack.source.label,
    )
    if left and more and driver.state.cut_short:
        driver.record(ev.Proposed(PROPOSAL, "", (), {}, more=True))
    elif left and more:
        driver.tell(f"{stack.source.label}: {len(driver.state.items)} chunks, going on")
    elif left:
        _complete(driver, left, proposed)
    elif not more:
        driver.parts.desk.remarks = _refused_before(bench, opened)
    if not more:
        _introduce(driver, stack, going_on=bool(left))
    return driver


def may_begin(bench: Workbench, opened: Opened) -> bool:
    """False when a review that was left began like this one, and only the whole can tell whether it goes on.

    What commits and patches are named by says all of them; uncommitted work is another one whenever it changes.
    """
    beginning = ev.Proposed(PROPOSAL, "", opened.stack.chunks, {}, more=True)
    return not opened.stack.source.is_uncommitted or _left(bench, opened, beginning) is None


def grow(driver: Driver, bench: Workbench, beginning: Opened, whole: Opened | Exception) -> None:
    """Bring in the rest of a diff, or say why there is none; a fault is raised."""
    try:
        if isinstance(whole, Exception):
            raise whole
        known = {chunk.id for chunk in beginning.stack.chunks}
        chunks = tuple(chunk for chunk in whole.stack.chunks if chunk.id not in known)
        before = whole.stack.source.before
        bases = {path: state for path, state in before.items() if path not in beginning.stack.source.before}
        rest = _proposed(bench, whole, chunks, bases)
    except CopairError as error:
        driver.record(ev.CutShort(error.message, error.hint))
        return
    driver.record(rest, sync=True)
    driver.parts.desk.remarks = _refused_before(bench, whole)
    _introduce(driver, whole.stack)


def _complete(driver: Driver, info: SessionInfo, proposed: ev.Proposed) -> None:
    """Bring the rest to a review that was left before its diff was cut to the end."""
    known = _stack_of(journal.read(info.path)) if driver.state.cut_short else None
    if known is not None:
        rest = proposed.chunks[len(known.chunks) :]
        bases = {path: state for path, state in proposed.bases.items() if path not in known.bases}
        driver.record(ev.Proposed(PROPOSAL, "", rest, bases), sync=True)


def _introduce(driver: Driver, stack: Stack, *, going_on: bool = False) -> None:
    count = len(stack.chunks)
    words = f"{stack.source.label}: {count} {'chunk' if count == 1 else 'chunks'}"
    if not count:
        words = f"{stack.source.label}: nothing to review" if stack.left_out else stack.source.unchanged
    driver.tell(words + (", going on" if going_on else ""))
    for one in stack.left_out:
        driver.tell(f"left out: {one.path}: {one.reason}", "warning")


def _source(opened: Opened) -> str:
    return f"{REVIEW}{opened.stack.source.spec}"


def _earlier(bench: Workbench, source: str) -> list[SessionInfo]:
    """Reviews of the same source that nobody has open, the latest first."""
    known = bench.sessions()
    return [info for info in known if info.source == source and not info.open]


def _proposed(
    bench: Workbench, opened: Opened, chunks: tuple[Chunk, ...], bases: States, *, more: bool = False
) -> ev.Proposed:
    """The event that brings these chunks in, with the files that they stand over kept."""
    return ev.Proposed(PROPOSAL, "", chunks, make_desk(bench, opened.onto, twins=True).store(bases), more)


def _refused_before(bench: Workbench, opened: Opened) -> dict[str, str]:
    """For each chunk that does what was refused in one of the last reviews of such work: that it was, by its id.

    Whatever is staged changes the uncommitted work, so that a review of the rest begins anew.
    """
    refused: dict[str, str] = {}
    if not opened.stack.source.is_uncommitted:
        return refused
    earlier = _earlier(bench, _source(opened))[:EARLIER]
    for _, history in journal.histories(earlier, lambda unread: None):
        for item in fold(history).items:
            if item.status is Status.REJECTED:
                why = f": {item.reason}" if item.reason else ""
                refused.setdefault(_content(item.chunk), f"You refused this before{why}")
    contents = {chunk.id: _content(chunk) for chunk in opened.stack.chunks} if refused else {}
    return {chunk: refused[content] for chunk, content in contents.items() if content in refused}


def _content(chunk: Chunk) -> str:
    """The same for chunks that change the same lines, wherever these stand now."""
    return repr([(c.path, c.kind, [(h.old, h.new) for h in c.hunks], c.new_path) for c in chunk.changes])


def _left(bench: Workbench, opened: Opened, proposed: ev.Proposed) -> SessionInfo | None:
    """The latest review of the same that was left and can be gone on with."""
    return next(
        (info for info in _earlier(bench, _source(opened)) if _goes_on(info, proposed, opened.onto)), None
    )


def _goes_on(info: SessionInfo, proposed: ev.Proposed, onto: str) -> bool:
    """Whether a session that was left walks through these very chunks, to the same place, and has some left.

    Of a stack that is not cut to its end, on either side, the beginning is compared.
    """
    try:
        first = next(filter(_is_stack, journal.events(info.path)), None)
        if first is None or first.chunks[:1] != proposed.chunks[:1]:
            return False
        events = journal.read(info.path)
    except StateError:
        return False  # damaged: the review begins anew
    state, known = fold(events), _stack_of(events)
    if state.onto != onto or known is None or not (known.more or has_left(state)):
        return False
    less, whole = (proposed, known) if proposed.more else (known, proposed)
    if not less.more and len(less.chunks) != len(whole.chunks):
        return False
    return less.chunks == whole.chunks[: len(less.chunks)] and less.bases.items() <= whole.bases.items()


def _stack_of(events: Iterable[ev.Event]) -> ev.Proposed | None:
    """The stack of a review as far as it was cut; None when there is none."""
    found: ev.Proposed | None = None
    for event in filter(_is_stack, events):
        found = event if found is None else ev.Proposed(
            PROPOSAL, "", found.chunks + event.chunks, found.bases | event.bases, event.more
        )  # fmt: skip
    return found


def _is_stack(event: ev.Event) -> TypeGuard[ev.Proposed]:
    return isinstance(event, ev.Proposed) and event.proposal == PROPOSAL
