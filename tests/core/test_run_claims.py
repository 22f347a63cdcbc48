"""Claims about runs that nobody made."""

from __future__ import annotations

import itertools

import pytest

from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.core.run_claims import run_claims, unbacked


@pytest.mark.parametrize(
    "text",
    [
        "I ran the tests.",
        "I've run the full test suite and it is fine",
        "I have verified that this compiles",
        "All tests pass.",
        "all 12 checks out; the tests pass now",
        "The test suite is green.",
        "After running the tests, the bug is gone",
        "Tests are passing now",
        "This has been tested.",
        "pytest passes",
        "24 passed, 0 failed",
        "Fixed. Everything passes.",
        "We’ve tested this locally",
        "The build succeeds",
    ],
)
def test_a_claim_of_a_run_is_found(text: str) -> None:
    assert run_claims(text)


@pytest.mark.parametrize(
    "text",
    [
        "Run the tests to see it.",
        "The tests should pass now.",
        "If the tests pass, we can go on.",
        "I have not run the tests.",
        "I haven't tested this.",
        "so that all tests pass",
        "Make sure the tests pass.",
        "Do the tests pass?",
        "Shall I see whether the suite is green?",
        "I checked the docs for this name.",
        "I verified in the source that `lex` returns a list",
        "The test passes a list to lex",
        "The checks pass through here",
        "Renames ran to run_all",
        "We will know once the build succeeds",
    ],
)
def test_a_wish_a_plan_and_a_condition_are_no_claims(text: str) -> None:
    assert not run_claims(text)


def test_spans_cover_the_words_to_strike_and_do_not_overlap() -> None:
    text = "Renames it. I ran the tests and all tests pass. Done."
    found = run_claims(text)
    assert [text[claim.start : claim.end] for claim in found] == [claim.text for claim in found]
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert "all tests pass" in " ".join(claim.text for claim in found)


def test_only_a_run_of_ours_that_was_green_backs_a_claim() -> None:
    def piece(kind: EvidenceKind, verdict: Verdict) -> Evidence:
        return Evidence(kind=kind, verdict=verdict, summary="", digest="")

    assert not unbacked("All tests pass.", [piece(EvidenceKind.CHECK, Verdict.VERIFIED)])
    assert unbacked("All tests pass.", [piece(EvidenceKind.CHECK, Verdict.CONTRADICTED)])
    assert unbacked("All tests pass.", [piece(EvidenceKind.API, Verdict.VERIFIED)])
    assert unbacked("All tests pass.", [])
