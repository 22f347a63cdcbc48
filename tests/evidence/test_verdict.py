"""The rules of the verdict, without running anything."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.review import Verdict
from agent.evidence.proof.results import Outcome, TestRun, read_record
from agent.evidence.proof.select import Selector, modules_of
from agent.evidence.proof.verdict import Case, compare, judge, label, named

IDS = [f"tests/test_{file}.py::test_{name}" for file in "ab" for name in "xyz"]
RUNS = st.builds(
    TestRun,
    tests=st.dictionaries(st.sampled_from(IDS), st.sampled_from(Outcome), max_size=5),
    broken=st.dictionaries(
        st.sampled_from(["tests/test_a.py", "tests/test_b.py"]), st.just("ImportError"), max_size=1
    ),
    complete=st.booleans(),
)
FILES = st.frozensets(st.sampled_from(["tests/test_a.py", "tests/test_b.py"]))
CASES = st.builds(
    Case, weakened=st.booleans(), changed_expectations=st.booleans(), own=FILES, target=FILES, related=FILES,
    product=st.sampled_from([(), ("a.py",)]), has_product=st.booleans(),
)  # fmt: skip


@given(RUNS, RUNS, CASES, st.data())
@settings(max_examples=300)
def test_verified_needs_red_by_assertion_then_green_and_nothing_broken(
    before: TestRun, after: TestRun, case: Case, data: st.DataObject
) -> None:
    found = compare(before, after)
    unsure = data.draw(st.lists(st.sampled_from(found.doubtful), unique=True)) if found.doubtful else []
    judged = judge(found, before, after, case, unsure)
    if judged.verdict is Verdict.VERIFIED:
        red = [
            name for name, outcome in before.tests.items() if outcome is Outcome.FAILED and name not in unsure
        ]
        assert any(after.tests.get(name) is Outcome.PASSED for name in red)
        assert not [
            name
            for name, was in before.tests.items()
            if was is Outcome.PASSED and after.tests.get(name) is not was
        ]
        assert before.complete and after.complete
        assert case.has_product and not case.weakened and not case.changed_expectations
        assert not unsure and Outcome.MIXED not in {*before.tests.values(), *after.tests.values()}
    if judged.verdict is Verdict.PARTLY:
        assert not case.weakened
        assert Outcome.PASSED in after.tests.values()
    if judged.verdict is Verdict.CONTRADICTED:
        assert not set(unsure) >= {*before.tests, *after.tests}


def run(complete: bool = True, broken: tuple[str, ...] = (), **tests: Outcome) -> TestRun:
    named = {f"tests/test_{name[0]}.py::test_{name}": outcome for name, outcome in tests.items()}
    return TestRun(tests=named, broken=dict.fromkeys(broken, "ImportError"), complete=complete)


P, F, E, S, M, H = (
    Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED, Outcome.MIXED, Outcome.HUNG,
)  # fmt: skip
GREEN = "test_a 1 failed → passed"
A, B = "tests/test_a.py", "tests/test_b.py"
RED = Case(has_product=False, red=frozenset({f"{A}::test_a"}))


@pytest.mark.parametrize(
    ("before", "after", "case", "verdict", "summary"),
    [
        (run(a=F, b=P), run(a=P, b=P), Case(), "verified", "test_a 1 failed → passed"),
        (run(a=F, ab=F), run(a=P, ab=P), Case(), "verified", "test_a 2 failed → passed"),
        (run(a=F, b=P), run(a=P, b=F), Case(), "contradicted", "breaks test_b"),
        (run(a=F, b=P), run(a=P, b=E), Case(), "contradicted", "breaks test_b"),
        (run(a=F, b=P), run(a=P, b=H), Case(), "contradicted", "breaks test_b"),
        (run(a=F, b=P), run(a=P, broken=(B,)), Case(), "contradicted", "breaks test_b"),
        (run(a=F, b=P), run(a=P, b=S), Case(), "partly verified", f"{GREEN}, but test_b no longer passes or runs"),
        (run(a=F, b=P), run(a=P), Case(), "partly verified", f"{GREEN}, but test_b no longer passes or runs"),
        (run(a=F), run(False, a=P), Case(), "partly verified", "test_a 1 failed → passed, but not all tests ran"),
        (run(False, a=F), run(a=P), Case(), "partly verified", "test_a 1 failed → passed, but not all tests ran"),
        (run(a=F, b=F), run(a=P, b=F), Case(), "verified", "test_a 1 failed → passed"),
        (run(a=F, b=F), run(a=P, b=F), Case(target=frozenset({B})), "partly verified", f"{GREEN}, test_b still fails"),
        (run(a=F, b=F), run(a=P, b=F), Case(own=frozenset({B})), "contradicted", "test_b fails"),
        (run(a=F), run(a=P), Case(weakened=True), "unverified", "its tests were weakened: they do not count"),
        (run(a=F), run(a=M), Case(), "unverified", "test_a is flaky: not the same each time"),
        (run(a=E), run(a=P), Case(), "partly verified", "test_a 1 crashed before, passed after"),
        (run(broken=(A,)), run(a=P), Case(), "partly verified", "test_a 1 could not run before, passed after"),
        (run(a=F), run(a=F), Case(related=frozenset({A})), "unverified", "test_a still fails"),
        (run(a=F, b=P), run(a=F, b=P), Case(), "partly verified", "passed before and after"),
        (run(a=P), run(a=P), Case(product=("m.py",)), "unverified", "no test reaches it"),
        (run(a=S), run(a=S), Case(), "unverified", "all tests are skipped"),
        (run(), run(), Case(), "unverified", "no test ran"),
        (run(), run(False), Case(), "unverified", "the test run ended early"),
        (run(), run(broken=(A,)), Case(), "unverified", "test_a cannot be collected: ImportError"),
        (run(), run(a=P), Case(has_product=False), "unverified", "test_a 1 passed, never seen red"),
        (run(), run(a=P), RED, "unverified", "test_a 1 passed, seen red before"),
        (run(a=F), run(a=F), Case(related=frozenset()), "unverified", "test_a still fails"),
        (run(), run(a=F), Case(has_product=False, target=frozenset({A})), "unverified", "test_a fails: red"),
    ],
)  # fmt: skip
def test_each_pair_of_runs_has_its_word(
    before: TestRun, after: TestRun, case: Case, verdict: str, summary: str
) -> None:
    judged = judge(compare(before, after), before, after, case)
    assert (str(judged.verdict), judged.summary) == (verdict, summary)


@given(RUNS)
@settings(max_examples=100)
def test_the_same_run_twice_never_verifies_nor_breaks(same: TestRun) -> None:
    found = compare(same, same)
    assert found.turned == found.broken == ()
    assert judge(found, same, same, Case()).verdict in (Verdict.PARTLY, Verdict.UNVERIFIED)


def record(*lines: dict[str, object]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def report(name: str, outcome: str, **more: object) -> dict[str, object]:
    return {
        "t": "report",
        "id": name,
        "when": "call",
        "outcome": outcome,
        "kind": "assertion",
        "text": "",
    } | more


END: dict[str, object] = {"t": "end", "status": 0, "loaded": ["lex.py"], "outside": []}


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ([report("a", "passed")], Outcome.PASSED),
        ([report("a", "failed")], Outcome.FAILED),
        ([report("a", "failed", kind="crash")], Outcome.ERROR),
        ([report("a", "failed", when="setup")], Outcome.ERROR),
        ([report("a", "passed"), report("a", "failed", when="teardown")], Outcome.ERROR),
        ([report("a", "skipped")], Outcome.SKIPPED),
        ([report("a", "rerun"), report("a", "passed")], Outcome.MIXED),
        ([report("a", "failed"), report("a", "passed")], Outcome.MIXED),
        ([report("a", "failed"), report("a", "failed")], Outcome.FAILED),
        ([report("a", "failed", sub=True), report("a", "passed")], Outcome.FAILED),
    ],
)
def test_reports_become_one_outcome(reports: list[dict[str, object]], outcome: Outcome) -> None:
    assert read_record(record({"t": "start", "id": "a"}, *reports, END), timed_out=False).tests == {
        "a": outcome
    }


def test_a_record_without_its_end_is_not_complete_and_names_what_hung() -> None:
    data = record({"t": "start", "id": "a"}, report("a", "passed"), {"t": "start", "id": "b"}) + b'{"t": "rep'
    found = read_record(data, timed_out=True)
    assert not found.complete
    assert found.tests == {"a": Outcome.PASSED, "b": Outcome.HUNG}


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_a_record(data: bytes) -> None:
    assert not read_record(data, timed_out=False).complete


def test_names_are_short() -> None:
    assert named(IDS) == "test_x, test_y and 1 more"
    assert label(["t/test_a.py::test_x[1]", "t/test_a.py::test_x[2]"]) == "test_x"
    assert label(["t/test_a.py::A::test_x", "t/test_a.py::test_y"]) == "test_a"
    assert label(IDS) == "2 test files"


TREE = {
    "tests/test_lex.py": b"from pkg.lex import lex\n",
    "tests/test_multi.py": b"from pkg import (\n    parse,\n    lex as l,\n)\n",
    "tests/test_pkg.py": b"import os, pkg\n",
    "tests/test_other.py": b"import other\n",
    "tests/unit/test_rel.py": b"from ..pkg.lex import x\n",
    "src/pkg/lex.py": b"",
}


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("src/pkg/lex.py", {"tests/test_lex.py", "tests/test_multi.py", "tests/unit/test_rel.py"}),
        ("src/pkg/parse.py", {"tests/test_multi.py"}),
        (
            "src/pkg/unknown.py",
            {"tests/test_multi.py", "tests/test_pkg.py"},
        ),
        ("other.py", {"tests/test_other.py"}),
        ("docs/lex.txt", {"tests/test_lex.py"}),
        ("nothing.py", set()),
    ],
)
def test_the_tests_that_import_a_module_are_found(changed: str, tests: set[str]) -> None:
    selector = Selector(TREE.get, lambda path: 1)
    assert set(selector.related([changed], TREE)) == tests


def test_a_package_is_its_init() -> None:
    assert modules_of("src/pkg/__init__.py") == {"pkg"}
    assert modules_of("lib/a/b.py") == {"a.b", "b"}
