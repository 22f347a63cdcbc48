"""The API check: what a change calls in other packages, held against what is installed in the project's environment.

Read statically, nothing is imported. What is certainly missing, takes no such keyword or is deprecated is
*contradicted*; what cannot be resolved without running is *unverified*, never contradicted. Also the documentation of
a symbol for the model, and the mark on what it quotes (`quotations` finds the words).
"""

from __future__ import annotations

import builtins
import difflib
import re
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from agent.core.chunk import Quote
from agent.core.hunk import Write, writes_digest
from agent.core.review import Evidence, EvidenceKind, Verdict
from agent.evidence.lookup.deprecation import deprecation
from agent.evidence.lookup.project_env import ProjectEnv
from agent.evidence.lookup.pymodules import Modules, SourceModule
from agent.evidence.lookup.quotations import Absent, Found, Unread, find
from agent.evidence.lookup.signature import written
from agent.evidence.lookup.symbols import Missing, Symbol, Symbols, Unknown, is_newer_than_us
from agent.evidence.lookup.uses import Reader, Use
from agent.ports import Cancel

MAX_CONTRADICTED = 5
SHOWN = 3
QUOTE_SHOWN = 120
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")


class ApiChecker:
    """`paths` gives the repository's files; `find` the environment, looked up when it is first needed."""

    def __init__(
        self, root: Path, find: Callable[[], ProjectEnv], paths: Callable[[], Iterable[str]]
    ) -> None:
        self._root, self._find, self._paths = root, find, paths
        self._symbols: Symbols | None = None
        self._env: ProjectEnv | None = None
        self._parts: set[str] | None = None
        self._lock = threading.Lock()

    def examine(self, writes: Sequence[Write]) -> Iterator[Evidence]:
        """One piece for each contradiction, one for all the rest; nothing when nothing foreign is used."""
        with self._lock:
            uses = self._uses(writes)
            digest = writes_digest(writes)
            judged = [(use, *self._judge(use, writes)) for use in uses]
        against = [(use, text) for use, verdict, text in judged if verdict is Verdict.CONTRADICTED]
        for use, text in against[:MAX_CONTRADICTED]:
            yield self._piece(Verdict.CONTRADICTED, text, [use], digest)
        rest = [(use, verdict) for use, verdict, _ in judged if verdict is not Verdict.CONTRADICTED]
        found = [use for use, verdict in rest if verdict is Verdict.VERIFIED]
        unknown = [use for use, verdict in rest if verdict is Verdict.UNVERIFIED]
        if found or unknown:
            yield self._piece(
                _word(found, unknown), self._summary(found, unknown), [*found, *unknown], digest
            )

    def docs(self, name: str) -> str:
        """Signature, documentation and place of `package.module.Class.method`, for the model; says when it is not there."""
        with self._lock:
            answer = self._look(name)
            match answer:
                case Symbol():
                    return "\n".join(
                        part for part in (self._head(answer), _doc(answer), answer.where) if part
                    )
                case Missing(owner=owner, name=last):
                    near = self._near(owner, last)
                    return f"{owner or self._environment().label} has no {last}" + (
                        f"; it has {', '.join(near)}" if near else ""
                    )
                case Unknown(reason=reason):
                    return f"{name} cannot be read without running code: {reason}"

    def quotations(self, quotes: Sequence[Quote], digest: str, cancel: Cancel) -> Iterator[Evidence]:
        """One piece for each: where its words stand in what is installed, or that they do not."""
        for quote in quotes:
            with self._lock:
                env, top = self._environment(), quote.name.partition(".")[0]
                built_in = hasattr(builtins, top) and not self._lookups().is_installed(top)
                name = f"builtins.{quote.name}" if built_in else quote.name
                answer = self._look(name) if _DOTTED.fullmatch(name) else None
                ours = answer is not None and self._is_ours(top)
            if not name or ours:
                why = "it is of this repository" if ours else "it names no package"
                found: Found | Absent | Unread = Unread(why)
            else:
                found = find(name, quote.text, answer, env, cancel)
            yield self._marked(quote, name, found, digest)

    def _marked(self, quote: Quote, name: str, found: Found | Absent | Unread, digest: str) -> Evidence:
        text = f"{f'{quote.name}: ' if quote.name else ''}“{textwrap.shorten(quote.text, QUOTE_SHOWN, placeholder=' …')}”"
        source, where = self._from(name.partition(".")[0]), ""
        match found:
            case Found():
                verdict, summary, where = Verdict.VERIFIED, f"quoted from {source}: {text}", found.where
            case Absent():
                verdict, summary = Verdict.CONTRADICTED, f"these words are nowhere in {source}: {text}"
            case Unread(reason=reason):
                verdict, summary = Verdict.UNVERIFIED, f"quotation not confirmed, {reason}: {text}"
        return Evidence(
            kind=EvidenceKind.QUOTE,
            verdict=verdict,
            summary=summary,
            digest=digest,
            quote=quote.text,
            where=self._environment().below(where),
        )

    def _uses(self, writes: Sequence[Write]) -> list[Use]:
        made = {part.removesuffix(".py") for write in writes for part in write.path.split("/")}
        reader = Reader(self._lookups(), lambda top: top in made or self._is_ours(top))
        found = []
        for write in writes:
            if write.new is not None and write.path.endswith((".py", ".pyi")):
                found += reader.added(write.old.data if write.old else b"", write.new.data)
        return found

    def _judge(self, use: Use, writes: Sequence[Write]) -> tuple[Verdict, str]:
        env = self._environment()
        match use.answer:
            case Symbol() if use.wrong and use.is_guarded:
                return Verdict.UNVERIFIED, ""
            case Symbol() as symbol if use.wrong:
                return (
                    Verdict.CONTRADICTED,
                    f"{_public(symbol.path)}() takes no {use.wrong}= ({self._from(symbol.path)})",
                )
            case Symbol() as symbol:
                note = "" if use.is_guarded else deprecation(symbol)
                if note:
                    return (
                        Verdict.CONTRADICTED,
                        f"{_public(symbol.path)} is deprecated: {note} ({self._from(symbol.path)})",
                    )
                return Verdict.VERIFIED, ""
            case Missing(owner="", name=top):
                known = use.is_guarded or not env.is_own or self._is_declared(top, writes) or _is_stdlib(top)
                text = f"{top} is not installed in {env.label}"
                return (Verdict.UNVERIFIED if known else Verdict.CONTRADICTED), text
            case Missing(owner=owner, name=name):
                if use.is_guarded or (is_newer_than_us(env.version) and not env.is_own):
                    return Verdict.UNVERIFIED, ""
                return Verdict.CONTRADICTED, f"{_public(owner)} has no {name} ({self._from(owner)})"
            case Unknown():
                return Verdict.UNVERIFIED, ""

    def _piece(self, verdict: Verdict, summary: str, uses: Sequence[Use], digest: str) -> Evidence:
        symbols = [use.answer for use in uses if isinstance(use.answer, Symbol)]
        first = symbols[0] if symbols else None
        return Evidence(
            kind=EvidenceKind.API,
            verdict=verdict,
            summary=summary,
            digest=digest,
            quote=self._head(first) if first else "",
            where=first.where if first else "",
            details="\n".join(self._line(use) for use in uses),
        )

    def _summary(self, found: Sequence[Use], unknown: Sequence[Use]) -> str:
        outer = [use for use in found if not any(other.text.startswith(use.text + ".") for other in found)]
        names = ", ".join(f"{use.text} ({self._from(_path(use))})" for use in outer[:SHOWN])
        rest = f" and {len(outer) - SHOWN} more" if len(outer) > SHOWN else ""
        names_of = "1 name" if len(unknown) == 1 else f"{len(unknown)} names"
        doubt = f"{names_of} cannot be looked up without running the code" if unknown else ""
        return "; ".join(part for part in (f"exists: {names}{rest}" if names else "", doubt) if part)

    def _line(self, use: Use) -> str:
        match use.answer:
            case Symbol() as symbol:
                return (
                    f"line {use.line}: {self._head(symbol)}  {_first_line(symbol)}  {symbol.where}".rstrip()
                )
            case Missing(owner=owner, name=name):
                return f"line {use.line}: {use.text}: {owner or self._environment().label} has no {name}"
            case Unknown(reason=reason):
                return f"line {use.line}: {use.text}: {reason}"

    def _head(self, symbol: Symbol) -> str:
        """Signature with distribution and version."""
        text = symbol.path
        if symbol.is_function:
            text += f"({written(symbol.item.parameters)})"
            text += f" -> {symbol.item.returns}" if symbol.item.returns else ""
        return f"{text}  [{self._from(symbol.path)}]"

    def _from(self, path: str) -> str:
        env = self._environment()
        top = path.partition(".")[0]
        distribution = None if _is_stdlib(top) else env.distribution(top)
        if distribution is not None:
            return str(distribution)
        return "Python {}.{}".format(*env.version) if _is_stdlib(top) else top

    def _look(self, name: str) -> Symbol | Missing | Unknown:
        lookups = self._lookups()
        if not _DOTTED.fullmatch(name):
            return Unknown("not a dotted name")
        parts = name.split(".")
        answer: Symbol | Missing | Unknown = lookups.module(parts[0])
        for part in parts[1:]:
            if not isinstance(answer, Symbol):
                return answer
            answer = lookups.member(answer, part)
        return answer

    def _near(self, owner: str, name: str) -> list[str]:
        answer = self._look(owner) if owner else None
        if not isinstance(answer, Symbol) or not isinstance(answer.module, SourceModule):
            return []
        known = (
            answer.item.members if answer.item is not None else {*answer.module.own, *answer.module.imports}
        )
        return difflib.get_close_matches(name, [word for word in known if not word.startswith("_")], 3, 0.5)

    def _is_ours(self, top: str) -> bool:
        """A top-level name that lies in the repository, at its top, under `src`, or anywhere when it is not installed."""
        if any(
            (self._root / place).exists()
            for place in (f"{top}.py", top, f"src/{top}", f"src/{top}.py", f"lib/{top}")
        ):
            return True
        if _is_stdlib(top) or self._lookups().is_installed(top):
            return False
        if self._parts is None:
            self._parts = {part.removesuffix(".py") for path in self._paths() for part in path.split("/")}
        return top in self._parts

    def _is_declared(self, top: str, writes: Sequence[Write]) -> bool:
        """True when the project says that it depends on it, also in this change: then it is only not installed yet."""
        texts = [write.new.data for write in writes if write.new and _lists_dependencies(write.path)]
        for name in (
            "pyproject.toml",
            "requirements.txt",
            "setup.cfg",
            "setup.py",
            "Pipfile",
            "environment.yml",
        ):
            try:
                texts.append((self._root / name).read_bytes())
            except OSError:
                continue
        word = re.escape(top).replace("_", "[-_.]").encode()
        return any(re.search(rb"(?i)(?<![\w-])" + word + rb"(?![\w])", text) for text in texts)

    def _environment(self) -> ProjectEnv:
        if self._env is None:
            self._env = self._find()
        return self._env

    def _lookups(self) -> Symbols:
        if self._symbols is None:
            self._symbols = Symbols(Modules(self._environment()))
        return self._symbols


def _word(found: Sequence[Use], unknown: Sequence[Use]) -> Verdict:
    if not found:
        return Verdict.UNVERIFIED
    return Verdict.PARTLY if unknown else Verdict.VERIFIED


def _is_stdlib(top: str) -> bool:
    return top in sys.stdlib_module_names


def _path(use: Use) -> str:
    return use.answer.path if isinstance(use.answer, Symbol) else use.text


def _public(path: str) -> str:
    """A path without the private modules that a package keeps its names in."""
    first, *rest = path.split(".")
    return ".".join([first, *(part for part in rest[:-1] if not part.startswith("_")), *rest[-1:]])


def _doc(symbol: Symbol) -> str:
    item = (
        symbol.item
        if symbol.item is not None
        else getattr(symbol.module, "api", None)
        if symbol.is_module
        else None
    )
    return item.docstring.value[:2000] if item is not None and item.docstring else ""


def _first_line(symbol: Symbol) -> str:
    return _doc(symbol).strip().split("\n")[0]


def _lists_dependencies(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile") or name.startswith("requirements")
