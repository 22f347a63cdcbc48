"""The seeded set, second part: weakened, flaky, hanging, forking and meddling tests. Each runs a real pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.review import EvidenceKind, Verdict
from tests.support.lab import LEX, TESTS, Lab

RED = "\n\ndef test_many():\n    assert lex('a  b') == ['a', 'b']\n"
RIGHT = LEX.replace("text.split(' ')", "text.split()")
WRONG = LEX.replace("text.split(' ')", "text.split('  ')")


@pytest.mark.parametrize(
    "weaker",
    [
        TESTS.replace("    assert size('a b') == 2\n", "    size('a b')\n"),
        TESTS.replace("== 2", "> 0"),
        TESTS.replace("def test_size", "import pytest\n\n\n@pytest.mark.skip\ndef test_size"),
        "from lex import lex\n\n\ndef test_one():\n    assert lex('a') == ['a']\n",
    ],
)
def test_a_weakened_test_is_shown_first_and_never_green(lab: Lab, weaker: str) -> None:
    writes = lab.change(lex_py=WRONG.replace("'  '", "'x'"), tests__test_lex_py=weaker)
    first, *rest = lab.examine(writes)
    assert (first.kind, first.verdict) == (EvidenceKind.WEAKENED, Verdict.CONTRADICTED)
    assert (rest[-1].verdict, rest[-1].summary) == (Verdict.CONTRADICTED, "breaks test_size as it was")


def test_a_right_fix_with_a_weakened_test_does_not_count(lab: Lab) -> None:
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS.replace("== 2", "> 0") + RED))
    assert piece.verdict is Verdict.UNVERIFIED


def test_a_changed_expectation_does_not_count(lab: Lab) -> None:
    changed = LEX.replace("len(lex(text))", "len(lex(text)) + 1")
    piece = lab.check(lab.change(lex_py=changed, tests__test_lex_py=TESTS.replace("== 2", "== 3")))
    assert piece.verdict is Verdict.UNVERIFIED
    assert piece.summary == "test_size 1 failed → passed, but what it expects was changed here"


def test_a_flaky_test_proves_nothing(lab: Lab) -> None:
    flaky = "\n\ndef test_luck():\n    import os\n    assert os.urandom(1)[0] % 2\n"
    (lab.root / "tests" / "test_lex.py").write_text(TESTS + flaky)
    for _ in range(3):
        piece = lab.check(lab.change(lex_py=LEX + "# nothing\n"))
        assert piece.verdict in (Verdict.UNVERIFIED, Verdict.PARTLY)
        assert "test_luck" not in piece.summary or "flaky" in piece.summary or "still" in piece.summary


def test_a_test_that_alternates_between_runs_is_flaky(lab: Lab) -> None:
    memory = "\n\ndef test_memory():\n    from pathlib import Path\n    file = Path('seen.log')\n"
    memory += "    old = file.exists()\n    file.write_text('x')\n    assert old\n"
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + memory))
    assert piece.verdict is Verdict.UNVERIFIED
    assert "flaky" in piece.summary


def test_a_test_that_hangs_is_ended_and_unverified(lab: Lab) -> None:
    lab.examiner._runner._limits = lab.examiner._runner._limits.__class__(seconds=2)
    hang = "\n\ndef test_hang():\n    while True:\n        pass\n"
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + hang))
    assert (piece.verdict, piece.summary) == (Verdict.UNVERIFIED, "test_hang did not end in time")


def test_a_test_that_forks_does_not_outlive_its_run(lab: Lab, tmp_path: Path) -> None:
    fork = (
        "\n\ndef test_fork():\n    import os, time\n    if os.fork() == 0:\n        os.setsid()\n"
        "        time.sleep(1)\n        open('lex.py', 'w').write('broken(')\n        os._exit(0)\n    assert lex('a')\n"
    )
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + fork))
    assert piece.verdict is Verdict.PARTLY
    assert lab.bench.scratch.settle() == ()


def test_a_test_that_edits_the_code_proves_nothing_and_the_tree_is_restored(lab: Lab) -> None:
    edit = f"\n\ndef test_edit():\n    open('lex.py', 'w').write({RIGHT!r})\n    assert True\n"
    piece = lab.check(lab.change(lex_py=LEX + "# nothing\n", tests__test_lex_py=TESTS + edit + RED))
    assert piece.verdict is not Verdict.VERIFIED
    assert (lab.root / "lex.py").read_text() == LEX
    assert lab.bench.scratch.settle() == ()


def test_a_test_that_writes_a_file_is_said_and_cleaned(lab: Lab) -> None:
    edit = "\n\ndef test_edit():\n    open('out.txt', 'w').write('x')\n    assert lex('a  b') == ['a', 'b']\n"
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + edit))
    assert piece.verdict is Verdict.VERIFIED
    assert "out.txt" in piece.details
    assert not (lab.bench.scratch.tree / "out.txt").exists()
    assert not (lab.root / "out.txt").exists()


def test_a_program_that_ends_the_run_early_is_no_pass(lab: Lab) -> None:
    piece = lab.check(lab.change(lex_py="import os\nos._exit(0)\n" + LEX))
    assert piece.verdict is not Verdict.VERIFIED
    assert piece.verdict is not Verdict.PARTLY


def test_zero_tests_are_unverified(lab: Lab) -> None:
    (lab.root / "tests" / "test_lex.py").write_text("from lex import lex\n")
    piece = lab.check(lab.change(lex_py=RIGHT))
    assert (piece.verdict, piece.summary) == (Verdict.UNVERIFIED, "no test ran")


def test_a_document_is_not_run(lab: Lab) -> None:
    piece = lab.check(lab.change(README_md="hello\n"))
    assert (piece.verdict, piece.summary) == (Verdict.UNVERIFIED, "no check reaches it")


def test_evidence_is_bound_to_the_writes(lab: Lab) -> None:
    from agent.core.hunk import writes_digest

    writes = lab.change(lex_py=RIGHT)
    assert {piece.digest for piece in lab.examine(writes)} == {writes_digest(writes)}


def test_a_fix_that_could_forge_its_tests_is_not_verified(lab: Lab) -> None:
    always = "class Same(list):\n    def __eq__(self, other):\n        return True\n\n\n"
    forged = always + LEX.replace("text.split(' ')", "Same(text.split(' '))")
    piece = lab.check(lab.change(lex_py=forged, tests__test_lex_py=TESTS + RED))
    assert piece.verdict is Verdict.PARTLY
    assert piece.summary.endswith("reaches into the process that tests it: __eq__ that always says the same")


def test_a_comment_that_a_test_reads_verifies_nothing(lab: Lab) -> None:
    reads = "\n\ndef test_source():\n    import inspect\n    assert 'fixed' in inspect.getsource(lex)\n"
    commented = LEX.replace("    return text", "    # fixed\n    return text", 1)
    assert commented != LEX
    piece = lab.check(lab.change(lex_py=commented, tests__test_lex_py=TESTS + reads))
    assert piece.verdict is Verdict.UNVERIFIED
    assert piece.summary.endswith("but no code changed")
