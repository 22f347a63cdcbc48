"""A session as a document for others: complete, redacted, inert."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from agent.core import events as ev
from agent.core.cards.view import card_view
from agent.core.chunk import Chunk
from agent.core.dialog import Protocol, Stop, Usage
from agent.core.errors import StateError
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk
from agent.core.review import Answer, Approve, Question, Reject
from agent.core.text import digest
from agent.ui.export import document
from agent.ui.pages import html, markdown
from agent.ui.svg import card_svg
from tests.support.cards import card

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
OLD = b"a = 1\nb = 2\n"
NEW = b"a = 1\nb = 3  # <script>alert(1)</script>\n"
BLOBS = {digest(data): data for data in (OLD, NEW, SECRET.encode())}


def stored(data: bytes) -> ev.StoredState:
    return ev.StoredState(0o100644, digest(data))


def load(name: str) -> bytes:
    if name not in BLOBS:
        raise StateError("gone")
    return BLOBS[name]


def chunk(name: str, title: str) -> Chunk:
    change = FileChange(
        "a.py",
        ChangeKind.MODIFY,
        (Hunk(1, (b"b = 2\n",), (b"b = 4\n",)),),
        base_digest=FileState(0o100644, OLD).digest,
    )
    return Chunk(name, title, f"why `b` <b>bold</b> {SECRET}", (change,), assumes=("``` and </p>",))


WRITES = (
    ev.StoredWrite("a.py", stored(OLD), stored(NEW)),
    ev.StoredWrite(".env", None, stored(SECRET.encode())),
)
EVENTS: list[ev.Event] = [
    ev.Started(1, "s", 0.0, "/repo", "abc", "gpt", Protocol.TOOLS),
    ev.Said(f"use {SECRET}\n# not a heading", "x"),
    ev.Replied("I will.\n```\n# fence\n```\n\x1b[31m", (), Stop.TOOL, Usage()),
    ev.Asked("q", Question("Which?", "It matters", ("one", "two"))),
    ev.Answered("q", Answer(1), "The person answers: two"),
    ev.Proposed("p", "c", (chunk("1", "First"), chunk("2", "Second | thing")), {"a.py": stored(OLD)}),
    ev.Decided("1", Approve("d")),
    ev.Wrote("1", "set", "d", WRITES),
    ev.Decided("2", Reject("not needed")),
    ev.Ended(1.0, "quit"),
]  # fmt: skip


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_has_everything_that_was_decided_and_no_secret() -> None:
    found = document(EVENTS, load)
    for text in (html(found), markdown(found)):
        assert SECRET not in text
        assert "\x1b" not in text
        for word in ("First", "Second", "applied", "rejected", "not needed", "answered", "withheld"):
            assert word in text
    assert found.withheld >= 3


def test_the_page_is_whole_and_inert() -> None:
    page = html(document(EVENTS, load))
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not {"script", "img", "link", "iframe", "a"} & set(tags.seen)
    assert "&lt;script&gt;" in page
    assert not re.search(r"https?://|url\(|@import", page)


def test_markdown_of_others_stays_text() -> None:
    text = markdown(document(EVENTS, load))
    assert "\n# not a heading" not in text
    assert "````text" in text
    assert "Second \\| thing" in text
    assert "- assumes: \\`\\`\\` and \\</p\\>" in text


def test_what_was_looked_up_is_a_line_with_its_sign() -> None:
    looked = ev.ToolAnswered("r", "read", "text", "read a.py, all 2 lines")
    assert "\n*·* read a.py, all 2 lines\n" in "".join(markdown(document([*EVENTS[:3], looked], load)))


def test_contents_that_are_gone_are_said() -> None:
    lost: list[ev.Event] = [
        *EVENTS[:7],
        ev.Wrote("1", "s", "d", (ev.StoredWrite("a.py", None, ev.StoredState(0o100644, "x")),)),
    ]
    assert "not stored any more" in html(document(lost, load))


def test_a_picture_of_a_card_asks_nobody_for_anything() -> None:
    picture = card_svg(card_view(card()))
    assert "Stop" in picture
    assert "@font-face" not in picture
    assert set(re.findall(r"https?://[^\"'\s]+", picture)) <= {
        "http://www.w3.org/2000/svg",
        "https://www.textualize.io",
    }
