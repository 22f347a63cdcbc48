"""The stack as one JSON document, for programs: `copair review X --json`. Reads only.

Version 1. `diff` is a git diff over the base with what the chunk needs in place; where it is not UTF-8 it is shown
with replacement characters and `diff_base64` has the bytes. Paths that are not UTF-8 have lone surrogates.
"""

from __future__ import annotations

import base64
from typing import Any

from agent.core.chunk import Chunk
from agent.core.patches.blob_names import Hash
from agent.core.patches.chunk_diff import ChunkDiffs
from agent.review.stack import Stack

VERSION = 1


def listing(stack: Stack, onto: str, kind: Hash) -> dict[str, Any]:
    """The whole document; plain data for `json.dumps`. `kind` is that of the repository."""
    diffs = ChunkDiffs(stack.chunks, stack.source.before, kind)
    return {
        "version": VERSION,
        "source": stack.source.label,
        "spec": stack.source.spec,
        "onto": onto,
        "chunks": [_row(chunk, diffs, stack) for chunk in stack.chunks],
        "left_out": [{"path": out.path, "reason": out.reason} for out in stack.left_out],
    }


def _row(chunk: Chunk, diffs: ChunkDiffs, stack: Stack) -> dict[str, Any]:
    hunks = [hunk for change in chunk.changes for hunk in change.hunks]
    added, removed = sum([len(hunk.new) for hunk in hunks]), sum([len(hunk.old) for hunk in hunks])
    diff = diffs.of(chunk)
    row: dict[str, Any] = {
        "id": chunk.id,
        "title": chunk.title,
        "paths": chunk.paths,
        "kind": "+".join(dict.fromkeys([change.kind.value for change in chunk.changes])),
        "lines": added + removed,
        "added": added,
        "removed": removed,
        "risk": chunk.risk,
        "risks": chunk.risks,
        "needs": chunk.needs,
        "uses": [{"chunk": use.chunk, "name": use.name} for use in chunk.uses],
        "why_here": chunk.place_reason,
        "folded": chunk.folded,
        "present": chunk.id in stack.present,
    }
    try:
        row["diff"] = diff.decode("utf-8")
    except UnicodeDecodeError:
        row |= {"diff": diff.decode("utf-8", "replace"), "diff_base64": base64.b64encode(diff).decode()}
    return row
