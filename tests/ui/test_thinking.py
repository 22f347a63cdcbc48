"""Thoughts of a model: the last words while they come, one folded line afterwards, all of it clean on request."""

from __future__ import annotations

from agent.ui.paint import theme
from agent.ui.thinking import TAIL_CHARS, Thinking

COLOURS = theme("none", {}, False)


def test_the_last_words_are_shown_while_they_stream() -> None:
    thinking = Thinking()
    thinking.feed("first I look. " * 100)
    assert thinking.feed("then I write").endswith("I look. then I write")
    assert len(thinking.feed("x")) <= TAIL_CHARS


def test_afterwards_one_line_says_how_much_it_was_and_nothing_when_there_was_none() -> None:
    thinking = Thinking()
    assert thinking.folded() == ""
    thinking.feed("one two three")
    assert "3 words" in thinking.folded()
    thinking.begin()
    assert thinking.folded() == ""


def test_all_of_it_is_shown_on_request_and_nothing_raw() -> None:
    thinking = Thinking()
    thinking.feed("a\x1b[31mb\n\nc")
    text = "\n".join("".join(piece for _, piece in line) for line in thinking.lines(COLOURS, 80))
    assert "\x1b" not in text
    assert "c" in text
