"""Commits of approved chunks: `/commit`, `commit = "each"`, and `copair commit`. Only when asked."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from agent.cli.naming import find_chunk, find_session, item_of, tell_unread
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.clean import clean
from agent.core.errors import Exit, UsageError
from agent.core.message import commit_message
from agent.core.sessions.named import chunk_name
from agent.core.sessions.session import Item, State, Status, fold
from agent.git.commit import CommitRefused, Committed, Committer
from agent.io import journal
from agent.io.signals import held, pass_on
from agent.loop.beside import beside
from agent.loop.desk import Desk
from agent.loop.driver import Driver
from agent.loop.gone import gone, is_out
from agent.loop.summary import status_word

MOST_NAMES = 12
"""So many chunks are listed by name."""


def committable(state: State, names: Sequence[str] = ()) -> list[Item]:
    """Applied chunks that are in no commit yet, in the order in which they were written. Raises UsageError."""
    by_id = {item.chunk.id: item for item in state.items if not _refusal(state, item)}
    waiting = [by_id[chunk] for chunk in dict.fromkeys(state.written) if chunk in by_id]
    wanted = {_named(state, name).chunk.id for name in names}
    return [item for item in waiting if not names or item.chunk.id in wanted]


def _named(state: State, name: str) -> Item:
    """Raises UsageError."""
    item = item_of(state, name, _refusal)
    if item is None:
        raise UsageError(
            f"chunk {name} is not applied, or is committed already", untouched="nothing was committed"
        )
    return item


def _refusal(state: State, item: Item) -> str:
    """Why this is no chunk that waits for a commit; empty when it is."""
    if item.status is not Status.APPLIED or not item.writes:
        return f"is {status_word(state, item.status)}: only an applied chunk is committed"
    return "is committed already" if item.chunk.id in state.committed else ""


class Waiting(msgspec.Struct, frozen=True):
    """Chunks to be committed, those of which the files have nothing any more, and those that are there in part."""

    items: Sequence[Item]
    lost: Sequence[Item] = ()
    changed: Sequence[Item] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left out, and why."""
        kinds = (
            ("the files do not have it any more", self.lost),
            ("it is not as it was applied (changed or taken back since; commit it with git)", self.changed),
        )
        return tuple(
            f"left out, because {why}: {'; '.join(item.chunk.title for item in items)}"
            for why, items in kinds
            if items
        )


def waiting(committer: Committer, desk: Desk, state: State, names: Sequence[str] = ()) -> Waiting:
    """Of what could be committed, what is still in the files and not in the last commit. Raises UsageError.

    What was applied and then thrown away is not brought back by a commit; what was undone and applied again may be
    in the commit that it was in before.
    """
    items = committable(state, names)
    lost = {item.chunk.id for item in gone(desk, state)} if items else set()
    again = [item for item in items if state.written.count(item.chunk.id) > 1]
    out = [item for item in items if item.chunk.id in lost]
    there = {item.chunk.id for item in again if committer.has(item.writes)}
    return Waiting(
        [item for item in items if item.chunk.id not in lost | there],
        [item for item in out if is_out(desk, item)],
        [item for item in out if not is_out(desk, item)],
    )


def commit_items(
    committer: Committer,
    state: State,
    items: Sequence[Item],
    *,
    trailer: bool,
    editor: str = "",
    message: str = "",
) -> ev.Committed | CommitRefused:
    """One commit with exactly what was approved of `items`."""
    writes = [write for item in items for write in item.writes]
    words = message or commit_message([item.chunk for item in _new(committer, items)])
    mark = f"Assisted-by: copair:{state.model.replace(' ', '-')}" if trailer and state.model else ""
    outcome = committer.commit(writes, words, trailer=mark, editor=editor)
    match outcome:
        case Committed(commit=commit, subject=subject):
            chunks = tuple(item.chunk.id for item in items)
            return ev.Committed(chunks, commit, subject, commit_note(outcome))
        case CommitRefused():
            return _naming(outcome, state, items)


def _new(committer: Committer, items: Sequence[Item]) -> Sequence[Item]:
    """Those that the message is of: what the person has committed meanwhile adds nothing to this commit."""
    if len(items) == 1:
        return items
    there = committer.has_each([item.writes for item in items])
    return [item for item, is_there in zip(items, there, strict=True) if not is_there] or items


def _naming(refused: CommitRefused, state: State, items: Sequence[Item]) -> CommitRefused:
    """With the chunk that is in the way, and how the others of `items` are committed."""
    item = next((item for item in items if any(write is refused.write for write in item.writes)), None)
    if item is None:
        return refused
    line = f", line {refused.line}" if refused.line else ""
    path = f"chunk {chunk_name(state, item)} ({item.chunk.title}) in {refused.path}{line}"
    names = [chunk_name(state, other) for other in items if other is not item]
    listed = f": {' '.join(names)}" if len(names) <= MOST_NAMES else ""
    others = f"; the others can be committed by name{listed}" if names else ""
    return msgspec.structs.replace(refused, path=path, hint=f"{refused.hint}{others}")


def commit_note(made: Committed) -> str:
    """What the person should know of a commit besides that it was made; empty when there is nothing."""
    notes = []
    if made.hooks_changed:
        notes.append("a hook of yours put other content into it than what you approved: look at git show")
    if made.moved:
        notes.append("the branch was moved in the very moment: look at git show, and undo it if need be")
    if made.index_later:
        notes.append("the index could not be written now; the next start of copair does it")
    return "; ".join(notes)


def refusal_text(refused: CommitRefused) -> str:
    """What happened, where, and what git or a hook said."""
    where = f"{refused.path}: " if refused.path else ""
    output = refused.output.decode("utf-8", "replace").strip()
    return f"Not committed: {where}{refused.reason}." + (f"\n{output}" if output else "")


def passed_over(items: Sequence[Item]) -> str:
    """Of several commits, one that the person, or a copair that was killed behind it, has made already."""
    return f"passed over, because it is committed already: {'; '.join(item.chunk.title for item in items)}"


def commit_command(bench: Workbench) -> Callable[[Driver, str], None]:
    """`/commit`: all waiting chunks as one commit, `each` as one each, or the ones that are named."""

    def run(driver: Driver, argument: str) -> None:
        names = argument.split()
        each = names == ["each"]
        found = waiting(bench.committer, driver.parts.desk, driver.state, () if each else names)
        items = found.items
        for note in found.notes:
            driver.tell(f"{note[0].upper()}{note[1:]}.", "warning")
        if not items:
            driver.tell("There is nothing to commit: no applied chunk waits.", "warning")
        groups = [[item] for item in items] if each else [items] if items else []
        for group in groups:
            if not _commit(bench, driver, group, alone=len(groups) == 1):
                return

    return run


def commit_each(bench: Workbench) -> Callable[[Driver, str], None]:
    """`commit = "each"`: one commit after each applied chunk."""

    def run(driver: Driver, chunk: str) -> None:
        items = waiting(bench.committer, driver.parts.desk, driver.state, (chunk,)).items
        if items:
            _commit(bench, driver, items)

    return run


def tell_what_hinders(bench: Workbench, driver: Driver) -> None:
    """`commit = "each"`: why no chunk of this session could be committed, before the first one is written."""
    refused = bench.committer.refusal(())
    if refused is not None:
        words = f"Chunks will be applied and not committed: {refused.reason}."
        driver.tell(words, "warning", refused.hint)


def _commit(bench: Workbench, driver: Driver, items: Sequence[Item], *, alone: bool = True) -> bool:
    """True when it is made, and what comes after it may be: hooks may take long, and Ctrl-C stops them.

    So may what comes after a commit that the person has made meanwhile, when this one is not `alone`.
    """
    state, trailer = driver.state, bench.settings.assisted_by
    made, stopped = beside(
        driver,
        "committing",
        lambda: commit_items(bench.committer, state, items, trailer=trailer),
        lambda: pass_on(signal.SIGINT),
    )
    if isinstance(made, CommitRefused) and made.is_there and not alone:
        note = passed_over(items)
        driver.tell(f"{note[0].upper()}{note[1:]}.", "warning")
        return not stopped
    if isinstance(made, CommitRefused):
        driver.tell(refusal_text(made), "error", made.hint)
        return False
    driver.record(made, sync=True)
    if made.note:
        driver.tell(made.note, "warning")
    return not stopped


def commit_session(
    cwd: Path,
    chunks: Sequence[str],
    *,
    session: str = "",
    each: bool = False,
    edit: bool = False,
    message: str = "",
) -> int:
    """`copair commit`: of the latest session with applied chunks, or of a named one. Returns the exit code."""
    bench = Workbench.open(cwd)
    bench.recover_and_say()
    chosen = (session and find_session(bench, session).id) or _latest(bench, chunks)
    editor = _editor(bench) if edit else ""
    with journal.Journal(bench.place.state, chosen) as book:
        state = fold(journal.read(book.path))
        found = _waiting(bench, state, chunks)
        for note in found.notes:
            sys.stderr.write(f"{clean(f'copair: {note}')}\n")
        if not found.items:
            raise UsageError("there is nothing to commit: no applied chunk waits")
        groups = [[item] for item in found.items] if each else [found.items]
        code = Exit.FAILED
        for group in groups:
            with _heeding(last=group is groups[-1]) as too_late, held():
                made = commit_items(
                    bench.committer,
                    state,
                    group,
                    trailer=bench.settings.assisted_by,
                    editor=editor,
                    message=message,
                )
                if isinstance(made, ev.Committed):
                    too_late.append(made)
                    book.append(made, sync=True)
                    code = Exit.DONE
                is_passed = isinstance(made, CommitRefused) and made.is_there and len(groups) > 1
                if is_passed:
                    sys.stderr.write(f"{clean(f'copair: {passed_over(group)}')}\n")
                else:
                    _tell(made)  # before a Ctrl-C that came meanwhile ends us
            if isinstance(made, CommitRefused) and not is_passed:
                return Exit.FAILED
    return code


def _tell(made: ev.Committed | CommitRefused) -> None:
    if isinstance(made, CommitRefused):
        text = refusal_text(made) + (f"\nhint: {made.hint}" if made.hint else "")
        sys.stderr.write("".join(f"{clean(line)}\n" for line in text.split("\n")))
        return
    sys.stdout.write(f"{clean(f'{made.commit[:10]} {made.subject}')}\n")
    sys.stdout.flush()
    if made.note:
        sys.stderr.write(f"{clean(f'copair: {made.note}')}\n")


@contextlib.contextmanager
def _heeding(*, last: bool) -> Iterator[list[ev.Committed]]:
    """Ctrl-C that was pressed meanwhile, also in the person's editor, stops what is left; of the `last` that is nothing."""
    made: list[ev.Committed] = []
    try:
        yield made
    except KeyboardInterrupt:
        if not (last and made):
            raise


def _waiting(bench: Workbench, state: State, names: Sequence[str] = ()) -> Waiting:
    from agent.cli.wire import make_desk

    return waiting(bench.committer, make_desk(bench, state.onto, twins=True), state, names)


def _latest(bench: Workbench, names: Sequence[str]) -> str:
    """The newest session in which something waits, or the first of `names` does. Raises UsageError."""
    sessions = bench.sessions()
    if names:
        return find_chunk([info for info in sessions if not info.open], names[0], _refusal).session
    for info, history in journal.histories((info for info in sessions if not info.open), tell_unread):
        state = fold(history)
        found = _waiting(bench, state) if committable(state) else Waiting(())
        if found.items:
            return info.id
        for note in found.notes:
            sys.stderr.write(f"{clean(f'copair: session {info.id} is passed over: {note}')}\n")
    if any(info.open for info in sessions):
        raise UsageError(
            "there is nothing to commit: no applied chunk of an ended session waits",
            hint="another copair process is using a session: /commit there commits what it has applied",
        )
    raise UsageError(
        "there is nothing to commit: no applied chunk of a session waits",
        hint="copair log shows the sessions; what `copair review --decide` wrote is committed with git itself",
    )


def _editor(bench: Workbench) -> str:
    import shlex

    from agent.ui.outside import Outside

    return shlex.join(Outside(bench.place.state).editor())
