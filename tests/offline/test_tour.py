from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.core.chunk import Budget
from agent.core.dialog import ToolChoice
from agent.offline import tour_script as script
from agent.offline.tour import prepare_tour, tour_model
from tests.support.scene import Scene

GitIn = Callable[..., bytes]


@pytest.fixture
def root() -> Iterator[Path]:
    with prepare_tour() as (folder, _):
        yield folder


@pytest.fixture
def scene(root: Path) -> Scene:
    return Scene(tour_model(root, pace_seconds=0), root)


def clean_environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}


def pytest_in(root: Path) -> str:
    """The last line that pytest prints there."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=root, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout.strip().split("\n")[-1]


def play(scene: Scene, choice: int = 0) -> list[str]:
    """The whole tour, everything applied; titles of the cards."""
    titles = []
    scene.say("show me")
    scene.option(choice)
    while scene.call is not None and scene.call.name == "propose":
        titles.append(scene.arguments["title"])
        scene.decide("applied")
    return titles


def test_the_copy_is_a_clean_repository_that_is_gone_afterwards(git_in: GitIn) -> None:
    with prepare_tour() as (root, state):
        assert state.is_dir()
        assert git_in(root, "log", "--format=%s") == b"Start the shop\n"
        assert git_in(root, "status", "--porcelain", "--ignored") == b""
        git_in(root, "fsck", "--strict")
    assert not root.parent.exists()


def test_the_copy_runs_nothing_of_the_persons_and_takes_no_identity_of_theirs(
    hermetic_seal: Path, git_in: GitIn
) -> None:
    hooks = hermetic_seal / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    (hermetic_seal / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n[commit]\n\tgpgSign = true\n")
    with prepare_tour() as (root, _):
        assert git_in(root, "log", "--format=%an") == b"copair tour\n"


def test_nothing_is_left_when_the_process_is_killed() -> None:
    code = (
        "from agent.offline.tour import prepare_tour\n"
        "with prepare_tour() as (root, state):\n"
        "    print(root, flush=True)\n"
        "    input()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip()).parent
    assert (folder / "shop" / "README.md").exists()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()


def test_it_says_that_it_is_a_script_and_asks_first(scene: Scene) -> None:
    scene.say("hello")
    assert "I am a script, no language model" in scene.text
    assert scene.model.name == "scripted tour"
    assert 2 <= len(scene.arguments["options"]) <= 4


def test_the_bug_is_there_before_and_gone_after(scene: Scene, root: Path) -> None:
    assert pytest_in(root).startswith("1 failed, 1 passed")
    titles = play(scene)
    assert titles == [
        "Round the discount as you chose",
        "Print a receipt",
        "Remove unused import: json, os (F401)",
    ]
    assert pytest_in(root).startswith("2 passed")
    assert scene.arguments["summary"] == script.OVER


@pytest.mark.parametrize(("choice", "cents"), [(0, "0.95"), (1, "0.93"), (2, "0.94")])
@pytest.mark.parametrize("revise", [False, True])
def test_each_answer_leads_to_the_code_that_it_promised(
    scene: Scene, root: Path, choice: int, cents: str, revise: bool
) -> None:
    scene.say("go")
    scene.option(choice)
    if revise:
        scene.revise("a method of its own")
        assert "a method of its own" in scene.text
    scene.decide("applied")
    scene.decide("applied")
    ran = subprocess.run(
        [sys.executable, "-m", "shop.main", "egg=35", "egg=35", "egg=35"],
        cwd=root, env=clean_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.split("\n")[-2] == f"Total{cents:>27}"


def test_refusing_all_changes_nothing_and_still_ends(scene: Scene, root: Path, git_in: GitIn) -> None:
    scene.say("go")
    scene.answer("as you like")
    while scene.call is not None and scene.call.name == "propose":
        scene.decide("rejected", "no")
    assert scene.call is not None
    assert scene.call.name == "finish"
    assert git_in(root, "status", "--porcelain") == b""


def test_a_question_about_a_card_is_answered_in_words(scene: Scene) -> None:
    scene.say("go")
    scene.option(0)
    scene.say('The person asks about chunk c1 "Round", still undecided: why?', ToolChoice.NONE)
    assert scene.call is None
    assert "“Round”" in scene.text


def test_other_words_are_not_pretended_to_be_followed(scene: Scene) -> None:
    scene.say("go")
    scene.option(0)
    scene.result('chunk c1 "x": deferred (a new instruction came first)', more="write a compiler")
    assert script.NOT_FOLLOWED.strip() in scene.text
    assert scene.call is not None


def test_after_the_end_it_says_how_to_go_on(scene: Scene) -> None:
    play(scene)
    scene.result("finished", more="and now?")
    assert scene.call is None
    assert "copair connect" in scene.text


def test_undo_is_shown_and_the_last_card_is_the_offline_pair(scene: Scene) -> None:
    scene.say("go")
    scene.option(0)
    scene.decide("applied")
    scene.decide("applied")
    assert "`u` takes the last one back" in scene.text
    assert "comes from the offline pair" in scene.text
    assert scene.arguments["serves"] == "ruff F401"


def test_after_a_no_an_undo_by_name_is_shown(scene: Scene) -> None:
    scene.say("go")
    scene.option(0)
    scene.decide("applied")
    scene.decide("rejected")
    assert "`u` takes the last one back" not in scene.text
    assert "`/undo` and the number of one that you applied" in scene.text


def test_every_card_keeps_the_limits(scene: Scene) -> None:
    budget = Budget()
    scene.say("go")
    for why in script.WHYS:
        assert len(why) <= budget.why_chars
    scene.option(0)
    while scene.call is not None and scene.call.name == "propose":
        assert len(scene.arguments["why"]) <= budget.why_chars
        assert all(edit["because"] for edit in scene.arguments["edits"])
        scene.decide("applied")


def test_the_large_proposal_is_larger_than_a_card() -> None:
    assert script.RECEIPT_TEXT.count("\n") > Budget().lines


def test_variables_of_git_do_not_lead_the_tour_into_the_persons_repository(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(path.name for path in (repo / ".git").iterdir())
    monkeypatch.setenv("GIT_DIR", str(repo / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo / ".git" / "index"))
    with prepare_tour() as (root, _):
        assert (root / ".git" / "index").is_file()
    assert sorted(path.name for path in (repo / ".git").iterdir()) == before
