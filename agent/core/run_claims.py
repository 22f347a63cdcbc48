"""Claims of a model about runs: "I ran the tests", "all tests pass". Without a run of ours they are struck and counted.

Only statements of fact about the present or the past; wishes, plans, conditions and questions are none. English only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from agent.core.review import Evidence, EvidenceKind, Verdict

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
_CLAIMS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
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
)
_CLAUSE = re.compile(r"[.!?;:\n,]|\b(?:and|but)\b")
_CONDITION = re.compile(
    r"\b(?:if|when|whether|once|until|unless|should|would|could|will|must|might|so\s+that|make\s+sure|ensures?|not|never|n['’]t"
    r"|haven['’]t|didn['’]t|have\s+not|to\s+(?:make|see|check|let|keep|have)|expect|hope|please|let\s+me|need|makes?)\b",
    re.IGNORECASE,
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
        for match in pattern.finditer(text)
        if not _is_uncertain(text, match.start(), match.end())
    )
    found: list[Claim] = []
    for start, end in spans:
        if found and start < found[-1].end:
            first = found.pop()
            start, end = first.start, max(end, first.end)
        found.append(Claim(start, end, text[start:end]))
    return tuple(found)


def unbacked(text: str, evidence: Sequence[Evidence]) -> tuple[Claim, ...]:
    """The claims in `text` that no run of ours stands behind."""
    backed = any(
        piece.kind is EvidenceKind.CHECK and piece.verdict in (Verdict.VERIFIED, Verdict.PARTLY)
        for piece in evidence
    )
    return () if backed else run_claims(text)


def _is_uncertain(text: str, start: int, end: int) -> bool:
    """True for a wish, a plan, a condition, a negation or a question: no statement of fact."""
    before = text[max(0, start - 120) : start]
    breaks = [match.end() for match in _CLAUSE.finditer(before)]
    clause = before[breaks[-1] :] if breaks else before
    rest = re.match(r"[^.!?\n]*([.!?\n]|$)", text[end:])
    return bool(_CONDITION.search(clause)) or bool(rest and rest[1] == "?")
