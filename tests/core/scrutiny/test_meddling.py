"""Code that could forge the tests it is judged by."""

from __future__ import annotations

import pytest

from agent.core.hunk import FileState, Mode, Write
from agent.core.scrutiny.meddling import meddling, same_code


def write(new: str, old: str | None = None, path: str = "lex.py") -> Write:
    before = FileState(Mode.FILE, old.encode()) if old is not None else None
    return Write(path, before, FileState(Mode.FILE, new.encode()))


@pytest.mark.parametrize(
    ("code", "mark"),
    [
        ("import os\nos._exit(0)\n", "os._exit"),
        ("from os import _exit\n", "os._exit"),
        ("import _pytest.runner as r\n", "_pytest.runner"),
        ("from unittest.mock import ANY\n", "unittest.mock.ANY"),
        ("import sys\nx = sys.modules['lex']\n", "sys.modules"),
        ("import inspect\ninspect.stack()\n", "inspect.stack"),
        ("class A:\n    def __eq__(self, o):\n        'equal'\n        return True\n", "__eq__ that always says the same"),
        ("import importlib\nimportlib.import_module('_py' + 'test')\n", "import_module"),
        ("exec('x = 1')\n", "exec"),
        ("open('/proc/self/fd/3')\n", "/proc/self/fd/3"),
        ("import atexit\n", "atexit"),
    ],
)  # fmt: skip
def test_what_reaches_into_the_process_is_found(code: str, mark: str) -> None:
    assert mark in meddling(write(code))


@pytest.mark.parametrize(
    "code",
    [
        "import re\nre.compile('x')\n",
        "import os\nos.environ['A'] = os.path.join('a', 'b')\n",
        "class A:\n    def __eq__(self, o):\n        return isinstance(o, A) and self.x == o.x\n",
        "# os._exit(0) in words\ntext = 'import pytest'\n",
        "import sys\nsys.exit(1)\n",
        "def broken(:\n",
    ],
)
def test_ordinary_code_is_left_alone(code: str) -> None:
    assert meddling(write(code)) == ()


def test_what_was_there_before_and_what_tests_do_is_left_alone() -> None:
    old = "import os\n\n\ndef stop():\n    os._exit(1)\n"
    assert meddling(write(old + "\n\nx = 1\n", old)) == ()
    assert meddling(write(old + "os._exit(0)\n", old)) == ("os._exit",)
    assert meddling(write("import pytest\n", path="tests/test_a.py")) == ()
    assert meddling(Write("lex.py", FileState(Mode.FILE, old.encode()), None)) == ()


def test_comments_and_blanks_are_the_same_code_and_a_docstring_is_not() -> None:
    old = "def f():\n    return 1\n"
    assert same_code(write("def f():  # fixed\n\n    return (1)\n", old))
    assert not same_code(write("def f():\n    return 2\n", old))
    assert not same_code(write('def f():\n    "One."\n    return 1\n', old))
    assert not same_code(write(old))
    assert not same_code(write("def f(:\n", "def f(\n"))
