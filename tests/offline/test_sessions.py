"""Whole sessions with the built-in peers: real repository, real driver, a scripted person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from agent.core import events as ev
from agent.core.frontend import CardOffer, Decide, Input, PromptOffer, QuestionOffer, Quit, Say, Undo
from agent.core.review import Approve, Ask, Defer, Evidence, EvidenceKind, Reject, Revise, Verdict
from agent.core.sessions.session import Status
from agent.offline.pair import OfflinePair
from agent.offline.tour import prepare_tour, tour_model
from tests.support.bench import Played, play
from tests.support.people import Act, Person, answer, approve, decide, say

GitIn = Callable[..., bytes]
MESSY = (
    "import os\nimport json\nimport re\n\n\ndef f(a):\n    if a == None:\n        return re\n    return a\n"
)


def yes(person: Person) -> Input:
    """Approve every card, take the first option, and leave at the prompt."""
    match person.offers[-1]:
        case CardOffer():
            return approve(person)
        case QuestionOffer():
            done = answer(0)(person)
            assert done is not None
            return done
        case _:
            return Quit()


def tour(*script: Act) -> Iterator[tuple[Path, Played]]:
    with prepare_tour() as (root, _):
        model: Any = tour_model(root, pace_seconds=0)
        yield root, play(root, model, say(Say("show me")), *script, source="tour")


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "ruff.toml").write_text('[lint]\nselect = ["F", "E711"]\n')
    (repo / "messy.py").write_text(MESSY)
    (repo / ".gitignore").write_text("ignored.py\n")
    (repo / "ignored.py").write_text("import os\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    (repo / "untracked.py").write_bytes(b"import os\r\nx = 1\r\n")
    return repo


def pair(root: Path) -> Any:
    def read(path: str) -> Any:
        from agent.core.hunk import FileState, Mode

        full = root / path
        return FileState(Mode.FILE, full.read_bytes()) if full.is_file() else None

    def names() -> list[str]:
        return sorted(str(path.relative_to(root)) for path in root.glob("*.py") if path.name != "ignored.py")

    return OfflinePair(root, names, read)


def cards(played: Played) -> list[str]:
    return [card.chunk.title for card in played.person.cards]


def test_a_session_of_the_offline_pair_cleans_up_and_stays_within_the_yes(
    project: Path, git_in: GitIn
) -> None:
    index = (project / ".git" / "index").read_bytes()
    played = play(project, pair(project), say(Say("clean up everything")), *repeat(yes, 30))
    assert (
        project / "messy.py"
    ).read_text() == "import re\n\n\ndef f(a):\n    if a is None:\n        return re\n    return a\n"
    assert (project / "untracked.py").read_bytes() == b"x = 1\r\n"
    assert (project / "ignored.py").read_text() == "import os\n"
    assert (project / ".git" / "index").read_bytes() == index
    finished = [event.summary for event in played.person.events if isinstance(event, ev.Finished)]
    assert finished == ["3 changes applied. ruff finds nothing more here."]
    assert not [event for event in played.person.events if isinstance(event, ev.ProposalRefused)]


def test_every_card_of_the_pair_matches_exactly_and_names_nothing_that_is_not_there(project: Path) -> None:
    played = play(project, pair(project), say(Say("clean up everything")), *repeat(yes, 30))
    for card in played.person.cards:
        assert {because.grade.value for because in card.chunk.because} == {"exact"}
        contradicted = [one for one in card.evidence if one.verdict.value == "contradicted"]
        assert contradicted == []


def test_reasons_notes_and_questions_go_through_the_real_session(project: Path) -> None:
    played = play(
        project,
        pair(project),
        say(Say("fix F401")),
        decide(Reject("we need it")),
        decide(Revise("rename it")),
        answer(0),
        say(Say("fix E711")),
        approve,
    )
    assert [item.status for item in played.state.items] == [Status.REJECTED, Status.DROPPED, Status.APPLIED]
    assert (project / "messy.py").read_text() == MESSY.replace("== None", "is None")


def test_what_was_put_off_by_a_new_instruction_comes_again(project: Path) -> None:
    played = play(
        project,
        pair(project),
        say(Say("fix F401 in messy.py")),
        decide(Defer()),
        say(Say("fix F401 in messy.py")),
        approve,
    )
    assert played.state.items[-1].status is Status.APPLIED


def test_the_tour_plays_through_with_a_split_and_ends_with_a_mended_shop() -> None:
    for root, played in tour(*repeat(yes, 30)):
        titles = cards(played)
        assert (titles[0], titles[-1]) == (
            "Round the discount as you chose",
            "Remove unused import: json, os (F401)",
        )
        assert 2 <= len(titles[1:-1]) <= 5
        assert all(card.chunk.changed_lines <= 25 for card in played.person.cards)
        assert {item.status for item in played.state.items} == {Status.APPLIED}
        assert "import json" not in (root / "shop" / "basket.py").read_text()
        assert "def receipt" in (root / "shop" / "receipt.py").read_text()
        assert isinstance(played.person.offers[-1], PromptOffer)
        assert not [event for event in played.person.events if isinstance(event, ev.ProposalRefused)]


def test_the_tour_comes_back_with_another_version_after_a_revision() -> None:
    for root, played in tour(answer(0), decide(Revise("give it a name")), *repeat(yes, 30)):
        assert "def _discount" in (root / "shop" / "basket.py").read_text()
        assert played.state.items[0].status is Status.DROPPED


def test_the_tour_goes_on_when_everything_is_refused(git_in: GitIn) -> None:
    def no(person: Person) -> Input:
        if isinstance(person.offers[-1], CardOffer):
            return Decide(person.card.chunk.id, person.card.digest, Reject("no"))
        return yes(person)

    for root, played in tour(*repeat(no, 30)):
        assert git_in(root, "status", "--porcelain") == b""
        assert any(isinstance(event, ev.Finished) for event in played.person.events)


def test_undo_in_the_tour_takes_the_last_one_back() -> None:
    undone: list[str] = []

    def undo_once(person: Person) -> Input:
        last = person.offers[-1]
        if isinstance(last, CardOffer) and "F401" in last.card.chunk.title and not undone:
            undone.append(last.card.chunk.id)
            return Undo("")
        return yes(person)

    for root, played in tour(*repeat(undo_once, 40)):
        assert [item.status for item in played.state.items].count(Status.UNDONE) == 1
        assert "import json" not in (root / "shop" / "basket.py").read_text()


def test_approval_is_of_exactly_what_the_card_shows(project: Path) -> None:
    def stale(person: Person) -> Input:
        return Decide(person.card.chunk.id, person.card.digest, Approve("0" * 64))

    play(project, pair(project), say(Say("fix E711")), stale)
    assert (project / "messy.py").read_text() == MESSY


def test_a_question_about_the_card_leaves_it_open(project: Path) -> None:
    played = play(project, pair(project), say(Say("fix E711")), decide(Ask("why?")), approve)
    assert (project / "messy.py").read_text() == MESSY.replace("== None", "is None")
    assert len(played.person.cards) == 2
    said = [event.text for event in played.person.events if isinstance(event, ev.Replied)]
    assert "documentation says of E711" in said[1]


def test_a_card_of_the_pair_shows_the_finding_before_and_none_after(project: Path) -> None:
    def when_examined(person: Person) -> None:
        decision = approve(person)

        def wait() -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not findings(person):
                time.sleep(0.01)
            person._inbox.put(decision)

        threading.Thread(target=wait, daemon=True).start()

    def findings(person: Person) -> list[Evidence]:
        made = [event.evidence for event in person.events if isinstance(event, ev.Examined)]
        return [evidence for evidence in made if evidence.kind is EvidenceKind.FINDING]

    played = play(project, pair(project), say(Say("fix E711")), when_examined)
    (evidence,) = findings(played.person)
    assert (evidence.verdict, evidence.summary) == (Verdict.VERIFIED, "ruff E711: 1 finding → none")
    assert "== None" not in (project / "messy.py").read_text()
