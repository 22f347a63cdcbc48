"""Proposals that are more than one card: cut, linked, blocked with the reason, or sent back with their borders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.frontend import Card, CardOffer, Decide, Input, Quit, Say
from agent.core.review import Approve, Reject, Split
from agent.core.sessions.session import Item, Status
from agent.offline.tour_script import LARGE_PROPOSAL, MAIN, RECEIPT
from tests.support.bench import Played, Script, call, play, propose
from tests.support.people import Act, Person, decide, say

pytestmark = pytest.mark.timeout(20)
GitIn = Callable[..., bytes]
MAIN_TEXT = """from shop.basket import Basket


def main(basket: Basket) -> None:
    print(basket.total())
"""


@pytest.fixture
def shop(repo: Path, git_in: GitIn) -> Path:
    (repo / "shop").mkdir()
    (repo / MAIN).write_text(MAIN_TEXT)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


def defines(card: Card, name: str) -> bool:
    return any(
        f"def {name}(".encode() in line
        for change in card.chunk.changes
        for hunk in change.hunks
        for line in hunk.new
    )


def without(name: str) -> Act:
    """Refuse what defines `name`, approve the rest; quit when there are no more cards."""

    def act(person: Person) -> Input:
        if not isinstance(person.offers[-1], CardOffer):
            return Quit()
        card = person.card
        if defines(card, name):
            return Decide(card.chunk.id, card.digest, Reject("not like this"))
        return Decide(card.chunk.id, card.digest, Approve(card.digest))

    return act


def by_path(played: Played, path: str) -> list[Item]:
    return [item for item in played.state.items if path in item.chunk.paths]


def test_what_uses_a_refused_definition_of_the_same_proposal_is_blocked_and_says_so(shop: Path) -> None:
    model = Script(call("propose", **LARGE_PROPOSAL))
    played = play(shop, model, say(Say("a receipt")), *[without("receipt")] * 9)
    refused = next(item for item in by_path(played, RECEIPT) if item.status is Status.REJECTED)
    blocked = by_path(played, MAIN)
    assert {item.status for item in blocked} == {Status.BLOCKED}
    assert f"uses `receipt` of {refused.chunk.id}" in blocked[0].reason
    assert (shop / MAIN).read_text() == MAIN_TEXT
    assert f"uses `receipt` of {refused.chunk.id}" in played.model.said(1)


def test_all_chunks_of_a_proposal_make_what_was_proposed(shop: Path) -> None:
    played = play(
        shop, Script(call("propose", **LARGE_PROPOSAL)), say(Say("a receipt")), *[without("nothing")] * 9
    )
    assert len(played.state.items) > 2
    assert (shop / RECEIPT).read_text() == LARGE_PROPOSAL["edits"][0]["content"]
    assert "print(receipt(basket))" in (shop / MAIN).read_text()


def test_a_chunk_that_needs_one_that_was_split_needs_its_parts(shop: Path) -> None:
    played = play(
        shop,
        Script(call("propose", **LARGE_PROPOSAL)),
        say(Say("a receipt")),
        decide(Split()),
        decide(Reject()),
    )
    names = {item.chunk.id for item in played.state.items}
    needs = {need for item in played.state.items for need in item.chunk.needs}
    assert needs
    assert needs <= names
    assert any(item.status is Status.BLOCKED for item in played.state.items)


def test_a_new_file_beyond_the_limit_is_sent_back_with_its_borders_and_never_shown(shop: Path) -> None:
    functions = [f"def part{n}():\n" + "    step()\n" * 16 for n in range(9)]
    model = Script(propose({"path": "shop/large.py", "content": "\n\n".join(functions)}))
    played = play(shop, model, say(Say("all of it")))
    assert not played.person.cards
    told = played.model.said(1)
    assert "169 changed lines in 1 file; the limit is 100 lines in 3 files, 25 are good" in told
    assert "part3: " in told
    assert not (shop / "shop/large.py").exists()


def test_a_proposal_in_four_files_is_sent_back(shop: Path) -> None:
    edits = [{"path": f"shop/part{n}.py", "content": "x = 1\n"} for n in range(4)]
    played = play(shop, Script(propose(*edits)), say(Say("all of it")))
    assert not played.person.cards
    assert "4 changed lines in 4 files" in played.model.said(1)
