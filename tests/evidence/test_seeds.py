"""The seeded set: what models get wrong, and the word that the card must say for it. Each runs a real pytest."""

from __future__ import annotations

from pathlib import Path

from agent.core.review import Verdict
from tests.support.lab import LEX, TESTS, Lab

RED = "\n\ndef test_many():\n    assert lex('a  b') == ['a', 'b']\n"
RIGHT = LEX.replace("text.split(' ')", "text.split()")
WRONG = LEX.replace("text.split(' ')", "text.split('  ')")


def tree(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_right_fix_with_its_test_is_verified(lab: Lab) -> None:
    before = tree(lab.root)
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + RED))
    assert (piece.verdict, piece.summary) == (Verdict.VERIFIED, "test_many 1 failed → passed")
    assert piece.before == "2 passed, 1 failed"
    assert piece.after == "3 passed"
    assert piece.sandbox in ("full", "files only", "none")
    assert tree(lab.root) == before


def test_a_right_fix_over_a_test_of_its_stack_is_verified(lab: Lab) -> None:
    test = lab.change(tests__test_lex_py=TESTS + RED)
    piece = lab.check(lab.change(lex_py=RIGHT), base=test)
    assert (piece.verdict, piece.summary) == (Verdict.VERIFIED, "test_many 1 failed → passed")


def test_a_wrong_fix_that_leaves_its_own_test_red_is_contradicted(lab: Lab) -> None:
    piece = lab.check(lab.change(lex_py=LEX + "# nothing\n", tests__test_lex_py=TESTS + RED))
    assert (piece.verdict, piece.summary) == (Verdict.CONTRADICTED, "test_many fails")


def test_a_wrong_fix_that_breaks_a_test_is_contradicted(lab: Lab) -> None:
    piece = lab.check(lab.change(lex_py=WRONG))
    assert (piece.verdict, piece.summary) == (Verdict.CONTRADICTED, "breaks test_size")


def test_a_wrong_fix_over_a_red_test_of_its_stack_is_not_verified(lab: Lab) -> None:
    test = lab.change(tests__test_lex_py=TESTS + RED)
    piece = lab.check(lab.change(lex_py=LEX + "# nothing\n"), base=test)
    assert (piece.verdict, piece.summary) == (Verdict.UNVERIFIED, "test_many still fails")


def test_a_vacuous_test_is_only_partly_verified(lab: Lab) -> None:
    vacuous = "\n\ndef test_many():\n    lex('a  b')\n    assert True\n"
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + vacuous))
    assert (piece.verdict, piece.summary) == (Verdict.PARTLY, "passed before and after")


def test_a_test_alone_that_passes_was_never_red(lab: Lab) -> None:
    piece = lab.check(
        lab.change(tests__test_lex_py=TESTS + "\n\ndef test_new():\n    assert size('a') == 1\n")
    )
    assert (piece.verdict, piece.summary) == (Verdict.UNVERIFIED, "test_new 1 passed, never seen red")


def test_a_red_test_alone_contradicts_nothing(lab: Lab) -> None:
    piece = lab.check(lab.change(tests__test_lex_py=TESTS + RED))
    assert (piece.verdict, piece.summary) == (Verdict.UNVERIFIED, "test_many fails: red")


def test_a_test_that_cannot_be_imported_is_not_red(lab: Lab) -> None:
    new = "from lex import words\n\n\ndef test_words():\n    assert words('a') == 1\n"
    piece = lab.check(
        lab.change(lex_py=LEX + "\n\ndef words(text):\n    return 1\n", tests__test_words_py=new)
    )
    assert (piece.verdict, piece.summary) == (
        Verdict.PARTLY,
        "test_words 1 could not run before, passed after",
    )


def test_an_import_error_after_is_unverified(lab: Lab) -> None:
    new = "import nowhere_to_be_found\n\n\ndef test_words():\n    assert False\n"
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_words_py=new))
    assert piece.verdict is Verdict.UNVERIFIED
    assert piece.summary.startswith("test_words cannot be collected: ")


def test_a_change_that_cannot_be_imported_breaks_the_tests(lab: Lab) -> None:
    piece = lab.check(lab.change(lex_py="import nowhere_to_be_found\n" + LEX))
    assert (piece.verdict, piece.summary) == (Verdict.CONTRADICTED, "breaks test_one, test_size")


def test_a_crash_that_is_gone_is_no_red_by_assertion(lab: Lab) -> None:
    crash = "\n\ndef test_none():\n    assert lex(None) == []\n"
    fixed = LEX.replace("    return text.split(' ')", "    return text.split(' ') if text else []")
    piece = lab.check(lab.change(lex_py=fixed, tests__test_lex_py=TESTS + crash))
    assert (piece.verdict, piece.summary) == (Verdict.PARTLY, "test_none 1 crashed before, passed after")


def test_an_assertion_in_the_code_itself_is_a_crash_of_that_code(lab: Lab) -> None:
    guarded = LEX.replace("    return text.split(' ')", "    assert text\n    return text.split(' ')")
    (lab.root / "lex.py").write_text(guarded)
    piece = lab.check(
        lab.change(
            lex_py=LEX, tests__test_lex_py=TESTS + "\n\ndef test_none():\n    assert lex('') == ['']\n"
        )
    )
    assert (piece.verdict, piece.summary) == (Verdict.PARTLY, "test_none 1 crashed before, passed after")


def test_a_fixture_that_crashes_is_no_red(lab: Lab) -> None:
    fixture = "\nimport pytest\n\n\n@pytest.fixture\ndef words():\n    assert lex('a  b') == ['a', 'b']\n    return 1\n"
    test = f"{fixture}\n\ndef test_words(words):\n    assert words == 1\n"
    piece = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + test))
    assert piece.verdict is Verdict.PARTLY


def test_an_unasked_chunk_that_no_test_reaches_is_unverified(lab: Lab) -> None:
    piece = lab.check(lab.change(extra_py="def more():\n    return 1\n"))
    assert (piece.verdict, piece.summary) == (Verdict.UNVERIFIED, "no test reaches it")


def test_an_unasked_chunk_that_tests_do_reach_is_partly_verified(lab: Lab) -> None:
    piece = lab.check(lab.change(lex_py=LEX + "\n\ndef more():\n    return 1\n"))
    assert (piece.verdict, piece.summary) == (Verdict.PARTLY, "passed before and after")


def test_an_unrelated_failure_is_neither_red_nor_held_against_the_chunk(lab: Lab) -> None:
    (lab.root / "tests" / "test_else.py").write_text("def test_else():\n    assert 1 == 2\n")
    right = lab.check(lab.change(lex_py=RIGHT, tests__test_lex_py=TESTS + RED))
    assert (right.verdict, right.summary) == (Verdict.VERIFIED, "test_many 1 failed → passed")
    other = lab.check(lab.change(lex_py=LEX + "# nothing\n"))
    assert (other.verdict, other.summary) == (Verdict.PARTLY, "passed before and after")
