"""Claims about runs that nobody made."""

from __future__ import annotations

import itertools

import pytest

from agent.core import events as ev
from agent.core.review import Evidence, EvidenceKind, Ran, Reject, Verdict
from agent.core.scrutiny.run_claims import Runs, run_claims, unbacked


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


DIGEST = "d" * 64
LIES = "I ran the tests and all tests pass."


def examined(
    verdict: Verdict, digest: str = DIGEST, command: str = "pytest", **more: EvidenceKind
) -> ev.Examined:
    kind = more.get("kind", EvidenceKind.CHECK)
    return ev.Examined("1", Evidence(kind=kind, verdict=verdict, summary="", digest=digest, command=command))


def ran(outcome: Ran) -> ev.ToolAnswered:
    return ev.ToolAnswered("c", "check", "", ran=outcome)


WROTE = ev.Wrote("1", "s.1", DIGEST, ())
REJECTED = ev.Decided("1", Reject())


@pytest.mark.parametrize(
    ("happened", "outcome"),
    [
        ([], Ran.NOTHING),
        ([ran(Ran.PASSED)], Ran.PASSED),
        ([ran(Ran.FAILED)], Ran.FAILED),
        ([ran(Ran.PASSED), ran(Ran.FAILED)], Ran.FAILED),
        ([ran(Ran.PASSED), ev.ToolAnswered("c", "read", "")], Ran.PASSED),
        ([ran(Ran.PASSED), WROTE], Ran.NOTHING),
        ([ran(Ran.PASSED), ev.Undone("1", "s.2", ())], Ran.NOTHING),
        ([examined(Verdict.VERIFIED)], Ran.PASSED),
        ([examined(Verdict.PARTLY), WROTE], Ran.PASSED),
        ([examined(Verdict.PARTLY, "e" * 64), WROTE], Ran.NOTHING),
        ([examined(Verdict.CONTRADICTED), WROTE], Ran.FAILED),
        ([examined(Verdict.UNVERIFIED)], Ran.NOTHING),
        ([examined(Verdict.VERIFIED, kind=EvidenceKind.API)], Ran.NOTHING),
        ([examined(Verdict.CONTRADICTED), examined(Verdict.PARTLY, command="ruff")], Ran.FAILED),
        ([examined(Verdict.CONTRADICTED), examined(Verdict.VERIFIED)], Ran.PASSED),
        ([examined(Verdict.VERIFIED), REJECTED], Ran.NOTHING),
        ([ran(Ran.PASSED), examined(Verdict.CONTRADICTED)], Ran.FAILED),
        ([ran(Ran.PASSED), examined(Verdict.CONTRADICTED), REJECTED], Ran.PASSED),
    ],
)
def test_only_a_run_over_the_files_as_they_are_counts(happened: list[ev.Event], outcome: Ran) -> None:
    runs = Runs()
    for event in happened:
        runs = runs.after(event)
    assert runs.ran is outcome


@pytest.mark.parametrize(
    ("outcome", "struck"),
    [
        (Ran.NOTHING, ["I ran", "all tests pass"]),
        (Ran.FAILED, ["all tests pass"]),
        (Ran.PASSED, []),
    ],
)
def test_a_claim_that_something_passes_needs_a_run_that_passed(outcome: Ran, struck: list[str]) -> None:
    assert [claim.text for claim in unbacked(LIES, outcome)] == struck


def test_what_stands_in_a_fence_is_no_claim() -> None:
    assert not unbacked("```\n12 passed\n```\nThat is what it printed.", Ran.NOTHING)
