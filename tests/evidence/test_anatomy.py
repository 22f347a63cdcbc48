"""Which functions of a file are not the same, and when nobody can tell what a change reaches."""

from __future__ import annotations

import pytest

from agent.evidence.proof.anatomy import anatomy, changed

SOURCE = """\
import os

LIMIT = 3


def size(text):
    def count():
        return len(text)

    return count()


class Parser:
    kind = "plain"

    def parse(self, text):
        return text

    @property
    def name(self):
        return "n"

    @cached
    def table(self):
        return {}
"""


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("len(text)", "len(text) + 1", {"size"}),
        ("return count()", "return 0", {"size"}),
        ("return text\n", "return [text]\n", {"Parser.parse"}),
        ('"n"', '"m"', {"Parser.name"}),
        ("self, text", "self, text, more=None", {"Parser.parse"}),
        ("\n\ndef size", "\n\n\n\ndef size", set()),
        ("{}", "{1: 2}", None),
        ("LIMIT = 3", "LIMIT = 4", None),
        ('kind = "plain"', 'kind = "rich"', None),
        ("@property", "@classmethod", None),
        ("def parse", "def parse_all", None),
        ("def size(text):", "def size(text", None),
        ("return text\n", "global LIMIT\n        LIMIT = text\n", None),
    ],
)
def test_a_change_is_of_functions_or_at_large(old: str, new: str, names: set[str] | None) -> None:
    assert old in SOURCE
    assert changed(anatomy(SOURCE.encode()), anatomy(SOURCE.replace(old, new, 1).encode())) == names


def test_a_new_and_a_removed_function_are_changes_at_large() -> None:
    more = anatomy(SOURCE.encode() + b"\n\ndef more():\n    pass\n")
    assert changed(anatomy(SOURCE.encode()), more) is None
    assert changed(more, anatomy(SOURCE.encode())) is None


def test_a_line_is_in_the_outermost_function_with_its_decorators() -> None:
    found = anatomy(SOURCE.encode())
    assert found is not None
    lines = SOURCE.split("\n")
    names = {text: found.at(lines.index(text) + 1) for text in lines if text}
    assert names["        return len(text)"] == "size"
    assert names["    @property"] == "Parser.name"
    assert names['    kind = "plain"'] == ""


@pytest.mark.parametrize("source", [None, b"def (", b"\0", b"\xff\xfe", b"(" * 5000])
def test_what_cannot_be_parsed_has_no_anatomy(source: bytes | None) -> None:
    assert anatomy(source) is None
