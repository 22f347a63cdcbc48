"""What counts as a weakened test, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.hunk import FileState, Mode, Write
from agent.core.scrutiny.weakened import OUTRIGHT, Weakness, weakened

OLD = """\
import pytest

@pytest.mark.parametrize("text", ["a", "b", "c"])
def test_lex(text):
    got = lex(text)
    assert got == 3
    assert len(got) == 2

def test_other():
    with pytest.raises(ValueError):
        lex("")

class TestParser:
    def test_tree(self):
        self.assertEqual(tree(), 4)
"""


def write(path: str, old: str | None, new: str | None) -> Write:
    def state(text: str | None) -> FileState | None:
        return None if text is None else FileState(Mode.FILE, text.encode())

    return Write(path, state(old), state(new))


def kinds(*writes: Write) -> set[Weakness]:
    return {finding.kind for finding in weakened(writes)}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("    assert len(got) == 2\n", "", Weakness.DELETED),
        ("assert got == 3", "assert got", Weakness.LOOSENED),
        ("assert got == 3", "assert got is not None", Weakness.LOOSENED),
        ("assert got == 3", "assert got in (3, 4)", Weakness.LOOSENED),
        ("assert got == 3", "assert got == got", Weakness.LOOSENED),
        ("assert got == 3", "assert got == 3 or True", Weakness.LOOSENED),
        ("assert got == 3", "assert got == pytest.approx(3)", Weakness.LOOSENED),
        ("assert got == 3", "assert True", Weakness.LOOSENED),
        ("    assert got == 3\n", "    if got:\n        assert got == 3\n", Weakness.LOOSENED),
        (
            "    assert got == 3\n",
            "    try:\n        assert got == 3\n    except AssertionError:\n        pass\n",
            Weakness.LOOSENED,
        ),
        ("    assert got == 3\n", "    return\n    assert got == 3\n", Weakness.LOOSENED),
        ("assert got == 3", "assert got == 4", Weakness.CHANGED),
        ("pytest.raises(ValueError)", "pytest.raises(Exception)", Weakness.LOOSENED),
        ("assertEqual(tree(), 4)", "assertTrue(tree())", Weakness.LOOSENED),
        ("def test_other", "def check_other", Weakness.REMOVED),
        ("class TestParser:\n    def test_tree", "class TestParser:\n    def _tree", Weakness.REMOVED),
        ('["a", "b", "c"]', '["a"]', Weakness.REMOVED),
        ("def test_other", "@pytest.mark.skip\ndef test_other", Weakness.SKIPPED),
        ("def test_other", "@pytest.mark.xfail\ndef test_other", Weakness.SKIPPED),
        ('        lex("")\n', '        pytest.skip("later")\n        lex("")\n', Weakness.SKIPPED),
        ("import pytest\n", "import pytest\npytestmark = pytest.mark.skip\n", Weakness.SKIPPED),
    ],
)
def test_a_python_test_that_demands_less_is_found(before: str, after: str, kind: Weakness) -> None:
    assert before in OLD
    assert kind in kinds(write("tests/test_lex.py", OLD, OLD.replace(before, after)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("assert got == 3", "assert got == 3\n    assert got != 9"),
        ("assert len(got) == 2", "assert len(got) == 2, 'length'".replace(", 'length'", "")),
        ("def test_other", "def test_new():\n    assert 1 == one()\n\ndef test_other"),
        ("def test_other", "def test_renamed"),
        ("    assert len(got) == 2\n", "    assert len(got) == 2 and got[0] == 1\n"),
        ('["a", "b", "c"]', '["a", "b", "c", "d"]'),
        ("got = lex(text)", "got = lex(text, strict=True)"),
    ],
)
def test_a_test_that_demands_as_much_or_more_is_not_accused(before: str, after: str) -> None:
    assert not kinds(write("tests/test_lex.py", OLD, OLD.replace(before, after)))


def test_a_deleted_test_file_is_removed_tests_unless_they_moved() -> None:
    gone = write("tests/test_lex.py", OLD, None)
    assert kinds(gone) == {Weakness.REMOVED}
    assert not kinds(gone, write("tests/unit/test_lex.py", None, OLD))


def test_a_new_test_file_is_no_weakening() -> None:
    assert not kinds(write("tests/test_new.py", None, OLD))


@pytest.mark.parametrize(
    ("path", "old", "new", "kind"),
    [
        ("a.test.ts", "it('adds', () => {\n expect(add()).toBe(3)\n})", "it('adds', () => {\n})", Weakness.DELETED),
        (
            "a.test.ts",
            "it('adds', () => {\n expect(add()).toBe(3)\n})",
            "it('adds', () => {\n expect(add()).toBeTruthy()\n})",
            Weakness.LOOSENED,
        ),
        ("a.spec.js", "it('adds', f)", "it.skip('adds', f)", Weakness.SKIPPED),
        ("a.spec.js", "it('adds', f)\nit('subs', f)", "it('adds', f)", Weakness.REMOVED),
        ("a_test.go", "func TestAdd(t *testing.T) {}", "func testAdd(t *testing.T) {}", Weakness.REMOVED),
        ("tests/a.rs", "#[test]\nfn adds() {}", "#[test]\n#[ignore]\nfn adds() {}", Weakness.SKIPPED),
        (".github/workflows/ci.yml", "run: pytest", "run: pytest || true", Weakness.CONFIGURED),
        ("pyproject.toml", "[tool.pytest.ini_options]\n", "[tool.pytest.ini_options]\naddopts='-x'", Weakness.CONFIGURED),
        ("package.json", '{"scripts":{"test":"jest"}}', '{"scripts":{"test":"true"}}', Weakness.CONFIGURED),
        ("setup.cfg", "[tool:pytest]\n", "[tool:pytest]\naddopts = -k nothing\n", Weakness.CONFIGURED),
        (
            "tests/conftest.py",
            "",
            "def pytest_collection_modifyitems(items):\n    items.clear()\n",
            Weakness.CONFIGURED,
        ),
        ("src/a.py", "", "import os\nif 'PYTEST_CURRENT_TEST' in os.environ:\n    x = 1\n", Weakness.DETECTS),
    ],
)  # fmt: skip
def test_other_languages_and_configuration_are_looked_at(
    path: str, old: str, new: str, kind: Weakness
) -> None:
    assert kind in kinds(write(path, old, new))


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("pyproject.toml", "[project]\nname='a'\n", "[project]\nname='b'\n"),
        (
            "package.json",
            '{"version":"1","scripts":{"test":"jest"}}',
            '{"version":"2","scripts":{"test":"jest"}}',
        ),
        ("src/a.py", "assert x == 1\n", "x = 1\n"),
        ("tests/conftest.py", "", "import pytest\n\n@pytest.fixture\ndef thing():\n    return 1\n"),
    ],
)
def test_what_has_nothing_to_do_with_tests_is_left_alone(path: str, old: str, new: str) -> None:
    assert not kinds(write(path, old, new))


def test_outright_findings_come_first_and_read_as_a_line() -> None:
    new = OLD.replace("assert got == 3", "assert got == 4").replace("    assert len(got) == 2\n", "")
    findings = weakened([write("tests/test_lex.py", OLD, new)])
    assert findings[0].kind in OUTRIGHT
    assert findings[0].text == "test_lex: assertion deleted"


PIECES = st.sampled_from(
    [*OLD.split("\n"), "    assert x == 1", "    if y:", "@pytest.mark.skip", "\tbroken("]
)


@given(st.lists(PIECES, max_size=20), st.lists(PIECES, max_size=20))
@settings(max_examples=150)
def test_any_text_is_judged_without_an_error_and_an_unchanged_file_is_clean(
    old: list[str], new: list[str]
) -> None:
    before, after = "\n".join(old), "\n".join(new)
    weakened([write("tests/test_a.py", before, after), write("a.test.js", before, after)])
    assert not weakened([write("tests/test_a.py", before, before), write("a.test.js", before, before)])
