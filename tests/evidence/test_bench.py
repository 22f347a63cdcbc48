"""The examiner around the runs: without a sandbox, without checks, with changed settings, cancelled, closed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.core.chunk import Because, Chunk, Quote
from agent.core.errors import StateError
from agent.core.hunk import FileState, Mode, Write
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.evidence.examiner import Examiner
from agent.evidence.proof.discover import Check, fingerprint
from agent.evidence.runs.bench import Bench
from agent.evidence.runs.listing import GitListing
from agent.evidence.runs.run import Limits
from agent.evidence.runs.sandbox import Isolation, Sandbox
from agent.ports import Cancel
from tests.support.lab import ENVIRONMENT, LEX, TESTS, Lab

RED = "\n\ndef test_many():\n    assert lex('a  b') == ['a', 'b']\n"
RIGHT = LEX.replace("text.split(' ')", "text.split()")


@pytest.fixture
def bare(lab: Lab) -> Lab:
    """A lab without any sandbox."""
    lab.bench = Bench(
        lab.repo.place, GitListing(lab.repo), lab.root.parent / "bare", ENVIRONMENT,
        lambda rooms: Sandbox(Isolation.NONE, None),
    )  # fmt: skip
    lab.examiner = Examiner(lab.bench, lab.store, limits=Limits(seconds=20))
    return lab


def test_without_a_sandbox_it_works_and_says_so(bare: Lab) -> None:
    piece = bare.check(bare.change(lex_py=RIGHT, tests__test_lex_py=TESTS + RED))
    assert (piece.verdict, piece.summary, piece.sandbox) == (
        Verdict.VERIFIED,
        "test_many 1 failed → passed",
        "none",
    )
    assert (bare.root / "lex.py").read_text() == LEX


def test_without_a_sandbox_tests_that_import_the_real_tree_prove_nothing(bare: Lab) -> None:
    (bare.root / "tests" / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(bare.root)!r})\n")
    piece = bare.check(bare.change(lex_py=RIGHT, tests__test_lex_py=TESTS + RED))
    assert (piece.verdict, piece.summary) == (
        Verdict.UNVERIFIED,
        "the tests import the real tree, not the copy",
    )


def test_an_absolute_path_of_the_real_tree_is_the_copy_in_the_sandbox(lab: Lab) -> None:
    (lab.root / "tests" / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(lab.root)!r})\n")
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + RED))
    assert (piece.verdict, piece.sandbox) == (Verdict.VERIFIED, "full")


def test_without_an_accepted_check_nothing_runs_and_nothing_is_found(lab: Lab) -> None:
    lab.store.remove("pytest")
    assert lab.examine(lab.change(lex_py=RIGHT)) == []
    assert list((lab.root.parent / "home").glob("cache/*")) == []


@pytest.mark.parametrize("by_chunk", [True, False])
def test_changed_settings_withhold_the_check(lab: Lab, by_chunk: bool) -> None:
    settings = "[pytest]\npythonpath = .\naddopts = -k nothing\n"
    if by_chunk:
        piece = lab.check(lab.change(lex_py=RIGHT, pytest_ini=settings))
    else:
        (lab.root / "pytest.ini").write_text(settings)
        piece = lab.check(lab.change(lex_py=RIGHT))
    assert piece.verdict is Verdict.UNVERIFIED
    assert piece.summary.startswith("pytest is not run: pytest.ini is not as you accepted it")


def command(lab: Lab, name: str, code: str) -> Check:
    return Check(
        name, ("/usr/bin/python3", "-c", code), (), "whole", fingerprint("whole", (), lambda path: None)
    )


@pytest.mark.parametrize(
    ("name", "code", "verdict", "summary"),
    [
        (
            "make test",
            "import lex; exit(lex.lex('a  b') != ['a', 'b'])",
            Verdict.PARTLY,
            "by its exit status alone",
        ),
        ("ruff", "import lex; exit(lex.lex('a  b') != ['a', 'b'])", Verdict.VERIFIED, "ruff failed → passed"),
        (
            "ruff",
            "import lex; exit(2 * (lex.lex('a  b') != ['a', 'b']))",
            Verdict.PARTLY,
            "by its exit status alone",
        ),
        (
            "make test",
            "import lex; exit(lex.lex('a  b') == ['a', 'b'])",
            Verdict.CONTRADICTED,
            "breaks make test",
        ),
        ("make test", "exit(0)", Verdict.PARTLY, "make test passed before and after"),
        ("make test", "exit(1)", Verdict.UNVERIFIED, "make test fails before and after"),
        ("make test", "import os; exit(os.urandom(1)[0] % 2)", None, ""),
        ("make test", "import time; time.sleep(60)", Verdict.UNVERIFIED, "make test: timed out"),
    ],
)
def test_any_other_command_is_judged_by_its_exit_status(
    lab: Lab, name: str, code: str, verdict: Verdict | None, summary: str
) -> None:
    lab.store.remove("pytest")
    lab.store.accept([command(lab, name, code)])
    lab.examiner = Examiner(lab.bench, lab.store, limits=Limits(seconds=2))
    piece = lab.check(lab.change(lex_py=RIGHT))
    assert verdict is None or piece.verdict is verdict
    assert piece.summary.endswith(summary)
    assert piece.verdict is not Verdict.VERIFIED or name == "ruff"


def test_a_program_that_is_missing_is_said(lab: Lab) -> None:
    lab.store.accept(
        [Check("pytest", ("no-such-program",), (), "whole", fingerprint("whole", (), lambda path: None))]
    )
    assert lab.check(lab.change(lex_py=RIGHT)).summary == "no-such-program is not installed"


def test_a_slow_suite_is_run_in_the_part_that_reaches_the_change(lab: Lab) -> None:
    (lab.root / "tests" / "test_slow.py").write_text(
        "import time\n\n\ndef test_slow():\n    time.sleep(60)\n"
    )
    lab.examiner = Examiner(lab.bench, lab.store, limits=Limits(seconds=4))
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + RED))
    assert (piece.verdict, piece.summary) == (Verdict.VERIFIED, "test_many 1 failed → passed")


def test_a_cancelled_examination_says_nothing_more(lab: Lab) -> None:
    cancel = Cancel()
    cancel.cancel()
    chunk = Chunk(id="c", title="t", why="", changes=())
    pieces = list(lab.examiner.examine(chunk, lab.change(lex_py=RIGHT), (), cancel))
    assert not [piece for piece in pieces if piece.kind is EvidenceKind.CHECK]


def test_a_claim_of_a_run_and_a_name_that_is_nowhere_are_contradicted(lab: Lab) -> None:
    def names(chunk: Chunk, writes: Sequence[Write]) -> Sequence[str]:
        return ["lexify"]

    examiner = Examiner(lab.bench, lab.store, names=names)
    chunk = Chunk(
        id="c",
        title="t",
        why="Fixes it. All tests pass.",
        changes=(),
        because=(Because("lex.py", "`lexify`"),),
    )
    pieces = list(examiner.examine(chunk, lab.change(README_md="x"), (), Cancel()))
    found = {piece.kind: piece for piece in pieces}
    assert found[EvidenceKind.CLAIM].verdict is Verdict.CONTRADICTED
    assert "All tests pass" in found[EvidenceKind.CLAIM].summary
    assert found[EvidenceKind.NAMES].summary == "`lexify` is neither in the diff nor in the repository"


def test_a_card_that_is_not_about_the_present_files_gets_no_verdict(lab: Lab) -> None:
    write = Write("lex.py", FileState(Mode.FILE, b"something else\n"), FileState(Mode.FILE, RIGHT.encode()))
    assert lab.check([write]).summary == "not run: your files differ from those that this card starts from"


def test_a_full_disk_is_said_and_nothing_is_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.evidence.runs.scratch.SPARE_BYTES", 1 << 60)
    piece = lab.check(lab.change(lex_py=RIGHT))
    assert piece.verdict is Verdict.UNVERIFIED
    assert piece.summary.startswith("no room for a scratch tree")


def test_a_damaged_list_of_checks_is_said(lab: Lab) -> None:
    file = lab.root.parent / "home" / "state" / "checks.json"
    file.write_bytes(b"{")
    with pytest.raises(StateError):
        lab.store.load()
    assert lab.check(lab.change(lex_py=RIGHT)).summary.startswith("cannot use the list of checks")


def test_the_scratch_tree_is_gone_at_the_end(lab: Lab) -> None:
    lab.examiner.warm()
    folder = lab.bench.scratch.folder
    assert folder.exists()
    lab.examiner.close()
    assert not folder.exists()


def test_importing_evidence_loads_no_griffe(repo: Path) -> None:
    import subprocess

    code = "import agent.evidence.examiner, agent.evidence.lookup.api, sys; print('griffe' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert ran.stdout.strip() == b"False"


def test_pieces_come_cheap_ones_first(lab: Lab) -> None:
    class Api:
        def examine(self, writes: Sequence[Write]) -> Sequence[Evidence]:
            return [Evidence(kind=EvidenceKind.API, verdict=Verdict.VERIFIED, summary="", digest="")]

        def quotations(self, quotes: Sequence[Quote], digest: str, cancel: Cancel) -> Sequence[Evidence]:
            return ()

    examiner = Examiner(lab.bench, lab.store, api=Api())
    chunk = Chunk(id="c", title="t", why="I ran the tests.", changes=())
    weaker = lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS.replace("== 2", "> 0"))
    kinds = [piece.kind for piece in examiner.examine(chunk, weaker, (), Cancel())]
    assert kinds == [EvidenceKind.WEAKENED, EvidenceKind.CLAIM, EvidenceKind.API, EvidenceKind.CHECK]
