"""What a Python file uses of other packages, and how: imports, attributes, calls with their keywords.

Follows names through imports, attribute chains, instances (`x = Client(...)`, `with Client() as x`) and annotated
return types. A name that is bound twice, a parameter, anything that is not certain is left alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import msgspec

from agent.evidence.lookup.added import added_sites
from agent.evidence.lookup.keywords import wrong_keyword
from agent.evidence.lookup.pymodules import SourceModule, Target
from agent.evidence.lookup.symbols import Missing, Symbol, Symbols, Unknown

_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip


class Use(msgspec.Struct, frozen=True):
    """One use: `text` as written, at `line`. `keywords` are those of a call, with `wrong` the one that is not taken."""

    text: str
    line: int
    answer: Symbol | Missing | Unknown
    wrong: str = ""
    is_guarded: bool = False


class Value(msgspec.Struct, frozen=True):
    """What an expression is: the thing itself, or an instance of a class."""

    symbol: Symbol
    is_instance: bool = False


class Reader:
    """Reads one file. `is_ours` says which top-level names belong to the repository itself."""

    def __init__(self, symbols: Symbols, is_ours: Callable[[str], bool]) -> None:
        self._symbols = symbols
        self._is_ours = is_ours

    def added(self, old: bytes, new: bytes) -> list[Use]:
        """The uses in `new` that `old` did not have, each once. One that does not parse, or is huge, has none."""
        found = added_sites(old, new)
        if found is None:
            return []
        after, wanted = found
        reader = _File(after, self._symbols, self._is_ours)
        return list({(use.text, use.wrong): use for node in wanted for use in reader.uses(node)}.values())


class _File:
    """One parsed file: its imports, its scopes, and what its expressions are."""

    def __init__(self, tree: ast.Module, symbols: Symbols, is_ours: Callable[[str], bool]) -> None:
        self._symbols, self._is_ours = symbols, is_ours
        self._scope: dict[ast.AST, ast.AST] = {}
        self._guarded: set[ast.AST] = set()
        self._tried: set[ast.AST] = set()
        self._strings: set[str] = set()
        self._sources: dict[ast.AST, ast.expr] = {}
        self._entered: dict[ast.AST, ast.expr] = {}
        self._imports: dict[str, list[Target]] = {}
        self._bound: dict[ast.AST, dict[str, list[ast.AST]]] = {}
        self._stores: dict[str, list[ast.Attribute]] = {}
        """Attributes that the file itself sets, on whatever object."""
        self._flags: set[str] = set()
        """Names that say which version or system this is."""
        self._narrowed: set[str] = set()
        """Names whose type the code itself looks at: they may be more than what made them says."""
        self._walk(tree, tree, False)

    def uses(self, node: ast.AST) -> Iterator[Use]:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from self._imported(node, Target(alias.name))
            case ast.ImportFrom(level=0, module=str(module), names=names):
                for alias in names:
                    yield from self._imported(node, Target(module, alias.name if alias.name != "*" else ""))
            case ast.Attribute(value=inner, attr=name, ctx=ast.Load()):
                owner = self._value(inner)
                if owner is not None:
                    answer = self._symbols.member(owner.symbol, name)
                    yield Use(ast.unparse(node), node.lineno, answer, is_guarded=self._is_asked(node, name))
            case ast.Call(func=func, keywords=keywords):
                value = self._value(func)
                if value is not None and not value.is_instance:
                    given = [keyword.arg for keyword in keywords if keyword.arg]
                    wrong = wrong_keyword(self._symbols, value.symbol, given)
                    if wrong:
                        yield Use(ast.unparse(func), node.lineno, value.symbol, wrong, node in self._guarded)
                    elif isinstance(func, ast.Name):
                        yield Use(func.id, node.lineno, value.symbol)

    def _imported(self, node: ast.Import | ast.ImportFrom, target: Target) -> Iterator[Use]:
        top = target.module.partition(".")[0]
        if self._is_ours(top) or top == "__future__":
            return
        answer = self._symbols.module(target.module)
        if target.name and isinstance(answer, Symbol):
            answer = self._symbols.member(answer, target.name)
        text = f"{target.module}.{target.name}" if target.name else target.module
        yield Use(text, node.lineno, answer, is_guarded=node in self._guarded | self._tried)

    def _is_asked(self, node: ast.AST, name: str) -> bool:
        """True when the code itself reckons with the absence of the name."""
        return node in self._guarded or name in self._strings or name in self._stores

    def _is_flagged(self, node: ast.AST, field: str) -> bool:
        """A branch of an `if` that asks for such a name."""
        if not isinstance(node, ast.If | ast.IfExp) or field == "test":
            return False
        return any(isinstance(word, ast.Name) and word.id in self._flags for word in ast.walk(node.test))

    def _walk(self, node: ast.AST, scope: ast.AST, guarded: bool) -> None:
        """Note the scope of each node, and every binding of a name in each scope."""
        self._scope[node] = scope
        if guarded:
            self._guarded.add(node)
        if isinstance(node, ast.Try) and any(_catches(handler, _BROAD) for handler in node.handlers):
            self._tried.update(node.body)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._strings.add(node.value)
        self._note(node, scope)
        if isinstance(node, _SCOPES):
            scope = node
        for field, value in ast.iter_fields(node):
            inside = guarded or _guards(node, field) or self._is_flagged(node, field)
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    self._walk(child, scope, inside)

    def _note(self, node: ast.AST, scope: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    target = Target(alias.name if alias.asname else alias.name.partition(".")[0])
                    self._add_import(alias.asname or alias.name.partition(".")[0], target)
            case ast.ImportFrom(level=level, module=module, names=names):
                for alias in names:
                    ours = level or not module
                    self._add_import(
                        alias.asname or alias.name, Target("" if ours else str(module), alias.name)
                    )
            case (
                ast.Name(id=name, ctx=ast.Store() | ast.Del())
                | ast.arg(arg=name)
                | ast.ExceptHandler(name=str(name))
            ):
                self._bound.setdefault(scope, {}).setdefault(name, []).append(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self._bound.setdefault(scope, {}).setdefault(name, []).append(node)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    self._bound.setdefault(scope, {}).setdefault(name, []).extend((node, node))
            case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
                self._stores.setdefault(name, []).append(node)
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass" | "cast"), args=arguments):
                self._narrowed.update(word.id for word in arguments if isinstance(word, ast.Name))
            case ast.Match(subject=ast.Name(id=name)):
                self._narrowed.add(name)
            case _:
                pass
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Compare | ast.BoolOp | ast.UnaryOp):
            asks = _ASKS.search(ast.unparse(node.value)) is not None
            self._flags.update(word.id for word in node.targets if asks and isinstance(word, ast.Name))
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            self._sources[node.targets[0]] = node.value
        if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            self._entered[node.optional_vars] = node.context_expr

    def _add_import(self, name: str, target: Target) -> None:
        known = self._imports.setdefault(name, [])
        if target not in known:
            known.append(target)

    def _value(self, node: ast.expr, depth: int = 8) -> Value | None:
        """What `node` is; None when that is not certain, or it is of the repository itself."""
        if depth <= 0:
            return None
        match node:
            case ast.Name(id=name):
                return self._named(node, name, depth)
            case ast.Attribute(value=ast.Name(id="self") as me, attr=attr) if self._class_of(me) is not None:
                return self._field(me, attr, depth)
            case ast.Attribute(value=inner, attr=attr):
                owner = self._value(inner, depth - 1)
                if owner is None:
                    return None
                answer = self._symbols.member(owner.symbol, attr)
                if not isinstance(answer, Symbol):
                    return None
                is_value = not (answer.is_module or answer.is_class or answer.is_function)
                return None if is_value or "property" in _labels(answer) else Value(answer)
            case ast.Call(func=func):
                return self._made(func, depth)
            case ast.Await(value=inner):
                return self._value(inner, depth - 1)
            case _:
                return None

    def _class_of(self, me: ast.Name) -> ast.ClassDef | None:
        """The class in one of whose methods `self` stands."""
        method = self._scope.get(me)
        owner = (
            self._scope.get(method) if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) else None
        )
        return owner if isinstance(owner, ast.ClassDef) else None

    def _field(self, me: ast.Name, attr: str, depth: int) -> Value | None:
        """`self.attr`, when nothing but one line of a class without bases sets it, to a call."""
        owner = self._class_of(me)
        stores = self._stores.get(attr, [])
        if owner is None or owner.bases or owner.keywords or owner.decorator_list or len(stores) != 1:
            return None
        held, source = stores[0].value, self._sources.get(stores[0])
        of_self = isinstance(held, ast.Name) and held.id == "self" and self._class_of(held) is owner
        if not of_self or attr in self._bound.get(owner, {}) or not isinstance(source, ast.Call):
            return None
        return self._value(source, depth - 1)

    def _named(self, node: ast.Name, name: str, depth: int) -> Value | None:
        if name in self._narrowed:
            return None
        scope: ast.AST | None = self._scope.get(node)
        while scope is not None:
            bindings = self._bound.get(scope, {}).get(name)
            if bindings:
                return (
                    self._local(bindings, depth) if len(bindings) == 1 and name not in self._imports else None
                )
            above = self._scope.get(scope)
            scope = None if above is scope else above
        targets = self._imports.get(name, [])
        if len(targets) != 1 or not targets[0].module or self._is_ours(targets[0].module.partition(".")[0]):
            return None
        answer = self._symbols.target(targets[0])
        return Value(answer) if isinstance(answer, Symbol) else None

    def _local(self, bindings: list[ast.AST], depth: int) -> Value | None:
        """A variable that is bound once, to a call."""
        source = self._sources.get(bindings[0])
        if isinstance(source, ast.Call | ast.Await):
            return self._value(source, depth - 1)
        entered = self._entered.get(bindings[0])
        made = self._value(entered, depth - 1) if isinstance(entered, ast.Call) else None
        return made if made is not None and _enters_itself(self._symbols, made) else None

    def _made(self, func: ast.expr, depth: int) -> Value | None:
        """What a call gives: an instance of a class, or what a function says that it returns."""
        called = self._value(func, depth - 1)
        if called is None or called.is_instance:
            return None
        if called.symbol.is_class:
            plain = not isinstance(self._symbols.member(called.symbol, "name_that_nothing_has"), Unknown)
            return Value(called.symbol, is_instance=True) if plain else None
        if (
            not called.symbol.is_function
            or called.symbol.item.decorators
            or not isinstance(called.symbol.module, SourceModule)
        ):
            return None
        text = str(called.symbol.item.returns or "").strip("\"'")
        if not re.fullmatch(r"[A-Za-z_][\w.]*", text) or text in ("Any", "object", "Self"):
            return None
        answer = self._symbols.resolve(called.symbol.module, text)
        return Value(answer, is_instance=True) if isinstance(answer, Symbol) and answer.is_class else None


_ABSENCE = ("ImportError", "ModuleNotFoundError", "AttributeError", "NameError", "TypeError")
_BROAD = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")
_ASKS = re.compile(r"TYPE_CHECKING|platform|os\.name|hasattr|version|WIN|windows|PYPY|PY\d", re.IGNORECASE)


def _guards(node: ast.AST, field: str) -> bool:
    """True when what stands in this part of `node` runs only where a name is there, or may fail for its absence."""
    if field in ("annotation", "returns"):
        return True  # read by a type checker, which may know names that are not there at run time
    if isinstance(node, ast.If | ast.IfExp):
        return field != "test" and _ASKS.search(ast.unparse(node.test)) is not None
    if isinstance(node, ast.Try):
        return field == "body" and any(_catches(handler, _ABSENCE) for handler in node.handlers)
    if isinstance(node, ast.ExceptHandler):
        return field == "body" and _catches(node, _ABSENCE)  # what to do where the other name is not there
    return False


def _catches(handler: ast.ExceptHandler, names: tuple[str, ...]) -> bool:
    caught = ast.unparse(handler.type) if handler.type is not None else "BaseException"
    return any(name in re.findall(r"\w+", caught) for name in names)


def _labels(symbol: Symbol) -> set[str]:
    return set(symbol.item.labels) if symbol.item is not None else set()


def _enters_itself(symbols: Symbols, made: Value) -> bool:
    """True when `with X() as x` gives the instance: its `__enter__` says that it returns its own type."""
    for parent in symbols.mro(made.symbol):
        if not isinstance(parent, Symbol) or parent.item is None:
            return False
        enter = parent.item.members.get("__enter__")
        if enter is not None:
            own = str(next(iter(enter.parameters)).annotation) if enter.parameters else ""
            return str(enter.returns).strip("\"'") in (
                {own, "Self", "typing.Self", parent.item.name} - {"None", ""}
            )
    return False
