"""Weakened tests: what a change takes away from what the tests demand. Never counts as green.

Recognises deleted and loosened assertions, removed tests and cases, new skips, edited CI and test configuration,
and code that looks whether it is under test. Python by its syntax tree, other languages by lines. It judges
the writes alone: it runs nothing and does not know what a test is for.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from agent.core.hunk import FileState, Write
from agent.core.scrutiny.weakened_python import python_findings
from agent.core.scrutiny.weakness import OUTRIGHT, Weakened, Weakness
from agent.core.testfile import is_test_path

__all__ = ["OUTRIGHT", "Weakened", "Weakness", "weakened"]


_CI = (
    ".github/workflows/*", ".gitlab-ci.yml", ".gitlab/ci/*", ".circleci/*", ".travis.yml", "azure-pipelines*.yml",
    "bitbucket-pipelines.yml", "*jenkinsfile*", ".ci/*", ".buildkite/*", ".drone.yml", ".woodpecker*", "appveyor.yml",
    ".pre-commit-config.yaml", "noxfile.py", "tox.ini", "pytest.ini", ".pytest.ini", ".coveragerc", "jest.config.*",
    "vitest.config.*", "karma.conf.*", ".mocharc*", "playwright.config.*", "phpunit.xml*", "codecov.yml",
)  # fmt: skip
_TABLES = {"pyproject.toml": ("pytest", "coverage", "tox", "nox"), "Cargo.toml": ("test",)}
_HOOKS = re.compile(rb"^\s*(?:async\s+)?def\s+(pytest_\w+)|^(collect_ignore\w*)\s*=", re.MULTILINE)
_HARMLESS_HOOKS = frozenset((b"pytest_addoption", b"pytest_report_header", b"pytest_plugins"))
_DETECTS = re.compile(
    rb"""PYTEST_CURRENT_TEST|["']pytest["']\s+in\s+sys\.modules|["']unittest["']\s+in\s+sys\.modules"""
    rb"""|NODE_ENV\s*===?\s*["']test["']|JEST_WORKER_ID"""
)


def weakened(writes: Sequence[Write]) -> tuple[Weakened, ...]:
    """All findings in `writes`, the outright ones first. A test that moved to another written file is not removed."""
    tests = [write for write in writes if is_test_path(write.path)]
    found = [
        *python_findings([write for write in tests if write.path.endswith(".py")]),
        *_other_findings([write for write in tests if not write.path.endswith(".py")]),
        *(finding for write in writes for finding in _configured(write)),
        *(finding for write in writes for finding in _detects(write)),
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.kind not in OUTRIGHT))


def _data(state: FileState | None) -> bytes:
    return state.data if state else b""


def _configured(write: Write) -> Iterator[Weakened]:
    if write.old is not None and any(fnmatchcase(write.path.lower(), pattern.lower()) for pattern in _CI):
        yield Weakened(Weakness.CONFIGURED, write.path, detail="removed" if write.new is None else "")
        return
    name = write.path.rpartition("/")[2]
    if name in _TABLES and _table(name, write.old) != _table(name, write.new):
        yield Weakened(Weakness.CONFIGURED, write.path)
    if name == "setup.cfg" and _section(write.old) != _section(write.new):
        yield Weakened(Weakness.CONFIGURED, write.path)
    if name == "package.json" and write.old and _scripts(write.old) != _scripts(write.new):
        yield Weakened(Weakness.CONFIGURED, write.path)
    if name == "conftest.py":
        yield from _hooks(write)


def _table(name: str, state: FileState | None) -> Any:
    """The parts of a TOML file that say how tests run; the whole text when it cannot be read."""
    data = _data(state)
    try:
        parsed = tomllib.loads(data.decode("utf-8", "replace"))
    except tomllib.TOMLDecodeError:
        return data
    holder = parsed.get("tool", {}) if name == "pyproject.toml" else parsed
    return {key: holder[key] for key in _TABLES[name] if key in holder} if isinstance(holder, dict) else data


def _section(state: FileState | None) -> list[bytes]:
    """The lines of setup.cfg's sections about tests."""
    kept, lines = False, []
    for line in _data(state).split(b"\n"):
        if line.startswith(b"["):
            kept = bool(re.match(rb"\[(?:tool:pytest|coverage|testenv|tox)", line))
        if kept and line.strip():
            lines.append(line.strip())
    return lines


def _scripts(state: FileState | None) -> Any:
    """The test scripts and runner settings of package.json; the whole text when it cannot be read."""
    data = _data(state)
    try:
        parsed = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data
    if not isinstance(parsed, dict):
        return data
    scripts = parsed.get("scripts")
    named = {k: v for k, v in scripts.items() if "test" in k} if isinstance(scripts, dict) else scripts
    return named, {
        key: parsed[key] for key in ("jest", "mocha", "ava", "vitest", "c8", "nyc") if key in parsed
    }


def _hooks(write: Write) -> Iterator[Weakened]:
    """A conftest.py whose pytest hooks change what runs or what is reported."""
    old, new = _data(write.old), _data(write.new)
    for match in _HOOKS.finditer(new):
        name = match[1] or match[2]
        if name not in _HARMLESS_HOOKS and _after(new, match.start()) not in old:
            line = new.count(b"\n", 0, match.start(1 if match[1] else 2)) + 1
            yield Weakened(Weakness.CONFIGURED, write.path, name.decode(), line)


def _after(data: bytes, start: int) -> bytes:
    """The text of the definition that starts at `start`, up to the next line that is not indented."""
    body = re.compile(rb"\s*[^\n]*(?:\n(?:[ \t][^\n]*|(?=\n)))*").match(data, start)
    return body[0].strip() if body else b""


def _detects(write: Write) -> Iterator[Weakened]:
    if is_test_path(write.path) or write.new is None:
        return
    old, new = _data(write.old), _data(write.new)
    before = Counter(match[0] for match in _DETECTS.finditer(old))
    for match in _DETECTS.finditer(new):
        before[match[0]] -= 1
        if before[match[0]] < 0:
            yield Weakened(Weakness.DETECTS, write.path, line=new.count(b"\n", 0, match.start()) + 1)
            return


_OTHER_ASSERT = re.compile(
    r"\b(?:expect|assert\w*|should|t\.(?:Error|Fatal|is|deepEqual|true)|require\.\w+|XCTAssert\w*|EXPECT_\w+|ASSERT_\w+)"
    r"\s*!?[.(]"
)
_OTHER_TEST = re.compile(
    r"""\b(?:it|test|specify|Deno\.test)\s*\(\s*(["'`])(?P<js>.+?)\1|^func\s+(?P<go>(?:Test|Fuzz)\w*)\s*\("""
    r"""|\#\[(?:\w+::)?test\][^{]*?fn\s+(?P<rust>\w+)|@(?:Test|ParameterizedTest)\b[^{;]*?(?P<java>\w+)\s*\(\s*\)"""
    r"""|^\s*def\s+(?P<ruby>test_\w+)|\[(?:Fact|Test|TestMethod)\][^{]*?(?P<cs>\w+)\s*\(""",
    re.MULTILINE | re.DOTALL,
)
_OTHER_SKIP = re.compile(
    r"\b(?:it|test|describe|suite|context)\.(?:skip|only|todo|fixme|failing)\b|\bx(?:it|describe|test|context)\s*\("
    r"|\bf(?:it|describe)\s*\(|\bt\.Skip(?:f|Now)?\(|#\[ignore|@(?:Disabled|Ignore)\b|\bskip\s*\(|\[Ignore|Skip\s*="
)
_LOOSE = re.compile(
    r"toBe(?:Truthy|Defined|Falsy)\(|expect\.any\w*\(|\.not\.toBe|toBeGreaterThan|assertTrue\(true|assert!\(true"
    r"|expect\(true\)|toMatchObject|notNull|NotNil"
)


def _other_findings(writes: Sequence[Write]) -> Iterator[Weakened]:
    texts = [
        (w, _data(w.old).decode("utf-8", "replace"), _data(w.new).decode("utf-8", "replace")) for w in writes
    ]
    anywhere = {name for _, _, new in texts for name in _tests(new)}
    for write, old, new in texts:
        for name in _tests(old):
            if name not in anywhere:
                yield Weakened(Weakness.REMOVED, write.path, name)
        skips = len(_OTHER_SKIP.findall(new)) - len(_OTHER_SKIP.findall(old))
        if skips > 0:
            yield Weakened(Weakness.SKIPPED, write.path)
        if write.new is not None:
            yield from _other_asserts(write.path, old, new)


def _tests(text: str) -> list[str]:
    return [match[match.lastgroup] for match in _OTHER_TEST.finditer(text) if match.lastgroup]


def _other_asserts(path: str, old: str, new: str) -> Iterator[Weakened]:
    """By lines: an assertion that is gone, and what came in its place."""
    before, after = _asserts(old), _asserts(new)
    gone, come = before - after, after - before
    lost = sum(gone.values()) - sum(come.values())
    if lost > 0:
        yield Weakened(Weakness.DELETED, path, detail=f"{lost} lines")
    elif gone and any(_LOOSE.search(line) for line in come) and not any(_LOOSE.search(line) for line in gone):
        yield Weakened(Weakness.LOOSENED, path)
    elif gone:
        yield Weakened(Weakness.CHANGED, path)


def _asserts(text: str) -> Counter[str]:
    lines: Iterable[str] = (line.strip() for line in text.split("\n"))
    return Counter(
        line for line in lines if _OTHER_ASSERT.search(line) and not line.startswith(("//", "#", "*"))
    )
