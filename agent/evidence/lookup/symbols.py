"""Looks up dotted names in a project's packages: what is there, with its signature, or that it is certainly not there.

Three answers: Symbol (found), Missing (certain: every place where the name could come from was read and does not have
it), Unknown (somebody decides at run time). Doubt is always Unknown.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from agent.evidence.lookup.pymodules import BinaryModule, Folder, Module, Modules, SourceModule, Target

DEPTH = 12
_KNOWN_DECORATORS = (
    "dataclass", "dataclasses.dataclass", "total_ordering", "functools.total_ordering", "final", "typing.final",
    "runtime_checkable", "typing.runtime_checkable", "unique", "enum.unique", "deprecated", "typing_extensions.deprecated",
    "warnings.deprecated", "set_module", "abc.ABC",
)  # fmt: skip
_OF_ALL_CLASSES = ("register", "mro")
_OTHER_PLATFORMS = ("msvcrt", "winreg", "_winapi", "winsound", "_overlapped", "nt", "_scproxy")
_ELSEWHERE = frozenset((
    "os.startfile", "os.add_dll_directory", "os.listdrives", "os.listvolumes", "os.listmounts", "os.chflags",
    "os.lchflags", "os.lchmod", "os.plock", "os.getresuid", "os.sched_getaffinity", "os.sched_setaffinity",
    "os.memfd_create", "os.splice", "os.copy_file_range", "os.pidfd_open", "os.eventfd", "os.getrandom", "os.getxattr",
    "os.setxattr", "os.listxattr", "os.removexattr", "os.posix_fallocate", "os.posix_fadvise", "os.fork", "os.forkpty",
    "os.getuid", "os.geteuid", "os.getgid", "os.setsid", "os.killpg", "os.getpgid", "os.wait", "os.chown", "os.chroot",
    "os.mkfifo", "os.mknod", "os.uname", "select.kqueue", "select.kevent", "select.epoll", "select.poll",
    "select.devpoll", "signal.alarm", "signal.setitimer", "signal.pause", "signal.sigwait", "signal.sigwaitinfo",
    "signal.sigtimedwait", "time.tzset", "time.pthread_getcpuclockid", "codecs.mbcs_encode", "codecs.mbcs_decode",
    "codecs.oem_encode", "codecs.oem_decode", "codecs.code_page_encode", "codecs.code_page_decode",
    "socket.sethostname", "socket.if_nameindex", "sys.getwindowsversion", "sys.winver",
))  # fmt: skip
"""Names that another system has, though this one may not."""
_PLAIN_METACLASSES = ("ABCMeta", "abc.ABCMeta")


class Symbol(msgspec.Struct, frozen=True):
    """Something that exists. `item` is griffe's object; None for a module or an assigned name."""

    path: str
    module: SourceModule | BinaryModule | Folder
    item: Any = None

    @property
    def is_module(self) -> bool:
        return self.path == self.module.name

    @property
    def is_class(self) -> bool:
        return self.item is not None and self.item.is_class

    @property
    def is_function(self) -> bool:
        return self.item is not None and self.item.is_function

    @property
    def where(self) -> str:
        """File and line."""
        if not isinstance(self.module, SourceModule):
            return ""
        return f"{self.module.file}:{self.item.lineno}" if self.item is not None else str(self.module.file)


class Missing(msgspec.Struct, frozen=True):
    """`owner` was read and has no `name`."""

    owner: str
    name: str


class Unknown(msgspec.Struct, frozen=True):
    reason: str


Answer = Symbol | Missing | Unknown


class Symbols:
    """Lookups over one environment."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules

    def is_installed(self, top: str) -> bool:
        return bool(self._modules.find(top))

    def module(self, name: str) -> Answer:
        """A module by its dotted name. Missing only when the top package is there and is a folder we can read."""
        found = self._modules.find(name)
        if found:
            return Symbol(name, found[0])
        owner, _, last = name.rpartition(".")
        if not owner:
            return Missing("", name)
        above = self.module(owner)
        if not isinstance(above, Symbol):
            return above
        return self.member(above, last)

    def member(self, owner: Symbol, name: str, depth: int = DEPTH) -> Answer:
        """An attribute of a module or a class."""
        if (
            re.fullmatch(r"__\w+__", name)
            or owner.path == "builtins"
            or (owner.is_class and name in _OF_ALL_CLASSES)
        ):
            return Unknown("a special name")
        if owner.path.partition(".")[0] in _OTHER_PLATFORMS:
            return Unknown("of another platform")
        answer = self._member(owner, name, depth)
        elsewhere = isinstance(answer, Missing) and f"{owner.path}.{name}" in _ELSEWHERE
        return Unknown("of another platform") if elsewhere else answer

    def _member(self, owner: Symbol, name: str, depth: int) -> Answer:
        if owner.is_module:
            return self._best(
                [self._in_module(module, name, depth) for module in self._modules.find(owner.path)],
                owner,
                name,
            )
        return self._in_class(owner, name, depth) if owner.is_class else Unknown("its type is not known")

    def target(self, target: Target, depth: int = DEPTH) -> Answer:
        """What an import means."""
        if depth <= 0:
            return Unknown("imports go in a circle")
        found = self._modules.find(target.module)
        if not found:
            return Unknown(f"{target.module} cannot be read")
        module = Symbol(target.module, found[0])
        return self.member(module, target.name, depth - 1) if target.name else module

    def resolve(self, module: SourceModule, dotted: str) -> Answer:
        """A dotted name as it is written inside `module`."""
        head, *rest = dotted.split(".")
        answer: Answer = self._in_module(module, head, DEPTH)
        if isinstance(answer, Missing) and hasattr(builtins, head):
            return Unknown("built in")
        for name in rest:
            if not isinstance(answer, Symbol):
                return answer
            answer = self.member(answer, name)
        return answer

    def _best(self, answers: Sequence[Answer], owner: Symbol, name: str) -> Answer:
        """A symbol from any place, else doubt from any place, else it is missing."""
        for kind in (Symbol, Unknown):
            for answer in answers:
                if isinstance(answer, kind):
                    return answer
        return Missing(owner.path, name) if answers else Unknown(f"{owner.path} cannot be read")

    def _in_module(self, module: Module, name: str, depth: int) -> Answer:
        if depth <= 0:
            return Unknown("imports go in a circle")
        if self._modules.find(f"{module.name}.{name}") and not isinstance(module, BinaryModule):
            inner: Answer = self.target(Target(f"{module.name}.{name}"))
            if not isinstance(module, SourceModule) or name not in module.imports.keys() | module.own.keys():
                return inner
        match module:
            case BinaryModule(names=frozenset() as names) if name in names:
                return Symbol(f"{module.name}.{name}", module)
            case BinaryModule():
                return Unknown("compiled") if module.may_have(name) else Missing(module.name, name)
            case Folder():
                return Missing(module.name, name)
            case SourceModule():
                return self._in_source(module, name, depth)

    def _in_source(self, module: SourceModule, name: str, depth: int) -> Answer:
        path = f"{module.name}.{name}"
        if name in module.own:
            item = module.member(name)
            return (
                Symbol(path, module, item)
                if module.own[name] <= 1 and item is not None
                else Unknown("defined more than once")
            )
        owner = Symbol(module.name, module)
        answers = [self.target(target, depth) for target in module.imports.get(name, ())]
        if answers:
            best = self._best(answers, owner, name)
            return best if not isinstance(best, Missing) else Unknown("imported from elsewhere")
        for star in module.stars:
            for starred in self._modules.find(star):
                answer = self._in_module(starred, name, depth - 1)
                if not isinstance(answer, Missing):
                    return answer
        if module.is_dynamic or name in module.stored or name.startswith(module.prefixes):
            return Unknown("made at run time")
        return Missing(module.name, name)

    def _in_class(self, owner: Symbol, name: str, depth: int) -> Answer:
        """In the class or a base; only when none of them has it does doubt about any of them count."""
        doubt: Answer = Missing(owner.path, name)
        for parent in self.mro(owner, depth):
            match parent:
                case Symbol(module=SourceModule() as module, item=item):
                    found = item.members.get(name)
                    if found is not None:
                        return Symbol(f"{parent.path}.{name}", module, found if not found.is_alias else None)
                    if {"__getattr__", "__getattribute__"} & set(item.members):
                        doubt = Unknown("attributes are made at run time")
                    elif module.says(name) or not _is_plain(item, module):
                        doubt = Unknown("may be set at run time")
                case Unknown():
                    doubt = parent
                case _:
                    doubt = Unknown("a base cannot be read")
        return doubt

    def mro(self, owner: Symbol, depth: int = DEPTH) -> Iterator[Answer]:
        """The class and its bases, nearest first; Unknown for a base that cannot be read. Plain `object` is left out."""
        yield owner
        if depth <= 0 or not isinstance(owner.module, SourceModule):
            yield Unknown("bases go in a circle")
            return
        for base in owner.item.bases:
            text = re.sub(r"\[.*", "", str(base), flags=re.DOTALL)
            if text in (
                "object",
                "Generic",
                "typing.Generic",
                "Protocol",
                "typing.Protocol",
                "ABC",
                "abc.ABC",
            ):
                continue
            answer = self.resolve(owner.module, text)
            if isinstance(answer, Symbol) and answer.is_class:
                yield from self.mro(answer, depth - 1)
            else:
                yield Unknown(f"its base {text} cannot be read")


def _is_plain(item: Any, module: SourceModule) -> bool:
    """No decorator and no metaclass that may add attributes."""
    decorators = [str(decorator.callable_path) for decorator in item.decorators]
    if any(
        path.rpartition(".")[2] not in {name.rpartition(".")[2] for name in _KNOWN_DECORATORS}
        for path in decorators
    ):
        return False
    for node in ast.walk(_class_node(module, item)):
        if isinstance(node, ast.ClassDef) and node.name == item.name:
            metas = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "metaclass"]
            return all(meta in _PLAIN_METACLASSES for meta in metas)
    return False


def _class_node(module: SourceModule, item: Any) -> ast.AST:
    lines = module.source.split("\n")[item.lineno - 1 : item.endlineno]
    text = "\n".join(lines)
    indent = len(text) - len(text.lstrip())
    try:
        return ast.parse("\n".join(line[indent:] for line in lines))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def is_newer_than_us(version: tuple[int, int]) -> bool:
    """True when the project's Python may have what ours has not."""
    return version > sys.version_info[:2]
