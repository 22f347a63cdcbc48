"""One corpus of sessions through every frontend: an emulated screen, plain words, and JSON lines.

Each `NAME.jsonl` is what a driver would post: a line with an `event`, a `tick` or an `offer`. What each frontend made
of it lies in `golden/`; PYTEST_UPDATE_GOLDEN=1 writes it anew, to be looked at in
the diff.
"""

from __future__ import annotations

import io
import json
import os
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.core.events import Event
from agent.core.frontend import CardOffer, Offer, QuestionOffer, Tick, WorkOffer
from agent.ports import Frontend
from agent.ui.jsonl import Jsonl
from agent.ui.plain import Plain
from tests.support.stage import PATIENCE, Stage

HERE = Path(__file__).parent
CORPUS = sorted(path.stem for path in HERE.glob("*.jsonl"))
SIZES = {"80x24": (24, 80), "160x50": (50, 160)}
STILL_SECONDS = 0.2
UPDATE = bool(os.environ.get("PYTEST_UPDATE_GOLDEN"))

Post = tuple[str, Any]


def posts(name: str) -> Iterator[Post]:
    types: dict[str, Any] = {"event": Event, "tick": Tick, "offer": Offer}
    for line in (HERE / f"{name}.jsonl").read_text("ascii").split("\n"):
        if line:
            [(kind, value)] = json.loads(line).items()
            yield kind, msgspec.convert(value, types[kind])


def send(frontend: Frontend, post: Post) -> None:
    kind, value = post
    {"event": frontend.emit, "tick": frontend.tick, "offer": frontend.offer}[kind](value)


def terminal(name: str, size: str, tmp_path: Path) -> str:
    """Every screen on which something can be answered, and all that remains at the end."""
    rows, columns = SIZES[size]
    screens: list[str] = []

    def story(stage: Stage) -> None:
        for post in posts(name):
            drawn = len(stage.raw)
            send(stage.terminal, post)
            if post[0] == "offer" and not isinstance(post[1], WorkOffer):
                until(lambda drawn=drawn: len(stage.raw) > drawn)
                stage.wait(landmark(post[1]))
                screens.append(settled(lambda: stage.shown))
        screens.append(settled(lambda: stage.everything))

    stage = Stage(tmp_path, rows=rows, columns=columns, first=WorkOffer(""))
    stage.play(story)
    assert_nothing_raw(stage.raw.decode())
    return f"\n{'=' * columns}\n".join(screen.strip("\n") for screen in screens)


def landmark(offer: Offer) -> str:
    """What is on the screen when `offer` is."""
    match offer:
        case CardOffer(card=card):
            return f"━━ {card.position} of {card.total} "
        case QuestionOffer():
            return f"━━ question {offer.asked} "
    return "› "


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def settled(look: Callable[[], str]) -> str:
    """What is shown once it has not changed for a while."""
    seen, since = look(), time.monotonic()
    while time.monotonic() - since < STILL_SECONDS:
        time.sleep(0.02)
        if (now := look()) != seen:
            seen, since = now, time.monotonic()
    return seen


def plain(name: str) -> str:
    out = io.StringIO()
    frontend = Plain(lambda _: None, io.StringIO(""), out, commands={})
    for post in posts(name):
        send(frontend, post)
    frontend.close()
    assert_nothing_raw(out.getvalue())
    return out.getvalue()


def jsonl(name: str) -> str:
    out = io.StringIO()
    frontend = Jsonl(lambda _: None, io.StringIO(""), out)
    for post in posts(name):
        send(frontend, post)
    return out.getvalue()


def assert_nothing_raw(text: str) -> None:
    bad = {"Cf", "Cs", "Co", "Zl", "Zp"}
    assert [hex(ord(char)) for char in text if unicodedata.category(char) in bad] == []
    assert "\x1b]" not in text
    assert "\x9b" not in text


def compare(path: Path, found: str) -> None:
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, "utf-8")
    assert found == path.read_text("utf-8")


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize("size", SIZES)
def test_on_a_terminal(name: str, size: str, tmp_path: Path) -> None:
    compare(HERE / "golden" / f"{name}.{size}.txt", terminal(name, size, tmp_path))


@pytest.mark.parametrize("name", CORPUS)
def test_in_plain_words(name: str) -> None:
    compare(HERE / "golden" / f"{name}.plain.txt", plain(name))


@pytest.mark.parametrize("name", CORPUS)
def test_as_json_lines(name: str) -> None:
    found = jsonl(name)
    found.encode("ascii")
    lines = [json.loads(line) for line in found.split("\n") if line]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    compare(HERE / "golden" / f"{name}.out.jsonl", found)
