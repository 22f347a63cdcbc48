from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.dialog import Fault, FaultKind, Request, ToolChoice, UserMessage
from agent.offline.pair import OfflinePair
from agent.ports import Cancel
from tests.support.scene import Scene, listing, reader

SETTINGS = '[lint]\nselect = ["F", "E711", "E741", "B006"]\n'
MESSY = """import os
import re
import sys


def f(a, b):
    if a == None:
        return re.compile(b)
    if b == None:
        return sys.path
    l = 1
    return l
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (folder / "ruff.toml").write_text(SETTINGS)
    (folder / "src" / "messy.py").write_text(MESSY)
    (folder / "top.py").write_text("import json\nimport os\n")
    return folder.resolve()


@pytest.fixture
def scene(root: Path) -> Iterator[Scene]:
    yield Scene(OfflinePair(root, listing(root), reader(root)), root)


def test_it_says_what_it_is_and_asks_which_rules_to_take(scene: Scene) -> None:
    scene.say("fix the failing test")
    assert "no language model" in scene.text
    assert "ruff has 6 findings in 2 of 2 Python files, and 5 fixes for them." in scene.text
    question = scene.arguments
    assert question["options"] == [
        "F401 unused-import: 3 fixes",
        "E711 none-comparison: 2 fixes, none safe",
        "All 5 fixes, rule by rule",
    ]
    assert question["default"] == 0
    assert question["looked_at"] == ["ruff, its settings from this repository: 2 Python files"]


def test_rules_that_have_no_option_of_their_own_are_named_too(scene: Scene, root: Path) -> None:
    (root / "ruff.toml").write_text('[lint]\nselect = ["F401", "E711", "F541", "I001"]\n')
    (root / "src" / "messy.py").write_text(
        "import sys\nimport json\nimport os\n\nx = f'a'\nif x == None:\n    print(sys, json)\n"
    )
    (root / "top.py").unlink()
    scene.say("ruff, please")
    assert "4 fixes for them." in scene.text
    named = [*scene.arguments["options"][:-1], scene.arguments["why_it_matters"]]
    for rule in ("F401", "E711", "F541", "I001"):
        assert sum(f"{rule} " in text for text in named) == 1
    assert "Behind these come I001 unsorted-imports: 1 fix; name a rule" in named[-1]


def test_one_fix_at_a_time_with_the_documentation_as_its_why(scene: Scene, root: Path) -> None:
    scene.say("ruff, please")
    scene.option(0)
    first = scene.arguments
    assert first["title"] == "Remove unused import: os (F401)"
    assert first["why"].startswith("Unused imports add a performance overhead at runtime")
    assert len(first["why"]) <= 240
    assert first["edits"] == [
        {
            "because": "src/messy.py:1 F401: `os` imported but unused",
            "path": "src/messy.py",
            "old": "import os\n",
            "new": "",
        }
    ]
    assert "once in this file before, no more after" in scene.text
    scene.decide("applied")
    assert "Applied. ruff now finds no F401 in src/messy.py." in scene.text
    assert (root / "src" / "messy.py").read_text() == MESSY.removeprefix("import os\n")


def test_a_whole_session_ends_with_what_was_done_and_what_is_left(scene: Scene) -> None:
    scene.say("clean up everything")
    while scene.call is not None and scene.call.name == "propose":
        scene.decide("applied")
    assert scene.call is not None
    assert scene.call.name == "finish"
    assert scene.arguments["summary"] == "4 changes applied. Without an automatic fix: src/messy.py:10 E741."


def test_a_rejected_fix_is_not_offered_again(scene: Scene) -> None:
    scene.say("fix F401")
    rejected = scene.arguments["edits"]
    scene.decide("rejected", "keep it")
    assert "will not offer it again" in scene.text
    offered = []
    while scene.call is not None and scene.call.name == "propose":
        offered.append(scene.arguments["edits"])
        scene.decide("applied")
    assert offered
    assert rejected not in offered
    scene.say("fix F401 in src/")
    assert scene.call is not None
    assert scene.call.name == "finish"


def test_a_deferred_fix_comes_again_with_the_next_instruction(scene: Scene) -> None:
    scene.say("fix F401 in src/messy.py")
    put_off = scene.arguments["edits"]
    scene.decide("deferred")
    assert scene.call is not None
    assert scene.call.name == "finish"
    scene.say("fix F401 in src/messy.py")
    assert scene.arguments["edits"] == put_off


def test_an_unsafe_fix_carries_its_risk(scene: Scene) -> None:
    scene.say("fix E711")
    assert scene.arguments["risks"][0].startswith("ruff calls this fix unsafe: ")


@pytest.mark.parametrize(
    ("said", "path"),
    [("fix F401 in src/", "src/messy.py"), ("fix F401 in `top.py`", "top.py"), ("f401 @top.py", "top.py")],
)
def test_rules_and_places_are_understood(scene: Scene, said: str, path: str) -> None:
    scene.say(said)
    assert scene.arguments["edits"][0]["path"] == path


def test_a_rule_may_be_named_by_its_name(scene: Scene) -> None:
    scene.say("remove every unused import")
    assert scene.arguments["serves"] == "ruff F401"


def test_a_rule_that_the_settings_leave_out_is_taken_when_it_is_named(scene: Scene, root: Path) -> None:
    (root / "top.py").write_text("import json, os\nprint(json, os)\n")
    scene.say("fix E401 in top.py")
    assert scene.arguments["serves"] == "ruff E401"


def test_an_unknown_rule_is_said(scene: Scene) -> None:
    scene.say("fix XYZ999")
    assert "ruff knows no rule XYZ999" in scene.text


def test_an_answer_in_free_text_names_the_rule(scene: Scene) -> None:
    scene.say("hello")
    scene.answer("rather E711 please")
    assert scene.arguments["serves"] == "ruff E711"


@pytest.mark.parametrize("words", ["none", "stop", "nothing, thanks"])
def test_an_answer_may_be_no(scene: Scene, words: str) -> None:
    scene.say("hello")
    scene.answer(words)
    assert scene.call is not None
    assert scene.call.name == "finish"


def test_an_answer_that_it_does_not_understand_is_said(scene: Scene) -> None:
    scene.say("hello")
    scene.answer("the purple ones")
    assert scene.call is None
    assert "I did not understand that" in scene.text


def test_a_revision_is_answered_honestly_with_what_it_can_do(scene: Scene) -> None:
    scene.say("fix F401 in src/")
    scene.revise("rename it instead")
    question = scene.arguments
    assert "cannot follow free text" in question["text"]
    assert 2 <= len(question["options"]) <= 4


def test_the_other_way_is_to_silence_the_line(scene: Scene, root: Path) -> None:
    scene.say("fix F401 in src/")
    scene.revise("keep it")
    scene.option(1)
    assert scene.arguments["edits"][0]["new"] == "import os  # noqa: F401\n"
    assert "stays in the code" in scene.arguments["risks"][0]
    scene.decide("applied")
    assert "ruff now finds no F401" in scene.text


def test_a_rule_that_is_left_alone_is_not_offered_again(scene: Scene) -> None:
    scene.say("fix all findings")
    assert scene.arguments["serves"] == "ruff F401"
    scene.revise("no")
    scene.option(2)
    assert scene.arguments["serves"] == "ruff E711"


def test_skipping_goes_on_with_the_next(scene: Scene) -> None:
    scene.say("fix F401")
    scene.revise("no")
    scene.option(0)
    assert scene.arguments["edits"][0]["path"] == "top.py"


def test_a_question_about_a_card_is_answered_in_words_only(scene: Scene) -> None:
    scene.say("fix F401")
    scene.say('The person asks about chunk c1 "t", still undecided: why?', ToolChoice.NONE)
    assert scene.call is None
    assert "what ruff's documentation says of F401 (unused-import)" in scene.text


def test_a_used_up_budget_of_questions_does_not_stop_it(scene: Scene) -> None:
    scene.say("hello")
    scene.result("Your questions for this task are used up.", is_error=True)
    assert scene.call is not None
    assert scene.call.name == "propose"


def test_a_proposal_that_could_not_be_placed_is_left_out(scene: Scene) -> None:
    scene.say("fix F401 in src/")
    scene.result("The old text is not in the file.", is_error=True)
    assert "could not be placed" in scene.text
    assert scene.call is not None
    assert scene.call.name == "finish"


def test_two_names_of_one_import_are_one_change(scene: Scene, root: Path) -> None:
    (root / "top.py").write_text("from os import path, sep\n")
    scene.say("fix F401 in top.py")
    assert scene.arguments["edits"][0]["because"].count("imported but unused") == 2


def test_neighbouring_fixes_of_a_rule_are_one_change(scene: Scene, root: Path) -> None:
    (root / "top.py").write_text("x = f() == None\ny = f() == None\n\n\nz = f() == None\n")
    scene.say("fix E711 in top.py")
    assert scene.arguments["edits"][0]["new"] == "x = f() is None\ny = f() is None\n"
    scene.decide("rejected")
    assert scene.arguments["edits"][0]["new"] == "z = f() is None\n"


def test_no_python_and_no_findings_are_said(tmp_path: Path) -> None:
    scene = Scene(OfflinePair(tmp_path, listing(tmp_path), reader(tmp_path)), tmp_path)
    scene.say("hello")
    assert "There are no Python files" in scene.text
    (tmp_path / "a.py").write_text("x = 1\n")
    scene.say("hello")
    assert "ruff finds nothing in 1 Python file" in scene.text


def test_settings_that_cannot_be_used_are_said_and_left(scene: Scene, root: Path) -> None:
    (root / "ruff.toml").write_text("[lint]\nselect = ['NOPE']\n")
    scene.say("fix F401")
    assert "cannot be used" in scene.text
    assert scene.arguments["serves"] == "ruff F401"


def test_settings_that_would_make_ruff_write_do_not(scene: Scene, root: Path) -> None:
    (root / "ruff.toml").write_text(
        f'fix = true\nunsafe-fixes = true\nfix-only = true\ncache-dir = "c"\n{SETTINGS}'
    )
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    scene.say("fix F401")
    assert scene.arguments["serves"] == "ruff F401"
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_odd_files_are_looked_at_and_left_whole(scene: Scene, root: Path) -> None:
    (root / "broken.py").write_text("def f(:\n")
    (root / "latin.py").write_bytes("import os  # é\n".encode("latin-1"))
    (root / "empty.py").write_text("")
    (root / "-weird name.py").write_bytes(b"\xef\xbb\xbfimport os\r\nprint('\xc3\xa9')\r\n")
    (root / "link.py").symlink_to("top.py")
    (root / "gone.py").symlink_to("nowhere.py")
    scene.say("fix F401")
    while scene.call is not None and scene.call.name == "propose":
        assert scene.arguments["edits"][0]["path"] not in ("link.py", "latin.py")
        scene.decide("applied")
    assert (root / "-weird name.py").read_bytes() == b"\xef\xbb\xbfprint('\xc3\xa9')\r\n"


def test_the_same_history_gives_the_same_reply(root: Path) -> None:
    request = Request("", (), (UserMessage("fix F401"),))
    first = list(OfflinePair(root, listing(root), reader(root)).stream(request, Cancel()))
    assert list(OfflinePair(root, listing(root), reader(root)).stream(request, Cancel())) == first


def test_a_cancelled_reply_ends_as_cancelled(root: Path) -> None:
    cancel = Cancel()
    cancel.cancel()
    events = list(
        OfflinePair(root, listing(root), reader(root)).stream(Request("", (), (UserMessage("x"),)), cancel)
    )
    assert isinstance(events[-1], Fault)
    assert events[-1].kind is FaultKind.CANCELLED
