"""Whatever goes in, what comes out only prints."""

from __future__ import annotations

import re
import time
import unicodedata
from pathlib import Path

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.clean import clean, cut, plain, segments

HOSTILE = "\x00\x07\x08\x1b\x7f\x85\x9b\r\n\t\u061c\u200b\u200e\u202e\u2028\u2066\ufeff\U000e0041\u3164\ufe0f\udcff\ud800"
nasty = st.text(st.one_of(st.sampled_from(HOSTILE), st.characters(exclude_categories=[])), max_size=60)


def raw_characters(text: str) -> list[str]:
    """Characters that do more, or less, than print."""
    bad = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [char for char in text if unicodedata.category(char) in bad]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text", "plain text"),
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("a\rb", "a␍b"),
        ("a\nb", "a␊b"),
        ("\x9b2J", "<U+009B>2J"),
        ("del\x7f", "del␡"),
        ("if x: # \u202e\u2066", "if x: # <U+202E><U+2066>"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("tag\U000e0041", "tag<U+E0041>"),
        ("one\u2028two\u0085three", "one<U+2028>two<U+0085>three"),
        ("p\u0430ypal", "p<U+0430>ypal"),
        ("\u0441\u043e\u0440\u0443()", "<U+0441><U+043E><U+0440><U+0443>()"),
        ("environment\u01c3=PROD", "environment<U+01C3>=PROD"),
        ("𝐞𝐱𝐞𝐜(x)", "<U+1D41E><U+1D431><U+1D41E><U+1D41C>(x)"),
        ("filler\u3164 = 1", "filler<U+3164> = 1"),
        (b"caf\xe9", "caf\\xe9"),
        (b"caf\xc3\xa9", "café"),
        ("\ud800", "<U+D800>"),
        ("\u0301a", "<U+0301>a"),
        ("a\tb", "a   b"),
        ("日\tb", "日  b"),
    ],
)
def test_what_does_not_print_is_shown_as_a_mark(raw: str | bytes, shown: str) -> None:
    assert clean(raw) == shown


@pytest.mark.parametrize(
    "text",
    [
        "он скоро сор у нас",
        "Größe, naïve, Ærø, İstanbul",
        "Δt = 3 μs, α ≈ β",
        "日本語のテキスト",
        "한국어",
        "שלום עולם",
        "x² + y³ ≤ 1ª, ℝ",
        "“quotes” — dashes… → arrows ✓",
        "🎉 emoji",
    ],
)
def test_text_of_any_language_is_left_alone(text: str) -> None:
    assert clean(text) == text


def test_lines_are_kept_only_where_they_are_wanted() -> None:
    assert clean("a\r\nb\rc\n", multiline=True) == "a\nb␍c\n"


def test_spaces_that_are_no_spaces_are_marked_in_code() -> None:
    assert clean("a\u00a0b") == "a\u00a0b"
    assert clean("a\u00a0b", spaces=True) == "a<U+00A0>b"


def test_in_code_no_word_mixes_latin_and_cyrillic_unseen() -> None:
    assert clean("commitы") == "commitы"
    assert clean("retur\u043d", spaces=True) == "retur<U+043D>"
    assert clean("имя = Δt", spaces=True) == "имя = Δt"


def test_tabs_can_be_seen() -> None:
    assert clean("\tx", tabs=0) == "␉x"


def test_a_pile_of_accents_does_not_climb_over_other_lines() -> None:
    shown = clean("a" + "\u0301" * 50)
    assert shown.startswith("a" + "\u0301" * 4 + "<U+0301>")


def test_segments_say_which_part_is_a_mark() -> None:
    assert [(part.text, part.mark) for part in segments("ab\x1b\x07c")] == [
        ("ab", False),
        ("␛␇", True),
        ("c", False),
    ]


def test_cut_says_that_something_is_left_out() -> None:
    assert cut(clean("abcdef"), 4) == "abc…"
    assert cut(clean("abc"), 4) == "abc"


@settings(max_examples=300)
@given(nasty, st.booleans())
def test_nothing_but_printing_is_left_and_cleaning_again_changes_nothing(text: str, multiline: bool) -> None:
    shown = clean(text, multiline=multiline)
    assert [char for char in raw_characters(shown) if not (multiline and char == "\n")] == []
    assert clean(shown, multiline=multiline) == shown
    assert plain(segments(text, multiline=multiline)) == shown
    shown.encode("utf-8")


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_random_bytes_only_print_on_a_terminal(raw: bytes) -> None:
    shown = clean(raw)
    screen = pyte.Screen(2000, 3)
    stream = pyte.ByteStream(screen)
    stream.feed(shown.encode("utf-8"))
    expected = pyte.Screen(2000, 3)
    expected.draw(shown)
    assert screen.display == expected.display
    assert (screen.cursor.x, screen.cursor.y) == (expected.cursor.x, 0)
    assert screen.mode == expected.mode
    assert screen.title == ""
    assert not any(screen.buffer[0][x].reverse or screen.buffer[0][x].bold for x in range(200))


def test_time_grows_with_the_length_only() -> None:
    def seconds(count: int) -> float:
        text = "a\u0430\x1b\t" * count
        start = time.perf_counter()
        clean(text)
        return time.perf_counter() - start

    seconds(1000)
    assert seconds(40_000) < 12 * max(seconds(10_000), 0.005)


def test_only_the_sanitiser_makes_clean_text() -> None:
    code = Path(__file__).parents[2] / "agent"
    makers = [path.name for path in code.rglob("*.py") if re.search(r"\bClean\(", path.read_text("utf-8"))]
    assert makers == ["clean.py"]
