"""Cards to try frontends with."""

from __future__ import annotations

from agent.core.chunk import Because, Chunk
from agent.core.frontend import Card
from agent.core.hunk import FileState, Mode, Write
from agent.core.review import Evidence, EvidenceKind, Verdict

OLD = b'''import re


class Parser:
    """Turns tokens into a tree."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.at = 0

    def parse(self):
        token = self.tokens[self.at]
        if token.kind == "NAME":
            return self.assignment()
        return None
'''
NEW = OLD.replace(b'"NAME":', b'("NAME", "ATTRIBUTE"):').replace(b"kind ==", b"kind in").replace(
    b"        token = ", b"        if self.at >= len(self.tokens):\n            raise ParseError(self.at)\n        token = "
)  # fmt: skip


def card(
    chunk: str = "1",
    *,
    title: str = "Stop at the end of the input",
    path: str = "src/parse.py",
    old: bytes | None = OLD,
    new: bytes | None = NEW,
    **more: object,
) -> Card:
    """A card of one file; `more` goes to the Card."""
    writes = (
        Write(
            path,
            None if old is None else FileState(Mode.FILE, old),
            None if new is None else FileState(Mode.FILE, new),
        ),
    )
    made = Chunk(
        chunk,
        title,
        "`Parser.parse` reads past the last token, so an unfinished line ends in `IndexError`.",
        (),
        assumes=("callers catch ParseError",),
        because=(Because(path, "the token is read before the end is checked"),),
    )
    return Card(made, writes, **more)  # type: ignore[arg-type]


def checked(
    shown: Card, verdict: Verdict = Verdict.VERIFIED, text: str = "test_parse: 2 failed → passed"
) -> Card:
    """The same card with evidence for it."""
    evidence = Evidence(EvidenceKind.CHECK, verdict, text, shown.digest, details="$ pytest\n2 passed\x1b[31m")
    return Card(shown.chunk, shown.writes, (evidence,), shown.position, shown.total)
