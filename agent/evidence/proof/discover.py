"""What checks a repository suggests: named argument vectors, each with the digest of the text that suggested it.

A suggestion is not a check: it becomes one when the person accepts it (`store.py`). Nothing is run here, and an argument
vector is built from our own words only; text of the repository never becomes an argument.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from agent.core.text import digest

Read = Callable[[str], bytes | None]
"""Reads a file of the repository by its path; None when there is none."""

VENVS = (".venv", "venv", "env")


class Check(msgspec.Struct, frozen=True):
    """A check by its name. `digest` is of the `part` of the files `sources` that the person saw when accepting."""

    name: str
    argv: tuple[str, ...]
    sources: tuple[str, ...]
    part: str
    digest: str
    why: str = ""

    @property
    def is_pytest(self) -> bool:
        return pytest_at(self.argv) is not None


def pytest_at(argv: Iterable[str]) -> int | None:
    """Where in `argv` pytest is named, by itself or behind a runner (`python -m pytest`, `uv run pytest`)."""
    for number, word in enumerate(argv):
        if word.rpartition("/")[2] in ("pytest", "py.test"):
            return number
    return None


def fingerprint(part: str, sources: Iterable[str], read: Read) -> str:
    """The digest of what matters of `sources` now; changes when the check could mean something else."""
    pieces = []
    for source in sources:
        data = read(source)
        piece = b"-" if data is None else PARTS[part](data)
        pieces.append(b"%d:%b" % (len(piece), piece))
    return digest(part.encode() + b"\0" + b"".join(pieces))


def discover(
    root: Path, read: Read, paths: Iterable[str], which: Callable[[str], str | None] = shutil.which
) -> tuple[Check, ...]:
    """Suggestions for the repository at `root`, tests first, without what is not installed. `paths` are its files."""
    found: dict[str, Check] = {}
    for check in (*_python(root, read, set(paths), which), *_others(root, read, which)):
        found.setdefault(check.name, check)
    return tuple(found.values())


def _made(name: str, argv: Iterable[str], sources: Iterable[str], part: str, read: Read, why: str) -> Check:
    kept = tuple(sources)
    return Check(name, tuple(argv), kept, part, fingerprint(part, kept, read), why)


def _program(root: Path, name: str, which: Callable[[str], str | None]) -> str | None:
    """The project's own program before the one on PATH, relative to the root when it is the project's."""
    for venv in VENVS:
        if (root / venv / "pyvenv.cfg").is_file() and (root / venv / "bin" / name).exists():
            return f"{venv}/bin/{name}"
    return name if which(name) else None


def _python(root: Path, read: Read, paths: set[str], which: Callable[[str], str | None]) -> Iterator[Check]:
    settings = [name for name in PYTEST_FILES if read(name) is not None]
    configured = [name for name in settings if PARTS["pytest"](read(name) or b"") not in (b"", b"null")]
    tests = any(re.fullmatch(r"(?:.*/)?(?:test_[^/]*|[^/]*_test)\.py", path) for path in paths)
    pytest = _program(root, "pytest", which)
    if pytest and (configured or tests):
        yield _made(
            "pytest", (pytest,), PYTEST_FILES, "pytest", read, configured[0] if configured else "test files"
        )
    if read("tox.ini") is not None and (tox := _program(root, "tox", which)):
        yield _made("tox", (tox,), ("tox.ini",), "whole", read, "tox.ini")
    if read("noxfile.py") is not None and (nox := _program(root, "nox", which)):
        yield _made("nox", (nox,), ("noxfile.py",), "whole", read, "noxfile.py")
    for name, argv in (("ruff", ("check", "--no-cache", ".")), ("mypy", ()), ("pyright", ())):
        files = [file for file in _LINT_FILES[name] if _mentions(name, file, read)]
        if files and (program := _program(root, name, which)):
            yield _made(
                name,
                (program, *argv, *_mypy_target(name, root, read)),
                _LINT_FILES[name],
                "lint",
                read,
                files[0],
            )


def _mypy_target(name: str, root: Path, read: Read) -> tuple[str, ...]:
    """mypy wants to be told what to look at unless its settings say so."""
    if name != "mypy":
        return ()
    text = b"".join(read(file) or b"" for file in _LINT_FILES["mypy"])
    return () if re.search(rb"^\s*(?:files|packages|modules)\s*=", text, re.MULTILINE) else (".",)


def _mentions(name: str, file: str, read: Read) -> bool:
    data = read(file)
    if data is None:
        return False
    if file == "pyproject.toml":
        return isinstance(_tool(data), dict) and name in _tool(data)
    return f"[{name}".encode() in data if file == "setup.cfg" else True


def _others(root: Path, read: Read, which: Callable[[str], str | None]) -> Iterator[Check]:
    scripts = _scripts(read("package.json") or b"")
    if "test" in scripts and "no test specified" not in str(scripts["test"]) and which("npm"):
        yield _made(
            "npm test", ("npm", "test", "--silent"), ("package.json",), "scripts", read, "package.json"
        )
    if read("tsconfig.json") is not None:
        local = root / "node_modules" / ".bin" / "tsc"
        program = "node_modules/.bin/tsc" if local.exists() else "tsc" if which("tsc") else None
        if program:
            yield _made("tsc", (program, "--noEmit"), ("tsconfig.json",), "whole", read, "tsconfig.json")
    if read("Cargo.toml") is not None and which("cargo"):
        yield _made(
            "cargo test",
            ("cargo", "test", "--offline", "--quiet"),
            ("Cargo.toml", "build.rs"),
            "whole",
            read,
            "Cargo.toml",
        )
    if read("go.mod") is not None and which("go"):
        yield _made("go test", ("go", "test", "./..."), ("go.mod",), "whole", read, "go.mod")
    for name in ("Makefile", "makefile", "GNUmakefile"):
        data = read(name)
        target = re.search(rb"^(test|check)\s*:(?!=)", data, re.MULTILINE) if data else None
        if target and which("make"):
            word = target[1].decode()
            yield _made(f"make {word}", ("make", word), (name,), "whole", read, name)
            break


PYTEST_FILES = ("pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
_LINT_FILES = {
    "ruff": ("ruff.toml", ".ruff.toml", "pyproject.toml"),
    "mypy": ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"),
    "pyright": ("pyrightconfig.json", "pyproject.toml"),
}


def _tool(data: bytes) -> Any:
    try:
        return tomllib.loads(data.decode("utf-8", "replace")).get("tool", {})
    except tomllib.TOMLDecodeError:
        return None


def _scripts(data: bytes) -> dict[str, Any]:
    try:
        parsed = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return {}
    scripts = parsed.get("scripts") if isinstance(parsed, dict) else None
    return scripts if isinstance(scripts, dict) else {}


def _pytest_part(data: bytes) -> bytes:
    """The pytest settings in a TOML or INI file; empty when it has none."""
    tool = _tool(data) if b"[tool." in data else None
    if isinstance(tool, dict):
        return repr(tool["pytest"]).encode() if "pytest" in tool else b""
    kept, lines = False, []
    for line in data.split(b"\n"):
        if line.startswith(b"["):
            kept = bool(re.match(rb"\[(?:tool:)?pytest\b", line))
        if kept and line.strip():
            lines.append(line.strip())
    return b"\n".join(lines)


def _lint_part(data: bytes) -> bytes:
    """The settings of linters in a TOML file; another file as a whole."""
    tool = _tool(data) if b"[tool" in data or b"[project" in data else None
    if not isinstance(tool, dict):
        return data
    return repr({name: tool[name] for name in sorted(_LINT_FILES) if name in tool}).encode()


def _scripts_part(data: bytes) -> bytes:
    scripts = _scripts(data)
    return repr({name: scripts.get(name) for name in ("pretest", "test", "posttest")}).encode()


PARTS: dict[str, Callable[[bytes], bytes]] = {
    "whole": lambda data: data,
    "pytest": _pytest_part,
    "lint": _lint_part,
    "scripts": _scripts_part,
}
"""What of a file matters to a check: settings of other tools may change without asking again."""
