"""Weakened Python tests, by their syntax trees: assertions, skips, cases and tests that are gone or demand less.

A pair of assertions is compared by strength: equality over membership over "is not None" over plain truth over
nothing. Of the same strength with another value it is a changed expectation. A file that does not parse is not judged.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import msgspec

from agent.core.hunk import FileState, Write
from agent.core.scrutiny.weakness import Weakened, Weakness

_SKIPS = (
    "skip",
    "skipif",
    "xfail",
    "expectedFailure",
    "skipIf",
    "skipUnless",
    "skipTest",
    "importorskip",
    "SkipTest",
)
_STRONG = (
    "Equal",
    "Equals",
    "Is",
    "ListEqual",
    "DictEqual",
    "CountEqual",
    "assert_called_once_with",
    "assert_called_with",
)
_MIDDLE = (
    "AlmostEqual",
    "In",
    "Greater",
    "Less",
    "Regex",
    "Raises",
    "Warns",
    "allclose",
    "approx",
    "isclose",
    "called",
)
_NEGATIVE = ("Not", "IsInstance", "isinstance")
_TOLERANCES = ("rel", "abs", "delta", "places", "rtol", "atol", "decimal", "rel_tol", "abs_tol")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Assertion(msgspec.Struct, frozen=True):
    """One demand of a test. `strength` 4 is an exact value, 0 demands nothing; `guards` are conditions around it."""

    text: str
    subject: str
    strength: float
    guards: int
    line: int


class Test(msgspec.Struct, frozen=True):
    """A test function: its assertions, how often it skips or leaves early, how many cases it has."""

    name: str
    line: int
    body: str
    assertions: tuple[Assertion, ...]
    skips: int
    exits: int
    cases: int
    is_test: bool


class Module(msgspec.Struct, frozen=True):
    tests: dict[str, Test]
    skips: int


def python_findings(writes: Sequence[Write]) -> Iterator[Weakened]:
    """What `writes`, all Python test files, take away."""
    read = [(write, _module(write.old), _module(write.new)) for write in writes]
    everywhere = {name.rpartition(".")[2] for _, _, new in read if new for name in new.tests}
    bodies = {test.body for _, _, new in read if new for test in new.tests.values() if test.is_test}
    for write, old, new in read:
        if old is None or new is None:
            continue
        for name, test in old.tests.items():
            now = new.tests.get(name)
            if now is not None:
                yield from _compare(write.path, test, now)
            elif test.is_test and name.rpartition(".")[2] not in everywhere and test.body not in bodies:
                yield Weakened(Weakness.REMOVED, write.path, name, test.line)
        if new.skips > old.skips:
            yield Weakened(Weakness.SKIPPED, write.path)


def _module(state: FileState | None) -> Module | None:
    """None when it does not parse; an absent file has no tests."""
    if state is None:
        return Module({}, 0)
    try:
        tree = ast.parse(state.data)
    except (SyntaxError, ValueError, RecursionError):
        return None
    tests = {test.name: test for test in _tests(tree.body, "")}
    inside = sum(test.skips for test in tests.values())
    return Module(tests, max(0, _skips(tree) - inside))


def _tests(body: Sequence[ast.stmt], prefix: str) -> Iterator[Test]:
    for node in body:
        if isinstance(node, Function):
            yield _test(node, prefix + node.name)
        elif isinstance(node, ast.ClassDef):
            yield from _tests(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _tests(node.body, prefix)


def _test(node: Function, name: str) -> Test:
    return Test(
        name=name,
        line=node.lineno,
        body=ast.dump(ast.Module(body=node.body, type_ignores=[])),
        assertions=tuple(_assertions(node.body, 0)),
        skips=_skips(node),
        exits=sum(isinstance(inner, ast.Return) for inner in node.body),
        cases=sum(_cases(decorator) for decorator in node.decorator_list),
        is_test=node.name.startswith("test") and all(part[:1] != "_" for part in name.split(".")),
    )


def _skips(node: ast.AST) -> int:
    names = (getattr(inner, "attr", None) or getattr(inner, "id", None) for inner in ast.walk(node))
    return sum(name in _SKIPS for name in names)


def _cases(decorator: ast.expr) -> int:
    """How many values a parametrize decorator lists; 0 when that cannot be seen."""
    if not isinstance(decorator, ast.Call) or not ast.unparse(decorator.func).endswith("parametrize"):
        return 0
    values = decorator.args[1] if len(decorator.args) > 1 else None
    for keyword in decorator.keywords:
        values = keyword.value if keyword.arg == "argvalues" else values
    return len(values.elts) if isinstance(values, ast.List | ast.Tuple | ast.Set) else 0


def _assertions(body: Sequence[ast.stmt], guards: int) -> Iterator[Assertion]:
    """Every demand in `body`, with how many conditions stand around it."""
    for node in body:
        yield from _demand(node, guards)
        swallows = isinstance(node, ast.Try) and any(_swallows(handler) for handler in node.handlers)
        suppressed = isinstance(node, ast.With) and "suppress(" in ast.unparse(node.items[0])
        inner = guards + (isinstance(node, ast.If | ast.While) or swallows or suppressed)
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            for child in getattr(node, field, ()):
                nested = child.body if isinstance(child, ast.ExceptHandler | ast.match_case) else [child]
                yield from _assertions(nested, inner)


def _swallows(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    quiet = not any(isinstance(node, ast.Raise | ast.Assert) for node in ast.walk(handler))
    return quiet and any(name in caught for name in ("AssertionError", "Exception"))


def _demand(node: ast.stmt, guards: int) -> Iterator[Assertion]:
    match node:
        case ast.Assert(test=test):
            subject = test.left if isinstance(test, ast.Compare) else test
            yield Assertion(ast.unparse(test), ast.unparse(subject), _strength(test), guards, node.lineno)
        case ast.Expr(value=ast.Call() as call) | ast.Expr(value=ast.Await(value=ast.Call() as call)):
            name = _last(call.func)
            if name.startswith(("assert", "fail")):
                about = ast.unparse(call.args[0] if call.args else call.func)
                yield Assertion(ast.unparse(call), about, _named(name, call), guards, node.lineno)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if isinstance(item.context_expr, ast.Call) and _last(item.context_expr.func) in (
                    "raises", "warns", "assertRaises", "assertRaisesRegex", "assertWarns", "deprecated_call",
                ):  # fmt: skip
                    text = ast.unparse(item.context_expr)
                    broad = any(word in text for word in ("(Exception", "(BaseException"))
                    yield Assertion(
                        text, "raises", 2 if broad else 3 + 0.5 * ("match" in text), guards, node.lineno
                    )
        case _:
            return


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _strength(node: ast.expr) -> float:
    match node:
        case ast.Constant():
            return 0
        case ast.BoolOp(op=ast.And(), values=values):
            return max(_strength(value) for value in values) + 0.1 * len(values)
        case ast.BoolOp(values=values):
            return min(*(_strength(value) for value in values), 3.5) - 0.1 * len(values)
        case ast.UnaryOp(op=ast.Not()):
            return 1
        case ast.Compare(ops=[op], comparators=[right], left=left):
            return _compared(op, left, right)
        case ast.Compare():
            return 3
        case ast.Call(func=func):
            name = _last(func)
            return 2 if name == "isinstance" else 3 if name in ("allclose", "isclose") else 1.5
        case _:
            return 1


def _compared(op: ast.cmpop, left: ast.expr, right: ast.expr) -> float:
    if ast.dump(left) == ast.dump(right):
        return 0
    match op:
        case ast.Eq() | ast.Is():
            return 3 + _tightness(right) if "approx" in ast.unparse(right) else 4
        case ast.NotEq() | ast.IsNot():
            return 2
        case _:
            return 3


def _named(name: str, call: ast.Call) -> float:
    """The strength of `assertEqual` and its like, by name."""
    bare = name.removeprefix("assert").lstrip("_")
    if bare in ("True", "_", "False", ""):
        return _strength(call.args[0]) if call.args else 1
    if any(part in name for part in _NEGATIVE):
        return 2
    if bare in _STRONG or name in _STRONG or bare in ("array_equal", "equal", "frame_equal", "series_equal"):
        return 4
    return 3 + _tightness(call) if any(part in name for part in _MIDDLE) else 3


def _tightness(node: ast.expr) -> float:
    """Between 0 and 0.9: larger for a smaller tolerance."""
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.keyword)
            and inner.arg in _TOLERANCES
            and isinstance(inner.value, ast.Constant)
        ):
            value = inner.value.value
            if isinstance(value, int | float) and not isinstance(value, complex):
                size = 10.0**-value if inner.arg in ("places", "decimal") else abs(float(value))
                return 0.9 / (1 + size * 1000) if size < 1e9 else 0
    return 0.9


def _compare(path: str, old: Test, new: Test) -> Iterator[Weakened]:
    if new.skips > old.skips:
        yield Weakened(Weakness.SKIPPED, path, new.name, new.line)
    if new.exits > old.exits and old.is_test:
        yield Weakened(Weakness.LOOSENED, path, new.name, new.line, "returns early")
    if new.cases < old.cases:
        yield Weakened(Weakness.REMOVED, path, new.name, new.line, f"{old.cases - new.cases} cases")
    left = list(new.assertions)
    gone = []
    for assertion in old.assertions:
        same = next((other for other in left if other.text == assertion.text), None)
        if same is None:
            gone.append(assertion)
            continue
        left.remove(same)
        if same.guards > assertion.guards:
            yield Weakened(Weakness.LOOSENED, path, new.name, same.line, "now conditional")
    yield from _paired(path, new, gone, left)


def _paired(path: str, test: Test, gone: Sequence[Assertion], come: list[Assertion]) -> Iterator[Weakened]:
    """What became of assertions that are no longer there as they were."""
    lost = 0
    for assertion in gone:
        if not come:
            lost += 1
            continue
        other = next((other for other in come if other.subject == assertion.subject), come[0])
        come.remove(other)
        if other.strength < assertion.strength or other.guards > assertion.guards:
            yield Weakened(Weakness.LOOSENED, path, test.name, other.line, other.text[:80])
        elif other.strength == assertion.strength:
            yield Weakened(Weakness.CHANGED, path, test.name, other.line)
    if lost:
        yield Weakened(Weakness.DELETED, path, test.name, test.line, f"{lost} of them" if lost > 1 else "")
