"""A marker program in every configuration key, hook and attribute that can run one: nothing of ours starts it.

Each key is first shown to be live (plain git does run it where that is cheap to show), then every call that
copair makes is made.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import CopairError
from agent.core.hunk import FileState, Write
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.git.repo import Repo
from agent.git.spots import in_tree
from agent.git.stage import Index
from tests.git.looking import file
from tests.support.cli import copair, copair_applies

GitIn = Callable[..., bytes]

PROGRAM_KEYS = [
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.sshCommand",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "sequence.editor",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "merge.evil.driver",
    "merge.tool",
    "mergetool.evil.cmd",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "filter.evil.more=dots.x.clean",
    "filter.odd=name.clean",
    "filter.odd=name.smudge",
    "filter.odd=name.process",
    "gpg.program",
    "gpg.openpgp.program",
    "gpg.ssh.program",
    "gpg.x509.program",
    "gpg.ssh.defaultKeyCommand",
    "credential.helper",
    "credential.https://example.org.helper",
    "pager.log",
    "pager.diff",
    "pager.ls-files",
    "pager.cat-file",
    "interactive.diffFilter",
    "trailer.evil.command",
    "trailer.evil.cmd",
    "alias.ls-files",
    "alias.rev-parse",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack",
    "ssh.variant",
    "browser.evil.cmd",
    "man.evil.cmd",
    "difftool.evil.cmd",
    "gc.recentObjectsHook",
    "core.hooksPath",
]
HOOKS = [
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "post-index-change",
    "post-checkout",
    "reference-transaction",
    "fsmonitor-watchman",
    "pre-auto-gc",
    "post-rewrite",
    "update",
]


@pytest.fixture
def trapped(repo: Path, git_in: GitIn, tmp_path: Path) -> tuple[Path, Path]:
    """A repository in which everything that can run is the marker program."""
    mark = tmp_path / "ran"
    program = tmp_path / "evil"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\ncat\n')
    program.chmod(0o755)
    (repo / "a").write_text("a\n")
    (repo / "b").write_text("b\n")
    (repo / "o").write_text("o\n")
    (repo / "crlf").write_bytes(b"x\r\n")
    (repo / "app.py").write_text("import os\n\n\ndef f():\n    return 1\n")
    (repo / ".gitattributes").write_text("crlf text eol=crlf\n")
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    git_in(repo, "commit", "-q", "--allow-empty", "-m", "two")
    git_in(repo, "checkout", "-qb", "theirs")
    (repo / "app.py").write_text("import os\n\n\ndef f():\n    return 2\n")
    (repo / "new.txt").write_text("n\n")
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "three")
    git_in(repo, "checkout", "-q", "main")
    (repo / ".git/info").mkdir(exist_ok=True)
    (repo / ".git/info/attributes").write_text(
        "* filter=evil diff=evil merge=evil\no filter=odd=name diff=evil\n"
        "app.py !filter\nnew.txt !filter\nincluded filter=included\n"
    )
    for hook in HOOKS:
        path = repo / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(program.read_text())
        path.chmod(0o755)
    (repo / "evil.gitconfig").write_text(f'[filter "included"]\n\tclean = {program}\n\trequired = true\n')
    git_in(repo, "config", f"includeIf.gitdir:{repo}/.path", str(repo / "evil.gitconfig"))
    for key in PROGRAM_KEYS:
        if key == "core.hooksPath":
            continue
        git_in(repo, "config", key, str(program))
    for key, value in [
        ("log.showSignature", "true"),
        ("commit.gpgSign", "true"),
        ("filter.evil.required", "true"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
        ("remote.origin.url", f"ext::{program}"),
        ("remote.origin.promisor", "true"),
        ("protocol.ext.allow", "always"),
        ("protocol.allow", "always"),
        ("submodule.recurse", "true"),
        ("status.submoduleSummary", "true"),
        ("core.untrackedCache", "true"),
    ]:
        git_in(repo, "config", key, value)
    (repo / "a").write_text("changed\n")
    (repo / "o").write_text("changed\n")
    (repo / "untracked").write_text("u\n")
    (repo / "included").write_text("i\n")
    mark.unlink(missing_ok=True)
    return repo, mark


def test_plain_git_does_run_them(trapped: tuple[Path, Path], git_in: GitIn) -> None:
    """Else the other tests here would prove nothing."""
    root, mark = trapped
    subprocess.run(["git", "status"], cwd=root, capture_output=True, check=False)
    subprocess.run(["git", "diff"], cwd=root, capture_output=True, check=False)
    ran = mark.read_text()
    assert ran.count("evil") >= 2


def everything(root: Path) -> None:
    """Each call that copair makes of git outside a commit."""
    place = discover(root)
    with Repo(place) as repo:
        head = repo.head()
        assert head.commit
        repo.operation()
        for path in ("a", "b", "o", "crlf", "missing"):
            repo.read(path)
            in_tree(repo.git, repo.resolve("HEAD", "tree"), [path])
        for entry in repo.entries():
            repo.stored(entry.mode, entry.oid)
            repo.checked_out(entry.path, entry.mode, entry.oid)
            repo.objects.write_file(entry.path.encode(), b"data\n")
        repo.tracked()
        repo.untracked()
        repo.list_files()
        repo.ignored(["a", "untracked", ":(top)a"])
        repo.attributes(["a", "o"], ["filter", "text", "diff"])
        assert len(repo.log(5)) == 2
        repo.log(5, "a")
        repo.git.run("diff", "--raw", "-z", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
        repo.git.run("diff-tree", "-r", "-z", "--raw", "-M", "HEAD~1", "HEAD")
        repo.git.run("diff-index", "-z", "--raw", "--cached", "HEAD")
        # An object that is missing from a partial clone would be fetched through the remote's program.
        assert repo.objects.find("0123456789012345678901234567890123456789") is None
        with contextlib.suppress(CopairError):
            repo.resolve("0123456789012345678901234567890123456789")
    now = FileState(0o100644, b"changed\n")
    WorkTree(place).write("s", [Write("a", now, file(b"more\n")), Write("new", None, file(b"n"))])
    Index(place).write("t", [Write("b", file(b"b\n"), file(b"B\n")), Write("new", None, file(b"n"))])


def test_nothing_of_ours_runs_them(trapped: tuple[Path, Path]) -> None:
    root, mark = trapped
    everything(root)
    assert not mark.exists(), mark.read_text()
    assert (root / "a").read_text() == "more\n"


def test_a_driver_that_is_configured_later_is_switched_off_too(
    trapped: tuple[Path, Path], git_in: GitIn
) -> None:
    root, mark = trapped
    with Repo(discover(root)) as repo:
        repo.tracked()
        git_in(root, "config", "filter.late.clean", str(root.parent / "evil"))
        (root / ".git/info/attributes").write_text("* filter=late\n")
        (root / "b").write_text("B\n")
        mark.unlink(missing_ok=True)
        repo.git.run("diff", "--raw", "-z", "--no-ext-diff", "--no-textconv")
        repo.objects.write_file(b"b", b"x\n")
    assert not mark.exists(), mark.read_text()


def test_a_driver_in_a_file_that_the_repository_includes_later_is_switched_off_too(
    trapped: tuple[Path, Path], git_in: GitIn
) -> None:
    root, mark = trapped
    with Repo(discover(root)) as repo:
        repo.tracked()
        (root / "evil.gitconfig").write_text(f'[filter "late"]\n\tclean = {root.parent / "evil"}\n')
        (root / ".git/info/attributes").write_text("* filter=late\n")
        (root / "b").write_text("B\n")
        repo.git.run("diff", "--raw", "-z", "--no-ext-diff", "--no-textconv")
        repo.objects.write_file(b"b", b"x\n")
    assert not mark.exists(), mark.read_text()


@pytest.mark.timeout(60)
def test_whole_runs_of_copair_run_none(trapped: tuple[Path, Path]) -> None:
    """A session with a yes, its undo, reviews of both kinds, the log: each as a person would call it."""
    root, mark = trapped
    listed = copair(root, "review", "theirs", "--json")
    chunks = [chunk["id"] for chunk in json.loads(listed.stdout)["chunks"]]
    assert len(chunks) == 2
    yes = "".join(json.dumps({"chunk": chunk, "verdict": "approve"}) + "\n" for chunk in chunks)
    for onto in ("worktree", "index"):
        ran = copair(root, "review", "theirs", "--onto", onto, "--decide", "-", stdin=yes)
        assert json.loads(ran.stdout)["outcome"] == "applied", ran.stderr
    uncommitted = json.loads(copair(root, "review", "--json").stdout)
    assert {out["path"] for out in uncommitted["left_out"]} >= {"a", "o", "untracked", "included"}
    applied = copair_applies(root, "fix F401")
    assert applied.returncode == 0, applied.stderr
    assert "import os" not in (root / "app.py").read_text()
    for words in (("undo",), ("undo", "--redo"), ("log",), ("show", "1"), ("checks",), ("export",)):
        ran = copair(root, *words)
        assert "Traceback" not in ran.stderr, words
    assert not mark.exists(), mark.read_text()


def test_a_submodule_with_programs_of_its_own_runs_none(repo: Path, git_in: GitIn, tmp_path: Path) -> None:
    git_in(tmp_path, "init", "-q", "lib")
    (tmp_path / "lib" / "l").write_text("l\n")
    git_in(tmp_path / "lib", "add", "l")
    git_in(tmp_path / "lib", "commit", "-qm", "l")
    git_in(
        repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "lib"), "mod"
    )
    git_in(repo, "commit", "-qm", "mod")
    mark, program = tmp_path / "ran", tmp_path / "evil"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\n')
    program.chmod(0o755)
    git_in(repo / "mod", "config", "core.fsmonitor", str(program))
    git_in(repo, "config", "submodule.mod.ignore", "none")
    git_in(repo, "config", "diff.ignoreSubmodules", "none")
    (repo / "mod" / "l").write_text("changed\n")
    subprocess.run(["git", "diff", "--raw"], cwd=repo, capture_output=True, check=True)
    assert mark.exists()
    mark.unlink()
    with Repo(discover(repo)) as opened:
        opened.git.run("diff", "--raw", "-z", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
        opened.list_files()
        opened.entries()
    assert not mark.exists(), mark.read_text()


def test_secrets_of_the_environment_do_not_reach_git(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "evil")
    monkeypatch.setenv("GIT_SSH_COMMAND", "evil")
    with Repo(discover(repo)) as opened:
        environment = opened.git.environment()
    assert "OPENAI_API_KEY" not in environment
    assert "evil" not in environment.values()
