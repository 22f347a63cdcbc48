"""What definitions are called, and which lines belong to them, language by language."""

from __future__ import annotations

import pytest

from agent.core.code.symbols import outline
from agent.core.text import split_lines


def symbols(path: str, text: str) -> list[tuple[str, int, int]]:
    """Names with their first and last line, counted from 1."""
    found = outline(path, split_lines(text.encode())).symbols
    return [(symbol.name, symbol.start + 1, symbol.end) for symbol in found]


def names(path: str, text: str) -> list[str]:
    return [name for name, _, _ in symbols(path, text)]


GO = """\
// Lexer reads.
type Lexer[T any] struct {
\tat int
}

// Next is the next.
func (l *Lexer[T]) Next() int { return 1 }

func New() *Lexer[int] {
\treturn nil
}
"""
RUST = """\
/// A point.
#[derive(Debug)]
struct Point<T> { x: T }

impl<T: Debug> fmt::Display for Point<T> {
    fn fmt(&self) {}
}

impl Point<u8> {
    /// A new one.
    #[inline]
    pub async fn new() -> Self {}
}

macro_rules! m { () => {} }
"""
TYPESCRIPT = """\
/** Any f. */
export function f(a: string): void;
export function f(a: any): void {}
namespace N {
  export class C {
    @own()
    async run() {}
    handle = () => {};
  }
}
export const arrow = async <T>(x: T) => x;
"""
SCRIPT = """\
module.exports = class App extends Emitter {
  use() {}
};
describe('Parser', () => {
  it.each([1])("reads a.b", async () => {});
  app.get('/x', () => {});
});
"""
JAVA = """\
/**
 * Doc.
 */
@Deprecated
public class A {
  /** Makes one. */
  @Inject
  public A() {}

  enum E { P, Q }
}
"""
C = """\
#define MAX(a, b) \\
  ((a) > (b) ? (a) : (b))
typedef struct {
  int a;
} point;
/*
 * Copies.
 */
static inline char *
dup(const char *s, int (*f)(int))
{
  return 0;
}
"""
CPP = """\
namespace a::b {
// Reads.
template <typename T>
class Parser : public Base<T> {
 public:
  ~Parser();
  const T& get() const {
    return x_;
  }
  explicit operator bool() const { return true; }
};

template <typename T>
T& Parser<T>::next() {
  return x_;
}
bool operator<(const A& x, const A& y) { return true; }
using Alias = int;
}  // namespace a::b
TEST_F(ParserTest, Reads) {
  EXPECT_EQ(1, 1);
}
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.go", GO, [("Lexer", 1, 4), ("Lexer.Next", 6, 7), ("New", 9, 11)]),
        (
            "a.rs",
            RUST,
            [
                ("Point", 1, 3),
                ("impl fmt::Display for Point<T>", 5, 7),
                ("Point.fmt", 6, 6),
                ("impl Point<u8>", 9, 13),
                ("Point.new", 10, 12),
                ("m", 15, 15),
            ],
        ),
        (
            "a.ts",
            TYPESCRIPT,
            [
                ("f", 1, 2),
                ("f", 3, 3),
                ("N", 4, 10),
                ("N.C", 5, 9),
                ("N.C.run", 6, 7),
                ("N.C.handle", 8, 8),
                ("arrow", 11, 11),
            ],
        ),
        (
            "a.js",
            SCRIPT,
            [("App", 1, 3), ("App.use", 2, 2), ('"Parser"', 4, 7), ('"Parser" > "reads a.b"', 5, 5)],
        ),
        ("A.java", JAVA, [("A", 1, 11), ("A.A", 6, 8), ("A.E", 10, 10)]),
        ("a.c", C, [("MAX", 1, 2), ("point", 3, 5), ("dup", 6, 13)]),
        *(
            (
                path,
                CPP,
                [
                    ("Parser", 2, 11),
                    ("Parser.get", 7, 9),
                    ("Parser.operator bool", 10, 10),
                    ("Parser.next", 13, 16),
                    ("operator<", 17, 17),
                    ("Alias", 18, 18),
                    ("ParserTest.Reads", 20, 22),
                ],
            )
            for path in ("a.cpp", "a.h")
        ),
    ],
)
def test_definitions_are_named_as_in_their_language(
    path: str, text: str, expected: list[tuple[str, int, int]]
) -> None:
    assert symbols(path, text) == expected


def test_documentation_may_have_a_blank_line_behind_it_unless_it_opens_the_file() -> None:
    text = "/**\n * Runs.\n */\n\nfunction run() {\n}\n"
    assert symbols("a.js", text) == [("run", 5, 6)]
    assert symbols("a.js", f"x();\n{text}") == [("run", 2, 7)]
    assert symbols("a.js", f"x();\n{text.replace('/**', '/*!')}") == symbols("a.js", f"x();\n{text}")
    assert symbols("a.js", f"x();\n{text.replace('/**', '/*')}") == [("run", 6, 7)]


def test_a_decorator_a_comment_and_what_is_nested_belong_to_the_definition() -> None:
    text = "class A:\n    x = 1\n    # Why.\n    @own\n    async def run(self):\n        def inner():\n            pass\n"
    assert symbols("a.py", text) == [("A", 1, 7), ("A.run", 3, 7), ("A.run.inner", 6, 7)]


def test_calls_that_only_begin_with_the_word_of_a_test_name_nothing() -> None:
    calls = 'suite\n  .add("A", () => {})\n  .add("B", () => {});\nit.steps("C", () => {});\n'
    text = f'{calls}test.describe.only("D", () => {{}});\n'
    found = outline("a.js", tuple(line.encode() for line in text.splitlines(keepends=True)))
    assert [symbol.name for symbol in found.symbols] == ['"D"']
