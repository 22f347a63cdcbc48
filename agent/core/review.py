"""What the person decides, what is asked, and what copair found out itself."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from agent.core.hunk import FileState


class Approve(msgspec.Struct, frozen=True, tag="approve"):
    """Yes to exactly the writes with this digest (`hunk.writes_digest`), as they were on the screen."""

    digest: str


class Reject(msgspec.Struct, frozen=True, tag="reject"):
    reason: str = ""


class Revise(msgspec.Struct, frozen=True, tag="revise"):
    note: str


class Edit(msgspec.Struct, frozen=True, tag="edit"):
    """The person changed what is to be written: new states by path (None: absent). A new card follows."""

    states: dict[str, FileState | None]


class Split(msgspec.Struct, frozen=True, tag="split"):
    pass


class Defer(msgspec.Struct, frozen=True, tag="defer"):
    pass


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A question about the chunk that decides nothing."""

    text: str

    @property
    def question(self) -> str:
        """The person's own words; in a review the diff follows them after an empty line, for the model."""
        return self.text.partition("\n\n")[0]


Decision = Approve | Reject | Revise | Edit | Split | Defer | Ask


class Question(msgspec.Struct, frozen=True):
    """A clarifying question of the model, as a card of its own. `default` is an index into `options`."""

    text: str
    why_it_matters: str
    options: tuple[str, ...]
    default: int = 0
    looked_at: tuple[str, ...] = ()
    blocking: bool = True


class Answer(msgspec.Struct, frozen=True):
    """`choice` is an index into the options; None for free text."""

    choice: int | None
    text: str = ""


TAKEN_BACK = "taken back in the index"
"""Said of an undo there: what is committed meanwhile is not unstaged by it, its reverse is staged."""


class Verdict(StrEnum):
    """The only four words that evidence may say."""

    VERIFIED = "verified"
    PARTLY = "partly verified"
    UNVERIFIED = "unverified"
    CONTRADICTED = "contradicted"


class Ran(StrEnum):
    """What a run of ours over the files as they are says: what a model's words about runs can rest on."""

    NOTHING = ""
    FAILED = "failed"
    PASSED = "passed"


class EvidenceKind(StrEnum):
    CHECK = "check"
    API = "api"
    QUOTE = "quotation"
    NAMES = "names"
    CLAIM = "claim"
    WEAKENED = "weakened tests"
    FINDING = "finding"


ALL_TESTS = "all "
"""How `Evidence.tests` begins when nothing was left out: the expected, which the card need not say."""


class Evidence(msgspec.Struct, frozen=True):
    """One thing that copair found out by itself about a chunk.

    `digest` is `writes_digest` of the writes that it was made for, `base` stands for what else it rests on (the files
    around them, the tests of the stack, the checks; empty: nothing else); once either changes it is stale.
    `summary` is the one line of the card ("test_lex 2 failed → passed"); `details` is raw output for `d`.
    """

    kind: EvidenceKind
    verdict: Verdict
    summary: str
    digest: str
    command: str = ""
    before: str = ""
    after: str = ""
    quote: str = ""
    where: str = ""
    details: str = ""
    sandbox: str = ""
    tests: str = ""
    """Which tests ran, and how they were chosen: "all 12 tests", "3 tests that reach Parser.parse"."""
    base: str = ""


def is_stale(evidence: Evidence, digest: str, base: str = "") -> bool:
    """True when the chunk would now write something else than what the evidence was made for, or over other files."""
    return evidence.digest != digest or bool(evidence.base and evidence.base != base)


def shown_evidence(
    found: tuple[Evidence, ...], digest: str, base: str, *, checking: bool
) -> tuple[Evidence, ...]:
    """What is not stale. What is stays until it was made again, or when there is nothing else to show."""
    fresh = tuple(piece for piece in found if not is_stale(piece, digest, base))
    if fresh and not checking:
        return fresh
    again = {(piece.kind, piece.command) for piece in fresh}
    stale = (piece for piece in found if is_stale(piece, digest, base))
    return (*fresh, *(piece for piece in stale if (piece.kind, piece.command) not in again))
