"""The last filter: our own sequences pass, everything else only prints."""

from __future__ import annotations

import io
import os
import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.ui.filter import FilteredStream, harmless
from agent.ui.screen import color_depth

OWN = re.compile("\x1b\\[[0-9;?]*[ABCDHJKmhl]|\x1b\\[[0-6] q|\x1b\\[6n|[\r\n\b]")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;38;2;10;20;30mbold\x1b[0m", "\x1b[1;38;2;10;20;30mbold\x1b[0m"),
        ("\x1b[?2004h\x1b[2K", "\x1b[?2004h\x1b[2K"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x1b]52;c;aGk=\x1b\\", "␛]52;c;aGk=␛\\"),
        ("\x1bPq\x1b[5n\x1bc", "␛Pq␛[5n␛c"),
        ("\x9b2J\u202e\u200b", "<U+009B>2J<U+202E><U+200B>"),
        ("\x1b[?1000h\x1b[?1003h", "␛[?1000h␛[?1003h"),
        ("größe 日本\r\n", "größe 日本\r\n"),
    ],
)
def test_only_what_we_draw_with_acts(raw: str, shown: str) -> None:
    assert harmless(raw) == shown


@settings(max_examples=300)
@given(
    st.text(
        st.one_of(
            st.sampled_from("\x1b[]?;0123mHJ\x07\x9b\u202e\x00\x7f"), st.characters(exclude_categories=[])
        ),
        max_size=40,
    )
)
def test_after_the_filter_only_our_sequences_are_left_and_a_second_pass_changes_nothing(text: str) -> None:
    shown = harmless(text)
    assert harmless(shown) == shown
    rest = OWN.sub("", shown)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\ud800-\udfff]", rest)


@settings(max_examples=100)
@given(st.binary(max_size=100))
def test_random_bytes_change_no_mode_and_no_title_of_a_terminal(raw: bytes) -> None:
    text = re.sub("\x1b\\[\\?", "", raw.decode("latin-1"))
    screen = pyte.Screen(80, 10)
    before = set(screen.mode)
    pyte.ByteStream(screen).feed(harmless(text).encode())
    assert screen.mode == before
    assert screen.title == ""
    assert screen.charset == 0


def test_a_stream_without_unicode_gets_something_it_can_show() -> None:
    raw = io.BytesIO()
    out = FilteredStream(io.TextIOWrapper(raw, encoding="ascii"))
    out.write("✓ ok")
    out.flush()
    assert raw.getvalue() == b"? ok"


def test_a_terminal_that_went_away_is_no_error() -> None:
    read, write = os.pipe()
    out = FilteredStream(os.fdopen(write, "w", encoding="utf-8", closefd=False))
    os.close(read)
    out.write("x" * 100_000)
    out.flush()
    out.write("more")
    os.close(write)


@pytest.mark.parametrize(
    ("environ", "tty", "bits"),
    [
        ({"TERM": "xterm-256color"}, True, "DEPTH_8_BIT"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, True, "DEPTH_24_BIT"),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, True, "DEPTH_1_BIT"),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, "DEPTH_8_BIT"),
        ({"TERM": "xterm"}, False, "DEPTH_1_BIT"),
        ({"TERM": "xterm", "FORCE_COLOR": "1"}, False, "DEPTH_8_BIT"),
        ({"CLICOLOR_FORCE": "1"}, False, "DEPTH_8_BIT"),
        ({"TERM": "xterm", "FORCE_COLOR": "0"}, True, "DEPTH_1_BIT"),
        ({"TERM": "dumb"}, True, "DEPTH_1_BIT"),
        ({"TERM": "linux"}, True, "DEPTH_4_BIT"),
    ],
)
def test_colours_follow_the_environment(environ: dict[str, str], tty: bool, bits: str) -> None:
    assert color_depth(environ, tty).value == bits
