"""Offers that come faster than the one before was put away: the last one is what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core import events as ev
from agent.core.cards.view import card_view
from agent.core.dialog import Protocol
from agent.core.frontend import Card, CardOffer, Decide, Move, PromptOffer, Quit, WorkOffer
from agent.core.review import Ask, Reject
from agent.ui.keys import footer, help_lines
from agent.ui.paint import MONO, plain_text
from tests.support.cards import card, checked
from tests.support.stage import Stage


def offer_again(stage: Stage, shown: Card) -> None:
    stage.terminal.offer(WorkOffer())
    stage.terminal.offer(CardOffer(shown))


def test_a_card_that_comes_back_at_once_after_a_question_is_shown_again(tmp_path: Path) -> None:
    """As with a built-in peer, or a server that refuses: the answer is there before the card is gone."""
    shown = card()

    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.terminal.offer(CardOffer(shown))
        for question in ("why?", "really?"):
            stage.wait("y apply")
            stage.press(f"a{question}\r")
            assert stage.heard() == Decide("1", shown.digest, Ask(question))
            stage.wait(f"› {question}", gone=True)  # or its keys would be taken for those of the next card
            stage.after(lambda: offer_again(stage, shown))
        stage.wait("one moment", gone=True)
        stage.press("q")
        assert isinstance(stage.heard(), Quit)

    Stage(tmp_path).play(story)


def test_a_prompt_that_comes_back_at_once_is_shown_again(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.terminal.offer(PromptOffer("one"))
        stage.wait("one")
        stage.terminal.offer(WorkOffer())
        stage.terminal.offer(PromptOffer("two"))
        stage.wait("two")

    Stage(tmp_path).play(story)


@pytest.mark.parametrize("page", ["?", "d"])
@pytest.mark.parametrize("key", ["y", "n", "q"])
def test_a_decision_on_another_page_first_goes_back_to_the_diff(tmp_path: Path, page: str, key: str) -> None:
    """A yes counts for what is on the screen, and `q` closes what was opened last."""
    shown = checked(card())

    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.after(lambda: stage.terminal.offer(CardOffer(shown)))
        before = stage.wait("? help")
        stage.press(page)
        stage.press(key)
        assert stage.silent()
        stage.wait_for(before)

    Stage(tmp_path).play(story)


def test_escape_closes_a_page(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.after(lambda: stage.terminal.offer(CardOffer(checked(card()))))
        before = stage.wait("? help")
        for page in ("?", "d"):
            stage.press(page)
            stage.wait("back to the card")
            stage.press("\x1b")
            stage.wait_for(before)
        assert stage.silent()

    Stage(tmp_path).play(story)


def test_a_key_that_decides_nothing_closes_the_help_and_acts(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.after(lambda: stage.terminal.offer(CardOffer(checked(card()))))
        stage.wait("? help")
        stage.press("?")
        stage.wait("back to the card")
        stage.press("v")
        stage.wait("10 lines around each change")
        stage.wait("back to the card", gone=True)
        stage.press("?")
        stage.wait("back to the card")
        stage.press("j")
        assert stage.heard() == Move(by=1)

    Stage(tmp_path).play(story)


def test_the_help_of_a_key_goes_on_below_its_words_in_a_narrow_terminal() -> None:
    lines = plain_text(help_lines(card_view(card()), MONO, 40)).split("\n")
    at = next(n for n, line in enumerate(lines) if line.startswith("   r  "))
    assert lines[at : at + 2] == ["   r  say what to change; a new proposal", "      follows"]
    assert all(line.startswith(("   ", "      ")) or not line for line in lines)
    assert max(map(len, lines)) <= 40


def test_the_colon_takes_commands_and_without_a_model_nothing_else() -> None:
    with_model, without = (
        plain_text(help_lines(card_view(card(unanswered=unanswered)), MONO, 120))
        for unanswered in (False, True)
    )
    assert ":  a command (/commit, /later 2…), a number to go to, or a new instruction" in with_model
    assert ":  a command (/commit, /later 2…), or a number to go to\n" in without


def test_on_ones_own_work_n_leaves() -> None:
    own = card_view(card(onto="index"))
    assert "y stage  n leave" in plain_text([footer(own, 100, MONO)])
    assert "n  leave it as it is in your files, and stage nothing" in plain_text(help_lines(own, MONO, 120))


def test_a_no_to_ones_own_work_says_that_it_is_left(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.emit(ev.Started(1, "s", 0.0, "r", "h", "m", Protocol.TOOLS, onto="index"))
        stage.terminal.offer(CardOffer(card(onto="index")))
        stage.wait("n leave")
        stage.press("n")
        stage.wait("left as it is; why?")
        stage.send("\r")
        assert isinstance(stage.heard(), Decide)
        stage.terminal.emit(ev.Decided("1", Reject()))
        stage.wait("✗ left as it is  Stop at the end of the input")

    Stage(tmp_path, first=WorkOffer(), reason_seconds=5.0).play(story)
