"""From a `propose` or `ask` call to an event: matched against the files, cut under the budget, or sent back.

A proposal that cannot be used goes back to the model in one short message; it never becomes a card.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent.core import events as ev
from agent.core.chunk import Budget, Chunk, Use
from agent.core.cutting.cut import TooBig
from agent.core.dialog import ToolCall
from agent.core.errors import PathRefused
from agent.core.replies.reply import FormatError, ProposeArgs, Resolved, parse_ask, parse_propose
from agent.core.review import Ran
from agent.core.sessions.session import State, chunk_key
from agent.core.text import digest
from agent.loop.desk import Desk

SAME_EDIT_TRIES = 2
"""The same failing edit is not accepted a third time."""
NAMED_BORDERS = 12


def question_of(call: ToolCall) -> ev.Event:
    """The question of an `ask` call, or what is wrong with it."""
    parsed = parse_ask(call.args_json)
    if isinstance(parsed, FormatError):
        return ev.ToolAnswered(call.id, call.name, parsed.message, is_error=True)
    return ev.Asked(call.id, parsed)


def prepare(state: State, call: ToolCall, desk: Desk) -> ev.Event:
    """Proposed, or ProposalRefused with what the model must do."""
    parsed = parse_propose(call.args_json)
    if isinstance(parsed, FormatError):
        return ev.ProposalRefused(call.id, parsed.message)
    edit_key = digest(repr(parsed.edits).encode("utf-8", "replace"))[:16]
    if state.failing.get(edit_key, 0) >= SAME_EDIT_TRIES:
        return ev.ProposalRefused(
            call.id, "This very edit failed twice already. Read the file again, or ask the person.", edit_key
        )
    try:
        resolved = desk.resolve(parsed.edits)
    except PathRefused as error:
        return ev.ProposalRefused(call.id, f"{error.message} {error.hint}".strip(), edit_key)
    if not isinstance(resolved, Resolved):
        return ev.ProposalRefused(call.id, "\n".join(problem.message for problem in resolved), edit_key)
    return _cut(state, call, parsed, resolved, desk, edit_key)


def _cut(
    state: State, call: ToolCall, parsed: ProposeArgs, resolved: Resolved, desk: Desk, edit_key: str
) -> ev.Event:
    chunks = desk.fit(resolved)
    if isinstance(chunks, TooBig):
        return ev.ProposalRefused(call.id, too_big(chunks, desk.budget), edit_key)
    if not chunks:
        return ev.ProposalRefused(
            call.id, "These edits change nothing: the files are like that already.", edit_key
        )
    if all(chunk_key(chunk) in state.refused for chunk in chunks):
        return ev.ProposalRefused(
            call.id,
            "The person refused exactly this already. Change it, do something else, or ask.",
            edit_key,
        )
    named = renumber(explain(chunks, parsed, resolved, state.runs.tree), len(state.items) + 1)
    return ev.Proposed(f"p{len(state.sources) + 1}", call.id, named, desk.store(resolved.before))


def too_big(found: TooBig, budget: Budget) -> str:
    """What a model is told about a proposal that nobody can keep in their head."""
    borders = "; ".join(found.borders[:NAMED_BORDERS])
    more = f"; and {len(found.borders) - NAMED_BORDERS} more" if len(found.borders) > NAMED_BORDERS else ""
    files = "file" if found.files == 1 else "files"
    return (
        f"Too large for one proposal: {found.lines} changed lines in {found.files} {files}; the limit is "
        f"{budget.hard_lines} lines in {budget.files} files, {budget.lines} are good. It was not shown. "
        f"Propose it in parts, what others need first. Natural parts: {borders}{more}."
    )


def explain(
    chunks: Sequence[Chunk], parsed: ProposeArgs, resolved: Resolved, ran: Ran = Ran.NOTHING
) -> tuple[Chunk, ...]:
    """The model's words on its chunks: title and why, and to each file the becauses of its edits."""
    alone = len(chunks) == 1
    explained = []
    for chunk in chunks:
        title = parsed.title if parsed.title and alone else chunk.title
        explained.append(
            msgspec.structs.replace(
                chunk,
                title=title or chunk.title,
                why=parsed.why,
                place_reason="" if alone else chunk.place_reason,
                assumes=parsed.assumes,
                risks=parsed.risks,
                quotes=parsed.quotes,
                serves=parsed.serves,
                ran=ran,
                because=tuple(b for b in resolved.because if b.path in chunk.paths),
            )
        )
    return tuple(explained)


def renumber(chunks: Sequence[Chunk], first: int) -> tuple[Chunk, ...]:
    """Chunks of a model's proposal get short numbers that a person can say; `needs` and `uses` follow."""
    names = {chunk.id: str(first + index) for index, chunk in enumerate(chunks)}
    return tuple(
        msgspec.structs.replace(
            chunk,
            id=names[chunk.id],
            needs=tuple(names[need] for need in chunk.needs if need in names),
            uses=tuple(Use(names[use.chunk], use.name) for use in chunk.uses if use.chunk in names),
        )
        for chunk in chunks
    )
