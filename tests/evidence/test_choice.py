"""Which tests run for a chunk once the suite is known to be slow. Each case runs a real pytest, several times."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.core.review import Evidence, Verdict
from agent.evidence.proof.choice import Choice, Chooser
from agent.evidence.proof.results import Outcome, TestRun
from tests.support.lab import Lab, pytest_check

CALC = """\
TABLE = {"one": 1}


def one(text):
    return TABLE[text]


def two(text):
    return one(text) + 1


class Calc:
    def add(self, first, second):
        return first + second
"""
USES = """\
import pytest
from calc import Calc, one, two


@pytest.fixture(scope="module")
def calc():
    return Calc().add(1, 1)


def test_one():
    assert one("one") == 1


@pytest.mark.parametrize("name", ["one", "a[b]", "c::d e"])
def test_two(name):
    assert two("one") == 2


class TestCalc:
    def test_add(self, calc):
        assert calc == 2

    def test_again(self, calc):
        assert True
"""
PROCESS = """\
import subprocess


def test_process():
    assert subprocess.run(["true"], check=True)
"""


@pytest.fixture
def slow(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab whose suite counts as slow, and has been run once as a whole."""
    monkeypatch.setattr("agent.evidence.proof.choice.SLOW_SECONDS", 0.0)
    monkeypatch.setattr("agent.evidence.proof.choice.BOX_SECONDS", 0.0)
    (lab.root / "calc.py").write_text(CALC)
    (lab.root / "tests" / "test_calc.py").write_text(USES)
    (lab.root / "tests" / "test_process.py").write_text(PROCESS)
    first = lab.check(lab.change(setup_ini="[nothing]\n"))
    assert (first.verdict, first.summary) == (Verdict.PARTLY, "passed before and after")
    assert first.tests == "all 9 tests"
    return lab


def run(lab: Lab, old: str, new: str) -> Evidence:
    assert old in CALC
    return lab.check(lab.change(calc_py=CALC.replace(old, new, 1)))


def test_only_tests_that_reach_the_changed_function_run(slow: Lab) -> None:
    piece = run(slow, "+ 1", "+ 1 + 0")
    assert (piece.tests, piece.after) == ("3 tests that reach two", "3 passed")


def test_what_a_wider_fixture_enters_counts_for_each_test_that_uses_it(slow: Lab) -> None:
    piece = run(slow, "first + second", "second + first")
    assert (piece.tests, piece.after) == ("2 tests that reach Calc.add", "2 passed")


def test_a_chosen_test_that_breaks_is_told(slow: Lab) -> None:
    piece = run(slow, "+ 1", "+ 2")
    assert (piece.verdict, piece.summary) == (Verdict.CONTRADICTED, "breaks test_two")


def test_a_change_outside_functions_runs_what_imports_the_file(slow: Lab) -> None:
    piece = run(slow, '"one": 1', '"one": 1, "two": 2')
    assert (piece.tests, piece.after) == ("6 tests by what they import", "6 passed")


def test_a_new_test_file_runs_whole_with_what_reaches(slow: Lab) -> None:
    (slow.root / "tests" / "test_new.py").write_text("def test_new():\n    assert True\n")
    piece = run(slow, "+ 1", "+ 1 + 0")
    assert (piece.tests, piece.after) == ("4 tests that reach two or may", "4 passed")


def test_a_changed_test_runs_also_when_it_did_not_reach(slow: Lab) -> None:
    file = slow.root / "tests" / "test_lex.py"
    file.write_text(
        file.read_text().replace("def test_one():", "def test_one():\n    import calc\n\n    calc.two('one')")
    )
    piece = run(slow, "+ 1", "+ 1 + 0")
    assert piece.after == "4 passed"


def test_a_changed_function_on_the_way_brings_its_tests_along(slow: Lab) -> None:
    lex = slow.root / "lex.py"
    lex.write_text(lex.read_text().replace("len(lex(text))", "len(lex(text)) + two('one') - 2"))
    lex.write_text("from calc import two\n" + lex.read_text())
    piece = run(slow, "+ 1", "+ 2")
    assert (piece.verdict, piece.summary) == (Verdict.CONTRADICTED, "breaks test_two, test_size")


def test_a_changed_conftest_runs_all_tests_below_it(slow: Lab) -> None:
    (slow.root / "tests" / "conftest.py").write_text("LIMIT = 3\n")
    piece = slow.check(slow.change(tests__conftest_py="LIMIT = 4\n"))
    assert piece.after == "9 passed"


def test_tests_of_the_same_purpose_run_whole(slow: Lab) -> None:
    lex = (slow.root / "tests" / "test_lex.py").read_text()
    base = slow.change(
        tests__test_lex_py=lex
        + "\n\ndef test_calc():\n    from calc import two\n    assert two('one') == 3\n"
    )
    piece = slow.check(slow.change(calc_py=CALC.replace("+ 1", "+ TABLE['one'] * 2")), base=base)
    assert piece.verdict is Verdict.CONTRADICTED
    assert "breaks test_two" in piece.summary
    fixed = slow.check(
        slow.change(
            calc_py=CALC.replace("+ 1", "+ 2"),
            tests__test_calc_py=USES.replace("== 2\n\n\nclass", "== 3\n\n\nclass"),
        ),
        base=base,
    )
    assert fixed.verdict is not Verdict.VERIFIED


def test_tests_that_start_processes_run_when_there_is_time(
    slow: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.evidence.proof.choice.BOX_SECONDS", 60.0)
    piece = run(slow, "+ 1", "+ 1 + 0")
    assert piece.after == "4 passed"


def test_a_chunk_with_a_file_that_anybody_may_read_runs_all(slow: Lab) -> None:
    piece = slow.check(slow.change(calc_py=CALC.replace("+ 1", "+ 1 + 0"), setup_ini="[something]\n"))
    assert piece.tests == "all 9 tests"


@pytest.mark.parametrize(
    "body",
    [
        "    import multiprocessing\n\n    work = multiprocessing.get_context('spawn').Process(target=print)\n"
        "    work.start()\n    work.join()\n",
        "    import cProfile\n\n    cProfile.Profile().runcall(print)\n",
        "    import os\n\n    os.system('true')\n",
    ],
)
def test_a_test_that_cannot_be_followed_runs_when_there_is_time(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr("agent.evidence.proof.choice.SLOW_SECONDS", 0.0)
    (lab.root / "calc.py").write_text(CALC)
    (lab.root / "tests" / "test_calc.py").write_text(USES)
    (lab.root / "tests" / "test_odd.py").write_text(f"def test_odd():\n{body}")
    lab.check(lab.change(setup_ini="[nothing]\n"))
    chooser = lab.examiner._runner._choosers["pytest"]
    is_followed = hasattr(sys, "monitoring") and "cProfile" in body
    assert chooser._reach.anything == (set() if is_followed else {"tests/test_odd.py::test_odd"})
    assert run(lab, "+ 1", "+ 1 + 0").after == ("3 passed" if is_followed else "4 passed")


def test_a_chunk_that_no_test_reaches_runs_what_imports_it(slow: Lab) -> None:
    piece = run(slow, "    def add", "    def sub(self, first):\n        return -first\n\n    def add")
    assert piece.tests == "6 tests by what they import"


def test_the_choice_holds_in_the_processes_of_xdist(slow: Lab) -> None:
    slow.store.accept([pytest_check(slow.root, "-p", "xdist", "-n2")])
    piece = run(slow, "+ 1", "+ 1 + 0")
    assert (piece.tests, piece.after) == ("3 tests that reach two", "3 passed")


def test_tests_are_known_by_their_path_also_where_settings_lie_in_a_folder(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.evidence.proof.choice.SLOW_SECONDS", 0.0)
    inner = lab.root / "inner" / "tests"
    inner.mkdir(parents=True)
    (lab.root / "pytest.ini").rename(inner.parent / "pytest.ini")
    (inner.parent / "calc.py").write_text(CALC)
    (inner / "test_calc.py").write_text(USES)
    lab.store.accept([pytest_check(lab.root, "inner")])
    first = lab.check(lab.change(setup_ini="[nothing]\n"))
    assert first.tests == "all 6 tests"
    piece = lab.check(lab.change(inner__calc_py=CALC.replace("+ 1", "+ 2")))
    assert (piece.tests, piece.summary) == ("3 tests that reach two", "breaks test_two")


def test_a_quick_suite_runs_whole_each_time(lab: Lab) -> None:
    for _ in range(3):
        piece = lab.check(lab.change(lex_py=(lab.root / "lex.py").read_text() + "# nothing\n"))
        assert piece.tests == "all 2 tests"


def test_only_what_was_chosen_is_taken_from_a_longer_run() -> None:
    run = TestRun(tests={"a.py::x": Outcome.PASSED, "a.py::y": Outcome.FAILED, "b.py::z": Outcome.PASSED})
    assert Choice().part(run) == run
    assert Choice(("a.py",), frozenset({"a.py::y"})).part(run).tests == {"a.py::x": Outcome.PASSED}


def test_calls_are_followed_at_any_price_only_once_and_when_there_is_time(tmp_path: Path) -> None:
    class Tree:
        def read(self, path: str) -> bytes | None:
            return b"def test_a():\n    pass\n"

        def stamp(self, path: str) -> object:
            return path

        def names(self) -> tuple[str, ...]:
            return ("test_a.py",)

    told = b'{"t": "reach", "id": "test_a.py::test_a", "in": {"test_a.py": [1]}, "import": {}, "any": false}'
    chooser = Chooser(Tree(), 60.0)
    assert chooser.follows == "cheap"
    chooser.note(Choice(), b"", 8.0, timed_out=False, adds=False)
    assert chooser.follows == "any"
    chooser.note(Choice(), told, 16.0, timed_out=False, adds=True)
    assert chooser.follows == "cheap"
    late = Chooser(Tree(), 60.0)
    late.note(Choice(), b"", 30.0, timed_out=False, adds=False)
    assert late.follows == "cheap"
