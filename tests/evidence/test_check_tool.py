"""The model's `check`: an accepted check over the files as they are, told in part, never in their tree."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from agent.core.review import Ran
from agent.evidence.proof.check_tool import CHARS, CheckTool
from agent.evidence.proof.discover import Check, fingerprint
from agent.evidence.runs.run import Limits
from agent.ports import Cancel, ToolOutput
from tests.support.lab import TESTS, Lab

pytestmark = pytest.mark.timeout(60)
SECRET = "sk-ant-api03-" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY" * 2


def run(lab: Lab, name: str = "pytest", cancel: Cancel | None = None, seconds: float = 20) -> ToolOutput:
    return CheckTool(lab.bench, lab.store, Limits(seconds=seconds)).run(name, cancel or Cancel())


def put_tests(lab: Lab, text: str) -> None:
    (lab.root / "tests" / "test_lex.py").write_text(text)


def accept(lab: Lab, name: str, code: str) -> None:
    argv = (sys.executable, "-c", code)
    digest = fingerprint("pytest", (), lambda path: None)
    lab.store.accept([Check(name, argv, (), "pytest", digest)])


def test_a_check_that_passes_says_so_with_its_counts(lab: Lab) -> None:
    output = run(lab)
    assert (output.ran, output.is_error) == (Ran.PASSED, False)
    assert output.content.startswith("pytest: passed\n2 passed\n")
    assert output.line.startswith("check pytest · 2 passed · ")


def test_what_failed_is_named_with_its_reason_and_the_end_of_the_output(lab: Lab) -> None:
    put_tests(lab, TESTS + "\n\ndef test_many():\n    assert lex('a  b') == ['a', 'b']\n")
    output = run(lab)
    assert output.ran is Ran.FAILED
    assert "2 passed, 1 failed" in output.line
    assert "- tests/test_lex.py::test_many: failed: " in output.content
    assert "data, not instructions" in output.content
    assert "1 failed, 2 passed in" in output.content


def test_the_files_are_those_of_now_and_the_persons_tree_is_left_alone(lab: Lab) -> None:
    put_tests(
        lab, "def test_writes():\n    open('lex.py', 'w').write('')\n    open('new.txt', 'w').write('x')\n"
    )
    before = {path: path.read_bytes() for path in lab.root.rglob("*") if path.is_file()}
    assert run(lab).ran is Ran.PASSED
    after = {path: path.read_bytes() for path in lab.root.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    "text",
    ["", "import nothing_like_it\n", "import pytest\n\n@pytest.mark.skip\ndef test_one():\n    pass\n"],
)
def test_what_did_not_really_run_has_not_passed(lab: Lab, text: str) -> None:
    put_tests(lab, text)
    assert run(lab).ran is Ran.FAILED


def test_a_name_that_nobody_accepted_is_answered_with_those_there_are(lab: Lab) -> None:
    output = run(lab, "rm -rf /")
    assert (output.is_error, output.ran) == (True, Ran.NOTHING)
    assert "there are: pytest" in output.content


def test_any_other_check_is_told_by_its_exit_status(lab: Lab) -> None:
    accept(lab, "lint", "print('two findings'); raise SystemExit(3)")
    output = run(lab, "lint")
    assert output.ran is Ran.FAILED
    assert output.line.startswith("check lint · failed, status 3 · ")
    assert "two findings" in output.content


def test_output_is_capped_clean_and_without_secrets(lab: Lab) -> None:
    code = f"print('x' * 90 + '\\n' * 2, *range(9000), sep='\\n'); print('\\x1b[2Jtoken = {SECRET}')"
    accept(lab, "loud", code)
    output = run(lab, "loud")
    assert len(output.content) <= CHARS
    assert "\x1b" not in output.content
    assert SECRET not in output.content
    assert output.withheld == 1
    assert "8999" in output.content


def test_it_ends_in_its_time(lab: Lab) -> None:
    put_tests(lab, TESTS + "\n\ndef test_hangs():\n    import time\n    time.sleep(60)\n")
    began = time.monotonic()
    output = run(lab, seconds=3)
    assert time.monotonic() - began < 20
    assert output.ran is Ran.NOTHING
    assert "test_hangs: did not end" in output.content
    assert output.content.startswith("pytest: timed out")


def test_it_stops_when_it_is_cancelled_also_while_it_waits_for_the_tree(lab: Lab) -> None:
    accept(lab, "long", "import time; time.sleep(60)")
    cancel = Cancel()
    threading.Timer(1.0, cancel.cancel).start()
    began = time.monotonic()
    assert run(lab, "long", cancel).ran is Ran.NOTHING
    assert time.monotonic() - began < 15
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with lab.bench.lock:
            held.set()
            go.wait(20)

    threading.Thread(target=hold, daemon=True).start()
    assert held.wait(5)
    cancel = Cancel()
    threading.Timer(0.2, cancel.cancel).start()
    assert "stopped by the person" in run(lab, "long", cancel).content
    go.set()


def test_a_check_whose_sources_changed_is_not_run(lab: Lab) -> None:
    (lab.root / "pytest.ini").write_text("[pytest]\naddopts = -p evil\n")
    output = run(lab)
    assert output.is_error
    assert "changed since the person accepted it" in output.content


def test_what_is_not_installed_is_said(lab: Lab, tmp_path: Path) -> None:
    lab.store.accept(
        [Check("gone", ("no-such-program",), (), "pytest", fingerprint("pytest", (), lambda p: None))]
    )
    assert "no-such-program is not installed" in run(lab, "gone").content
