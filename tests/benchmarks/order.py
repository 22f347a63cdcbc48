"""The order of a stack: how often a chunk uses a name that only a later one brings in, against the order of the files.

Material: this repository's commits and releases of packages, as in `cut`. Names are read here by patterns of their own,
not by what orders the chunks: what the difference defines in one place, and was nowhere in its files before.
Run by `python -m tests.benchmarks.order`.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from agent.core.chunk import Chunk
from agent.core.code.grammar import grammar_of
from agent.core.cutting.cut import cut
from agent.core.hunk import ChangeKind, FileChange
from agent.core.lines.splice import position
from agent.core.outcome import States
from tests.benchmarks.cut import NO_LIMIT, Row, histories, sources

PACKAGES = ("requests", "click", "httpx", "jinja2", "flask", "werkzeug", "commander", "immer")
DEFINED = re.compile(
    rb"^[ \t]*(?:(?:export|default|pub|async|abstract|static)\s+)*"
    rb"(?:def|class|function\*?|func|fn|struct|enum|trait|interface|type)\s+(?:\([^)]*\)\s*)?([A-Za-z_]\w{5,})",
    re.MULTILINE,
)
"""Short names are often those of something else."""
WORD = re.compile(rb"[A-Za-z_]\w{5,}")
NOT_CODE = re.compile(
    rb"""\"{3}[\s\S]*?\"{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`|//[^\n]*|/\*[\s\S]*?\*/|\#[^\n]*"""
)
Names = set[bytes]


def early(before: States, steps: Sequence[Sequence[FileChange]]) -> int:
    """In how many steps a new name is used that comes with a later one."""
    code = [state.data for path, state in before.items() if state and grammar_of(path, state.data)]
    had = {word for data in code for word in WORD.findall(data)}
    names = [_names(step) for step in steps]
    homes: dict[bytes, list[int]] = {}
    for at, (defined, _) in enumerate(names):
        for name in defined - had:
            homes.setdefault(name, []).append(at)
    home = {name: found[0] for name, found in homes.items() if len(found) == 1}
    return sum(any(home.get(name, at) > at for name in used) for at, (_, used) in enumerate(names))


def _names(step: Sequence[FileChange]) -> tuple[Names, Names]:
    """What the code that a step adds defines, and the words in it."""
    defined: Names = set()
    used: Names = set()
    for change in step:
        if change.kind in (ChangeKind.MODIFY, ChangeKind.CREATE) and grammar_of(change.path, b""):
            text = b"".join(line for hunk in change.hunks for line in hunk.new)
            defined.update(DEFINED.findall(text))
            used.update(WORD.findall(NOT_CODE.sub(b" ", text)))
    return defined, used


def _by_file(chunk: Chunk) -> tuple[str, tuple[int, bool, int]]:
    change = chunk.changes[0]
    return change.path, position(change.hunks[0]) if change.hunks else (0, False, 0)


def run() -> list[Row]:
    ours = theirs = chunks = 0
    with tempfile.TemporaryDirectory() as folder:
        own = Path(__file__).resolve().parents[2]
        for root in (own, *histories(Path(folder), PACKAGES)):
            before = ours, theirs
            for _, source in sources(root):
                found = cut(source.before, source.after, renames=source.renames)
                ours += early(source.before, [chunk.changes for chunk in found])
                theirs += early(source.before, [chunk.changes for chunk in sorted(found, key=_by_file)])
                chunks += len(found)
            sys.stderr.write(f"{root.name}: {ours - before[0]} early, by file {theirs - before[1]}\n")
    return [
        (f"chunks of {chunks} that use what comes later", ours, NO_LIMIT),
        ("the same in the order of the files", theirs, NO_LIMIT),
        ("those / those in the order of the files", ours / max(1, theirs), 0.6),
    ]


if __name__ == "__main__":
    for name, value, limit in run():
        sys.stdout.write(f"{name}: {value:.2f} (at most {limit:g})\n")
