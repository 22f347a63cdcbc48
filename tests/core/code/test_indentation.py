"""Outlines of files in languages that no parser here knows: names and lines of definitions, and any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.code.definitions import Margin
from agent.core.code.indentation import plain
from agent.core.code.structure import Body, Item, borders
from agent.core.code.symbols import outline
from agent.core.text import sniff, split_lines
from tests.core.code.test_symbols import symbols

RUBY = """\
module Shop
  # Counts.
  class Cart < Base
    def self.total(a,
                   b)
      a + b
    rescue Error
      0
    end

    def ==(other) = true
  end
end
"""
PHP = """\
<?php
namespace App\\Model;

abstract class User implements Named
{
    /**
     * Its name.
     */
    #[Pure]
    public static function &name(int $a): string
    {
        if ($a) {
            return '';
        }
    }
}

function helper() {
}
"""
ELIXIR = """\
defmodule Shop.Cart do
  @doc "Sums."
  def sum([]), do: 0

  def sum([head | tail]) do
    head + sum(tail)
  end
end
"""
KOTLIN = """\
data class Point(val x: Int) {
    override suspend fun <T> move(by: T) {
    }

    fun `moves far`() = 1
}
"""
SWIFT = """\
public extension Point {
  @objc mutating func move(
    by x: Int
  ) -> Int {
    return x
  }
}
"""
LUA = """\
local function add(a)
  return a
end

M.sub = function(a)
  return function(b) end
end
"""
SHELL = """\
run() {
  echo
}

function stop
{
  :
}
"""
R = """\
mean <- function(x) {
  x
}
test_that("it is fine", {
  expect(1)
})
"""
HASKELL = """\
newtype Key = Key Int

-- | Adds.
add :: Int -> Int
add 0 = 1
add x
  | x > 1 = 2

instance Show Key where
  show _ = ""
"""
CSHARP = """\
namespace A.B
{
    public class Box<T> : IBox
    {
        [Test]
        public async Task<int> Run(int a,
            string b)
        {
            if (a > 1)
            {
                return await Go(a,
                    b);
            }
        }
    }
}
"""
CSS = """\
@media print {
  a:hover, .b {
    color: red;
  }
}
"""
MAKE = """\
CC := gcc
all: a b
\t$(CC)

%.o: %.c
\t$(CC)
"""
SQL = """\
create table if not exists users (
  id int
);
CREATE OR REPLACE VIEW v AS
select 1;
"""
LISP = """\
(defun add (a)
  (+ a 1))

(define (sub a)
  a)
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "a.rb",
            RUBY,
            [
                ("Shop", 1, 13),
                ("Shop.Cart", 2, 12),
                ("Shop.Cart.self.total", 4, 9),
                ("Shop.Cart.==", 11, 11),
            ],
        ),
        (
            "a.php",
            PHP,
            [("App\\Model", 2, 2), ("User", 4, 16), ("User.name", 6, 15), ("helper", 18, 19)],
        ),
        ("a.ex", ELIXIR, [("Shop.Cart", 1, 8), ("Shop.Cart.sum", 2, 3), ("Shop.Cart.sum", 5, 7)]),
        ("a.kt", KOTLIN, [("Point", 1, 6), ("Point.move", 2, 3), ("Point.moves far", 5, 5)]),
        ("a.swift", SWIFT, [("Point", 1, 7), ("Point.move", 2, 6)]),
        ("a.lua", LUA, [("add", 1, 3), ("M.sub", 5, 7)]),
        ("a.sh", SHELL, [("run", 1, 3), ("stop", 5, 8)]),
        ("a.R", R, [("mean", 1, 3), ('"it is fine"', 4, 6)]),
        ("a.hs", HASKELL, [("Key", 1, 1), ("add", 3, 7), ("instance Show Key", 9, 10)]),
        ("a.cs", CSHARP, [("A.B", 1, 16), ("A.B.Box", 3, 15), ("A.B.Box.Run", 5, 14)]),
        ("a.css", CSS, [("@media print", 1, 5), ("@media print a:hover, .b", 2, 4)]),
        ("src/Makefile", MAKE, [("all", 2, 3), ("%.o", 5, 6)]),
        ("a.sql", SQL, [("users", 1, 3), ("v", 4, 4)]),
        ("a.el", LISP, [("add", 1, 2), ("sub", 4, 5)]),
        ("a.yml", "a:\n  b: 1\nc: 2\n", [("a", 1, 2), ("c", 3, 3)]),
        ("a.md", "# One:\n```\n# no\n```\n## Two\n", [("One:", 1, 4), ("Two", 5, 5)]),
        ("prose", "the class of all\nfunction of the\n  object is here\n", []),
    ],
)
def test_definitions_are_named_by_their_words_and_end_by_indentation(
    path: str, text: str, expected: list[tuple[str, int, int]]
) -> None:
    assert symbols(path, text) == expected
    crlf = text.replace("\n", "\r\n")
    assert [name for name, *_ in symbols(path, crlf)] == [name for name, *_ in expected]


WORDS = [
    "class A", "def run(x)", "function f() {", "it 'does' do", "end", "}", "{", "# about", "/** x", " * y", "@attr",
    "", "x = 1", "else", "name :: T", "name x = 1", "a: b", "(defun f (x)", "create table t (", "let x = 1", ") {",
]  # fmt: skip
LINE = st.tuples(st.sampled_from(["", " ", "  ", "\t", "    ", "      "]), st.sampled_from(WORDS)).map(
    "".join
)
ANY_BYTES = st.binary(max_size=300)
LOOKS_LIKE_CODE = st.lists(LINE, max_size=40).map(lambda lines: "\n".join(lines).encode())
PATHS = st.sampled_from(["a.rb", "a.cs", "a.css", "Makefile", "a.yml", "a.md", "a", "a.hs", "a.toml"])


@given(PATHS, st.one_of(LOOKS_LIKE_CODE, ANY_BYTES))
def test_symbols_and_items_are_nested_and_in_order_whatever_the_text(path: str, data: bytes) -> None:
    lines = split_lines(data)
    found = outline(path, lines)
    assert list(found.starts) == sorted(found.starts)
    around: list[int] = []
    for symbol in found.symbols:
        assert 0 <= symbol.start < symbol.end <= len(lines)
        assert symbol.name
        around = around[: symbol.depth]
        assert all(symbol.end <= end for end in around)
        around.append(symbol.end)
    _check_items(found.body)
    assert len(borders(found.body, len(lines))) == len(lines) + 1


def _check_items(body: Body | Item) -> None:
    inside = body.items if isinstance(body, Body) else body.bodies
    at = body.start
    for part in inside:
        assert at <= part.start < part.end <= body.end
        at = part.end
        _check_items(part)


def test_a_very_deep_text_is_no_fault() -> None:
    text = "".join(" " * at + f"def f{at}(x)\n" for at in range(3_000))
    assert len(symbols("a.rb", text)) == 40


@pytest.mark.parametrize(
    "path", ["a.md", "a.toml", "a.yml", "a.hs", "a.css", "a.cs", "a.sql", "a.el", "Makefile"]
)
def test_very_long_lines_take_no_longer_than_many_short_ones(path: str) -> None:
    starts = (
        "# x",
        "[x",
        "instance A",
        "class ",
        "create table ",
        "(defun ",
        "int f(",
        "a",
        "data <",
        "test '",
        "x = ",
    )
    for start in starts:
        for filling in (" ", "#", "(", "a ", "a,", "<", "\t"):
            outline(path, split_lines((start + filling * 200_000 + "!\n").encode()))


@pytest.mark.parametrize(
    ("path", "headings"),
    [
        ("notes.txt", ["The build", "Tests"]),
        ("CMakeLists.txt", []),
        ("sub/requirements-dev.txt", []),
        ("constraints.txt", []),
    ],
)
def test_a_comment_of_a_list_for_programs_is_no_heading(path: str, headings: list[str]) -> None:
    text = "# The build\nproject(x)\n\n# Tests\nadd_test(a)\n"
    assert [name for name, _, _ in symbols(path, text)] == headings


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("path", "text"), [("a.md", "# One\nx\n# Two\ny\n"), ("a.rb", RUBY), ("a.py", "def f():\n    return 1\n")]
)
def test_a_text_in_utf16_is_read_by_its_characters(path: str, text: str, codec: str) -> None:
    data = f"\ufeff{text}".encode(codec)
    lines = split_lines(data, sniff(data))
    found = outline(path, lines)
    narrow = plain(path, split_lines(text.encode()))
    assert found.symbols == narrow.symbols
    assert [Margin(path, data).at(at) for at in range(len(lines))] == [
        Margin(path, text.encode()).at(at) for at in range(len(lines))
    ]


@given(
    st.text(st.sampled_from("\u230a\u6120\u0a23\u2023\u0a0a\u7b0a# =\n"), min_size=1),
    st.sampled_from(["a.txt", "a.md", "a.toml", "a.yml", "a.rb", "a.css", "a.cs", "a.py", "Makefile"]),
    st.sampled_from(["utf-16-le", "utf-16-be"]),
)
def test_halves_of_characters_are_no_ends_of_lines(text: str, path: str, codec: str) -> None:
    data = f"\ufeff{text}".encode(codec)
    lines = split_lines(data, sniff(data))
    body = outline(path, lines).body
    assert (body.start, body.end) == (0, len(lines))
    _check_items(body)
    borders(body, len(lines))
    found = Margin(path, data).at(len(lines) - 1)
    assert found is None or 0 <= found.start < found.end <= len(lines)
