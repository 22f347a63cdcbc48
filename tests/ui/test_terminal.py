"""The terminal frontend on a real pseudo-terminal: do, look at the screen, do, look."""

from __future__ import annotations

import os
import re
import signal
import stat
import termios
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pyte
import pytest

from agent.core import events as ev
from agent.core.frontend import (
    AnswerIn,
    CardOffer,
    Command,
    Decide,
    Interrupt,
    Move,
    Notice,
    PromptOffer,
    QuestionOffer,
    Quit,
    RunChecks,
    Say,
    StackRow,
    StackTick,
    TextTick,
    Undo,
    WhyTick,
    WorkOffer,
)
from agent.core.hunk import FileState
from agent.core.review import Answer, Approve, Ask, Defer, Edit, Question, Reject, Revise, Split, Verdict
from agent.ui.overview import Overview
from agent.ui.paint import MONO
from tests.support.cards import NEW, card, checked
from tests.support.stage import Stage

QUESTION = Question(
    "Raise or return None?", "Two callers test for None.", ("raise", "return None"), 0, ("src/main.py",)
)


def decided(stage: Stage) -> object:
    heard = stage.heard()
    assert isinstance(heard, Decide), heard
    assert heard.chunk == "1"
    return heard.decision


def test_a_sentence_streams_its_answer_and_ends_in_a_card_that_leaves_one_line(tmp_path: Path) -> None:
    shown = card()

    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.send("fix it\r")
        assert stage.heard() == Say("fix it")
        stage.terminal.offer(WorkOffer())
        for piece in ("I looked ", "at `parse`.\n\nIt is", " **wro", "ng**.\n\n"):
            stage.terminal.tick(TextTick(piece))
        stage.wait("It is wrong.")
        stage.terminal.tick(WhyTick("because of the end"))
        stage.wait("because of the end")
        stage.terminal.emit(ev.Proposed("p", "c", (shown.chunk,), {}))
        stage.terminal.offer(CardOffer(shown))
        screen = stage.wait("y apply")
        assert "1 of 1 · Stop at the end of the input" in screen
        assert "because of the end" not in screen
        stage.press("y")
        assert decided(stage) == Approve(shown.digest)
        stage.terminal.emit(ev.Wrote("1", "s", "d", ()))
        stage.terminal.offer(PromptOffer("main"))
        stage.wait("✓ applied  Stop at the end of the input  src/parse.py +3 −1")
        stage.wait("y apply", gone=True)

    stage = Stage(tmp_path)
    stage.play(story)
    assert stage.after == stage.before


def test_keys_typed_before_the_card_was_drawn_do_not_count(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.send("yyyy")
        stage.terminal.offer(CardOffer(card()))
        stage.wait("src/parse.py")
        assert stage.silent()

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_keys_within_the_grace_do_not_count(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.send("y")
        assert stage.silent()
        stage.wait("too early: not taken")
        stage.send("?")
        stage.wait("take back what was applied last")

    Stage(tmp_path, first=WorkOffer(), grace_seconds=3.0).play(story)


def typed(stage: Stage, text: str) -> None:
    """As a person types: key by key."""
    for key in text:
        stage.send(key)
        time.sleep(0.06)


def test_a_reason_whose_no_came_too_early_decides_nothing(tmp_path: Path) -> None:
    shown = card()

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        typed(stage, "n why lay it ok y")
        assert stage.inbox.empty()
        assert "too early: not taken" in stage.wait("return self.assignment()")
        stage.press("k")
        assert stage.heard() == Move(by=-1)
        assert "too early" not in stage.wait("y apply")
        stage.press("y")
        assert decided(stage) == Approve(shown.digest)

    Stage(tmp_path, first=WorkOffer(), grace_seconds=0.4, pause_seconds=1.5).play(story)


@pytest.mark.parametrize("keys", ["x", "?n", "?x", "s", "\x1b[200~n\x1b[201~"])
def test_what_is_typed_behind_a_key_that_does_nothing_does_nothing_either(tmp_path: Path, keys: str) -> None:
    shown = card(new=NEW.replace(b"        if self.at >= len", b"    if len"))

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press(keys)
        if keys == "s":
            assert decided(stage) == Split()
            stage.wait("one moment")
        typed(stage, " why y")
        if keys == "s":
            stage.terminal.tick(Notice("warning", "not taken"))
            stage.wait("n reject", gone=True)
            typed(stage, "ny")
        assert stage.inbox.empty()
        stage.wait("too early: not taken")

    Stage(tmp_path, first=WorkOffer(), pause_seconds=1.5).play(story)


def test_a_burst_goes_on_from_one_card_to_the_next(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("l")
        assert decided(stage) == Defer()
        stage.send("n")
        time.sleep(0.1)
        stage.terminal.offer(CardOffer(card("2", title="The second one")))
        stage.wait("The second one")
        stage.wait("too early: not taken")
        time.sleep(0.1)  # its grace is over
        typed(stage, "why")
        assert stage.inbox.empty()

    Stage(tmp_path, first=WorkOffer(), pause_seconds=1.5).play(story)


def test_a_sentence_over_which_a_card_comes_does_not_decide_it(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(WorkOffer("thinking"))
        stage.wait("thinking")
        typed(stage, "o")
        stage.wait("your text waits")
        stage.terminal.offer(CardOffer(card()))
        stage.wait("too early: not taken")
        time.sleep(0.1)
        typed(stage, "k y")
        assert stage.inbox.empty()

    Stage(tmp_path, pause_seconds=1.5).play(story)


def test_keys_that_look_need_no_grace_and_none_is_lost_between_two_cards(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card("0")))
        stage.wait("y apply")
        moved = threading.Event()

        def follow() -> None:
            for number in range(1, 11):
                assert stage.heard() == Move(by=1)
                stage.terminal.offer(CardOffer(card(str(number), title=f"Number {number}.")))
            moved.set()

        threading.Thread(target=follow, daemon=True).start()
        for _ in range(10):
            stage.send("j")
            time.sleep(0.05)
        stage.wait("Number 10.")
        assert moved.wait(5)
        assert "too early" not in stage.wait("y apply")
        stage.send("v")
        stage.wait("10 lines around each change")

    Stage(tmp_path, first=WorkOffer(), grace_seconds=20.0).play(story)


def test_keys_that_look_do_not_put_off_when_a_decision_counts(tmp_path: Path) -> None:
    shown = card()

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        for _ in range(14):
            stage.send("v")
            time.sleep(0.05)
        stage.send("y")
        assert decided(stage) == Approve(shown.digest)

    Stage(tmp_path, first=WorkOffer(), rows=60, grace_seconds=0.4).play(story)


def test_a_new_card_has_a_grace_of_its_own(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("yy")
        assert isinstance(decided(stage), Approve)
        stage.terminal.offer(CardOffer(card("2", title="The second one")))
        stage.wait("The second one")
        assert stage.silent()

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_pasted_text_is_not_taken_as_keys(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("\x1b[200~yes, yes\x1b[201~")
        stage.wait("pasted text is not taken as keys")
        assert stage.inbox.empty()

    Stage(tmp_path, first=WorkOffer()).play(story)


@pytest.mark.parametrize(
    ("keys", "decision"),
    [
        ("n", Reject()),
        ("l", Defer()),
        ("rshorter please\r", Revise("shorter please")),
        ("awhy so?\r", Ask("why so?")),
        ("s", Split()),
    ],
)
def test_one_key_decides(tmp_path: Path, keys: str, decision: object) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press(keys[0])
        time.sleep(0.05)
        stage.send(keys[1:])
        assert decided(stage) == decision

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_a_reason_may_follow_a_reject_and_none_is_needed(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("n")
        stage.wait("rejected; why?")
        stage.send("not y needed\r")
        assert decided(stage) == Reject("not y needed")
        stage.terminal.offer(CardOffer(card(title="Another title", new=b"x\n")))
        stage.wait("Another title")
        stage.press("n")
        assert decided(stage) == Reject()

    Stage(tmp_path, first=WorkOffer(), reason_seconds=0.4).play(story)


def test_a_reason_that_begins_when_its_line_has_just_closed_decides_nothing(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("n")
        assert decided(stage) == Reject()
        stage.terminal.offer(CardOffer(card(title="Another title", new=NEW + b"x = 1\n")))
        stage.wait("Another title")
        time.sleep(0.2)  # longer than the grace
        stage.send("yes, because")
        stage.wait("too early: not taken")
        assert stage.silent()
        stage.press("y")
        assert isinstance(decided(stage), Approve)

    Stage(tmp_path, first=WorkOffer(), reason_seconds=2.0).play(story)


def test_a_risky_card_wants_the_word(tmp_path: Path) -> None:
    shown = card(new=None)

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("deletes src/parse.py (15 lines)")
        stage.press("y")
        stage.wait("type apply to apply it")
        stage.send("y\r")
        stage.wait("not the word apply; nothing was done")
        assert stage.inbox.empty()
        stage.send("y")
        stage.wait("type apply to apply it")
        stage.send("apply\r")
        assert decided(stage) == Approve(shown.digest)

    Stage(tmp_path, first=WorkOffer(), rows=30).play(story)


def test_a_yes_counts_only_once_every_line_was_on_the_screen(tmp_path: Path) -> None:
    shown = card(new="".join(f"line {number}\n" for number in range(60)).encode())

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press("G")  # the end alone is not all of it
        stage.wait("line 59")
        presses = 0
        while stage.inbox.empty() and presses < 20:
            before = stage.shown
            stage.press("y")
            presses += 1
            while stage.inbox.empty() and stage.shown == before:
                time.sleep(0.01)
        assert 3 < presses < 20
        assert decided(stage) == Approve(shown.digest)

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_a_list_stands_above_an_open_card_and_one_answer_in_its_last_line(tmp_path: Path) -> None:
    shown = card()

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        for number in range(3):
            stage.terminal.tick(Notice("info", f"chunk number {number}"))
        stage.wait("chunk number 2")
        assert all(f"chunk number {number}" in stage.everything for number in range(3))
        stage.wait("y apply")
        stage.terminal.tick(Notice("info", "it answers no key"))
        stage.wait("it answers no key")
        stage.wait("y apply")
        stage.press("u")
        assert stage.heard() == Undo()
        stage.terminal.tick(Notice("info", "an answer"))
        stage.wait("an answer")
        stage.wait("y apply", gone=True)
        stage.press("v")
        stage.terminal.tick(Notice("warning", "a warning"))
        stage.wait("a warning")
        stage.wait("lines around each change", gone=True)

    Stage(tmp_path, first=WorkOffer(), rows=40).play(story)


def test_that_checks_run_is_not_said_for_ever(tmp_path: Path) -> None:
    shown = card(checks=("tests",))

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press("t")
        stage.wait("running tests")
        assert isinstance(stage.heard(), RunChecks)
        stage.wait("running tests", gone=True)

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_evidence_fills_in_while_the_card_is_open(tmp_path: Path) -> None:
    shown = card(checks=("tests",))

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press("t")
        assert stage.heard() == RunChecks("1")
        stage.terminal.offer(CardOffer(checked(shown, Verdict.CONTRADICTED, "tests: 1 failed")))
        stage.wait("✘ contradicted  tests: 1 failed")
        stage.send("d")
        stage.wait("2 passed␛[31m")
        stage.send("d")
        stage.press("y")
        assert decided(stage) == Approve(shown.digest)

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_checks_that_take_long_show_how_long(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card(checking=True)))
        stage.wait("· checking…")
        stage.wait("── checking 2s ─")
        stage.wait("── checking 3s ─")
        stage.terminal.offer(CardOffer(checked(card())))
        stage.wait("checking", gone=True)

    Stage(tmp_path).play(story)


def test_a_refused_decision_leaves_the_card_open_and_says_why(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("s")
        assert decided(stage) == Split()
        stage.wait("y apply", gone=True)
        stage.terminal.tick(Notice("warning", "It cannot be split further."))
        stage.wait("It cannot be split further.")
        stage.wait("src/parse.py")

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_other_keys_of_a_card(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("jku")
        assert [stage.heard() for _ in range(3)] == [Move(by=1), Move(by=-1), Undo()]
        stage.send("?")
        stage.wait("take back what was applied last")
        stage.send("y")
        stage.wait("return self.assignment()")
        assert stage.silent()
        stage.send("/assignment\r")
        time.sleep(0.1)
        stage.send(":44\r")
        assert stage.heard() == Command("go", "44")
        stage.terminal.tick(Notice("warning", "That chunk is not open."))
        stage.wait("That chunk is not open.")
        stage.press(":")
        stage.send("do it otherwise\r")
        assert stage.heard() == Say("do it otherwise")

    Stage(tmp_path, first=WorkOffer(), columns=100, rows=40).play(story)


def test_a_card_comes_back_after_a_command_of_the_session(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        shown = card()
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press(":")
        stage.send("/list\r")
        assert stage.heard() == Say("/list")
        stage.wait("one moment")
        for line in ("1  one", "2  two"):
            stage.terminal.tick(Notice("info", line))
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.wait("2  two")
        stage.press("l")
        assert stage.heard() == Decide("1", shown.digest, Defer())

    Stage(tmp_path).play(story)


def stack(count: int, **statuses: str) -> StackTick:
    """Chunks 1, 2, …; `_2="applied"` says what became of one; what was undone may be gone to."""
    words = [statuses.get(f"_{n}", "pending") for n in range(1, count + 1)]
    signs = {"pending": "·", "applied": "✓", "undone": "↶"}
    return StackTick(
        tuple(
            StackRow(
                str(n),
                f"Chunk {n}",
                (f"src/m{n}.py",),
                n,
                0,
                signs[word],
                word,
                word == "pending",
                word == "undone",
            )
            for n, word in enumerate(words, 1)
        )
    )


def test_the_whole_stack_is_a_list_on_the_card_in_which_one_goes_to_a_chunk(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        shown = card("50")
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press("o")
        assert stage.heard() == Command("list")
        stage.terminal.tick(stack(100, _51="applied"))
        stage.terminal.offer(CardOffer(shown))
        screen = stage.wait("Enter goes to it  / searches  q back to the card")
        assert "▸  50 · Chunk 50  src/m50.py  +50 −0" in screen
        assert "Chunk 100 " not in screen
        assert "return self.assignment()" not in screen
        stage.send("y")
        stage.wait("y apply")
        assert stage.silent()
        stage.send("o")
        assert stage.heard() == Command("list")
        stage.terminal.tick(stack(100, _51="applied", _49="undone"))
        stage.wait("▸  50")
        stage.send("j\r")
        stage.wait("it is applied: only what is open has a card")
        stage.send("G")
        stage.wait("▸ 100 · Chunk 100")
        stage.send("/chunk 49\r")
        stage.wait("▸  49 ↶ Chunk 49")
        stage.send("\r")
        assert stage.heard() == Move(to="49")

    Stage(tmp_path, first=WorkOffer(), columns=100, rows=30).play(story)


@pytest.mark.parametrize(("key", "label"), [("r", "what is to change?"), ("a", "your question")])
def test_that_nobody_answers_is_said_at_the_key_and_what_is_typed_are_no_keys(
    tmp_path: Path, key: str, label: str
) -> None:
    refusal = "No model is configured to answer; the card stays. copair connect finds one"

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(msgspec.structs.replace(card(), unanswered=True)))
        stage.wait("y apply")
        stage.press(key)
        stage.wait(refusal)
        stage.send("why does nobody say\r")
        stage.wait(label, gone=True)
        stage.wait(refusal)
        assert stage.silent()
        stage.press(key)
        stage.wait(label)
        stage.press("\x1b[A")
        stage.wait(f"{label} › why does nobody say")

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_a_reason_is_seen_while_it_is_typed_in_a_narrow_terminal(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("n")
        stage.wait("rejected; why?")
        stage.send("this is the wrong place for it")
        assert stage.wait("place for it").split("\n")[-1].startswith(" rejected; why?")

    Stage(tmp_path, first=WorkOffer(), columns=40, rows=30, reason_seconds=5.0).play(story)


@pytest.mark.parametrize("count", [1, 3, 40])
def test_the_chosen_row_of_the_stack_is_always_in_sight(count: int) -> None:
    rows = stack(count).rows
    for start in rows:
        overview = Overview(rows, start.chunk, MONO)
        for by in (0, 1, -1, 7, -30, 100, -100):
            overview.move(by)
            first, lines = overview.window(8, 60)
            assert len(lines) == min(8, count)
            assert 0 <= first <= count - len(lines)
            (at,) = [n for n, line in enumerate(lines, first) if "▸" in line[0][1]]
            assert rows[at] == overview.chosen


def test_the_stack_is_printed_where_no_card_is_open(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(PromptOffer("main"))
        stage.terminal.tick(stack(2, _2="applied"))
        stage.wait("✓ 2  Chunk 2  (applied)")

    Stage(tmp_path).play(story)


def test_a_decision_waits_whatever_evidence_comes(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        shown = card()
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press("l")
        assert stage.heard() == Decide("1", shown.digest, Defer())
        stage.wait("one moment")
        stage.terminal.offer(CardOffer(msgspec.structs.replace(shown, notes=("more is known",))))
        time.sleep(0.2)
        stage.send("l")
        assert stage.silent()
        stage.terminal.tick(Notice("warning", "not taken"))
        stage.wait("not taken")
        stage.press("l")
        assert stage.heard() == Decide("1", shown.digest, Defer())

    Stage(tmp_path).play(story)


def test_escape_leaves_the_line_at_once_and_the_next_key_is_a_key(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        shown = card()
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press(":")
        stage.wait("new instruction")
        stage.send("half a sen\x1b")
        stage.wait("new instruction", gone=True)
        stage.press("l")
        assert stage.heard() == Decide("1", shown.digest, Defer())

    Stage(tmp_path).play(story)


def test_a_decision_that_waits_rings_the_bell_only_when_that_is_wanted(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")

    for bell in (True, False):
        stage = Stage(tmp_path, bell=bell)
        stage.play(story)
        assert (b"\x07" in stage.raw) is bell


def test_vi_keys_edit_the_line_of_a_card_and_the_prompt(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.wait("›")
        stage.send("one two\x1b")
        time.sleep(0.8)  # the line editor waits that long for the rest of a key
        stage.send("0dw")
        stage.send("A!\r")
        assert stage.heard() == Say("two!")
        shown = card()
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press("a")
        stage.wait("your question")
        stage.send("really why\x1b")
        time.sleep(0.3)
        stage.send("0dwA?\r")
        assert stage.heard() == Decide("1", shown.digest, Ask("why?"))

    Stage(tmp_path, vi=True).play(story)


def test_title_why_and_keys_stay_while_a_long_diff_scrolls_at_24_rows(tmp_path: Path) -> None:
    new = b"".join(b"value_%d = %d\n" % (n, n) for n in range(90))

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card(old=None, new=new)))
        first = stage.wait("y apply")
        stage.press("G")
        last = stage.wait("value_89 = 89")
        for screen in (first, last):
            assert "Stop at the end of the input" in screen
            assert "Parser.parse reads past the last token" in screen
            assert "n reject" in screen
        stage.send("/value_40\r")
        stage.wait("value_40 = 40")

    Stage(tmp_path, first=WorkOffer()).play(story)


class Clearing(pyte.Screen):
    """Counts what tmux takes for clearing the screen: erasing everything from its top left corner on."""

    cleared = 0

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        self.cleared += how == 0 and (self.cursor.x, self.cursor.y) == (0, 0)
        super().erase_in_display(how, *args, **kwargs)


def test_a_card_as_tall_as_the_screen_is_erased_without_a_trace(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("l")
        assert isinstance(stage.heard(), Decide)
        stage.terminal.offer(WorkOffer())
        assert stage.wait("thinking").split() == ["thinking", "·", "Ctrl-C", "stops"]

    stage = Stage(tmp_path, first=WorkOffer(), rows=16)
    stage.play(story)
    screen = Clearing(80, 16)
    pyte.ByteStream(screen).feed(bytes(stage.raw))
    assert screen.cleared == 0


def test_a_card_is_drawn_anew_when_the_terminal_is_resized(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.resize(30, 140)
        os.kill(os.getpid(), signal.SIGWINCH)
        stage.wait("━" * 80)
        stage.press("w")
        stage.wait("│  13 +")
        stage.wait(" 13 -")
        stage.wait("? help")
        assert stage.shown.count("y apply") == 1

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_the_editor_gives_the_persons_version_byte_for_byte(tmp_path: Path) -> None:
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nls -l "$1" | cut -c1-10 > "$0.mode"\nprintf "mine\\r\\n" >> "$1"\n')
    script.chmod(0o700)
    shown = card()

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        stage.press("e")
        decision = decided(stage)
        assert decision == Edit({"src/parse.py": FileState(0o100644, NEW + b"mine\r\n")})

    Stage(tmp_path, first=WorkOffer(), editor=str(script)).play(story)
    assert (tmp_path / "editor.mode").read_text() == "-rw-------\n"
    assert list((tmp_path / "state").iterdir()) == []


def test_what_was_seen_stays_seen_after_the_pager(tmp_path: Path) -> None:
    shown = card(new="".join(f"line {number}\n" for number in range(30)).encode())

    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(shown))
        stage.wait("y apply")
        for _ in range(3):
            stage.press(" ")
        stage.wait("line 29")
        stage.press("p")
        stage.wait("back from the pager; nothing was decided")
        stage.wait("line 29")
        stage.press("y")
        assert decided(stage) == Approve(shown.digest)

    Stage(tmp_path, first=WorkOffer(), environ={"PAGER": "true"}).play(story)


def test_an_editor_that_fails_changes_nothing(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        stage.press("e")
        stage.wait("false ended with 1; nothing was changed")
        assert stage.inbox.empty()

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_a_question_is_answered_by_number_by_enter_and_in_own_words(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        for keys, answer in (
            ("2", Answer(1)),
            ("\r", Answer(0)),
            ("neither of them\r", Answer(None, "neither of them")),
        ):
            stage.terminal.offer(QuestionOffer(f"q{keys[0]}", QUESTION))
            stage.wait("Raise or return None?")
            stage.press(keys[0])
            time.sleep(0.05)
            stage.send(keys[1:])
            assert stage.heard() == AnswerIn(f"q{keys[0]}", answer)
            stage.terminal.offer(WorkOffer())
            stage.wait("Raise or return None?", gone=True)

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_text_typed_while_the_model_works_waits_for_the_prompt_without_echo(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(WorkOffer("thinking"))
        stage.wait("thinking")
        stage.send("and the tests\r")
        stage.wait("your text waits for the prompt")
        assert "and the tests" not in stage.shown
        stage.terminal.offer(PromptOffer())
        stage.wait("› and the tests")
        assert stage.inbox.empty()

    Stage(tmp_path).play(story)


def test_what_was_said_stays_in_the_scrollback_also_after_a_prompt_was_replaced(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.wait("say what you want")
        stage.terminal.offer(WorkOffer("thinking"))
        stage.wait("thinking")
        stage.terminal.offer(PromptOffer())
        stage.wait("say what you want")
        stage.send("the second time\r")
        assert stage.heard() == Say("the second time")
        stage.terminal.offer(WorkOffer("thinking"))
        stage.wait("thinking")
        assert "› the second time" in stage.shown
        assert stage.shown.count("›") == 1

    Stage(tmp_path).play(story)


def test_early_keys_mean_what_they_mean_with_an_early_enter(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        assert stage.heard() == Say("fix thé tests")

    Stage(tmp_path, typed="fix thé tset\x7f\x7f\x7fests\r".encode()).play(story)


def test_an_early_end_ends(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        assert stage.heard() == Quit("end")

    Stage(tmp_path, typed=b"\x04").play(story)


def test_control_c_stops_the_model_and_control_d_ends_the_session(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(WorkOffer("thinking"))
        stage.wait("thinking")
        stage.send("\x03")
        assert stage.heard() == Interrupt()
        stage.terminal.offer(PromptOffer())
        stage.wait("›")
        stage.send("typed\x03")
        stage.wait("say what you want")
        stage.send("\x04")
        assert stage.heard() == Quit("end")

    Stage(tmp_path).play(story)


def test_a_hang_up_ends_the_session_in_order(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(CardOffer(card()))
        stage.wait("y apply")
        os.kill(os.getpid(), signal.SIGHUP)
        assert stage.heard() == Quit("hang-up")

    Stage(tmp_path, first=WorkOffer()).play(story)


def test_commands_files_and_history(tmp_path: Path) -> None:
    history = tmp_path / "deep" / "history"

    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.send("/co")
        stage.wait("tokens so far")
        stage.send("st now\r")
        assert stage.heard() == Command("cost", "now")
        stage.terminal.tick(Notice("info", "12 tokens"))
        stage.wait("12 tokens")
        stage.wait("say what you want")
        stage.send("see @pars")
        stage.wait("@src/parse.py")
        stage.send("\t\r")
        assert stage.heard() == Say("see @src/parse.py")

    Stage(tmp_path, history=history).play(story)
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "+see @src/parse.py" in history.read_text()


def test_many_lines_are_pasted_as_one_sentence(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.wait("› ")
        stage.send("\x1b[200~one\ntwo \x1b]0;x\x07\u202e\x1b[201~")
        stage.wait("<U+202E>")
        stage.send("\r")
        assert stage.heard() == Say("one\ntwo \x1b]0;x\x07\u202e")

    stage = Stage(tmp_path)
    stage.play(story)
    assert "\u202e" not in stage.raw.decode()


def test_hostile_text_never_reaches_the_terminal_raw(tmp_path: Path) -> None:
    hostile = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202e\u200b\rhidden\x00\x7f"

    def story(stage: Stage) -> None:
        stage.terminal.offer(WorkOffer(hostile))
        stage.terminal.tick(TextTick(f"said {hostile}\n```{hostile}\n{hostile}\n```\n"))
        stage.terminal.tick(WhyTick(hostile))
        stage.terminal.tick(Notice("error", f"notice {hostile}", hostile))
        stage.terminal.emit(ev.TurnFailed("network", hostile, hostile))
        stage.terminal.emit(ev.ToolAnswered("c", hostile, hostile, f"tool {hostile}"))
        stage.wait("tool ␛]52;c;aGk=␇␛[2J")
        stage.terminal.offer(
            QuestionOffer("q", Question(hostile, hostile, (hostile, hostile), 0, (hostile,)))
        )
        stage.wait("recommended")
        stage.terminal.offer(
            CardOffer(card(title=hostile, path=f"src/{hostile}.py", new=hostile.encode(), notes=(hostile,)))
        )
        stage.wait("n reject")
        stage.terminal.offer(PromptOffer(hostile, hostile))
        stage.wait("›")

    stage = Stage(tmp_path, rows=60, columns=160)
    stage.play(story)
    text = stage.raw.decode()
    rest = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r\n|\r|\n|\x08", "", text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200b\u202e]", rest)
    assert "\x1b[2J" not in text


def test_what_is_posted_from_many_threads_is_shown_in_order(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.terminal.offer(WorkOffer())
        for n in range(300):
            stage.terminal.tick(TextTick(f"line {n}\n"))
        stage.wait("line 299")
        numbers = re.findall(r"line (\d+)", stage.everything)
        assert [int(n) for n in numbers] == list(range(300))
        assert threading.active_count() < 10

    Stage(tmp_path).play(story)


def test_the_terminal_is_left_as_it_was_found(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.play(lambda s: s.wait("›") and None)
    assert stage.after == stage.before
    assert stage.after[3] & termios.ECHO


def test_a_fault_of_ours_ends_the_session_and_is_raised_with_the_terminal_restored(tmp_path: Path) -> None:
    def story(stage: Stage) -> None:
        stage.wait("›")
        stage.terminal.emit("no event at all")  # type: ignore[arg-type]
        assert stage.heard() == Quit("error")

    stage = Stage(tmp_path)
    with pytest.raises(TypeError):
        stage.play(story)
