"""What makes a change risky, or not worth reading line by line: judged by path, kind and added lines.

Only sorts and labels: nothing is hidden or allowed because of it. A file that merely says of itself that it is
generated is folded with just these words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import cache, lru_cache

import msgspec

from agent.core.globs import Globs
from agent.core.hunk import ChangeKind, FileChange, FileState, Mode
from agent.core.secrets import is_secret_path
from agent.core.testfile import is_test_path
from agent.core.text import sniff


class Level(IntEnum):
    """How early a person should see it."""

    TEXT = 0
    CODE = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        return "low" if self < Level.MEDIUM else self.name.lower()


class Risk(msgspec.Struct, frozen=True):
    """The level of a change, and what is risky about it in words."""

    level: Level = Level.CODE
    reasons: tuple[str, ...] = ()


LOCK_FILES = frozenset((
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "poetry.lock",
    "pdm.lock", "uv.lock", "pixi.lock", "pipfile.lock", "conda-lock.yml", "cargo.lock", "go.sum", "gemfile.lock",
    "composer.lock", "mix.lock", "pubspec.lock", "podfile.lock", "cartfile.resolved", "package.resolved", "flake.lock",
    "packages.lock.json", "gradle.lockfile", "deno.lock", ".terraform.lock.hcl",
))  # fmt: skip
DEPENDENCIES = "names dependencies"
_DEPENDENCY = re.compile(
    rb"depend|require|[<>=~^!]=[ \t]*v?\d|^(?![ \t]*\"?version\b)[ \t]*[\"'@\w./-]+[ \t]*[:=][ \t]*[\"'{][ \t]*[~^>=<]*v?\d"
    rb"|<(?:version|artifactId|PackageReference)\b|\bgem\b|\{[ \t]*version|^[ \t]*[\w./-]+[ \t]+v?\d"
    rb"|^[\"' \t]*[\w.@/-]+[\"',]*[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
"""What a line has that may name a dependency, roughly and rather too much; the version of the project itself is none."""

_GENERATED = (
    "pkg-info", "*.min.js", "*.min.css", "*.bundle.js", "*.js.map", "*.css.map", "*.pb.go", "*_pb2.py", "*_pb2_grpc.py",
    "*_pb2.pyi",
    "*.pb.cc", "*.pb.h", "*_pb.js", "*_pb.d.ts", "*.g.dart", "*.freezed.dart", "*.designer.cs", "*.snap", "*.ipynb.orig",
    "zz_generated.*", "*_generated.go", "*_generated.rs", "*.generated.*", "parser.tab.c", "lex.yy.c",
)  # fmt: skip
_MARKER = re.compile(
    rb"@generated\b|Code generated .{0,80}DO NOT EDIT|(?:auto-?generated|automatically generated)\b.{0,80}"
    rb"(?:do not|don't) (?:edit|modify)",
    re.IGNORECASE,
)
_HIGH = (
    ("runs in CI", (".github/workflows/*", ".github/actions/*", ".github/dependabot.y*ml", "codeowners",
                    ".gitlab-ci.yml", ".gitlab/ci/*", ".circleci/*", ".travis.yml", "jenkinsfile",
                    "azure-pipelines*.yml", ".buildkite/*", "bitbucket-pipelines.yml", ".drone.yml", "appveyor.yml")),
    ("git obeys it", (".gitattributes", ".gitmodules", ".husky/*", ".githooks/*", ".pre-commit-config.yaml")),
    ("migrates data", ("migrations/*", "migration/*", "alembic/*", "db/migrate/*", "*.sql", "schema.rb", "*.prisma")),
)  # fmt: skip
_MEDIUM = (
    ("runs when building or installing", ("setup.py", "build.rs", "makefile", "gnumakefile", "*.mk", "dockerfile*",
        "containerfile", "*.dockerfile", "cmakelists.txt", "*.cmake", "*.gradle", "*.gradle.kts", "configure*",
        "noxfile.py", "tox.ini", "rakefile", "justfile", "conftest.py", "sitecustomize.py", "*.pth", "meson.build",
        "docker-compose*.y*ml", "compose.y*ml", "hatch_build.py", "build.sh", "install.sh", ".envrc", ".npmrc")),
    (DEPENDENCIES, ("pyproject.toml", "setup.cfg", "requirements*.txt", "constraints*.txt", "pipfile",
        "package.json", "cargo.toml", "go.mod", "gemfile", "*.gemspec", "composer.json", "pom.xml", "build.sbt",
        "environment.y*ml", "*.csproj", "pubspec.yaml", "mix.exs")),
)  # fmt: skip
_TEST_MATERIAL = frozenset(("testdata", "fixtures"))
_DOCS = ("*.md", "*.rst", "*.txt", "*.adoc", "*.mdx", "license*", "changelog*", "authors*", "notice*")
_SENSITIVE = re.compile(
    rb"(?<![\w.])(?:eval|exec|execfile|__import__)\(|\bos\.system\(|\bsubprocess\.|\bshell[ \t]*=[ \t]*True"
    rb"|\bpickle\.loads?\(|\byaml\.load\(|\bchild_process\b|\binnerHTML\b|dangerouslySetInnerHTML"
    rb"|\bunsafe\b|\bverify[ \t]*=[ \t]*False"
    rb"|InsecureSkipVerify|\bstrcpy\(|\bsystem\(|\bgets\(|Runtime\.getRuntime|\bchmod\b|\bsetuid\b|\bcurl\b[^\n|]{0,200}\|"
)
_AUTH = re.compile(
    rb"password|passwd|secret|private_?key|api_?key|authenticat|authori[sz]|permission|csrf|\bjwt\b"
)

_LOUD = (
    b"eval(", b"exec", b"__import__(", b"system(", b"subprocess.", b"shell", b"pickle.load", b"yaml.load(",
    b"child_process", b"innerhtml", b"unsafe", b"verify", b"strcpy(", b"gets(", b"getruntime", b"chmod", b"setuid",
    b"curl", b"passw", b"secret", b"private", b"api", b"authenticat", b"authori", b"permission", b"csrf", b"jwt",
)  # fmt: skip
"""One of these is, in lower case, in every text that `_SENSITIVE` or `_AUTH` finds: much faster to look for."""


@cache
def _tables() -> tuple[tuple[Globs, str, Level], ...]:
    return tuple(
        (Globs(patterns), reason, level)
        for level, table in ((Level.HIGH, _HIGH), (Level.MEDIUM, _MEDIUM))
        for reason, patterns in table
    )


_GENERATED_NAMES, _DOC_NAMES = Globs(_GENERATED), Globs(_DOCS)


def folded_reason(path: str, old: FileState | None, new: FileState | None) -> str:
    """Why nobody reads this change line by line; empty when somebody should."""
    name = path.rpartition("/")[2].casefold()
    if name in LOCK_FILES:
        return "lock file"
    if _GENERATED_NAMES.fit(name):
        return "generated, by its name"
    states = [state for state in (old, new) if state is not None]
    if any(
        state.mode not in (Mode.SYMLINK, Mode.SUBMODULE) and sniff(state.data) is None for state in states
    ):
        return "binary"
    if states and all(_MARKER.search(state.data[:600]) for state in states):
        return "generated, as it says itself"
    return ""


def assess_all(chunks: Sequence[Sequence[FileChange]]) -> list[Risk]:
    """The risk of each chunk of one difference. The lines of a file are searched by chunk only if there is reason to."""
    lines: dict[str, list[bytes]] = {}
    for changes in chunks:
        for change in changes:
            own = lines.setdefault(change.path, [])
            for hunk in change.hunks:
                own += hunk.old
                own += hunk.new
    quiet = frozenset(
        path
        for path, own in lines.items()
        if DEPENDENCIES not in _by_path(path)[1] and not _is_loud(b"".join(own))
    )
    return [
        _by_path_alone(changes[0].path)
        if len(changes) == 1 and changes[0].kind is ChangeKind.MODIFY and changes[0].path in quiet
        else assess(changes)
        for changes in chunks
    ]


def _is_loud(text: bytes) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in _LOUD)


@lru_cache(maxsize=1024)
def _by_path_alone(path: str) -> Risk:
    return assess([FileChange(path, ChangeKind.MODIFY)])


def assess(changes: Sequence[FileChange]) -> Risk:
    """The risk of one chunk: the highest of its changes, with all reasons."""
    found: dict[str, Level] = {}
    base = Level.TEXT
    for change in changes:
        for path in (change.path, change.new_path):
            if path is not None:
                plain, reasons = _by_path(path)
                base = max(base, plain)
                found |= reasons
        found |= dict(_by_kind(change))
        if not is_test(change.path):
            found |= dict(_by_lines(change))
    if DEPENDENCIES in found and not any(map(_may_name_some, changes)):
        del found[DEPENDENCIES]
    level = max([base, *found.values()])
    return Risk(level, tuple(sorted(found, key=lambda reason: -found[reason])))


def _may_name_some(change: FileChange) -> bool:
    """False for changes of lines that name no dependency: the version of the project, settings of a tool."""
    if change.kind is not ChangeKind.MODIFY or DEPENDENCIES not in _by_path(change.path)[1]:
        return True
    lines = (line for hunk in change.hunks for line in (*hunk.old, *hunk.new))
    return not change.hunks or any(map(_DEPENDENCY.search, lines))


def is_test(path: str) -> bool:
    """True for a file that looks like a test or is what tests work on."""
    return is_test_path(path) or not _TEST_MATERIAL.isdisjoint(path.casefold().split("/")[:-1])


@lru_cache(maxsize=1024)
def is_document(path: str) -> bool:
    """True for a text for people, by its name."""
    return _DOC_NAMES.fit(path.casefold().rpartition("/")[2])


def _is_prose(path: str) -> bool:
    """A text for people, and none that a program obeys or that holds secrets (`requirements.txt`, `passwords.txt`)."""
    is_named_so = _AUTH.search(path.casefold().encode("utf-8", "surrogateescape"))
    return is_document(path) and not _by_path(path)[1] and not is_named_so


@lru_cache(maxsize=1024)
def _by_path(path: str) -> tuple[Level, dict[str, Level]]:
    """The level that every change of this file has, and what is risky about its name."""
    lowered = path.casefold()
    found = {reason: level for names, reason, level in reversed(_tables()) if names.fit(lowered)}
    if is_secret_path(path):
        found["a file for secrets"] = Level.HIGH
    plain = is_test(path) or is_document(path)
    return Level.TEXT if plain else Level.CODE, found


def _by_kind(change: FileChange) -> Iterable[tuple[str, Level]]:
    match change.kind:
        case ChangeKind.DELETE:
            yield "deletes a file", Level.MEDIUM
        case ChangeKind.SYMLINK:
            yield "symbolic link", Level.HIGH
        case ChangeKind.BINARY:
            yield "binary", Level.MEDIUM
        case ChangeKind.MODE if change.mode == Mode.EXECUTABLE:
            yield "becomes executable", Level.HIGH
        case ChangeKind.CREATE if change.mode == Mode.EXECUTABLE:
            yield "executable", Level.MEDIUM
        case _:
            pass


def _by_lines(change: FileChange) -> Iterable[tuple[str, Level]]:
    if change.kind not in (ChangeKind.MODIFY, ChangeKind.CREATE, ChangeKind.DELETE):
        return
    added = b"".join(line for hunk in change.hunks for line in hunk.new)
    removed = b"".join(line for hunk in change.hunks for line in hunk.old)
    if _SENSITIVE.search(added):
        yield "runs or loads something", Level.MEDIUM
    # What a licence permits and a manual says of passwords is near none.
    if not _is_prose(change.path) and _AUTH.search((added + removed).lower()):
        yield "near secrets or permissions", Level.MEDIUM
