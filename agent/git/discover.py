"""Finds the repository of a folder with one `git rev-parse`, or says plainly why copair cannot work there.

The result is paths only. A work tree whose `.git` does not lead to the git directory (`core.worktree` of the
configuration points elsewhere) is refused: a repository must not make us write outside the folder it lies in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from agent.core.errors import RepositoryError
from agent.core.patches.blob_names import Hash
from agent.core.text import name_from_bytes
from agent.git.command import OVERRIDES, as_variables, base_environment, execute
from agent.git.worktrees import work_tree_name
from agent.io.paths import repository_state
from agent.io.process import Ran
from agent.ports import Place

QUESTIONS = (
    "--is-bare-repository",
    "--absolute-git-dir",
    "--git-common-dir",
    "--show-toplevel",
    "--show-prefix",
    "--show-object-format",
)
UNTOUCHED = "nothing was touched"


def discover(cwd: Path, outer: Mapping[str, str] | None = None) -> Place:
    """The repository that `cwd` is in. Raises RepositoryError with a hint."""
    if not cwd.is_dir():
        raise RepositoryError(f"{cwd} is no folder", untouched=UNTOUCHED)
    env = base_environment(os.environ if outer is None else outer) | as_variables(OVERRIDES)
    ran = _ask(cwd, env, QUESTIONS)
    if ran.status:
        raise _explain(cwd, ran)
    if ran.stdout.startswith(b"--path-format"):
        raise _too_old()  # it prints what it does not know
    answers = ran.stdout.split(b"\n")
    if len(answers) != len(QUESTIONS) + 1:
        # A newline in a path: ask one by one.
        answers = [_ask(cwd, env, (question,)).stdout[:-1] for question in QUESTIONS]
    _, git_dir, common_dir, root, prefix, object_format = answers[: len(QUESTIONS)]
    common = _real(common_dir)
    place = Place(
        _real(root),
        _real(git_dir),
        common,
        repository_state(common),
        name_from_bytes(prefix),
        Hash(object_format.decode()),
        work_tree_name(_real(git_dir), common),
    )
    _check_link(place)
    return place


def _ask(cwd: Path, env: Mapping[str, str], questions: tuple[str, ...]) -> Ran:
    return execute(["rev-parse", "--path-format=absolute", *questions], cwd=cwd, env=env)


def _real(path: bytes) -> Path:
    return Path(os.path.realpath(os.fsdecode(path)))


def _explain(cwd: Path, ran: Ran) -> RepositoryError:
    words = ran.stderr.decode("utf-8", "replace")
    if ran.stdout.startswith(b"true\n"):
        return RepositoryError(
            f"{cwd} is in a bare repository, which has no files to work on",
            hint="make a work tree with `git worktree add`, and start copair there",
            untouched=UNTOUCHED,
        )
    if "dubious ownership" in words:
        return RepositoryError(
            f"the repository of {cwd} belongs to another user, so git does not open it",
            hint=f"if you trust it: git config --global --add safe.directory {cwd}",
            untouched=UNTOUCHED,
        )
    if "not a git repository (or any" in words:
        return RepositoryError(
            f"{cwd} is not in a git repository",
            hint="start copair inside one, make one with `git init`, or try `copair tour`",
            untouched=UNTOUCHED,
        )
    if "must be run in a work tree" in words:
        return RepositoryError(
            f"{cwd} is inside a git directory, not in a work tree",
            hint="start copair in the work tree",
            untouched=UNTOUCHED,
        )
    if "path-format" in words:
        return _too_old()
    first = words.strip().split("\n")[0]
    return RepositoryError(
        f"git cannot open the repository of {cwd}: {first}",
        hint="`git status` there shows the same; repair the repository first",
        untouched=UNTOUCHED,
    )


def _too_old() -> RepositoryError:
    return RepositoryError("this git is too old", hint="install git 2.31 or newer", untouched=UNTOUCHED)


def _check_link(place: Place) -> None:
    link = place.root / ".git"
    target = link
    if link.is_file():
        text = link.read_bytes().removeprefix(b"gitdir:").strip()
        target = place.root / os.fsdecode(text)
    if os.path.realpath(target) != str(place.git_dir):
        raise RepositoryError(
            f"the configuration of {place.git_dir} moves the work tree to {place.root}",
            hint="copair works only in the folder that holds .git; remove core.worktree, or use `git worktree`",
            untouched=UNTOUCHED,
        )
