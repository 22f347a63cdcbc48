"""The card shows exactly what a yes writes, in clean text, with everything special said."""

from __future__ import annotations

import time
import unicodedata

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.cards.rows import Row, RowKind
from agent.core.cards.view import CardView, card_view, unknown_names
from agent.core.chunk import Because, Chunk, Grade
from agent.core.clean import plain
from agent.core.frontend import Card
from agent.core.hunk import ChangeKind, FileChange, FileState, Mode, Write, writes_digest
from agent.core.review import Evidence, EvidenceKind, Verdict


def state(data: bytes | str | None, mode: int = Mode.FILE) -> FileState | None:
    if data is None:
        return None
    return FileState(mode, data if isinstance(data, bytes) else data.encode())


def view(
    old: bytes | str | None,
    new: bytes | str | None,
    path: str = "src/a.py",
    *,
    context: int = 3,
    unfold: bool = False,
    why: str = "why",
    because: tuple[Because, ...] = (),
    unknown: tuple[str, ...] = (),
    folded: str = "",
) -> CardView:
    chunk = Chunk("1", "title", why, (), because=because, folded=folded)
    card = Card(chunk, (Write(path, state(old), state(new)),), unknown_names=unknown)
    return card_view(card, context=context, unfold=unfold)


def rows(seen: CardView) -> list[tuple[str, int, int, str]]:
    return [(str(row.kind), row.old_no, row.new_no, row.text) for file in seen.files for row in file.rows]


def of_kind(seen: CardView, kind: RowKind) -> list[Row]:
    return [row for file in seen.files for row in file.rows if row.kind is kind]


def said(seen: CardView) -> list[str]:
    return [special.text for special in seen.specials]


def test_rows_carry_both_numbers_and_the_enclosing_function() -> None:
    old = "import os\n\n\ndef first():\n    a = 1\n    b = 2\n    return a\n"
    new = old.replace("b = 2", "b = 3\n    c = 4")
    assert rows(view(old, new, context=1)) == [
        ("head", 5, 5, "def first():"),
        ("context", 5, 5, "    a = 1"),
        ("remove", 6, 0, "    b = 2"),
        ("add", 0, 6, "    b = 3"),
        ("add", 0, 7, "    c = 4"),
        ("context", 7, 8, "    return a"),
    ]


def test_only_the_words_that_differ_are_strong() -> None:
    seen = view('if kind == "NAME":\n', 'if kind == "NUMBER":\n')
    strong = [
        part.text
        for row in (*of_kind(seen, RowKind.REMOVE), *of_kind(seen, RowKind.ADD))
        for part in row.segments
        if part.strong
    ]
    assert strong == ["NAME", "NUMBER"]


def test_lines_with_nothing_in_common_get_no_emphasis() -> None:
    seen = view("alpha beta gamma\n", "one(two, three)\n")
    assert not any(part.strong for file in seen.files for row in file.rows for part in row.segments)


def test_a_missing_newline_at_the_end_is_said_where_it_is() -> None:
    assert rows(view("a\nb", "a\nb\n"))[1:] == [
        ("context", 1, 1, "a"),
        ("remove", 2, 0, "b"),
        ("note", 0, 0, "no newline at end of file"),
        ("add", 0, 2, "b"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    x\n", "\tx\n"),
        ("x y\n", "x\u00a0y\n"),
        ("x\n", "x\r\n"),
        ("x\n", "x\rx\n"),
        ("x\n", "x \n"),
        ("pay\n", "p\u0430y\n"),
    ],
)
def test_two_lines_that_differ_never_look_the_same(old: str, new: str) -> None:
    seen = view("first\n" + old, "first\n" + new)
    assert of_kind(seen, RowKind.REMOVE)[0].text != of_kind(seen, RowKind.ADD)[0].text


def test_tabs_in_the_place_of_spaces_show_when_the_line_changes_elsewhere_too() -> None:
    old = 'def f():\n    return "a"\n'
    seen = view(old, old.replace('    return "a"', '\treturn "a b"'))
    (added,) = of_kind(seen, RowKind.ADD)
    assert added.text == '␉return "a b"'
    assert added.segments[0].mark
    back = view('\treturn "a b"\n', '    return "a"\n')
    assert of_kind(back, RowKind.REMOVE)[0].text == '␉return "a b"'


def test_tabs_that_stay_tabs_are_drawn_as_blanks() -> None:
    old = "\tif a:\n\t\treturn 1\n"
    seen = view(old, old.replace("1", "2") + "/* one\n * two\n */\n")
    assert of_kind(seen, RowKind.ADD)[0].text == "        return 2"


@pytest.mark.parametrize(("end", "shown"), [("\t", "␉"), (" \t", "·␉"), ("  ", "··")])
def test_a_tab_at_the_end_does_not_look_like_spaces(end: str, shown: str) -> None:
    (added,) = of_kind(view("a = 1\n", f"a = 22{end}\n"), RowKind.ADD)
    assert added.text == f"a = 22{shown}"


def test_a_file_of_crlf_lines_is_not_full_of_marks_but_a_change_of_endings_is_said() -> None:
    uniform = view("a\r\nb\r\n", "a\r\nc\r\n")
    assert [row.text for row in of_kind(uniform, RowKind.ADD)] == ["c"]
    assert said(uniform) == []
    changed = view("a\nb\n", "a\r\nb\r\n")
    assert said(changed) == ["line endings of src/a.py: LF → CRLF"]
    assert [row.text for row in of_kind(changed, RowKind.ADD)] == ["a␍", "b␍"]


def test_utf16_and_latin1_files_are_read_as_such() -> None:
    old, new = "\ufeffeins\nzwei\n", "\ufeffeins\ndrei\n"
    assert rows(view(old.encode("utf-16-le"), new.encode("utf-16-le")))[-1] == ("add", 0, 2, "drei")
    assert rows(view("Größe\n".encode("latin-1"), "Große\n".encode("latin-1")))[-1] == ("add", 0, 1, "Große")


def test_a_byte_order_mark_that_comes_is_said() -> None:
    assert said(view(b"a\n", b"\xef\xbb\xbfa\n")) == [
        "encoding of src/a.py: UTF-8 → UTF-8 with byte order mark"
    ]


@pytest.mark.parametrize(
    ("path", "risk"),
    [
        (".github/workflows/ci.yml", "CI or ownership file"),
        ("poetry.lock", "lock file"),
        ("web/package-lock.json", "lock file"),
        (".env.production", "a path where secrets lie"),
        ("shop/migrations/0002_price.py", "migration"),
        (".pre-commit-config.yaml", "configures what tools run"),
    ],
)
def test_risky_files_want_the_word(path: str, risk: str) -> None:
    seen = view("a\n", "b\n", path)
    assert seen.risky
    assert risk in seen.specials[0].text


def test_deleting_wants_the_word_and_moving_does_not() -> None:
    deleted = view("a\nb\n", None)
    assert deleted.risky
    assert said(deleted) == ["deletes src/a.py (2 lines)"]
    moved = card_view(
        Card(
            Chunk("1", "t", "w", ()),
            (Write("a.py", state("a\nb\nc\n"), None), Write("b.py", None, state("a\nb\nd\n"))),
        )
    )
    assert not moved.risky
    assert said(moved) == ["renames a.py to b.py"]
    assert [(file.path, file.added, file.removed) for file in moved.files] == [("a.py → b.py", 1, 1)]


def test_weakened_tests_want_the_word() -> None:
    write = Write("tests/test_a.py", state("assert f() == 1\n"), state("f()\n"))
    weakened = Evidence(EvidenceKind.WEAKENED, Verdict.CONTRADICTED, "one assert fewer", "d")
    assert card_view(Card(Chunk("1", "t", "w", ()), (write,), (weakened,))).risky


def test_modes_links_and_binaries_are_said() -> None:
    executable = Card(Chunk("1", "t", "w", ()), (Write("run", state("a\n"), state("a\n", Mode.EXECUTABLE)),))
    assert said(card_view(executable)) == ["run becomes executable"]
    link = Card(Chunk("1", "t", "w", ()), (Write("run", None, state("../up", Mode.SYMLINK)),))
    assert said(card_view(link)) == ["run is a link to ../up", "new file run"]
    assert rows(card_view(link)) == [("add", 0, 1, "../up")]
    assert said(view(b"a\0b", b"a\0bc")) == [
        "binary: src/a.py, 3 bytes → 4 bytes; its content cannot be shown"
    ]


def test_a_file_that_becomes_empty_wants_the_word() -> None:
    emptied = view("a\nb\n", "")
    assert said(emptied) == ["empties src/a.py (2 lines)"]
    assert emptied.risky


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"a\r\nb\r\n", ["src/a.py is in CRLF line endings"]),
        (b"a\r\nb\n", ["src/a.py is in mixed line endings"]),
        (b"\xef\xbb\xbfa\n", ["src/a.py is in UTF-8 with byte order mark"]),
        ("a\r\n".encode("utf-16"), ["src/a.py is in UTF-16-LE with byte order mark, CRLF line endings"]),
        (b"a\n", []),
        (b"", []),
    ],
)
def test_the_form_of_a_new_file_is_said_where_lines_do_not_show_it(data: bytes, form: list[str]) -> None:
    card = Card(Chunk("1", "t", "w", ()), (Write("src/a.py", None, FileState(Mode.FILE, data)),))
    assert said(card_view(card)) == [*form, "new file src/a.py"]


def test_characters_that_do_not_show_are_named_when_they_come_and_not_when_they_were_there() -> None:
    assert said(view("a = 1\n", "a = 1 \u202e# x\n")) == [
        "adds characters to src/a.py that do not show or look like others: <U+202E>"
    ]
    assert said(view("x\u200b\na\n", "x\u200b\nb\n")) == []


def test_evidence_for_other_bytes_is_stale() -> None:
    write = Write("a", state("a\n"), state("b\n"))
    old = Evidence(EvidenceKind.CHECK, Verdict.VERIFIED, "passed", "other")
    assert card_view(Card(Chunk("1", "t", "w", ()), (write,), (old,))).evidence[0].stale


def test_a_card_says_which_tests_ran() -> None:
    write = Write("a", state("a\n"), state("b\n"))
    card = Card(Chunk("1", "t", "w", ()), (write,))
    piece = Evidence(
        EvidenceKind.CHECK, Verdict.VERIFIED, "passed", card.digest, tests="3 tests that reach Parser.parse"
    )
    shown = card_view(msgspec.structs.replace(card, evidence=(piece,))).evidence[0]
    assert (shown.text, shown.stale) == ("passed · 3 tests that reach Parser.parse", False)


def test_names_in_backticks_are_strong_and_unknown_ones_are_marked() -> None:
    seen = view("a\n", "b\n", why="use `known` and `ghost()`", unknown=("ghost",))
    assert [(part.text, part.mark, part.strong) for part in seen.why if part.strong] == [
        ("known", False, True),
        ("ghost()", True, True),
    ]


def test_one_reason_for_two_edits_of_a_file_is_said_once() -> None:
    because = tuple(Because("src/a.py", text) for text in ("B006", "B006", "and the caller"))
    seen = view("a\n", "b\n", because=because)
    assert [plain(line) for line in seen.files[0].because] == ["B006", "and the caller"]


def test_a_match_below_exact_is_said_with_its_because() -> None:
    seen = view("a\n", "b\n", because=(Because("src/a.py", "needed", Grade.INDENT),))
    assert "".join(part.text for part in seen.files[0].because[0]) == "needed  (matched apart from: indent)"


@pytest.mark.parametrize(
    ("why", "missing"),
    [
        ("calls `helper()` of `src/a.py`", ()),
        ("see `src/gone.py`", ("src/gone.py",)),
        ("like `elsewhere` does", ()),
        ("like `nowhere.at_all` does", ("nowhere.at_all",)),
        ("`None`, `x + 1`, `--flag`, `self.helper`, `other.py`", ()),
        ("`a.py:12`", ()),
    ],
)
def test_names_that_exist_nowhere_are_found(why: str, missing: tuple[str, ...]) -> None:
    write = Write("src/a.py", state("def helper(): ...\n"), state("def helper(): pass\n"))
    found = unknown_names(
        Chunk("1", "t", why, ()), (write,), lambda: ["lib/other.py"], lambda name: name == "elsewhere"
    )
    assert found == missing


def test_long_runs_are_folded_until_they_are_unfolded() -> None:
    new = "".join(f"line {n}\n" for n in range(500))
    folded = view(None, new)
    assert [row.text for row in of_kind(folded, RowKind.FOLD)] == ["430 more added lines · v shows them"]
    assert folded.added == 500
    assert len(of_kind(view(None, new, unfold=True), RowKind.ADD)) == 500
    assert [row.kind for row in view("a\n", "b\n", folded="generated").files[0].rows] == [RowKind.FOLD]


def test_a_very_long_line_is_folded_in_its_middle() -> None:
    text = view("a\n", "b" * 50_000 + "\n").files[0].rows[-1].text
    assert "48000 more characters" in text
    assert len(text) < 3000


lines = st.lists(
    st.text(st.characters(codec="utf-8"), max_size=12).map(lambda t: t.replace("\n", "")), max_size=8
)


@settings(max_examples=150)
@given(lines, lines, st.booleans())
def test_every_changed_line_is_shown_and_nothing_raw(old: list[str], new: list[str], ended: bool) -> None:
    before, after = "\n".join(old), "\n".join(new) + ("\n" if ended else "")
    seen = view(before, after, unfold=True, context=100)
    text_rows = [
        row for file in seen.files for row in file.rows if row.kind in (RowKind.ADD, RowKind.CONTEXT)
    ]
    count = after.count("\n") + (not after.endswith("\n") and after != "")
    if before.encode() != after.encode() and seen.files[0].rows and b"\0" not in (before + after).encode():
        assert [row.new_no for row in text_rows] == list(range(1, count + 1))
    for file in seen.files:
        for row in file.rows:
            bad = [
                char
                for char in row.text
                if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
            ]
            assert bad == []


def test_a_card_of_a_hundred_lines_is_made_in_no_time() -> None:
    old = "".join(f"    value_{n} = compute({n}, other={n})\n" for n in range(1000))
    new = old
    for n in range(100, 150):
        new = new.replace(f"compute({n},", f"calculate({n},")
    start = time.perf_counter()
    view(old, new)
    assert time.perf_counter() - start < 0.2


@pytest.mark.parametrize(
    ("old", "new", "can"),
    [
        (b"a\n", b"b\n", False),
        (b"a\n", b"b\nc\n", True),
        (None, b"a\nb\n", True),
        (b"a\nb\n", None, False),
        (b"a\n" * 20, b"b\n" + b"a\n" * 18 + b"b\n", True),
    ],
)
def test_what_has_more_than_one_line_can_be_split_but_a_deletion(
    old: bytes | None, new: bytes | None, can: bool
) -> None:
    def state(data: bytes | None) -> FileState | None:
        return None if data is None else FileState(Mode.FILE, data)

    card = Card(Chunk("1", "t", "", ()), (Write("a", state(old), state(new)),))
    assert card_view(card).can_split is can
    assert not card_view(msgspec.structs.replace(card, edited=True)).can_split


def test_each_fact_stands_once_on_a_card() -> None:
    path = ".github/dependabot.yml"
    chunk = Chunk(
        "1",
        "t",
        "w",
        (FileChange(path, ChangeKind.CREATE),),
        risks=("runs in CI", "near secrets or permissions"),
        place_reason="in the order of the files",
    )
    view = card_view(Card(chunk, (Write(path, None, state("a\n")),)))
    assert [special.text for special in view.specials] == [
        f"CI or ownership file: {path}",
        f"new file {path}",
    ]
    assert view.model_risks == ("near secrets or permissions",)
    assert view.place_reason == ""
    moved = Chunk("1", "t", "w", (), place_reason="in the order of the files; all its lines come from x")
    assert (
        card_view(Card(moved, (Write("a.py", None, state("a\n")),))).place_reason
        == "all its lines come from x"
    )
    blob = FileState(Mode.FILE, b"\0\1")
    picture = Chunk(
        "1", "t", "w", (FileChange("a.png", ChangeKind.BINARY),), risks=("binary",), folded="binary"
    )
    shown = card_view(Card(picture, (Write("a.png", None, blob),)))
    assert (shown.model_risks, shown.notes) == ((), ())
    assert sum("binary" in special.text for special in shown.specials) == 1


def test_weakened_tests_are_said_once() -> None:
    write = Write("tests/test_a.py", state("a\n"), state("b\n"))
    own = writes_digest((write,))
    weakened = Evidence(EvidenceKind.WEAKENED, Verdict.CONTRADICTED, "1 test is gone", own)
    view = card_view(Card(Chunk("1", "t", "w", ()), (write,), (weakened,)))
    assert [special.text for special in view.specials] == ["weakened tests: 1 test is gone"]
    assert [piece.said for piece in view.evidence] == [True]
    old = msgspec.structs.replace(weakened, digest="of an earlier version")
    assert [piece.said for piece in card_view(Card(Chunk("1", "t", "w", ()), (write,), (old,))).evidence] == [
        False
    ]


@pytest.mark.parametrize(
    ("where", "shown"),
    [("a/ci.yml", ""), ("a/ci.yml:12", "line 12"), ("b.py:3", "b.py:3"), ("", "")],
)
def test_evidence_names_a_path_once(where: str, shown: str) -> None:
    write = Write("a/ci.yml", state("a\n"), state("b\n"))
    piece = Evidence(
        EvidenceKind.API, Verdict.UNVERIFIED, "a/ci.yml: edited", writes_digest((write,)), where=where
    )
    (line,) = card_view(Card(Chunk("1", "t", "w", ()), (write,), (piece,))).evidence
    assert line.text == " · ".join(part for part in ("a/ci.yml: edited", shown) if part)


@pytest.mark.parametrize(
    ("one", "other", "risk", "is_left_out"),
    [
        ("migrations/1.py", "migrations/2.py", "migrates data", True),
        ("migrations/1.py", "schema.sql", "migrates data", False),
        (".gitattributes", "pkg/.gitmodules", "git obeys it", False),
        ("migrations/1.py", "README", "migrates data", True),
        ("migrations/schema.sql", "schema.sql", "migrates data", False),
        ("a.py", "b.py", "migrates data", False),
    ],
)
def test_a_risk_is_left_out_only_where_it_is_said_of_each_file(
    one: str, other: str, risk: str, is_left_out: bool
) -> None:
    changes = tuple(FileChange(path, ChangeKind.MODIFY) for path in (one, other))
    writes = tuple(Write(path, state("a\n"), state("b\n")) for path in (one, other))
    shown = card_view(Card(Chunk("1", "title", "", changes, risks=(risk,)), writes))
    assert shown.model_risks == (() if is_left_out else (risk,))
