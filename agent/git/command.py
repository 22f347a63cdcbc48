"""Runs git so that nothing that a repository names is run by it (threats: G7).

Every call gets an environment that is built here, and overrides for each configuration key that can name a
program. Filter drivers are named by the repository, so they are listed once per state of the configuration and
each is switched off. Subcommands are a fixed list; arguments are built by our code, never a model's string as
an option. Overrides go through `GIT_CONFIG_COUNT`, because a driver name with `=` in it cannot be given to `-c`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from agent.core.errors import GitFailed, RepositoryError
from agent.io.process import ProgramMissing, Ran, run

TIMEOUT_SECONDS = 300.0
NULL = os.devnull

KEPT_VARIABLES = (
    *("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "TEMP", "TMP", "USER", "LOGNAME"),
    *("SYSTEMROOT", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    *("GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"),
    # The last one makes git refuse more, never less.
    *("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_TEST_ASSUME_DIFFERENT_OWNER"),
)
FIXED_VARIABLES = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    # A list of allowed protocols wins over every protocol.NAME.allow of the configuration.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_EDITOR": ":",
    "GIT_SEQUENCE_EDITOR": ":",
    "GIT_ASKPASS": "false",
    "GIT_PAGER": "cat",
    "GIT_ADVICE": "0",
    "LC_ALL": "C",
}
OVERRIDES = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", NULL),
    ("core.pager", "cat"),
    ("core.editor", ":"),
    ("core.askPass", "false"),
    ("core.sshCommand", "false"),
    ("core.gitProxy", "false"),
    ("core.alternateRefsCommand", "false"),
    ("core.quotePath", "true"),
    ("credential.helper", ""),
    ("diff.external", ""),
    ("diff.ignoreSubmodules", "dirty"),
    ("sequence.editor", ":"),
    ("protocol.allow", "never"),
    ("protocol.ext.allow", "never"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("apply.whitespace", "nowarn"),
    ("apply.ignoreWhitespace", "no"),
    ("submodule.recurse", "false"),
    ("status.submoduleSummary", "false"),
    ("log.showSignature", "false"),
    ("commit.gpgSign", "false"),
    ("gpg.program", "false"),
    ("gpg.openpgp.program", "false"),
    ("gpg.x509.program", "false"),
    ("gpg.ssh.program", "false"),
    ("gpg.ssh.defaultKeyCommand", "false"),
    ("uploadpack.packObjectsHook", ""),
)
OWN_SCOPES = (b"local", b"worktree")
FILTER_OFF = (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))

SUBCOMMANDS = frozenset(
    (
        *(
            "rev-parse",
            "config",
            "var",
            "symbolic-ref",
            "show-ref",
            "for-each-ref",
            "update-ref",
            "merge-base",
        ),
        *("ls-files", "check-ignore", "check-attr", "update-index", "read-tree", "write-tree", "ls-tree"),
        *(
            "cat-file",
            "grep",
            "hash-object",
            "log",
            "rev-list",
            "diff",
            "diff-tree",
            "diff-index",
            "interpret-trailers",
        ),
    )
)


def base_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """What git gets of the outer environment: what it needs to find itself and the person's own settings."""
    return {name: outer[name] for name in KEPT_VARIABLES if name in outer} | FIXED_VARIABLES


def as_variables(settings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Configuration overrides as environment variables; they win over every file."""
    variables = {}
    count = 0
    for count, (key, value) in enumerate(settings, 1):
        variables[f"GIT_CONFIG_KEY_{count - 1}"] = key
        variables[f"GIT_CONFIG_VALUE_{count - 1}"] = value
    return variables | {"GIT_CONFIG_COUNT": str(count)}


def execute(
    arguments: Iterable[str | bytes], *, cwd: Path, env: Mapping[str, str], stdin: bytes = b""
) -> Ran:
    """One git process. Raises RepositoryError when git is missing or hangs, or when not all of its output came.

    The status is the caller's.
    """
    try:
        ran = run(["git", *arguments], cwd=cwd, env=env, stdin=stdin, timeout_seconds=TIMEOUT_SECONDS)
    except ProgramMissing as error:
        if not cwd.is_dir():
            raise RepositoryError(error.message) from error
        raise RepositoryError("git cannot be run", hint="install git 2.31 or newer") from error
    if ran.timed_out:
        raise RepositoryError(f"git did not answer within {TIMEOUT_SECONDS:.0f} seconds")
    if ran.cut:
        raise RepositoryError("git gave more than copair can keep in memory")
    if ran.partial:
        raise RepositoryError("what git printed could not be read in time", hint="try again")
    return ran


class Git:
    """git in one repository. `git_dir` and `root` are given to each call, nothing is discovered again."""

    def __init__(
        self,
        root: Path,
        git_dir: Path,
        common_dir: Path,
        outer: Mapping[str, str] | None = None,
        index: Path | None = None,
    ) -> None:
        self.root = root
        self._env = base_environment(os.environ if outer is None else outer)
        self._env |= {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(root)}
        if index is not None:
            self._env["GIT_INDEX_FILE"] = str(index)
        self._config_files = (git_dir / "config.worktree", common_dir / "config", git_dir / "config")
        self._drivers: tuple[object, dict[str, str]] | None = None

    def run(
        self,
        subcommand: str,
        *arguments: str | bytes,
        stdin: bytes = b"",
        ok: tuple[int, ...] = (0,),
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """What the subcommand prints. Raises GitFailed for a status that is not in `ok`."""
        ran = self.ran(subcommand, *arguments, stdin=stdin, variables=variables)
        if ran.status not in ok:
            raise failed(subcommand, ran)
        return ran.stdout

    def ran(
        self,
        subcommand: str,
        *arguments: str | bytes,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
    ) -> Ran:
        """As `run`, with whatever status."""
        if subcommand not in SUBCOMMANDS:
            raise AssertionError(f"git {subcommand} is not on the list")
        env = self.environment() | dict(variables or {})
        return execute([subcommand, *arguments], cwd=self.root, env=env, stdin=stdin)

    def environment(self) -> dict[str, str]:
        """The whole environment of a call, with every program of the configuration switched off."""
        return self._env | self._driver_overrides()

    def _driver_overrides(self) -> dict[str, str]:
        stamp = tuple(file_stamp(path) for path in self._config_files)
        if self._drivers is not None and self._drivers[0] == stamp:
            return self._drivers[1]
        settings, includes = self._list_drivers()
        variables = as_variables((*OVERRIDES, *settings))
        # What the repository includes may be a file of the work tree, and change at any moment: listed each time.
        self._drivers = None if includes else (stamp, variables)
        return variables

    def _list_drivers(self) -> tuple[list[tuple[str, str]], bool]:
        """Overrides for each filter driver, and whether the repository's own configuration includes other files."""
        env = self._env | as_variables(OVERRIDES)
        arguments = [
            "config",
            "-z",
            "--show-scope",
            "--name-only",
            "--get-regexp",
            r"^(filter|include|includeif)\.",
        ]
        ran = execute(arguments, cwd=self.root, env=env)
        if ran.status not in (0, 1):
            raise failed("config", ran)
        fields = ran.stdout.split(b"\0")[:-1]
        found = list(zip(fields[::2], fields[1::2], strict=True))
        keys = (key for _, key in found if key.startswith(b"filter.") and key.count(b".") > 1)
        names = dict.fromkeys(key.rpartition(b".")[0] for key in keys)
        settings = [(f"{os.fsdecode(name)}.{key}", value) for name in names for key, value in FILTER_OFF]
        includes = any(scope in OWN_SCOPES and key.startswith(b"include") for scope, key in found)
        return settings, includes


def file_stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes when a file is replaced or written; None when it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def failed(subcommand: str, ran: Ran) -> GitFailed:
    """The error for a git process that ended badly; git's own words are in it."""
    words = ran.stderr.decode("utf-8", "replace").strip()
    first = words.split("\n")[0] if words else f"status {ran.status}"
    return GitFailed(f"git {subcommand}: {first}", stderr=ran.stderr, status=ran.status)
