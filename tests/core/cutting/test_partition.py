"""Pieces of lines that only come: of what size they are, and what stays together."""

from __future__ import annotations

import json
import time

from agent.core.chunk import Budget, Chunk
from agent.core.code.grammar import GRAMMARS, parses
from agent.core.code.sheet import Sheet
from agent.core.cutting.cut import cut
from agent.core.cutting.grouping import packed
from agent.core.cutting.partition import Piece
from agent.core.cutting.split import split
from agent.core.hunk import FileState, Hunk, Mode
from agent.core.lines.place import outcome
from agent.core.outcome import States
from agent.core.text import split_lines


def new_file(path: str, text: str, budget: Budget | None = None) -> tuple[Chunk, ...]:
    return cut({path: None}, {path: FileState(Mode.FILE, text.encode())}, budget=budget)


def sizes(chunks: tuple[Chunk, ...]) -> list[int]:
    return [chunk.changed_lines for chunk in chunks]


def statements(count: int, indent: str = "\t") -> str:
    return "".join(f"{indent}step({at})\n" for at in range(count))


def test_the_header_of_a_long_function_comes_with_its_first_statements() -> None:
    for path, header in (
        ("a.go", "func run() {\n"),
        ("a.rs", "fn run() {\n"),
        ("a.js", "function run() {\n"),
    ):
        ends = "\n" if path == "a.go" else ";\n"
        text = header + statements(40).replace("\n", ends) + "}\n"
        first, second = new_file(path, text)
        assert (first.changed_lines, second.changed_lines) == (21, 21), path
        assert second.needs == (first.id,)


def test_a_long_statement_goes_on_with_what_is_before_and_behind_it_in_its_function() -> None:
    loop = "\tfor at := range all {\n" + statements(30, "\t\t") + "\t}\n"
    text = "package a\n\nfunc run() {\n" + statements(4) + loop + statements(3) + "}\n"
    assert sizes(new_file("a.go", text)) == [20, 23]


def test_no_full_piece_is_followed_by_a_tiny_one() -> None:
    text = "".join(f"X{at} = {at}\n" for at in range(52))
    assert sizes(new_file("a.py", text)) == [18, 18, 16]


def test_what_is_behind_a_long_function_is_no_part_of_its_last_piece() -> None:
    text = "def run():\n" + statements(30, "    ") + "\n\ndef stop():\n    pass\n"
    assert [chunk.title for chunk in new_file("a.py", text)] == [
        "New file a.py: 17 lines",
        "run (2 of 2): 16 lines",
        "stop: 2 lines",
    ]


def test_the_members_of_an_enum_are_cut_apart_whole() -> None:
    members = "".join(
        f"    int m{at}() {{\n" + statements(12, "        ").replace("\n", ";\n") + "    }\n\n"
        for at in range(10)
    )
    text = f"enum A {{\n    P,\n    Q;\n\n{members.rstrip()}\n}}\n"
    chunks = new_file("A.java", text)
    assert max(sizes(chunks)) <= 25
    assert_each_prefix_parses("A.java", chunks)


def assert_each_prefix_parses(path: str, chunks: tuple[Chunk, ...]) -> None:
    for count in range(1, len(chunks) + 1):
        states = outcome({path: None}, [c for chunk in chunks[:count] for c in chunk.changes])
        state = states[path]
        assert state is not None
        assert parses(GRAMMARS["rust" if path.endswith(".rs") else "java"], state.data), count


def test_the_end_of_a_long_chain_or_list_comes_with_its_first_piece() -> None:
    links = "        .arg(\n            Arg::new(1)\n                .long(2),\n        )\n" * 40
    chain = f"fn cli() {{\n    let all = Command::new()\n{links[:-1]};\n    all.run()\n}}\n"
    items = ",\n".join(f"            of(\n                {at}\n            )" for at in range(60))
    listed = f"class A {{\n    int f() {{\n        return g(\n{items}\n        );\n    }}\n}}\n"
    for path, text in (("a.rs", chain), ("A.java", listed)):
        chunks = new_file(path, text)
        assert len(chunks) > 4
        assert_each_prefix_parses(path, chunks)


def test_small_neighbours_in_one_function_are_one_piece_and_those_of_two_are_not() -> None:
    text = "def run():\n" + statements(6, "    ") + "\n\ndef stop():\n" + statements(3, "    ")
    sheet = Sheet("a.py", split_lines(text.encode()))

    def gone(low: int, high: int, *needs: int) -> Piece:
        return Piece((Hunk(low, sheet.lines[low:high], ()),), low, needs)

    pieces = [gone(2, 3), gone(3, 5, 0), gone(5, 7, 1), gone(10, 11), gone(11, 13, 2)]
    found = packed(pieces, sheet, Sheet("a.py", ()), Budget(lines=4, hard_lines=9))
    assert [(piece.hunks[0].start, piece.changed, piece.needs) for piece in found] == [
        (2, 3, ()),
        (5, 2, (0,)),
        (10, 3, (1,)),
    ]


def test_a_short_comment_that_stands_for_itself_goes_with_what_follows_it() -> None:
    body = "".join(f"    step_{n}();\n" for n in range(22))
    plain = "".join(f"// -----\n\nfunction f{n}() {{\n{body}}}\n\n" for n in range(3))
    inside = "".join(f"    // -----\n\n    void f{n}() {{\n{body}    }}\n\n" for n in range(3))
    for path, text in (("a.js", plain), ("A.java", f"class A {{\n{inside}}}\n")):
        chunks = cut({path: None}, {path: FileState(Mode.FILE, text.encode())})
        added = [
            b"".join(line for change in chunk.changes for hunk in change.hunks for line in hunk.new)
            for chunk in chunks
        ]
        assert sum(b"-----" in text for text in added) == 3
        assert all(b"step_" in text for text in added if b"-----" in text), path


RUBY = """\
# frozen_string_literal: true

module Shop
  module Cart
%s
%s
  end
end
"""


def ruby_method(name: str, count: int) -> str:
    body = "".join(f"      step {name}, {at}\n" + ("\n" if at % 10 == 9 else "") for at in range(count))
    return f"    # Says {name}.\n    def {name}(first)\n{body}    end\n"


def test_an_unknown_language_is_cut_at_definitions_by_their_indentation() -> None:
    text = RUBY % (ruby_method("total", 18), ruby_method("empty", 40))
    chunks = new_file("cart.rb", text)
    assert [chunk.title for chunk in chunks] == [
        "New file cart.rb: 29 lines",
        "Shop.Cart.empty (1 of 2): 26 lines",
        "Shop.Cart.empty (2 of 2): 22 lines",
    ]
    assert chunks[0].changes[0].hunks[0].new[0] == b"# frozen_string_literal: true\n"
    assert chunks[2].place_reason == "goes on with Shop.Cart.empty"
    done = outcome({"cart.rb": None}, [change for chunk in chunks for change in chunk.changes])["cart.rb"]
    assert done is not None and done.data == text.encode()


def test_lines_without_a_border_are_cut_where_they_are_indented_least() -> None:
    text = "".join(f"entry {at}\n" + "    more\n" * 6 for at in range(8))
    for chunk in new_file("list.dat", text):
        assert chunk.changes[0].hunks[0].new[0].startswith(b"entry")


def test_pieces_of_a_text_without_definitions_stay_in_their_order() -> None:
    block = "".join(f"call other_{at} with value_{at}\n" for at in range(12))
    text = "\n".join(f"value_{at} = 1\n{block}" for at in range(6))
    chunks = new_file("steps.dat", text)
    starts = [chunk.changes[0].hunks[0].seq for chunk in chunks]
    assert len(chunks) > 2
    assert starts == sorted(starts)


def test_a_text_that_is_indented_anew_is_replaced_side_by_side() -> None:
    old = "{\n" + "".join(f'  "key{at}": [\n    {at}\n  ],\n' for at in range(40)) + '  "end": 0\n}\n'
    new = old.replace("    ", "\t\t").replace("  ", "\t")
    before, after = ({"a.json": FileState(Mode.FILE, text.encode())} for text in (old, new))
    chunks = cut(before, after)
    assert len(chunks) > 8
    for chunk in chunks:
        assert chunk.changed_lines <= 26
        done = outcome(before, chunk.changes)["a.json"]
        assert done is not None
        assert json.loads(done.data) == json.loads(old)


def test_thousands_of_pieces_of_one_change_take_linear_time() -> None:
    before: States = {"a.txt": FileState(Mode.FILE, b"a\nb\n" * 20_000)}
    began = time.process_time()
    chunks = cut(before, {"a.txt": FileState(Mode.FILE, b"b\na\na\n" * 20_000)})
    assert time.process_time() - began < 5
    assert len(chunks) > 1_000


def test_a_text_in_another_encoding_is_one_chunk() -> None:
    text = "".join(f"line {at}\n" for at in range(60))
    wide = FileState(Mode.FILE, text.encode("utf-16"))
    for one, other in (
        (wide, FileState(Mode.FILE, text.encode())),
        (FileState(Mode.FILE, text.encode()), wide),
    ):
        (chunk,) = cut({"a.txt": one}, {"a.txt": other})
        assert chunk.folded == "in another encoding"
        assert outcome({"a.txt": one}, chunk.changes)["a.txt"] == other


def test_a_chunk_is_split_with_both_sides_of_its_lines() -> None:
    before = {"a.cfg": FileState(Mode.FILE, b"[a]\nb = 1\nc = 2\nd = 3\n")}
    after = {"a.cfg": FileState(Mode.FILE, b"[x]\nb: 1\nc: 2\nd: 3\n")}
    (chunk,) = cut(before, after)
    parts = split(chunk, before)
    assert [part.title for part in parts] == ["x (1 of 2): 4 lines", "x (2 of 2): 4 lines"]
    assert [(hunk.old, hunk.new) for hunk in parts[0].changes[0].hunks] == [
        ((b"[a]\n", b"b = 1\n"), (b"[x]\n", b"b: 1\n"))
    ]
