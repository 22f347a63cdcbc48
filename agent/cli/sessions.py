"""Earlier sessions of a repository: the list, one session with its chunks, one chunk, and which to resume."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import accumulate
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from agent.cli.naming import find_chunk, find_session, named_session, tell_unread
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.clean import Clean, clean
from agent.core.errors import Exit, StateError, UsageError
from agent.core.hunk import FileState, Write
from agent.core.patches.chunk_diff import ChunkDiffs
from agent.core.patches.unified import print_writes
from agent.core.sessions.session import Item, State, Status, fold
from agent.core.sessions.state import LEFT, has_left
from agent.core.text import whole_number
from agent.io import journal
from agent.io.journal import SessionInfo
from agent.loop.commands import stack_row, stack_rows
from agent.loop.summary import status_word

COUNTED_BYTES = 4_000_000
"""A journal that is longer is not read to list it."""

OBJECT_ID = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")


def pick_session(cwd: Path, name: str, *, choose: bool) -> str:
    """The id of the session to resume: the named one, the latest, or chosen from a list. Raises UsageError."""
    bench = Workbench.open(cwd)
    try:
        return _picked(bench, name, choose=choose)
    except UsageError:
        bench.recover_and_say()  # otherwise the session does it, and says so
        raise


def _picked(bench: Workbench, name: str, *, choose: bool) -> str:
    found = bench.sessions()
    resumable = [info for info in found if not info.open and info.source != "tour"]
    if name:
        return find_session(bench, name).id
    if not choose and (latest := _latest_open(resumable)):
        return latest
    if not choose or not resumable:
        raise _none(bench, found, resumable)
    for number, info in enumerate(resumable, 1):
        sys.stderr.write(f"{number:3}  {_line(info)}\n")
    sys.stderr.write("which? ")
    sys.stderr.flush()
    chosen = whole_number(sys.stdin.readline())
    if not chosen or chosen > len(resumable):
        raise UsageError("no session was chosen", untouched="nothing was done")
    return resumable[chosen - 1].id


def _latest_open(found: list[SessionInfo]) -> str:
    """The latest that goes on: a conversation, or a review that is not decided to its end. Empty when there is none."""
    for info in found:
        if not info.source.startswith("review"):
            return info.id
        try:
            state = fold(journal.read(info.path))
        except StateError as error:
            tell_unread(error)
            continue
        if state.growing or state.cut_short or has_left(state):
            return info.id
    return ""


def _none(bench: Workbench, found: list[SessionInfo], resumable: list[SessionInfo]) -> UsageError:
    """Why no session is gone on with."""
    if any(info.open for info in found):
        return UsageError(
            "another copair process has the session open",
            hint="go on there, or end it with q and resume it here",
            untouched="nothing was changed",
        )
    if resumable:
        hint = "copair starts one, copair resume SESSION takes any"
        return UsageError("no session here has anything open", hint=hint)
    hint = "copair starts one, and so does copair review"
    elsewhere = [info for info in journal.sessions(bench.place.state) if not bench.owns(info)]
    if elsewhere:
        hint += f"; the latest of another work tree is resumed in {elsewhere[0].root}"
    return UsageError("there is no session to resume here", hint=hint)


def latest_session(bench: Workbench) -> SessionInfo:
    """Raises UsageError when there is none."""
    found = bench.sessions()
    if not found:
        raise UsageError("there is no session here yet", hint="copair starts one")
    return found[0]


def _line(info: SessionInfo, where: str = "", counts: str = "") -> str:
    """One line, cut to the terminal where there is one. Commits are named as people name them."""
    state = "open now" if info.open else "crashed" if info.crashed else ""
    first = info.first or f"({_reviewed(info)})"
    when = datetime.fromtimestamp(info.time).strftime("%Y-%m-%d %H:%M")
    words = [info.id, when, *filter(None, (state, first[:80], counts, info.model, where))]
    return _fitting(clean("  ".join(words)))


def _reviewed(info: SessionInfo) -> str:
    """What is reviewed; of an older session only how it is named exactly."""
    return f"review of {info.label}" if info.label else OBJECT_ID.sub(lambda found: found[0][:7], info.source)


def _listed(info: SessionInfo) -> State | None:
    """None for a session that is too long to be read for a list, or cannot be read."""
    try:
        return None if info.path.stat().st_size > COUNTED_BYTES else fold(journal.read(info.path))
    except (OSError, StateError):
        return None


def _counted(state: State) -> dict[str, int]:
    """How many chunks are open, how many applied, and how many of these committed."""
    applied = [item.chunk.id for item in state.items if item.status is Status.APPLIED]
    return {
        "open": sum(item.status in LEFT for item in state.items),
        "applied": len(applied),
        "committed": len(state.committed.intersection(applied)),
    }


def _counts(info: SessionInfo) -> str:
    """How far it is."""
    state = _listed(info)
    if state is None or not state.items:
        return ""
    counts = _counted(state)
    done = f"{counts['applied']} {status_word(state, Status.APPLIED)}"
    done += f" ({counts['committed']} committed)" if counts["committed"] else ""
    return f"{counts['open']} open, {done}"


def _fitting(line: Clean) -> Clean:
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else clean(f"{line[: width - 1]}…")


def print_log(cwd: Path, name: str, *, as_json: bool) -> int:
    """All sessions, or the chunks of one."""
    bench = Workbench.open(cwd)
    bench.say_what_waits()
    found = journal.sessions(bench.place.state)
    if not name:
        if as_json:
            _print_json([_session_json(info, _listed(info)) for info in found])
        else:
            lines = (
                _line(info, "" if bench.owns(info) else f"in {info.root}", _counts(info)) for info in found
            )
            sys.stdout.write("".join(f"{line}\n" for line in lines) or "no sessions yet\n")
        return Exit.DONE
    info = named_session(found, name)
    state = fold(journal.read(info.path))
    if as_json:
        diffs = _Diffs(bench, state)
        chunks = [_chunk_json(diffs, state, item) for item in state.items]
        _print_json(_session_json(info, state) | {"chunks": chunks})
        return Exit.DONE
    sys.stdout.write(f"{_line(info)}\n")
    for row in stack_rows(state):
        sys.stdout.write(f"  {clean(row.words)}\n")
    return Exit.DONE


def _session_json(info: SessionInfo, state: State | None) -> dict[str, Any]:
    built = msgspec.to_builtins(info, enc_hook=str)
    first = info.first or (_reviewed(info) if info.source.startswith("review") else "")
    counts = _counted(state) if state else None
    return {**built, "first": first, "path": str(info.path), "crashed": info.crashed, "counts": counts}


def _chunk_json(diffs: _Diffs, state: State, item: Item) -> dict[str, Any]:
    return {
        "id": item.chunk.id,
        "title": item.chunk.title,
        "why": item.chunk.why,
        "paths": list(item.chunk.paths),
        "status": item.status.value,
        "committed": item.status is Status.APPLIED and item.chunk.id in state.committed,
        "reason": item.reason,
        "evidence": msgspec.to_builtins(item.evidence),
        "diff": diffs.of(item).decode("utf-8", "replace"),
    }


class _Bases(Mapping[str, FileState | None]):
    """The files that a proposal was made for, each read when it is asked for."""

    def __init__(self, bench: Workbench, stored: ev.StoredStates) -> None:
        self._bench, self._stored = bench, stored
        self._read: dict[str, FileState | None] = {}

    def __getitem__(self, path: str) -> FileState | None:
        if path not in self._read:
            self._read[path] = _load(self._bench, self._stored[path])
        return self._read[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


def _load(bench: Workbench, stored: ev.StoredState | None) -> FileState | None:
    return FileState(stored.mode, bench.blobs.get(stored.blob)) if stored else None


class _Diffs:
    """What chunks of a session do: what was written for them, or what they would do to the files they were made for."""

    def __init__(self, bench: Workbench, state: State) -> None:
        self._bench, self._state = bench, state
        self._proposals: dict[str, ChunkDiffs] = {}

    def of(self, item: Item) -> bytes:
        """Empty when what it rests on is not stored any more."""
        try:
            return self._written(item) if item.writes else self._of_proposal(item).of(item.chunk)
        except StateError:
            return b""

    def _written(self, item: Item) -> bytes:
        load, bench = _load, self._bench
        writes = [Write(write.path, load(bench, write.old), load(bench, write.new)) for write in item.writes]
        if item.status is Status.UNDONE:
            writes = [Write(write.path, write.new, write.old) for write in writes]
        return print_writes(writes, kind=bench.repo.place.object_hash)

    def _of_proposal(self, item: Item) -> ChunkDiffs:
        if item.proposal not in self._proposals:
            chunks = [other.chunk for other in self._state.items if other.proposal == item.proposal]
            bases = _Bases(self._bench, self._state.source_of(item).bases)
            self._proposals[item.proposal] = ChunkDiffs(chunks, bases, self._bench.repo.place.object_hash)
        return self._proposals[item.proposal]


def print_chunk(cwd: Path, name: str, *, as_json: bool) -> int:
    """One chunk of the latest session, or of a named one (`SESSION:CHUNK`)."""
    bench = Workbench.open(cwd)
    bench.say_what_waits()
    found = journal.sessions(bench.place.state)
    session, _, chunk = name.rpartition(":")
    shown = find_chunk([named_session(found, session)] if session else found, chunk)
    state, item = shown.state, shown.item
    if as_json:
        _print_json(_chunk_json(_Diffs(bench, state), state, item))
        return Exit.DONE
    lines = [stack_row(state, item).words, item.chunk.why]
    lines += [f"assumes: {text}" for text in item.chunk.assumes] + [
        f"risk: {text}" for text in item.chunk.risks
    ]
    lines += [f"because: {because.path}: {because.text}" for because in item.chunk.because]
    lines += [f"{evidence.verdict}: {evidence.summary}" for evidence in item.evidence]
    sys.stdout.write("".join(f"{clean(line)}\n" for line in lines if line))
    diff = _Diffs(bench, state).of(item).decode("utf-8", "surrogateescape")
    sys.stdout.write("\n" + "".join(f"{clean(line)}\n" for line in diff.removesuffix("\n").split("\n")))
    return Exit.DONE


def applied_items(bench: Workbench, status: Status = Status.APPLIED) -> list[tuple[SessionInfo, Item]]:
    """All chunks of a work tree with this status, in the order in which they were written."""
    found: list[tuple[float, SessionInfo, Item]] = []
    for info, history in journal.histories(reversed(bench.sessions()), tell_unread):
        folded = fold(history)
        by_id = {item.chunk.id: item for item in folded.items if item.counts_as(status)}
        times = {event.chunk: event.time for event in history if isinstance(event, ev.Wrote | ev.Undone)}
        own = [chunk for chunk in dict.fromkeys(reversed(folded.written)) if chunk in by_id][::-1]
        # A clock that was set back does not change the order within a session.
        own_times = accumulate((times[chunk] for chunk in own), max)
        found += [(time, info, by_id[chunk]) for time, chunk in zip(own_times, own, strict=True)]
    return [(info, item) for _, info, item in sorted(found, key=itemgetter(0))]


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
