"""Finding quoted text: grades, what is kept of the file, and what a refusal tells."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.chunk import Grade
from agent.core.lines.splice import splice
from agent.core.matching.document import Document
from agent.core.matching.match import (
    Ambiguous,
    Found,
    Located,
    Missing,
    Unfit,
    find,
    find_edit,
    find_text,
    text_lines,
)
from agent.core.matching.report import explain


def document(content: str | bytes) -> Document:
    made = Document.of(content.encode() if isinstance(content, str) else content)
    assert made is not None
    return made


def result(content: str | bytes, found: Found) -> str:
    assert isinstance(found, Located), found
    return b"".join(splice(document(content).lines, found.hunks)).decode("utf-8", "surrogateescape")


FILE = "def f(a):\n    if a:\n        return 1\n    return 2\n\n\ndef g(a):\n    return 3\n"


@pytest.mark.parametrize(
    ("content", "old", "new", "expected", "grade"),
    [
        (FILE, "    return 3\n", "    return 4\n", FILE.replace("3", "4"), Grade.EXACT),
        (FILE, "    return 3", "    return 4", FILE.replace("3", "4"), Grade.EXACT),
        ("a  \nb\t\nc\n", "a\nb\nc\n", "a\nB\nc\n", "a  \nB\nc\n", Grade.TRAILING_SPACE),
        ("a\nb\n", "a  \nb  \n", "a  \nB\n", "a\nB\n", Grade.TRAILING_SPACE),
        ("a\nb\n", "a  \nb  \n", "a  \nB  \n", "a\nB\n", Grade.TRAILING_SPACE),
        ("a  \nb\n", "a\nb  \n", "a\nB  \n", "a  \nB  \n", Grade.TRAILING_SPACE),
        (FILE, "\n    return 3\n\n", "\n    return 4\n\n", FILE.replace("3", "4"), Grade.TRAILING_SPACE),
        (
            FILE,
            "if a:\n    return 1",
            "if not a:\n    return 1",
            FILE.replace("if a", "if not a"),
            Grade.INDENT,
        ),
        (
            FILE,
            "      if a:\n          return 1\n",
            "      if a:\n          b()\n          return 1\n",
            FILE.replace("        return 1", "        b()\n        return 1"),
            Grade.INDENT,
        ),
        (
            "\tif a:\n\t\tb\n",
            "    if a:\n        b\n",
            "    if a:\n        c\n",
            "\tif a:\n\t\tc\n",
            Grade.INDENT,
        ),
        (
            "    if a:\n        b\n",
            "\tif a:\n\t\tb\n",
            "\tif a:\n\t\tc\n",
            "    if a:\n        c\n",
            Grade.INDENT,
        ),
        ("  if a:\n    b\n", "\tif a:\n\t\tb\n", "\tif a:\n\t\tc\n", "  if a:\n    c\n", Grade.INDENT),
        ("x = 1    # one\n", "x = 1\t# one\n", "x = 2\t# one\n", "x = 2    # one\n", Grade.INDENT),
        (
            "    f(\n        1)\n",
            "f(\n        1)\n",
            "g(\n        1)\n",
            "    g(\n        1)\n",
            Grade.INDENT,
        ),
        ("say('it')\n", "say(\u2018it\u2019)\n", "say(\u2018it\u2019, 1)\n", "say('it', 1)\n", Grade.UNICODE),
        (
            "a \u2014 \u201cb\u201d c\n",
            'a - "b" c\n',
            'a - "b" d\n',
            "a \u2014 \u201cb\u201d d\n",
            Grade.UNICODE,
        ),
        ("x\u00a0= 1\ny = 2\n", "x = 1\ny = 2\n", "x = 1\ny = 3\n", "x\u00a0= 1\ny = 3\n", Grade.UNICODE),
        ("a\nb", "b\n", "c\n", "a\nc", Grade.EXACT),
        ("a\nb", "b", "b\nc", "a\nb\nc", Grade.EXACT),
        (FILE, "def g(a):\n    return 3\n", "", FILE[: FILE.index("def g")], Grade.EXACT),
    ],
)
def test_an_edit_lands_and_keeps_what_it_does_not_change(
    content: str, old: str, new: str, expected: str, grade: Grade
) -> None:
    found = find_edit(document(content), old, new)
    assert result(content, found) == expected
    assert isinstance(found, Located)
    assert found.grade is grade


def test_line_endings_encoding_and_mark_of_the_file_are_kept() -> None:
    crlf = b"\xef\xbb\xbfa\r\nb\r\nc\r\n"
    assert result(crlf, find_edit(document(crlf), "a\nb\n", "A\nx\nb\n")).encode() == (
        b"\xef\xbb\xbfA\r\nx\r\nb\r\nc\r\n"
    )
    first = find_edit(document(crlf), "a\n", "")
    assert result(crlf, first).encode() == b"\xef\xbb\xbfb\r\nc\r\n"
    wide = b"\xff\xfe" + "a\nü\n".encode("utf-16-le")
    found = find_edit(document(wide), "ü\n", "ö\n")
    assert isinstance(found, Located)
    assert b"".join(splice(document(wide).lines, found.hunks)) == b"\xff\xfe" + "a\nö\n".encode("utf-16-le")
    latin = "é\nb\n".encode("latin-1")
    found = find_edit(document(latin), "é\nb", "é\nç")
    assert isinstance(found, Located)
    assert b"".join(splice(document(latin).lines, found.hunks)) == "é\nç\n".encode("latin-1")
    assert isinstance(find_edit(document(latin), "é", "€"), Unfit)


def test_in_a_file_of_mixed_endings_a_new_line_ends_as_its_neighbour() -> None:
    mixed = "a\r\nb\nc\r\nd\n"
    assert result(mixed, find_edit(document(mixed), "c", "C")) == "a\r\nb\nC\r\nd\n"
    assert result(mixed, find_edit(document(mixed), "a\nb\nc", "a\nB\nc")) == "a\r\nB\nc\r\nd\n"


@pytest.mark.parametrize(
    ("content", "old"),
    [
        ("a\nb\na\n", "a\n"),
        ("  a\n    a\n", "a"),
        ("a \na  \n", "a"),
        ("it's\nit\u2019s\n", "it\u02bcs"),
        ("x = 1\ny\nx = 1\nz\n", "x = 1\n"),
    ],
)
def test_what_occurs_twice_is_ambiguous_at_every_grade(content: str, old: str) -> None:
    found = find_edit(document(content), old, "new")
    assert isinstance(found, Ambiguous)
    assert len(found.candidates) == 2


@pytest.mark.parametrize(
    ("content", "old", "new", "expected"),
    [
        ("a = foo(1) + bar(2)\n", "foo(1)", "foo(3)", "a = foo(3) + bar(2)\n"),
        ("a = foo(1)\nb = 2\nc\n", "(1)\nb", "(9)\nd", "a = foo(9)\nd = 2\nc\n"),
        ("a\nb\nc\n", "b\n", "x", "a\nx\nc\n"),
        ("a\r\nb\r\n", "a\nb", "a\nc", "a\r\nc\r\n"),
        ("a\nb\n", "\nb", "\nx\nb", "a\nx\nb\n"),
        ("a b", "b", "c\n", "a c\n"),
        ("a\nb\n", "\nb", "c", "a\nc\n"),
        ("a\n\nb\n", "\nb", "", "a\n\n"),
    ],
)
def test_a_piece_of_a_line_is_replaced_literally(content: str, old: str, new: str, expected: str) -> None:
    assert result(content, find_text(document(content), old, new)) == expected


def test_a_piece_must_occur_once_and_for_propose_not_inside_a_word() -> None:
    assert isinstance(find_text(document("foo(1)\nfoo(2)\n"), "foo", "bar"), Ambiguous)
    assert isinstance(find_edit(document("max = 10\n"), "x = 1", "x = 2"), Missing)
    assert isinstance(find_text(document("max = 10\n"), "x = 1", "x = 2"), Located)


@pytest.mark.parametrize("old", ["\n}\n", "    }\n", "\n\t)\n"])
def test_a_quotation_of_hardly_any_text_must_be_exact(old: str) -> None:
    assert isinstance(find_edit(document("a(\n  }\nb\n  )\n"), old, "x\n"), Missing)


def test_elided_parts_stay_as_they_are() -> None:
    content = "def f():\n    a()\n    b()\n    c()\n    return 1\n"
    old = "def f():\n    ...\n    return 1\n"
    assert result(content, find_edit(document(content), old, "def f(x):\n    ...\n    return x\n")) == (
        "def f(x):\n    a()\n    b()\n    c()\n    return x\n"
    )


@pytest.mark.parametrize(
    ("content", "old", "new"),
    [
        ("a\nx\nb\nx\nc\n", "a\n...\nx\n", "a\n...\ny\n"),
        ("b\nx\na\n", "a\n...\nb\n", "A\n...\nb\n"),
        ("a\nx\nb\n", "a\n...\nb\n", "c\n"),
        ("a\nx\nb\n", "...\nb\n", "new\n...\nb\n"),
    ],
    ids=["ambiguous anchor", "wrong order", "would delete the unseen", "text without anchor"],
)
def test_elisions_without_two_unique_anchors_are_refused(content: str, old: str, new: str) -> None:
    assert not isinstance(find_edit(document(content), old, new), Located)


def test_a_literal_ellipsis_of_the_file_is_text() -> None:
    content = "def f():\n    ...\n"
    assert result(content, find_edit(document(content), "def f():\n    ...", "def f():\n    pass")) == (
        "def f():\n    pass\n"
    )


def test_a_refusal_quotes_the_nearest_lines_with_their_own_characters() -> None:
    made = document("import os\n\ndef parse(text):\n\treturn int(text, 10)\n")
    old = "def parse(text):\n    return int(text)\n"
    message = explain(find_edit(made, old, "x"), made, text_lines(old))
    assert "from line 3" in message
    assert "|\treturn int(text, 10)" in message
    assert "|    return int(text)" in message


def test_a_refusal_names_the_places_of_an_ambiguous_text_and_what_is_around_them() -> None:
    made = document("def a():\n    return 1\n\ndef b():\n    return 1\n")
    message = explain(find_edit(made, "    return 1", "    return 2"), made, ["    return 1"])
    assert "lines 2, 5" in message
    assert "|def b():" in message


def test_an_edit_that_was_made_already_is_said_to_be_there() -> None:
    made = document("a\nnew line\nc\n")
    found = find_edit(made, "old line\n", "new line\n")
    assert found == Missing(found.near if isinstance(found, Missing) else None, applied=2)
    assert "there already, at line 2" in explain(found, made, ["old line"])


words = st.sampled_from(["a", "  a", "\ta", "b ", "b", "", "it's", "it\u2019s", "    if x:", "if x:"])
texts = st.lists(words, max_size=10).map("\n".join)


@given(texts, texts, texts)
@settings(max_examples=300)
def test_a_located_text_is_the_only_one_of_its_grade(content: str, old: str, new: str) -> None:
    """The oracle for EXACT: lines equal at one place only, and the result is that place replaced."""
    made = document(content)
    said = text_lines(old)
    found = find(made, said, text_lines(new))
    places = [
        at
        for at in range(len(made.texts) - len(said) + 1)
        if said and made.texts[at : at + len(said)] == said
    ]
    if any(line.strip() for line in said) and places:
        assert isinstance(found, Located) == (len(places) == 1)
    if isinstance(found, Located) and found.grade is Grade.EXACT:
        after = [line.decode() for line in splice(made.lines, found.hunks)]
        wanted = [*made.texts[: found.start], *text_lines(new), *made.texts[found.end :]]
        assert [line.removesuffix("\n") for line in after] == wanted
    if isinstance(found, Located):
        assert all(found.start <= hunk.start and hunk.end <= found.end for hunk in found.hunks)


@given(st.binary(max_size=200), st.text(max_size=60), st.text(max_size=60))
def test_finding_never_raises(content: bytes, old: str, new: str) -> None:
    made = Document.of(content)
    if made is not None:
        for found in (find_edit(made, old, new), find_text(made, old, new)):
            assert isinstance(explain(found, made, text_lines(old)), str)


@pytest.mark.parametrize("line", ["x\n", "    return 1\n", "\n"])
def test_large_monotonous_files_take_no_time(line: str) -> None:
    made = document(line * 40_000 + "end\n")
    start = time.process_time()
    find_edit(made, line * 15_000 + "other\n", "new")
    find_edit(made, line * 15_000, "new")
    assert time.process_time() - start < 3


def test_a_missing_text_in_a_large_file_is_reported_quickly() -> None:
    dice = random.Random(1)
    made = document("".join(f"value_{dice.randrange(3000)} = {n}\n" for n in range(50_000)))
    start = time.process_time()
    found = find_edit(made, "value_5 = none\nvalue_6 = none\n", "x\n")
    assert isinstance(found, Missing)
    assert time.process_time() - start < 2
