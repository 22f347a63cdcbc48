"""Decisions of a program on a stack: exactly the approved chunks, in one atomic set, or nothing at all.

One JSON object a line: `{"chunk": ID, "verdict": "approve" | "reject", "reason": TEXT}`; other keys are ignored.
A chunk that is not named stays undecided and is not written. Nothing is written when an id is unknown, when an
approved chunk needs one that is neither approved nor present, or when a chunk cannot be placed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from agent.core.chunk import Chunk
from agent.core.errors import Exit, UsageError
from agent.core.hunk import Write
from agent.core.lines.stack import place_all, reviewed, step
from agent.core.outcome import Applied, Clash, Drifted, Refused
from agent.git.tree_attributes import is_attributes
from agent.ports import Target
from agent.review.listing import VERSION
from agent.review.stack import Stack


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Decision(msgspec.Struct, frozen=True):
    chunk: str
    verdict: Choice
    reason: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """The result as plain data for `json.dumps`, and the exit code."""

    result: dict[str, Any]
    code: Exit


def read_decisions(text: bytes) -> dict[str, Decision]:
    """Decisions by chunk id. Raises UsageError, naming the line; nothing is written then."""
    found: dict[str, Decision] = {}
    for number, line in enumerate(text.split(b"\n"), 1):
        if not line.strip():
            continue
        decision = _decision(number, line)
        if found.get(decision.chunk, decision).verdict is not decision.verdict:
            raise _wrong(number, f"chunk {decision.chunk} is both approved and rejected")
        found[decision.chunk] = decision
    return found


def _decision(number: int, line: bytes) -> Decision:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _wrong(number, "no JSON object")
    try:
        return msgspec.convert(value, Decision)
    except msgspec.ValidationError as error:
        raise _wrong(number, f"no decision: {error}") from error


def _wrong(number: int, what: str) -> UsageError:
    return UsageError(
        f"line {number} of the decisions: {what}",
        hint='one object a line: {"chunk": "ID", "verdict": "approve" or "reject", "reason": "…"}',
        untouched="nothing was written",
    )


def decide(stack: Stack, decisions: dict[str, Decision], target: Target, onto: str, set_id: str) -> Outcome:
    """Write what is approved. `set_id` names this set of writes and must be new."""
    by_id = {chunk.id: chunk for chunk in stack.chunks}
    approved = [chunk for chunk in stack.chunks if _is(decisions, chunk, Choice.APPROVE)]
    unknown = [name for name in decisions if name not in by_id]
    blocked = _blocked(approved, stack, by_id)
    result: dict[str, Any] = {
        "version": VERSION,
        "source": stack.source.label,
        "onto": onto,
        "outcome": "refused",
        "applied": [],
        "present": [chunk.id for chunk in approved if chunk.id in stack.present],
        "not_written": [chunk.id for chunk in approved if chunk.id not in stack.present],
        "rejected": [chunk.id for chunk in stack.chunks if _is(decisions, chunk, Choice.REJECT)],
        "undecided": [chunk.id for chunk in stack.chunks if chunk.id not in decisions],
        "blocked": blocked,
        "unknown": unknown,
        "left_out": [{"path": out.path, "reason": out.reason} for out in stack.left_out],
        "conflicts": [],
        "written": [],
        "message": "",
    }
    if unknown or blocked:
        what = _why_unknown(stack) if unknown else "needed chunks are not approved"
        result["message"] = f"nothing was written: {what}"
        return Outcome(result, Exit.FAILED)
    wanted = [chunk for chunk in approved if chunk.id not in stack.present]
    placed = _place(stack, wanted)
    conflicts = [_conflict(clash, wanted) for clash in placed if isinstance(clash, Clash)]
    if conflicts:
        result |= {"conflicts": conflicts, "message": "nothing was written: the files changed there"}
        return Outcome(result, Exit.FAILED)
    writes = [write for write in placed if isinstance(write, Write)]
    return _write(result, wanted, writes, target, set_id)


def _why_unknown(stack: Stack) -> str:
    what = "the input has no such chunk"
    taken = (path for chunk in stack.chunks if chunk.id in stack.present for path in chunk.paths)
    if any(map(is_attributes, taken)):
        what += "; .gitattributes was taken, and other files get other line ends by it: list the chunks again"
    return what


def _is(decisions: dict[str, Decision], chunk: Chunk, choice: Choice) -> bool:
    return chunk.id in decisions and decisions[chunk.id].verdict is choice


def _blocked(approved: Sequence[Chunk], stack: Stack, by_id: dict[str, Chunk]) -> list[dict[str, Any]]:
    there = {chunk.id for chunk in approved} | stack.present
    found = []
    for chunk in approved:
        missing = [need for need in chunk.needs if need not in there]
        if missing and chunk.id not in stack.present:
            found.append(
                {"chunk": chunk.id, "needs": missing, "titles": [by_id[need].title for need in missing]}
            )
    return found


def _place(stack: Stack, wanted: Sequence[Chunk]) -> list[Write | Clash]:
    """The writes that bring `wanted` onto the files as they are, in path order, or where that is not certain."""
    together = Chunk("", "", "", tuple(change for chunk in wanted for change in chunk.changes))
    there = [chunk for chunk in stack.chunks if chunk.id in stack.present]
    return place_all(step(together, stack.source.before, there), stack.current)


def _conflict(clash: Clash, wanted: Sequence[Chunk]) -> dict[str, Any]:
    touching = [chunk.id for chunk in wanted if clash.path in chunk.paths]
    return {"path": clash.path, "line": clash.line, "reason": reviewed(clash).reason, "chunks": touching}


def _write(
    result: dict[str, Any], wanted: Sequence[Chunk], writes: Sequence[Write], target: Target, set_id: str
) -> Outcome:
    done = {"outcome": "applied", "applied": [chunk.id for chunk in wanted], "not_written": []}
    if not writes:
        return Outcome(result | done | {"outcome": "nothing to write"}, Exit.DONE)
    match target.write(set_id, writes):
        case Applied():
            written = [{"path": write.path, "deleted": write.new is None} for write in writes]
            return Outcome(result | done | {"written": written, "set": set_id}, Exit.DONE)
        case Drifted(paths=paths):
            conflicts = [
                {"path": path, "line": 0, "reason": "changed while it was written", "chunks": []}
                for path in paths
            ]
            message = "nothing was written: files changed meanwhile, run it again"
            return Outcome(result | {"conflicts": conflicts, "message": message}, Exit.FAILED)
        case Refused(path=path, reason=reason, hint=hint):
            conflict = {"path": path, "line": 0, "reason": reason, "chunks": []}
            message = f"nothing was written: {reason} {hint}".strip()
            return Outcome(result | {"conflicts": [conflict], "message": message}, Exit.FAILED)
