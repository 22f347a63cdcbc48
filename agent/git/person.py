"""Runs `git commit` as the person: their identity, hooks, signing, template and editor. The only such call.

Everything else of copair's git keeps the repository's programs off. This one runs what the person's own
`git commit` would run, and only when they asked for a commit. API keys are not in its environment.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agent.core.errors import GitFailed
from agent.git.command import as_variables, execute
from agent.io.process import Ran
from agent.io.signals import forwarded
from agent.ports import Place

SECRET = re.compile(r"(API_KEY|AUTH_TOKEN|API_TOKEN|SECRET_KEY)$")
OWN_GIT_VARIABLES = re.compile(
    r"GIT_(AUTHOR|COMMITTER)_|GIT_(EDITOR|SSH|SSH_COMMAND|ASKPASS|PAGER|MERGE_AUTOEDIT)$|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)$"
)
OVERRIDES = (
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    # Our message is in this one, whatever the person writes theirs in.
    ("i18n.commitEncoding", "UTF-8"),
)
PENDING = ("SQUASH_MSG", "MERGE_MSG")
"""Messages that wait for the person's own commit, as after `merge --squash`; any commit of git removes them."""


class Person:
    """The person's own git in one work tree. `outer` is their environment."""

    def __init__(self, place: Place, outer: Mapping[str, str]) -> None:
        self._root = place.root
        self._git_dir = place.git_dir
        self._env = {
            name: value
            for name, value in outer.items()
            if not SECRET.search(name) and (not name.startswith("GIT_") or OWN_GIT_VARIABLES.match(name))
        }
        # No GIT_DIR: hooks see what they see under the person's own `git commit`.
        self._env |= as_variables(OVERRIDES)

    def missing_identity(self) -> str:
        """Git's own words when it does not know who the author is; empty when it does."""
        for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            ran = execute(["var", name], cwd=self._root, env=self._env)
            if ran.status:
                return ran.stderr.decode("utf-8", "replace").strip() or f"{name} is not set"
        return ""

    def template(self) -> bytes:
        """The person's commit template; empty when there is none."""
        ran = execute(["config", "--path", "--get", "commit.template"], cwd=self._root, env=self._env)
        path = self._root / ran.stdout.rstrip(b"\n").decode("utf-8", "surrogateescape")
        return path.read_bytes() if ran.status == 0 and path.is_file() else b""

    def commit(self, message: Path, index: Path, *, editor: str = "") -> Ran:
        """`git commit` of `index` with `message`; with `editor` the person edits it first.

        It shares our terminal, so that an editor, a hook or the signing program can ask there.
        """
        argv = ["git", "commit", "--file", str(message)]
        env = self._env | {"GIT_INDEX_FILE": str(index)}
        if editor:
            argv.append("--edit")
            env["GIT_EDITOR"] = editor
        else:
            argv.append("--cleanup=whitespace")
        with self._pending_kept():
            try:
                return self._run(argv, env, shown=bool(editor))
            except OSError as error:
                raise GitFailed(f"git commit cannot be run: {error.strerror}") from error

    def _run(self, argv: Sequence[str], env: Mapping[str, str], *, shown: bool) -> Ran:
        """Until git itself ends: a hook may leave a process behind that keeps the output open."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            streams = (None, None) if shown else (out, err)
            with subprocess.Popen(
                argv, cwd=self._root, env=env, stdout=streams[0], stderr=streams[1]
            ) as program:
                try:
                    with forwarded(program):
                        status = program.wait()
                except BaseException:
                    program.kill()
                    raise
            out.seek(0)
            err.seek(0)
            return Ran(status, out.read(), err.read())

    @contextlib.contextmanager
    def _pending_kept(self) -> Iterator[None]:
        """The message of a merge that the person has still to commit stays, whatever becomes of ours."""
        kept: dict[Path, bytes] = {}
        for name in PENDING:
            with contextlib.suppress(FileNotFoundError):
                kept[self._git_dir / name] = (self._git_dir / name).read_bytes()
        try:
            yield
        finally:
            for path, data in kept.items():
                if not path.exists():
                    path.write_bytes(data)
