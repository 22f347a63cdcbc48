"""The seeded set, third part: odd tests, odd settings, code that ends the run. Each runs a real pytest."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agent.core.hunk import FileState, Write
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.evidence.examiner import Examiner
from agent.evidence.runs.run import Limits
from tests.support.lab import LEX, TESTS, Lab, pytest_check, state

SPLIT = "    return text.split(' ')"
RED = "\n\ndef test_many():\n    assert lex('a  b') == ['a', 'b']\n"
RIGHT = LEX.replace("text.split(' ')", "text.split()")
NOTHING = LEX + "# nothing\n"
SUB = """

class TestSub(unittest.TestCase):
    def test_sub(self):
        for text in ('a b', 'a  b'):
            with self.subTest(text=text):
                self.assertEqual(lex(text), ['a', 'b'])
"""
TEST = "tests/test_lex.py"
CONFTEST = "tests/conftest.py"


class Seed(msgspec.Struct, frozen=True):
    """Texts of the chunk by path, of the repository by path, words for pytest; what must be said."""

    chunk: dict[str, str]
    verdict: Verdict
    summary: str
    there: dict[str, str] = {}
    words: tuple[str, ...] = ()
    seconds: float = 20.0


def instead(line: str) -> str:
    """The code with another line in place of its first return."""
    return LEX.replace(SPLIT, line)


def settings(*lines: str) -> dict[str, str]:
    return {"pytest.ini": "\n".join(("[pytest]", "pythonpath = .", *lines)) + "\n"}


V, P, U, C = Verdict.VERIFIED, Verdict.PARTLY, Verdict.UNVERIFIED, Verdict.CONTRADICTED
GREEN = "test_many 1 failed → passed"
BOTH = "passed before and after"
SEEDS = {
    "order": Seed(
        {
            "lex.py": NOTHING,
            TEST: TESTS
            + "\n\nSEEN = []\n\n\ndef test_a():\n    SEEN.append(1)\n\n\ndef test_b():\n    assert SEEN\n",
        },
        P,
        BOTH,
    ),
    "module fixture": Seed(
        {
            "lex.py": RIGHT,
            TEST: f"import pytest\n{TESTS}\n\n@pytest.fixture(scope='module')\ndef words():\n"
            "    assert lex('a  b') == ['a', 'b']\n    return 1\n\n\ndef test_words(words):\n    assert words\n",
        },
        P,
        "test_words 1 crashed before, passed after",
    ),
    "AssertionError in the code": Seed(
        {"lex.py": RIGHT, TEST: TESTS + RED},
        P,
        "test_many 1 crashed before, passed after",
        {"lex.py": instead("    if '  ' in text:\n        raise AssertionError('no')\n" + SPLIT)},
    ),
    "subtests": Seed(
        {"lex.py": RIGHT, TEST: f"import unittest\n\n{TESTS}{SUB}"}, V, "test_sub 1 failed → passed"
    ),
    "subtests, wrong": Seed(
        {"lex.py": NOTHING, TEST: f"import unittest\n\n{TESTS}{SUB}"}, C, "test_sub fails"
    ),
    "doctest": Seed(
        {
            "lex.py": RIGHT.replace(
                "text):\n    return t",
                "text):\n    '''\n    >>> lex('a  b')\n    ['a', 'b']\n    '''\n    return t",
                1,
            )
        },
        V,
        "lex.lex 1 failed → passed",
        {
            "lex.py": LEX.replace(
                "text):\n    return t",
                "text):\n    '''\n    >>> lex('a  b')\n    ['a', 'b']\n    '''\n    return t",
                1,
            )
        },
        ("--doctest-modules",),
    ),
    "raises": Seed(
        {
            "lex.py": instead("    if not text:\n        raise ValueError(text)\n" + SPLIT),
            TEST: f"import pytest\n{TESTS}\n\ndef test_none():\n    with pytest.raises(ValueError):\n        lex('')\n",
        },
        V,
        "test_none 1 failed → passed",
    ),
    "exit at import": Seed(
        {"lex.py": f"import sys\nsys.exit(0)\n{LEX}", TEST: TESTS + RED}, U, "the test run ended early"
    ),
    "hard exit": Seed(
        {"lex.py": instead("    import os\n    os._exit(0)"), TEST: TESTS + RED},
        U,
        "the test run ended early",
    ),
    "exit": Seed(
        {"lex.py": instead("    import sys\n    sys.exit(0)"), TEST: TESTS + RED},
        C,
        "breaks test_one, test_size",
    ),
    "pytest.exit": Seed(
        {"lex.py": instead("    import pytest\n    pytest.exit('', returncode=0)"), TEST: TESTS + RED},
        U,
        "no test ran",
    ),
    "skip in the code": Seed(
        {
            "lex.py": instead(f"    import pytest\n    if '  ' in text:\n        pytest.skip('x')\n{SPLIT}"),
            TEST: TESTS + RED,
        },
        U,
        "test_many no longer passes or runs",
    ),
    "crash": Seed(
        {"lex.py": instead("    import ctypes\n    ctypes.string_at(0)"), TEST: TESTS + RED},
        U,
        "the test run ended early",
    ),
    "warnings as errors": Seed(
        {"lex.py": RIGHT, TEST: TESTS + RED},
        P,
        "test_lex 3 crashed before, passed after",
        {
            "lex.py": instead("    import warnings\n    warnings.warn('x')\n" + SPLIT),
            **settings("filterwarnings = error"),
        },
    ),
    "a test renamed": Seed({"lex.py": NOTHING, TEST: TESTS.replace("test_size", "test_length")}, P, BOTH),
    "a test moved": Seed(
        {
            "lex.py": RIGHT,
            TEST: TESTS.partition("\n\n\ndef test_size")[0] + "\n",
            "tests/test_size.py": "from lex import lex, size\n\n\ndef test_size():\n    assert size('a b') == 2\n"
            + RED,
        },
        V,
        GREEN,
    ),
    "only a conftest": Seed(
        {CONFTEST: "import lex\n\nlex.lex = lambda text: text.split()\n"},
        U,
        f"{GREEN}, but only tests are changed here",
        {
            TEST: TESTS.replace(
                "from lex import lex, size", "import lex as module\nfrom lex import lex, size"
            )
            + RED.replace(" lex(", " module.lex(")
        },
    ),
    "a conftest beside": Seed(
        {
            "lex.py": NOTHING,
            TEST: TESTS + RED,
            CONFTEST: "import lex\n\nlex.lex = lambda text: text.split()\n",
        },
        P,
        BOTH,
    ),
    "one test hangs": Seed(
        {
            "lex.py": RIGHT,
            TEST: f"{TESTS}{RED}\n\ndef test_hang():\n    import time\n\n    time.sleep(100)\n",
        },
        P,
        f"{GREEN}, test_hang still fails",
        seconds=3.0,
    ),
    "strict settings": Seed(
        {"lex.py": RIGHT, TEST: TESTS + RED},
        V,
        GREEN,
        settings("addopts = -x --strict-markers --strict-config -p no:cacheprovider"),
    ),
    "a project in a folder": Seed(
        {"lex.py": RIGHT, TEST: TESTS + RED},
        V,
        GREEN,
        {"inner/pytest.ini": "[pytest]\n", "inner/test_in.py": "def test_in():\n    assert True\n"},
    ),
    "bytes": Seed(
        {
            "lex.py": RIGHT,
            TEST: TESTS + RED.replace("():", "():\n    import os\n\n    os.write(1, bytes(range(256)))"),
        },
        V,
        GREEN,
    ),
    "100 MB": Seed(
        {
            "lex.py": RIGHT,
            TEST: TESTS + RED.replace("():", "():\n    for _ in range(100):\n        print('x' * 1_000_000)"),
        },
        V,
        GREEN,
        words=("-s",),
    ),
    "async without a plugin": Seed(
        {"lex.py": RIGHT, TEST: TESTS + RED.replace("def test", "async def test")},
        U,
        "test_many breaks before it can tell: Failed: async def functions are not natively supported.",
    ),
    "passes though it was not to": Seed(
        {
            "lex.py": RIGHT,
            TEST: "import pytest\n" + TESTS + RED.replace("def", "@pytest.mark.xfail(strict=True)\ndef"),
        },
        U,
        "test_many no longer passes or runs",
    ),
    "the end of a test breaks": Seed(
        {
            "lex.py": RIGHT,
            TEST: f"import pytest\n{TESTS}\n\n@pytest.fixture\ndef end():\n    yield\n    raise RuntimeError\n"
            + RED.replace("()", "(end)", 1),
        },
        U,
        "test_many breaks before it can tell: RuntimeError",
    ),
    "names of tests": Seed(
        {
            "lex.py": RIGHT,
            TEST: f"import pytest\n{TESTS}"
            + RED.replace(
                "def", "@pytest.mark.parametrize('x', ['a\\nb', 'x::y', '[z] ['], ids=str)\ndef"
            ).replace("()", "(x)", 1),
        },
        V,
        "test_many 3 failed → passed",
    ),
    "in a thread": Seed(
        {
            "lex.py": RIGHT,
            TEST: f"import threading\n\n{TESTS}\n\ndef test_many():\n    found = []\n    work = threading.Thread("
            "target=lambda: found.append(lex('a  b')))\n"
            "    work.start()\n    work.join()\n    assert found == [['a', 'b']]\n",
        },
        V,
        GREEN,
    ),
}


def examined(lab: Lab, seed: Seed) -> Evidence:
    for path, text in seed.there.items():
        (lab.root / path).parent.mkdir(exist_ok=True)
        (lab.root / path).write_text(text)
    lab.store.accept([pytest_check(lab.root, *seed.words)])
    lab.examiner = Examiner(lab.bench, lab.store, limits=Limits(seconds=seed.seconds))
    writes = [Write(path, there(lab.root / path), state(text)) for path, text in seed.chunk.items()]
    (piece,) = [piece for piece in lab.examine(writes) if piece.kind is EvidenceKind.CHECK]
    return piece


def there(file: Path) -> FileState | None:
    return state(file.read_text() if file.exists() else None)


@pytest.mark.parametrize("name", SEEDS)
def test_the_word_on_a_seed(lab: Lab, name: str) -> None:
    seed = SEEDS[name]
    piece = examined(lab, seed)
    assert (piece.verdict, piece.summary) == (seed.verdict, seed.summary)


def test_a_test_that_writes_into_the_real_tree_by_its_path_writes_into_the_copy(lab: Lab) -> None:
    target = str(lab.root / "lex.py")
    meddle = (
        f"\n\ndef test_write():\n    with open({target!r}, 'w') as file:\n        file.write('broken(')\n"
    )
    piece = examined(lab, Seed({"lex.py": RIGHT, TEST: TESTS + RED + meddle}, U, ""))
    assert (piece.verdict, piece.summary) == (U, "the tests change the code under test: lex.py")
    assert (lab.root / "lex.py").read_text() == LEX
