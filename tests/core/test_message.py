"""Commit messages: the words of the chunks, and nothing in them that git or a reader would take for more."""

from __future__ import annotations

import pytest

from agent.core.chunk import Chunk
from agent.core.message import SUBJECT_CHARS, commit_message


def chunk(title: str, why: str = "", serves: str = "") -> Chunk:
    return Chunk("1", title, why, (), serves=serves)


def test_one_chunk_gives_its_title_and_why_wrapped() -> None:
    message = commit_message([chunk("Mend the parser", "It reads too far. " * 8)])
    head, blank, *body = message.split("\n")
    assert (head, blank) == ("Mend the parser", "")
    assert max(map(len, body)) <= SUBJECT_CHARS


def test_a_subject_says_nothing_of_the_size() -> None:
    new, other = chunk("New file .github/dependabot.yml: 13 lines"), chunk("parse: 1 line")
    assert commit_message([new]) == "New file .github/dependabot.yml\n"
    assert commit_message([new, other, other]) == (
        "New file .github/dependabot.yml, and 2 more\n\n- New file .github/dependabot.yml: 13 lines\n"
        "- parse: 1 line\n- parse: 1 line\n"
    )


def test_several_chunks_are_listed_under_what_they_serve() -> None:
    message = commit_message([chunk("A", "x", "speed"), chunk("B", "y", "speed")])
    assert message == "speed\n\n- A: x\n- B: y\n"


@pytest.mark.parametrize("where", ["title", "why", "serves"])
@pytest.mark.parametrize("words", ["Signed-off-by: Eve <e@x>", "ok\n\nsigned-OFF-by : Eve <e@x>"])
def test_no_word_of_a_model_signs_off(where: str, words: str) -> None:
    fields = {"title": "T", "why": "W", "serves": "", where: words}
    for chunks in ([chunk(**fields)], [chunk(**fields), chunk(**fields)]):
        message = commit_message(chunks)
        assert "signed-off-by" not in message.lower()
        assert "Eve" not in message


def test_control_characters_and_comments_do_not_reach_the_message() -> None:
    message = commit_message([chunk("# not a comment", "a\x1b[31mb")])
    assert message.startswith("not a comment\n")
    assert "\x1b" not in message


def test_a_title_that_is_too_long_for_a_subject_stands_whole_in_the_body() -> None:
    title = "word " * 30
    head, _, body = commit_message([chunk(title, "why")]).partition("\n\n")
    assert len(head) <= SUBJECT_CHARS
    assert " ".join(body.split()).startswith(title.strip())
