"""Claims of a model about runs: "I ran the tests", "all tests pass". Without a run of ours they are struck and counted.

A run is a check that the model called, or the evidence of a chunk, since the last write; and a claim that something
passes needs one that passed.

Only statements of fact about the present or the past; wishes, plans, conditions and questions are none. English only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from agent.core import events as ev
from agent.core.review import Defer, Evidence, EvidenceKind, Ran, Reject, Revise, Verdict

MAX_NAMED = 3
"""Claims of one reply that are named."""

_RUN = r"(?:ran|executed|re-?ran|tested|verified|validated|confirmed|checked|benchmarked|compiled|built|linted|profiled)"
_SUBJECT = (
    r"(?:(?:the|my|our|your|these|those|full|entire|whole|existing|new|unit|all|of)\s+)*"
    r"(?:tests?(?:\s+(?:suite|cases?|run))?|suite|checks|build|linter|lint|ci|type[- ]?check(?:er|s|ing)?|mypy|ruff|pytest"
    r"|tox|cargo\s+test|npm\s+(?:run\s+)?test|benchmarks?|everything)"
)
_LOOKED_AT = (
    r"(?!\s+(?:whether|if|by|in\s+the\s+(?:docs|source|code)|how|into|out|for\s+usages"
    r"|the\s+(?:docs|documentation|source|code|files?|callers|signature)))"
)
_STILL = r"(?:(?:now|all|still|also|do)\s+)*"
_BARE_RUN = (
    # Says that something ran, not how it ended: "I ran", "we have run the tests", "after running the suite"
    r"(?:I|we)(?:['’]ve|\s+have)?\s+(?:(?:just|also|already|then|now|manually|locally)\s+)*"
    rf"(?:(?:re-?)?ran|executed|run\s+{_SUBJECT})|(?:after|upon|from)\s+running\s+{_SUBJECT}"
)
# Compiled when a reply is read, not at every start.
_CLAIMS = (
    # "I ran", "I've verified", "we have just run the suite", "after running the tests"
    rf"\b(?:I|we)(?:['’]ve|\s+have)?\s+(?:(?:just|also|already|then|now|manually|locally|successfully)\s+)*{_RUN}\b{_LOOKED_AT}",
    rf"\b(?:I|we)(?:['’]ve|\s+have)\s+(?:(?:just|also|already)\s+)*run\s+{_SUBJECT}",
    rf"\b(?:after|upon|from)\s+running\s+{_SUBJECT}",
    # "all tests pass", "the suite is green", "tests are passing now", "pytest passes"
    rf"\b{_SUBJECT}\s+{_STILL}(?:pass(?:es|ed)?|succeed(?:s|ed)?|complete[sd]?\s+successfully)\b(?!\s+(?:through|in|to|the|by|an?|on)\b)",
    rf"\b{_SUBJECT}\s+(?:is|are|was|were|came\s+back|comes?\s+back|remains?|stays?|run)\s+{_STILL}"
    r"(?:green|passing|clean|ok|successful)\b",
    # "this has been tested", "verified that it works", "0 failures"
    r"\b(?:has|have)\s+been\s+(?:(?:fully|thoroughly)\s+)?(?:tested|verified|validated)\b",
    r"\b(?:tested|verified)\s+(?:and\s+(?:works?|working|confirmed)|locally|to\s+work|that\s+(?:it|this|everything)\s+works?)\b",
    r"\b\d+\s+(?:tests?\s+)?passed(?:,\s+0\s+failed)?\b|\b(?:0|zero|no)\s+(?:test\s+)?failures\b",
)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_CLAUSE = re.compile(r"[.!?;:\n,]|\b(?:and|but)\b")
_CONDITION = (
    r"\b(?:if|when|whether|once|until|unless|should|would|could|will|must|might|so\s+that|make\s+sure|ensures?|not|never|n['’]t"
    r"|haven['’]t|didn['’]t|have\s+not|to\s+(?:make|see|check|let|keep|have)|expect|hope|please|let\s+me|need|makes?)\b"
)


class Claim(msgspec.Struct, frozen=True):
    """`text[start:end]` says that something was run or passes."""

    start: int
    end: int
    text: str


def run_claims(text: str) -> tuple[Claim, ...]:
    """What `text` claims to have run, in order, not overlapping."""
    spans = sorted(
        (match.start(), match.end())
        for pattern in _CLAIMS
        for match in re.finditer(pattern, text, re.IGNORECASE)
        if not _is_uncertain(text, match.start(), match.end())
    )
    found: list[Claim] = []
    for start, end in spans:
        if found and start < found[-1].end:
            first = found.pop()
            start, end = first.start, max(end, first.end)
        found.append(Claim(start, end, text[start:end]))
    return tuple(found)


def unbacked(text: str, ran: Ran) -> tuple[Claim, ...]:
    """The claims in `text`, outside of fences, that no run of ours stands behind."""
    claims = run_claims(_FENCED.sub("", text))
    match ran:
        case Ran.NOTHING:
            return claims
        case Ran.FAILED:
            return tuple(claim for claim in claims if not re.fullmatch(_BARE_RUN, claim.text, re.IGNORECASE))
        case Ran.PASSED:
            return ()


def named(claims: Sequence[Claim]) -> str:
    """The first few in quotation marks, each once."""
    texts = [f"“{' '.join(claim.text.split())}”" for claim in claims]
    return ", ".join(list(dict.fromkeys(texts))[:MAX_NAMED])


class Runs(msgspec.Struct, frozen=True):
    """What ran so far, as a fold of events. Any write makes a run one over other files.

    `tree`: over the files as they are. `checked`: evidence of checks by the digest of the writes and the command.
    `card`: the digest of the chunk that was examined last and still waits.
    """

    tree: Ran = Ran.NOTHING
    card: str = ""
    checked: dict[tuple[str, str], Ran] = {}

    @property
    def ran(self) -> Ran:
        """What words that are said now can rest on."""
        return (self._of(self.card) if self.card else Ran.NOTHING) or self.tree

    def after(self, event: ev.Event) -> Runs:
        match event:
            case ev.ToolAnswered(ran=ran) if ran:
                return msgspec.structs.replace(self, tree=ran)
            case ev.Examined(evidence=Evidence(kind=EvidenceKind.CHECK) as piece):
                return self._examined(piece)
            case ev.Wrote(digest=digest):
                return Runs(tree=self._of(digest))
            case ev.Undone():
                return Runs()
            case (
                ev.Decided(decision=Reject() | Revise() | Defer())
                | ev.ChunkEdited()
                | ev.ChunkSplit()
                | ev.Proposed()
            ):
                return msgspec.structs.replace(self, card="")
            case _:
                return self

    def _examined(self, piece: Evidence) -> Runs:
        words = {
            Verdict.VERIFIED: Ran.PASSED,
            Verdict.PARTLY: Ran.PASSED,
            Verdict.CONTRADICTED: Ran.FAILED,
            Verdict.UNVERIFIED: Ran.NOTHING,
        }
        checked = {**self.checked, (piece.digest, piece.command): words[piece.verdict]}
        return msgspec.structs.replace(self, card=piece.digest, checked=checked)

    def _of(self, digest: str) -> Ran:
        """What all checks of one chunk say together: one that failed counts more than those that passed."""
        said = {ran for (of, _), ran in self.checked.items() if of == digest}
        return next((ran for ran in (Ran.FAILED, Ran.PASSED) if ran in said), Ran.NOTHING)


def _is_uncertain(text: str, start: int, end: int) -> bool:
    """True for a wish, a plan, a condition, a negation or a question: no statement of fact."""
    before = text[max(0, start - 120) : start]
    breaks = [match.end() for match in _CLAUSE.finditer(before)]
    clause = before[breaks[-1] :] if breaks else before
    rest = re.match(r"[^.!?\n]*([.!?\n]|$)", text[end:])
    return bool(re.search(_CONDITION, clause, re.IGNORECASE)) or bool(rest and rest[1] == "?")
