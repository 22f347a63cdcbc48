"""Quotations of a model against what is really installed: this suite's environment, and packages made up for it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent.core.chunk import Quote
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.evidence.lookup.api import ApiChecker
from agent.evidence.lookup.project_env import ProjectEnv
from agent.ports import Cancel
from tests.evidence.test_api import STDLIB, checker

DIGEST = "d" * 64
TOOL = '''\
"""Tools for text."""


def trim(text: str, /, width: int = 80, *, mark="…", **more: object) -> str:
    """
    Cut ``text`` after the last word that fits
    into `width` columns; raises "ValueError" for a
    negative width.
    """
    # The mark counts, too: a text
    # with it is never wider. **All** of :class:`str` is `taken`_.
    return text


class Printer:
    def __init__(self, width: int, colour=None) -> None: ...
'''


def mark(check: ApiChecker, name: str, text: str) -> Evidence:
    (piece,) = check.quotations([Quote(name, text)], DIGEST, Cancel())
    assert (piece.kind, piece.digest, piece.quote) == (EvidenceKind.QUOTE, DIGEST, text)
    return piece


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An environment with one distribution, `text-tool`, which brings the package `tool`."""
    folder = tmp_path / "site-packages"
    (folder / "tool").mkdir(parents=True)
    (folder / "tool" / "__init__.py").write_text(TOOL)
    info = folder / "text_tool-1.2.dist-info"
    info.mkdir()
    (info / "top_level.txt").write_text("tool\n")
    (info / "METADATA").write_text("Name: text-tool\nVersion: 1.2\n\nWidths are columns, not characters.\n")
    return folder


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        (
            "textwrap.dedent",
            "Remove any common\n  leading whitespace from every line in `text`",
            "textwrap.py:",
        ),
        (
            "json.loads",
            "Deserialize ``s`` (a ``str``, ``bytes`` or ``bytearray`` instance",
            "json/__init__.py:",
        ),
        (
            "json",
            "is a subset of JavaScript syntax (ECMA-262 3rd edition) used as a lightweight",
            "json/__init__.py:",
        ),
        ("os.path.join", "Join two or more pathname components, inserting '/' as needed.", "posixpath.py:"),
        ("math.sqrt", "Return the square root of x.", ""),
        ("sorted", "sorted(iterable, /, *, key=None, reverse=False)", ""),
        ("str.split", "Return a list of the substrings in the string, using sep as the separator", ""),
        ("time.sleep", "Delay execution for a given number of seconds.", ""),
        ("shutil.rmtree", "shutil.rmtree(path, ignore_errors=False, onerror=None", "shutil.py:"),
        ("httpx.get", "httpx.get(url, *, params=None, headers=None, cookies=None", "_api.py:"),
        ("httpx", "A next-generation HTTP client for Python.", ""),
    ],
)
def test_what_stands_in_an_installed_package_is_found_with_its_place(
    tmp_path: Path, name: str, text: str, where: str
) -> None:
    piece = mark(checker(tmp_path), name, text)
    assert piece.verdict is Verdict.VERIFIED, piece.summary
    assert where in piece.where
    assert piece.where
    assert "site-packages" not in piece.where


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("textwrap.dedent", "Remove every common leading whitespace from every line"),
        ("textwrap.dedent", "Remove any common leading whitespace from every lin"),
        ("json.loads", "Parses JSON and returns None when the text is invalid."),
        ("httpx.get", "get(url, *, retries=3, params=None)"),
        ("math.sqrt", "Returns the square root, faster than ever."),
        ("httpx.nothing_here", "Fetches the page and parses its content."),
    ],
)
def test_words_that_are_nowhere_are_contradicted(tmp_path: Path, name: str, text: str) -> None:
    piece = mark(checker(tmp_path), name, text)
    assert (piece.verdict, piece.where) == (Verdict.CONTRADICTED, ""), piece.summary
    assert piece.summary.startswith("these words are nowhere in ")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("nowhere_at_all.run", "Runs the whole program at once.", "nowhere_at_all is not installed"),
        ("../textwrap", "Remove any common leading whitespace", "is not installed"),
        ("", "Remove any common leading whitespace", "it names no package"),
        ("textwrap", "text", "too short"),
        ("math.sqrt", "math.sqrt(value, /, *, exact=False)", "without running code"),
        ("str.split", "str.split(sep=None, maxsplit=-1, keep=False)", "without running code"),
    ],
)
def test_what_cannot_be_told_is_unverified(tmp_path: Path, name: str, text: str, why: str) -> None:
    piece = mark(checker(tmp_path), name, text)
    assert piece.verdict is Verdict.UNVERIFIED
    assert why in piece.summary


@pytest.mark.parametrize(
    "text",
    [
        "Cut text after the last word that fits into width columns; raises ValueError for a negative width",
        "The mark counts, too: a text with it is never wider.",
        'tool.trim(text: str, /, width: int = 80, *, mark = "…", **more: object) -> str',
        "All of str is taken",
        "All of :class:`str` is `taken`_",
        "def trim(text, /, width=80, *, mark='…', **more)",
        "Printer(width: int, colour=None)",
        "Widths are columns, not characters.",
    ],
)
def test_only_marks_and_white_space_may_differ(tmp_path: Path, site: Path, text: str) -> None:
    for name in ("tool.trim", "text-tool") if "Printer" not in text else ("tool.Printer",):
        if name == "text-tool" and "(" in text:
            continue
        piece = mark(checker(tmp_path, site), name, text)
        assert piece.verdict is Verdict.VERIFIED, piece.summary
        assert "text_tool 1.2" in piece.summary


def test_a_signature_with_a_parameter_that_it_has_not_is_contradicted(tmp_path: Path, site: Path) -> None:
    wrong = "tool.trim(text: str, /, width: int = 80, *, mark='…', strict=True)"
    assert mark(checker(tmp_path, site), "tool.trim", wrong).verdict is Verdict.CONTRADICTED


def test_a_package_with_parts_that_cannot_be_read_contradicts_nothing(tmp_path: Path, site: Path) -> None:
    words = "Prints the text on both sides of the paper."
    assert mark(checker(tmp_path, site), "tool", words).verdict is Verdict.CONTRADICTED
    (site / "tool" / "fast.cpython-311.so").write_bytes(b"\x7fELF packed")
    piece = mark(checker(tmp_path, site), "tool", words)
    assert (piece.verdict, "fast.cpython-311.so is compiled" in piece.summary) == (Verdict.UNVERIFIED, True)
    (site / "tool" / "fast.cpython-311.so").write_bytes(b"\0Prints the text on\n both sides of the paper.\0")
    assert mark(checker(tmp_path, site), "tool", words).where.endswith("fast.cpython-311.so")


def test_the_repositorys_own_code_is_no_installed_package(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def run():\n    'Runs all that there is to run.'\n")
    piece = mark(checker(tmp_path), "mine.run", "Runs all that there is to run.")
    assert (piece.verdict, "of this repository" in piece.summary) == (Verdict.UNVERIFIED, True)


def test_hostile_words_are_data(tmp_path: Path, site: Path) -> None:
    for text in (
        "(a+)+$ (a+)+$ (a+)+$",
        "\udcff\udcff broken words here",
        "x" * 400,
        "\x1b[2J" + "word " * 70,
    ):
        began = time.monotonic()
        assert mark(checker(tmp_path, site), "tool.trim", text).verdict is not Verdict.VERIFIED
        assert time.monotonic() - began < 2
    (site / "tool" / "long.py").write_text("a " * 50_000)
    assert mark(checker(tmp_path, site), "tool", "a " * 190 + "b").verdict is Verdict.CONTRADICTED


def test_it_stops_when_the_card_is_decided(tmp_path: Path, site: Path) -> None:
    cancel = Cancel()
    cancel.cancel()
    (piece,) = checker(tmp_path, site).quotations([Quote("tool", "Not in there, for sure.")], DIGEST, cancel)
    assert piece.verdict is Verdict.UNVERIFIED


def test_an_environment_without_the_interpreter_contradicts_nothing_of_the_standard_library(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "lib" / "python3.11"
    folder.mkdir(parents=True)
    (folder / "json.py").write_text("'''Reads JSON.'''\n")
    check = ApiChecker(tmp_path, lambda: ProjectEnv((), folder, ".venv", True), list)
    assert mark(check, "json", "Nothing like this is written there.").verdict is Verdict.UNVERIFIED


def test_a_quotation_is_looked_up_in_less_than_a_second(tmp_path: Path) -> None:
    check = checker(tmp_path)
    began = time.monotonic()
    mark(check, "hypothesis", "Nothing like this is written anywhere in there.")
    assert time.monotonic() - began < 2.5
    assert STDLIB.exists()
