"""Offers that come faster than the one before was put away: the last one is what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.frontend import Card, CardOffer, Decide, PromptOffer, Quit, WorkOffer
from agent.core.review import Ask
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
