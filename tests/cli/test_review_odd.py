"""`copair review` from the command line, with odd arguments, closed streams and unusual repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import copair

pytestmark = pytest.mark.timeout(30)
GitIn = Callable[..., bytes]
CODE = "a = 1\nb = 2\nc = 3\n"


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "a.py").write_text(CODE)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


def test_an_empty_name_of_decisions_is_an_error_and_nothing_is_opened(project: Path) -> None:
    ran = copair(project, "review", "HEAD", "--decide", "")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "--decide needs a file" in ran.stderr


@pytest.mark.parametrize(
    ("redirection", "words", "code"),
    [
        ("review - --json <&-", "the standard input is closed", 2),
        ("review HEAD --decide - <&-", "the standard input is closed", 2),
        ("review HEAD --json >&-", "the standard output is closed", 1),
        ("review HEAD --json >/dev/full", "No space left on device", 1),
    ],
)
def test_closed_and_full_streams_are_said(project: Path, redirection: str, words: str, code: int) -> None:
    command = f"{sys.executable} -m agent {redirection}"
    ran = subprocess.run(["sh", "-c", command], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == code, ran.stderr
    assert words in ran.stderr
    assert "a fault of copair" not in ran.stderr


def first_card(folder: Path, *arguments: str) -> dict[str, Any]:
    """The first card that a session offers to a program, which then goes away."""
    command = [sys.executable, "-m", "agent", *arguments, "--jsonl"]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        offers = (json.loads(line).get("offer", {}) for line in process.stdout)
        card: dict[str, Any] = next(offer for offer in offers if offer.get("type") == "card")
        process.communicate(timeout=20)
    return card


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_git_takes_the_diff_of_a_binary_file_whatever_names_its_objects_have(
    tmp_path: Path, git_in: GitIn, kind: str
) -> None:
    git_in(tmp_path, "init", "-q", f"--object-format={kind}", "odd")
    odd = tmp_path / "odd"
    for name, data in (("old", b"\0\1"), ("new", b"\0\2")):
        (odd / "b.bin").write_bytes(data * 50)
        git_in(odd, "add", ".")
        git_in(odd, "commit", "-qm", name)
    git_in(odd, "reset", "-q", "--hard", "HEAD~1")
    (chunk,) = json.loads(copair(odd, "review", "HEAD@{1}", "--json").stdout)["chunks"]
    card = first_card(odd, "review", "HEAD@{1}")
    kept = json.loads(copair(odd, "show", chunk["id"], "--json").stdout)
    for diff in (chunk["diff"], card["diff"]["text"], kept["diff"]):
        assert "GIT binary patch" in diff
        git_in(odd, "apply", "--check", "-", stdin=diff.encode())


def test_a_file_in_conflict_is_left_alone(project: Path, git_in: GitIn) -> None:
    git_in(project, "tag", "base")
    for branch, line in (("one", "b = 1\n"), ("two", "b = 11\n")):
        git_in(project, "checkout", "-qb", branch, "base")
        (project / "a.py").write_text(CODE.replace("b = 2\n", line))
        git_in(project, "commit", "-qam", branch)
    git_in(project, "merge", "one", check=False)
    before = (project / "a.py").read_bytes()
    assert b"<<<<<<<" in before
    ran = copair(project, "review", "one", "--json")
    assert json.loads(ran.stdout)["left_out"] == [{"path": "a.py", "reason": "a.py is in conflict"}]
    assert (project / "a.py").read_bytes() == before


def test_a_commit_is_found_by_the_words_of_its_message(project: Path, git_in: GitIn) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    git_in(project, "commit", "-qam", "mend the middle")
    assert len(json.loads(copair(project, "review", ":/mend the", "--json").stdout)["chunks"]) == 1


def test_what_a_partial_clone_lacks_is_said(project: Path, git_in: GitIn, tmp_path: Path) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    git_in(project, "commit", "-qam", "second")
    (project / "a.py").write_text(CODE.replace("2", "222"))
    git_in(project, "commit", "-qam", "third")
    git_in(project, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git_in(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{project}", str(clone))
    ran = copair(clone, "review", "HEAD~1", "--json")
    assert ran.returncode == 1
    assert "partial clone" in ran.stderr


def test_a_folder_that_was_removed_is_said(project: Path) -> None:
    (project / "gone").mkdir()
    command = f"cd gone && rmdir ../gone && {sys.executable} -m agent review HEAD --json"
    ran = subprocess.run(["sh", "-c", command], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "is not there any more" in ran.stderr


@pytest.mark.parametrize("name", [" x.txt", "\tx.txt", "x.txt\r", "x\n.txt"])
def test_the_attributes_of_an_odd_name_are_its_own(project: Path, git_in: GitIn, name: str) -> None:
    (project / ".gitattributes").write_text("/x.txt eol=crlf\n*.txt text\n")
    (project / name).write_bytes(b"a\n")
    git_in(project, "add", "-A")
    git_in(project, "commit", "-qm", "old")
    (project / name).write_bytes(b"a\nb\n")
    git_in(project, "commit", "-qam", "new")
    git_in(project, "reset", "-q", "--hard", "HEAD~1")
    ids = [
        chunk["id"] for chunk in json.loads(copair(project, "review", "HEAD@{1}", "--json").stdout)["chunks"]
    ]
    decisions = "".join(json.dumps({"chunk": name, "verdict": "approve"}) + "\n" for name in ids)
    assert copair(project, "review", "HEAD@{1}", "--decide", "-", stdin=decisions).returncode == 0
    assert (project / name).read_bytes() == b"a\nb\n"


def test_a_git_that_does_not_know_the_questions_is_too_old(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 2.31 it prints an option that it does not know, and ends well."""
    (tmp_path / "git").write_text('#!/bin/sh\nshift\nfor word in "$@"; do echo "$word"; done\n')
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    ran = copair(project, "review", "HEAD", "--json")
    assert ran.returncode == 1
    assert "this git is too old" in ran.stderr


def test_an_export_that_cannot_be_written_leaves_no_part_of_it(project: Path, git_in: GitIn) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    copair(project, "review", "--plain")
    command = f"ulimit -f 0; exec {sys.executable} -B -m agent export --output out.md"
    ran = subprocess.run(
        ["sh", "-c", f"trap '' XFSZ; {command}"], cwd=project, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2, ran.stderr
    assert "nothing was written" in ran.stderr
    assert not (project / "out.md").exists()


def test_a_folder_for_temporary_files_may_have_any_name(
    project: Path, git_in: GitIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = os.fsencode(tmp_path) + b"/t\xff"
    os.mkdir(odd)
    monkeypatch.setenv("TMPDIR", os.fsdecode(odd))
    for number in range(9):
        (project / f"{number}.txt").write_text(f"{number}\n")
    ids = [chunk["id"] for chunk in json.loads(copair(project, "review", "--json").stdout)["chunks"]]
    decisions = "".join(json.dumps({"chunk": name, "verdict": "approve"}) + "\n" for name in ids)
    assert copair(project, "review", "--decide", "-", stdin=decisions).returncode == 0
    assert len(git_in(project, "ls-files").split()) == 10
