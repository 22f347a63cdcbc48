"""How a card is drawn: nothing is cut off, colours can be read, both views say the same."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.cards.view import card_view
from agent.ui.keys import KEYS, footer
from agent.ui.paint import DARK, LIGHT, MONO, Line, line_width, plain_text, theme, wrap
from agent.ui.render import draw, title_rule
from agent.ui.sheet import Page, Sheet
from agent.ui.stream import Prose
from tests.support.cards import card, checked


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("bits", [8, 24])
@pytest.mark.parametrize(("name", "ground"), [("dark", "#1e1e2e"), ("light", "#ffffff")])
def test_every_text_can_be_read_on_its_ground(name: str, ground: str, bits: int) -> None:
    colours = theme(name, {}, bits)
    syntax = {"keyword", "string", "literal", "name", "deco"}
    for place, style in colours.items():
        ink = re.search(r"(?<!bg:)#[0-9a-f]{6}", style)
        own = re.search(r"bg:(#[0-9a-f]{6})", style)
        if ink is None or place in ("rule", "number"):
            continue
        assert contrast(ink[0], own[1] if own else ground) >= 3.6, place
        if place in syntax:
            for row in ("add", "remove"):
                row_ground = colours[row].rpartition("bg:")[2]
                assert contrast(ink[0], row_ground) >= 3.0, (place, row)


def test_without_colours_signs_and_words_are_enough() -> None:
    assert not any("#" in style for style in MONO.values())
    assert theme("dark", {}, 1) is MONO
    text = plain_text(draw(card_view(checked(card())), 80, MONO).body)
    assert re.search(r"^ +12 \+ +if self.at", text, re.MULTILINE)
    assert re.search(r"^ +13 +- +if token.kind", text, re.MULTILINE)


def test_a_card_says_that_evidence_is_still_being_made() -> None:
    shown = draw(card_view(card(checking=True)), 80, DARK)
    assert "   · checking…" in plain_text(shown.more).split("\n")
    assert "checking" not in plain_text(draw(card_view(checked(card())), 80, DARK).more)


def test_the_ground_of_the_terminal_is_asked_of_its_variable() -> None:
    assert theme("auto", {"COLORFGBG": "0;15"}, 24) is LIGHT
    assert theme("auto", {"COLORFGBG": "15;0"}, 24) is DARK
    assert theme("auto", {}, 24) is DARK


words = st.text(st.sampled_from("ab 日é\u0301(),x"), max_size=120)


@settings(max_examples=150)
@given(st.lists(words, max_size=4), st.integers(4, 40), st.booleans())
def test_wrapping_leaves_nothing_out_but_blanks_at_breaks(
    parts: list[str], width: int, by_words: bool
) -> None:
    line = [("bold" if n % 2 else "", part) for n, part in enumerate(parts)]
    pieces = wrap(line, width, words=by_words)
    assert all(line_width(piece) <= width for piece in pieces)
    before, after = "".join(parts), "".join(text for piece in pieces for _, text in piece)
    if by_words:
        assert after.replace(" ", "") == before.replace(" ", "")
    else:
        assert after == before


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
@pytest.mark.parametrize("two", [False, True])
def test_every_character_of_a_change_is_drawn_at_every_width(columns: int, two: bool) -> None:
    long = "x = '" + "".join(f"word{n} " for n in range(60)) + "'"
    view = card_view(card(new=long.encode() + b"\n"))
    drawn = draw(view, columns, DARK, side_by_side=two)
    assert all(line_width(line) <= columns for line in [*drawn.head, *drawn.more, *drawn.body])
    text = plain_text(drawn.body)
    for n in range(60):
        assert re.search("\\s*".join(f"word{n}"), re.sub(r"\n[^+\n]*\+ ", "", text)), n


def test_a_card_fits_its_terminal_at_every_size() -> None:
    view = card_view(checked(card()))
    for rows in (8, 12, 24, 60):
        for columns in (20, 40, 80, 200):
            sheet = Sheet(view, DARK, rows, columns)
            for _ in range(3):
                lines = sheet.lines()
                assert len(lines) <= max(rows, 6)
                assert all(line_width(line) <= columns for line in lines if "━" not in plain_text([line]))
                sheet.scroll_page(1)


@pytest.mark.parametrize("right", [[], [("", "+1 −2")]])
def test_a_rule_is_as_wide_as_its_terminal(right: Line) -> None:
    assert line_width(title_rule([("", "question 1")], right, 80, DARK)) == 80


def test_all_rows_can_be_reached_by_scrolling() -> None:
    view = card_view(card(old=None, new=b"".join(b"line_%d = 1\n" % n for n in range(80))))
    sheet = Sheet(view, DARK, 24, 80)
    seen = ""
    for _ in range(30):
        seen += plain_text(sheet.lines())
        sheet.scroll_page(1)
    assert all(f"line_{n} = 1" in seen for n in range(80))
    assert sheet.search("line_7 =")
    assert "line_7 =" in plain_text(sheet.lines())
    assert not sheet.search("nowhere")


def test_what_was_read_of_another_layout_does_not_count() -> None:
    old = [b"line_%d = 1\n" % n for n in range(400)]
    new = [b"other_%d = 2\n" % n if n % 40 == 3 else line for n, line in enumerate(old)]
    shown = card(old=b"".join(old), new=b"".join(new))
    sheet = Sheet(card_view(shown, context=2000), DARK, 24, 80)
    for _ in range(8):
        sheet.lines()
        sheet.scroll_page(1)
    sheet.show(card_view(shown, context=3))
    sheet.lines()
    assert not sheet.seen
    while not sheet.seen:
        assert sheet.scroll_to_unseen()
        sheet.lines()


STEPS = st.one_of(
    st.tuples(st.just("scroll"), st.integers(-9, 9)),
    st.tuples(st.just("page"), st.integers(-1, 2)),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("unseen"), st.none()),
    st.tuples(st.just("context"), st.sampled_from([3, 10, 2000])),
    st.tuples(st.just("evidence"), st.integers(0, 4)),
    st.tuples(st.just("rows"), st.integers(8, 40)),
    st.tuples(st.just("help"), st.none()),
)


@given(st.lists(STEPS, max_size=40))
def test_what_counts_as_seen_was_on_the_screen(steps: list[tuple[str, Any]]) -> None:
    old = [b"line_%d = 1\n" % n for n in range(200)]
    new = [b"other_%d = 2\n" % n if n % 40 == 3 else line for n, line in enumerate(old)]
    shown = card(old=b"".join(old), new=b"".join(new))
    context, pieces, columns = 3, 0, 80
    sheet = Sheet(card_view(shown), DARK, 24, columns)
    seen = plain_text(sheet.lines())
    for what, value in steps:
        match what:
            case "scroll":
                sheet.scroll(value)
            case "page":
                sheet.scroll_page(value)
            case "end":
                sheet.scroll_to(end=value)
            case "unseen":
                sheet.scroll_to_unseen()
            case "rows":
                sheet.resize(value, columns)
            case "help":
                sheet.turn(Page.HELP)
            case _:
                context, pieces = (value, pieces) if what == "context" else (context, value)
                evidence = tuple(checked(shown, text=f"piece {n}").evidence[0] for n in range(pieces))
                sheet.show(card_view(msgspec.structs.replace(shown, evidence=evidence), context=context))
        drawn = plain_text(sheet.lines())
        seen += drawn if sheet.page is Page.DIFF else ""
        if sheet.seen:
            assert all(f"other_{n} = 2" in seen for n in range(200) if n % 40 == 3)


def test_the_line_of_keys_always_has_yes_no_and_help() -> None:
    view = card_view(card())
    for columns in range(30, 130, 7):
        line = footer(view, columns, DARK)
        assert line_width(line) <= columns
        text = plain_text([line])
        assert "y apply" in text
        assert "n reject" in text
        assert text.endswith("help")


def test_no_key_means_two_things_and_none_means_all() -> None:
    keys = [key.act.value for key in KEYS]
    assert len(set(keys)) == len(keys)
    assert not any(re.search(r"\ball (chunks|the rest|of them)\b", key.help) for key in KEYS)


def test_streamed_words_are_shown_whole_whatever_the_pieces() -> None:
    text = "# Title\n\nSome `code` and **bold**.\n- one\n  - two\n1. three\n> said\n```python\nx = '**no**'\n```\nend"
    whole = Prose(MONO, 80)
    expected = plain_text([*whole.feed(text), *whole.finish()])
    for size in (1, 3, 7):
        prose = Prose(MONO, 80)
        lines = [line for at in range(0, len(text), size) for line in prose.feed(text[at : at + size])]
        assert plain_text([*lines, *prose.finish()]) == expected
    assert expected.split("\n")[:4] == ["  Title", "", "  Some code and bold.", "  • one"]
    assert "    x = '**no**'" in expected


@pytest.mark.parametrize("side_by_side", [False, True])
def test_what_stays_as_it_was_behind_the_last_change_need_not_be_seen(side_by_side: bool) -> None:
    view = card_view(card())
    drawn = draw(view, 140, MONO, side_by_side=side_by_side)
    last = "ATTRIBUTE"
    assert last in plain_text(drawn.body[drawn.changed - 1 : drawn.changed])
    below = len(drawn.body) - 1 - drawn.changed
    assert below == 2

    def is_seen(missing: int) -> bool:
        whole = len(drawn.head) + len(drawn.more) + len(drawn.body) + 3
        sheet = Sheet(view, MONO, whole - missing, 140)
        if side_by_side:
            sheet.toggle_side_by_side()
        sheet.lines()
        return sheet.seen

    assert [is_seen(missing) for missing in (0, below, below + 1)] == [True, True, False]


def test_lines_that_go_at_the_end_must_be_seen() -> None:
    lines = [b"line_%d = 1\n" % n for n in range(60)]
    sheet = Sheet(card_view(card(old=b"".join(lines), new=b"".join(lines[:20]))), MONO, 24, 80)
    sheet.lines()
    assert not sheet.seen
    while not sheet.seen:
        assert sheet.scroll_to_unseen()
        shown = plain_text(sheet.lines())
    assert "line_59" in shown
