"""Python modules as files: found by name, parsed, never imported. One module is read at a time, when it is asked for.

Names are resolved from the syntax tree (every binding of a name, also in both branches of an `if`), because what a
module exports can differ by platform; griffe gives signatures, docstrings and attributes of one module.
"""

from __future__ import annotations

import ast
import mmap
import re
import sys
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agent.evidence.lookup.project_env import ProjectEnv

if TYPE_CHECKING:
    import griffe

_DYNAMIC_CALLS = ("globals", "exec", "attach", "attach_stub", "_LazyModule", "lazy_import", "setattr", "vars")


class Target(msgspec.Struct, frozen=True):
    """What an import binds: a module, or `name` of a module."""

    module: str
    name: str = ""


class SourceModule:
    """One `.py` or `.pyi` file."""

    def __init__(self, name: str, file: Path, is_package: bool) -> None:
        self.name, self.file, self.is_package = name, file, is_package
        self.source = file.read_bytes().decode("utf-8", "replace")
        self._package = name if is_package else name.rpartition(".")[0]
        self.imports: dict[str, list[Target]] = {}
        self.stars: list[str] = []
        self.own: dict[str, int] = {}
        """How often each name is bound here by something that is no import."""
        self.is_dynamic = False
        self.prefixes: tuple[str, ...] = ()
        """How names begin that are made at run time, where that is all that is made."""
        self.stored: set[str] = set()
        self._scan(ast.parse(self.source))

    @cached_property
    def api(self) -> griffe.Module:
        import griffe

        return griffe.visit(self.name, filepath=self.file, code=self.source)

    def member(self, name: str) -> Any:
        """griffe's object for a name that is defined here, None for one that is not."""
        found = self.api.members.get(name)
        return None if found is None or found.is_alias else found

    def says(self, word: str) -> bool:
        """True when the word occurs anywhere in the text: then its absence as a name proves nothing."""
        return re.search(rf"\b{re.escape(word)}\b", self.source) is not None

    def _scan(self, tree: ast.Module) -> None:
        spaces = {name for node in ast.walk(tree) for name in _namespaces(node)}
        replaced: list[str] = []
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store()):
                    self.stored.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    self.stored.add(name)
                case ast.alias(name=name, asname=asname):
                    self.stored.add((asname or name).partition(".")[0])
                case ast.Call(
                    func=ast.Attribute(attr="_convert_" | "_convert"), args=arguments, keywords=keywords
                ):
                    # enum puts the constants of a C module into this one (ssl, socket, signal).
                    sources = [keyword.value for keyword in keywords if keyword.arg == "source"]
                    self.stars += [source.id for source in sources if isinstance(source, ast.Name)]
                    self.stored.update(
                        str(word.value) for word in arguments[:1] if isinstance(word, ast.Constant)
                    )
                case ast.Call(func=func) if _last(func) in _DYNAMIC_CALLS:
                    self.is_dynamic |= _is_dynamic(node)
                case ast.Subscript(value=ast.Name(id=name), slice=key, ctx=ast.Store()) if name in spaces:
                    start = _beginning(key)
                    self.prefixes += (start,) if start else ()
                    self.is_dynamic |= not start
                case ast.Subscript(value=ast.Call(func=ast.Name(id="globals" | "vars")), ctx=ast.Store()):
                    self.is_dynamic = True
                case ast.Attribute(
                    value=ast.Call(func=ast.Name(id="globals" | "vars" | "locals")), attr="update"
                ):
                    self.is_dynamic = True
                case (
                    ast.Attribute(attr="__class__", ctx=ast.Store())
                    | ast.Name(id="__path__", ctx=ast.Store())
                ):
                    self.is_dynamic = True
                case ast.Assign(targets=targets, value=value) if any(map(_is_own_place, targets)):
                    replaced.append(value.id if isinstance(value, ast.Name) else "")
        for statement in _top_level(tree.body):
            self._bind(statement)
        for other in replaced:
            found = self.imports.get(other, ())
            self.stars += [target.module for target in found if not target.name]
            self.is_dynamic |= not found or any(target.name for target in found)
        self.is_dynamic |= "__getattr__" in self.own

    def _bind(self, node: ast.stmt) -> None:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    module = alias.name if alias.asname else bound
                    self.imports.setdefault(bound, []).append(Target(module))
            case ast.ImportFrom(names=names):
                module = self._absolute(node)
                for alias in names:
                    if alias.name == "*":
                        self.stars.append(module)
                    else:
                        self.imports.setdefault(alias.asname or alias.name, []).append(
                            Target(module, alias.name)
                        )
            case (
                ast.FunctionDef(name=name, decorator_list=decorators)
                | ast.AsyncFunctionDef(name=name, decorator_list=decorators)
            ):
                overload = any(_last(decorator) == "overload" for decorator in decorators)
                self.own[name] = self.own.get(name, 0) + (not overload)
            case ast.ClassDef(name=name):
                self.own[name] = self.own.get(name, 0) + 1
            case _:
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                        self.own[inner.id] = self.own.get(inner.id, 0) + 1

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self._package.split(".")
        base = ".".join(parts[: len(parts) - node.level + 1])
        return f"{base}.{node.module}" if node.module else base


class BinaryModule(msgspec.Struct, frozen=True):
    """A module compiled from C. What is not among its strings is certainly not in it; the rest cannot be seen."""

    name: str
    files: tuple[Path, ...]
    is_c: bool = False
    """Part of Python itself, so certainly written in C."""
    names: frozenset[str] | None = None
    """All its names, where it is one that this very Python has loaded too."""

    def may_have(self, name: str) -> bool:
        if not self.files or name.isupper():
            return True  # constants are often put together when C is compiled, and differ by platform
        if self.names is not None:
            return name in self.names
        # Strings of C end with NUL; those of other languages do not.
        wanted = name.encode() + (b"\0" if self.is_c else b"")
        return any(_contains(file, wanted) for file in self.files)


class Folder(msgspec.Struct, frozen=True):
    """A package without a file of its own."""

    name: str


Module = SourceModule | BinaryModule | Folder


class Modules:
    """The modules of an environment, each read once. A module may have a stub and a source: both are given."""

    def __init__(self, env: ProjectEnv) -> None:
        self.env = env
        self._known: dict[str, tuple[Module, ...]] = {}

    def find(self, name: str) -> tuple[Module, ...]:
        """Everything that the dotted `name` could be; empty when there is no such module."""
        if name not in self._known:
            self._known[name] = tuple(map(self._with_names, self._look(name)))
        return self._known[name]

    def _with_names(self, module: Module) -> Module:
        """A C module of Python that we have loaded ourselves, in the same version, has the names that ours has."""
        loaded = sys.modules.get(module.name) if self.env.version == sys.version_info[:2] else None
        # `sys` gets names from others: debuggers, and programs that freeze a project.
        closed = isinstance(module, BinaryModule) and module.is_c and module.name != "sys"
        if isinstance(module, BinaryModule) and closed and loaded is not None:
            return msgspec.structs.replace(module, names=frozenset(dir(loaded)))
        return module

    def _look(self, name: str) -> Iterator[Module]:
        head, _, rest = name.partition(".")
        parts = rest.split(".") if rest else []
        found = False
        for folder in (self.env.stdlib, self.env.stdlib / "lib-dynload", *self.env.sites):
            for top in (head, f"{head}-stubs"):
                modules = list(_at(folder.joinpath(top, *parts), name, self.env.binaries))
                found |= bool(modules)
                yield from modules
        if (
            not found
            and not parts
            and any(_contains(file, head.encode() + b"\0") for file in self._builtin(head))
        ):
            yield BinaryModule(name, self.env.binaries, is_c=True)

    def _builtin(self, name: str) -> tuple[Path, ...]:
        return self.env.binaries if name in sys.stdlib_module_names else ()


def _at(base: Path, name: str, binaries: tuple[Path, ...]) -> Iterator[Module]:
    """The module whose files would be `base.py`, `base/__init__.py`, their stubs, or `base.*.so`."""
    found = False
    for file, is_package in (
        (base / "__init__.pyi", True),
        (base / "__init__.py", True),
        (base.with_name(base.name + ".pyi"), False),
        (base.with_name(base.name + ".py"), False),
    ):
        if file.is_file():
            try:
                yield SourceModule(name, file, is_package)
            except (SyntaxError, ValueError, RecursionError, OSError):
                yield BinaryModule(name, ())
            found = True
    own = tuple(file for ending in ("so", "pyd") for file in base.parent.glob(f"{base.name}.*{ending}"))
    if own:
        # An extension may hand on what the interpreter itself has.
        yield BinaryModule(name, (*own, *binaries), is_c=base.parent.name == "lib-dynload")
    elif not found and base.is_dir():
        yield Folder(name)


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, also those in the branches of if, try, with and loops."""
    for node in body:
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While | ast.Match):
            if isinstance(node, ast.With | ast.For):
                yield (
                    ast.Expr(value=node.items[0].context_expr)
                    if isinstance(node, ast.With)
                    else ast.Expr(value=node.target)
                )
            for field in ("body", "orelse", "finalbody"):
                yield from _top_level(getattr(node, field, []))
            for handler in getattr(node, "handlers", []):
                yield from _top_level(handler.body)
            for case in getattr(node, "cases", []):
                yield from _top_level(case.body)
        else:
            yield node


def _is_own_place(node: ast.expr) -> bool:
    """`sys.modules[__name__]`: what is put there is what others import under this module's name."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="modules"), slice=ast.Name(id="__name__")):
            return True
    return False


def _namespaces(node: ast.AST) -> list[str]:
    """The names that a statement gives to the namespace of the module: `names = globals()`."""
    match node:
        case ast.Assign(targets=targets, value=ast.Call(func=ast.Name(id="globals" | "vars"), args=[])):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case _:
            return []


def _beginning(key: ast.expr) -> str:
    """What a key that is put together begins with; empty when that is not written down."""
    match key:
        case ast.BinOp(left=ast.Constant(value=str(start)), op=ast.Add()):
            return start
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
            return start
        case _:
            return ""


def _is_dynamic(call: ast.Call) -> bool:
    """A call that may put names into the module."""
    name = _last(call.func)
    if name == "setattr":
        return bool(call.args) and "modules" in ast.unparse(call.args[0])
    if name in ("globals", "vars"):
        return False
    if name == "exec":
        return True
    return name.startswith(("attach", "lazy_import", "_Lazy"))


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@lru_cache(maxsize=4096)
def _contains(file: Path, wanted: bytes) -> bool:
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return view.find(wanted) >= 0
    except (OSError, ValueError):
        return True
