"""Plain lines: nothing is approved by accident, everything is said in words."""

from __future__ import annotations

import io
import queue
import threading
import unicodedata
from collections.abc import Callable

import msgspec
import pytest

from agent.core import events as ev
from agent.core.frontend import (
    AnswerIn,
    Card,
    CardOffer,
    Command,
    Decide,
    Input,
    Notice,
    PromptOffer,
    QuestionOffer,
    Quit,
    Say,
    TextTick,
)
from agent.core.review import Answer, Approve, Ask, Question, Reject
from agent.ui.plain import Plain
from tests.support.cards import card, checked

Reply = Callable[[Plain, Input], None]


class Piped(io.StringIO):
    def __init__(self, text: str, terminal: bool = False) -> None:
        super().__init__(text)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def play(typed: str, *offers: object, terminal: bool = False) -> tuple[list[Input], str]:
    """Offer `offers` one after the other, each after an input; what came in, and what was shown."""
    inbox: queue.SimpleQueue[Input] = queue.SimpleQueue()
    out = io.StringIO()
    plain = Plain(inbox.put, Piped(typed, terminal), out, commands={"cost": "tokens"})
    heard: list[Input] = []

    def drive() -> None:
        waiting = list(offers)
        plain.offer(waiting.pop(0))  # type: ignore[arg-type]
        while not isinstance(heard[-1] if heard else None, Quit):
            heard.append(inbox.get(timeout=5))
            if not isinstance(heard[-1], Quit):
                plain.offer(waiting.pop(0) if waiting else PromptOffer("end"))  # type: ignore[arg-type]
        plain.close()

    thread = threading.Thread(target=drive, daemon=True)
    thread.start()
    plain.run()
    thread.join(5)
    return heard, out.getvalue()


def yes(shown: Card) -> str:
    return f"y {shown.digest[:8]}\n"


def test_a_card_is_said_in_words_without_signs_or_boxes() -> None:
    _, out = play("", CardOffer(checked(card())))
    for line in (
        "Card 1 of 1: Stop at the end of the input",
        "Why: Parser.parse reads past the last token, so an unfinished line ends in IndexError.",
        "Evidence: verified: test_parse: 2 failed → passed",
        "File src/parse.py: 3 lines added, 1 removed",
        'removed 13:         if token.kind == "NAME":',
        "added 13:             raise ParseError(self.at)",
    ):
        assert line in out.split("\n")
    assert not any("BOX DRAWINGS" in unicodedata.name(char, "") for char in out)


@pytest.mark.parametrize("found", [False, True])
def test_what_is_awaited_is_said_to_have_not_come(found: bool) -> None:
    own = card(checks=("tests",))
    shown = msgspec.structs.replace(own, checking=True)
    over = msgspec.structs.replace(checked(own) if found else own, checking=False)
    _, out = play("j\nj\nj\n", CardOffer(shown), CardOffer(over), CardOffer(shown), CardOffer(over))
    assert out.split("\n").count("Evidence: none came") == (0 if found else 1)


def test_without_checks_no_evidence_is_announced_and_none_missed() -> None:
    shown = card(checking=True)
    _, out = play("j\nj\n", CardOffer(shown), CardOffer(msgspec.structs.replace(shown, checking=False)))
    assert "Evidence" not in out


def test_at_the_end_of_input_everything_undecided_stays_undecided() -> None:
    heard, _ = play("fix it\n", PromptOffer(), CardOffer(card()))
    assert heard == [Say("fix it"), Quit("end")]


@pytest.mark.parametrize("line", ["y", "yes", "apply", "y 00000000", "y abc"])
def test_on_a_pipe_a_yes_must_name_what_was_seen(line: str) -> None:
    heard, out = play(f"{line}\n", CardOffer(card()))
    assert heard == [Quit("end")]
    assert f"y {card().digest[:8]}" in out


def test_on_a_pipe_a_yes_with_the_digest_is_a_yes() -> None:
    shown = card()
    heard, _ = play(yes(shown), CardOffer(shown), PromptOffer())
    assert heard[0] == Decide("1", shown.digest, Approve(shown.digest))


def test_on_a_terminal_y_is_enough_unless_it_is_risky() -> None:
    shown, risky = card(), card(new=None)
    assert play("y\n", CardOffer(shown), terminal=True)[0][0] == Decide(
        "1", shown.digest, Approve(shown.digest)
    )
    heard, out = play("y\napply\n", CardOffer(risky), terminal=True)
    assert heard == [Decide("1", risky.digest, Approve(risky.digest)), Quit("end")]
    assert "type the word apply" in out


def test_reasons_questions_and_commands() -> None:
    shown = card()
    heard, _ = play(
        "/cost now\nn not needed\na why?\n",
        PromptOffer(),
        CardOffer(shown),
        CardOffer(card(title="two")),
        PromptOffer(),
    )
    assert heard == [
        Command("cost", "now"),
        Decide("1", shown.digest, Reject("not needed")),
        Decide("1", shown.digest, Ask("why?")),
        Quit("end"),
    ]


def test_an_unknown_word_decides_nothing() -> None:
    heard, out = play("sure\n\n", CardOffer(card()))
    assert heard == [Quit("end")]
    assert "Nothing was done." in out


def test_questions() -> None:
    question = QuestionOffer("q", Question("Which?", "It matters.", ("one", "two"), 0))
    assert play("2\n", question)[0][0] == AnswerIn("q", Answer(1))
    for words in ("neither", "²", "3", "1" * 5000):
        assert play(f"{words}\n", question)[0][0] == AnswerIn("q", Answer(None, words))
    assert play("\n", question)[0] == [Quit("end")]
    assert play("\n", question, terminal=True)[0][0] == AnswerIn("q", Answer(0))


def test_text_is_shown_line_by_line_and_clean() -> None:
    out = io.StringIO()
    plain = Plain(lambda _: None, Piped(""), out, commands={})
    plain.tick(TextTick("one\x1b[31m\ntw"))
    assert out.getvalue() == "one␛[31m\n"
    plain.tick(TextTick("o"))
    plain.emit(ev.TurnFailed("network", "cut\u202e", "again"))
    plain.tick(Notice("error", "bad\x07"))
    assert out.getvalue() == "one␛[31m\ntwo\nfailed: cut<U+202E>\nhint: again\nerror: bad␇\n"
