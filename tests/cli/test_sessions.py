"""`copair log` and `copair show`: earlier sessions, and every chunk of them with what it does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from agent.cli.sessions import pick_session
from agent.cli.workbench import Workbench
from agent.core.errors import UsageError
from agent.core.frontend import Say, Undo
from agent.core.hunk import FileState, Mode, Write
from agent.core.review import Reject
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.git.stage import Index
from agent.io import journal
from agent.io.calls import Calls
from tests.cli.test_review import walk
from tests.support.bench import Script, play, propose
from tests.support.cli import copair
from tests.support.people import approve, decide, say

pytestmark = pytest.mark.timeout(30)
GitIn = Callable[..., bytes]
CODE = "a = 1\nb = 2\nc = 3\n"


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    (repo / "a.py").write_text(CODE)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    return repo


def test_a_review_is_listed_with_short_names_of_commits(project: Path, git_in: GitIn) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    git_in(project, "commit", "-qam", "second")
    walk(project, "HEAD", decide(Reject("no")))
    listed = copair(project, "log").stdout
    commit = git_in(project, "rev-parse", "HEAD").decode()[:7]
    assert f"(review of commit {commit}: second)  1 open, 0 applied\n" in listed


def test_a_review_of_a_patch_is_listed_by_its_file_with_what_became_of_it(
    project: Path, git_in: GitIn
) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    (project / "fix.patch").write_bytes(git_in(project, "diff"))
    git_in(project, "checkout", "-q", "a.py")
    walk(project, "fix.patch", approve)
    walk(project, None)
    new, old = copair(project, "log").stdout.splitlines()
    assert "(review of fix.patch)  0 open, 1 applied" in old
    assert "(review of what is not staged yet)  2 open, 0 staged" in new
    listed = json.loads(copair(project, "log", "--json").stdout)
    assert [one["first"] for one in listed] == ["review of what is not staged yet", "review of fix.patch"]
    assert [one["counts"]["open"] for one in listed] == [2, 0]


def test_what_is_committed_is_told_from_what_is_applied_and_its_undo_from_that_of_the_commit(
    project: Path,
) -> None:
    edits = (
        {"path": "a.py", "old": f"{name} = {n}\n", "new": f"{name} = {n}{n}\n"}
        for name, n in (("a", 1), ("b", 2))
    )
    model = Script(*(propose(edit, title=f"Double {edit['old'][0]}") for edit in edits))
    session = play(project, model, say(Say("x")), approve, approve).state.session
    assert copair(project, "commit", "1").returncode == 0
    assert "0 open, 2 applied (1 committed)" in copair(project, "log").stdout
    shown = copair(project, "log", session).stdout
    assert "✓ 1  Double a  (applied, committed)" in shown
    assert "✓ 2  Double b  (applied)" in shown
    listed = json.loads(copair(project, "log", session, "--json").stdout)
    assert listed["counts"] == {"open": 0, "applied": 2, "committed": 1}
    assert [chunk["committed"] for chunk in listed["chunks"]] == [True, False]
    ran = copair(project, "undo", "2")
    assert (ran.returncode, ran.stderr) == (0, "")
    ran = copair(project, "undo", "1")
    assert (
        "copair: It was committed before: its reverse lies in your files, and is in no commit yet."
        in ran.stderr
    )


@pytest.mark.parametrize("then", ["applied", "undone", "rejected", "waits"])
def test_show_has_what_the_chunk_does_whatever_became_of_it(project: Path, then: str) -> None:
    edit = {"path": "a.py", "old": "b = 2\n", "new": "b = 22\n"}
    acts = {
        "applied": [approve],
        "undone": [approve, say(Undo())],
        "rejected": [decide(Reject("no"))],
        "waits": [],
    }[then]
    play(project, Script(propose(edit, title="Two")), say(Say("x")), *acts)
    shown = copair(project, "show", "1").stdout
    assert "-b = 2\n+b = 22\n" in shown
    assert "+b = 22" in json.loads(copair(project, "show", "1", "--json").stdout)["diff"]


@pytest.fixture
def twins(project: Path, git_in: GitIn) -> Path:
    """A review of two chunks that were applied, with ids that begin alike."""
    (project / "a.py").write_text(LONG)
    git_in(project, "commit", "-qam", "long")
    (project / "a.py").write_text(CHANGED)
    git_in(project, "commit", "-qam", "theirs")
    theirs = git_in(project, "rev-parse", "HEAD").decode().strip()
    git_in(project, "reset", "-q", "--hard", "HEAD~1")
    state, _ = walk(project, theirs, approve, approve)
    (own,) = journal.folder(Workbench.open(project).place.state).glob("*.jsonl")
    data = own.read_bytes()
    for number, item in enumerate(state.items):
        data = data.replace(item.chunk.id.encode(), f"4d0f{number}{item.chunk.id[5:]}".encode())
    own.write_bytes(data)
    return project


@pytest.mark.parametrize("command", ["show", "undo", "commit"])
def test_what_two_chunks_begin_with_is_refused_with_both_and_nothing_is_done(
    twins: Path, git_in: GitIn, command: str
) -> None:
    ran = copair(twins, command, "4d0f")
    assert ran.returncode == 2
    assert "2 chunks of session" in ran.stderr
    assert all(f"4d0f{number}" in ran.stderr for number in range(2))
    assert (twins / "a.py").read_text() == CHANGED
    assert git_in(twins, "rev-list", "--count", "HEAD") == b"2\n"


@pytest.mark.parametrize("name", ["2", "4d0f1"])
def test_a_number_or_a_begin_of_an_id_names_a_chunk_everywhere(twins: Path, git_in: GitIn, name: str) -> None:
    assert copair(twins, "show", name).stdout.split()[1] == "2"
    assert copair(twins, "commit", name).returncode == 0
    assert git_in(twins, "show", "HEAD:a.py").decode() == LONG.replace("v50 =", "v50: int =")
    again = copair(twins, "commit", name)
    assert (again.returncode, "is committed already" in again.stderr) == (2, True)
    assert copair(twins, "undo", name).stdout.startswith("undone: 4d0f1")
    assert (twins / "a.py").read_text() == LONG.replace("v5 =", "v5: int =")
    again = copair(twins, "undo", name)
    assert (again.returncode, "is undone, not applied" in again.stderr) == (2, True)


def test_a_named_chunk_is_committed_from_whichever_session_has_it(twins: Path, git_in: GitIn) -> None:
    (twins / "b.py").write_text("x = 1\n")
    edit = {"path": "b.py", "old": "x = 1\n", "new": "x = 2\n"}
    play(twins, Script(propose(edit)), say(Say("x")), approve)
    assert copair(twins, "commit", "4d0f0").returncode == 0
    assert git_in(twins, "show", "HEAD:a.py").decode() == LONG.replace("v5 =", "v5: int =")


def test_undo_takes_back_what_was_written_last_whichever_session_began_last(project: Path) -> None:
    def two(line: str) -> Script:
        return Script(propose({"path": "a.py", "old": f"{line}\n", "new": f"{line}{line[-1]}\n"}))

    older = play(project, two("b = 2"), say(Say("x"))).state.session
    play(project, two("a = 1"), say(Say("x")), approve)
    play(project, Script(), approve, resume=older)
    assert (project / "a.py").read_text() == "a = 11\nb = 22\nc = 3\n"
    assert copair(project, "undo").returncode == 0
    assert (project / "a.py").read_text() == "a = 11\nb = 2\nc = 3\n"


@pytest.mark.parametrize("command", [["undo"], ["show", "1"], ["commit"], ["log"], ["review", "--json"]])
def test_a_session_that_cannot_be_read_is_in_nobodys_way(
    project: Path, git_in: GitIn, command: list[str]
) -> None:
    edit = {"path": "a.py", "old": "b = 2\n", "new": "b = 22\n"}
    played = play(project, Script(propose(edit)), say(Say("x")), approve)
    folder = journal.folder(played.bench.place.state)
    (own,) = folder.glob("*.jsonl")
    lines = own.read_bytes().split(b"\n")
    lines[1] = b'{"type":"from_a_newer_copair"}'
    damaged = folder / "29990101-000000-dead.jsonl"
    damaged.write_bytes(b"\n".join(lines))
    ran = copair(project, *command)
    assert ran.returncode == 0, ran.stderr
    assert damaged.read_bytes() == b"\n".join(lines)
    if command[0] in ("undo", "show", "commit"):
        assert "left out: line 2 of the session 29990101" in ran.stderr


def test_a_review_begins_anew_when_an_earlier_one_of_the_same_cannot_be_read(project: Path) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    state, _ = walk(project, None)
    (own,) = journal.folder(Workbench.open(project).place.state).glob("*.jsonl")
    own.write_bytes(own.read_bytes().replace(b'{"type":"ended"', b'{"type":"unknown"'))
    again, person = walk(project, None, approve)
    assert again.session != state.session
    assert person.cards


@pytest.mark.parametrize("answer", ["²", "0", "2", "", "one", "1" * 5000])
def test_what_is_no_number_of_the_list_chooses_no_session(project: Path, answer: str) -> None:
    play(project, Script(), say(Say("x")))
    ran = copair(project, "resume", "--list", stdin=f"{answer}\n")
    assert ran.returncode == 2
    assert "no session was chosen" in ran.stderr


def test_a_linked_work_tree_has_sessions_of_its_own(project: Path, git_in: GitIn, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git_in(project, "worktree", "add", "-q", str(linked))
    edit = {"path": "a.py", "old": "b = 2\n", "new": "b = 22\n"}
    session = play(linked, Script(propose(edit)), say(Say("x")), approve).state.session
    for command in (["undo"], ["commit"], ["resume"]):
        ran = copair(project, *command)
        assert ran.returncode == 2, ran.stderr
    assert "copair review; the latest of another work tree is resumed in" in ran.stderr
    ran = copair(project, "resume", session)
    assert f"it goes on in {linked.resolve()}" in ran.stderr
    assert f"in {linked.resolve()}\n" in copair(project, "log").stdout
    assert (linked / "a.py").read_text() == CODE.replace("2", "22")
    assert git_in(project, "rev-list", "--count", "HEAD") == b"1\n"
    assert copair(linked, "commit").returncode == 0
    assert git_in(linked, "rev-list", "--count", "HEAD") == b"2\n"


LONG = "".join(f"v{number} = {number}\n" for number in range(60))
CHANGED = LONG.replace("v5 =", "v5: int =").replace("v50 =", "v50: int =")


@pytest.mark.parametrize("how", ["thrown away", "another branch", "staged"])
def test_a_review_that_goes_on_offers_again_what_is_gone(project: Path, git_in: GitIn, how: str) -> None:
    (project / "a.py").write_text(LONG)
    git_in(project, "commit", "-qam", "long")
    git_in(project, "branch", "other")
    (project / "a.py").write_text(CHANGED)
    git_in(project, "commit", "-qam", "theirs")
    theirs = git_in(project, "rev-parse", "HEAD").decode().strip()
    git_in(project, "reset", "-q", "--hard", "HEAD~1")
    onto = "index" if how == "staged" else ""
    state, _ = walk(project, theirs, approve, onto=onto)
    if how == "another branch":
        assert copair(project, "commit").returncode == 0
        git_in(project, "checkout", "-q", "other")
    else:
        git_in(project, "reset", "-q", "--hard")
    again, _ = walk(project, theirs, approve, approve, onto=onto)
    assert again.session == state.session
    assert len(again.committed) == 0
    text = git_in(project, "show", ":a.py").decode() if onto else (project / "a.py").read_text()
    assert text == CHANGED
    if how == "another branch":
        assert copair(project, "commit").returncode == 0
        assert git_in(project, "diff", "HEAD", theirs) == b""


def test_what_the_person_changed_of_an_applied_chunk_is_not_offered_again(
    project: Path, git_in: GitIn
) -> None:
    (project / "a.py").write_text(LONG)
    git_in(project, "commit", "-qam", "long")
    (project / "a.py").write_text(CHANGED)
    git_in(project, "commit", "-qam", "theirs")
    theirs = git_in(project, "rev-parse", "HEAD").decode().strip()
    git_in(project, "reset", "-q", "--hard", "HEAD~1")
    walk(project, theirs, approve)
    mine = (project / "a.py").read_text().replace("v5: int = 5", "v5: float = 5.0") + "# mine\n"
    (project / "a.py").write_text(mine)
    _, person = walk(project, theirs)
    assert {card.chunk.changes[0].hunks[0].start for card in person.cards} == {50}
    assert (project / "a.py").read_text() == mine


@pytest.mark.parametrize(
    ("argument", "staged", "words"),
    [
        ("HEAD..HEAD", False, "nothing changes between HEAD and HEAD"),
        (None, False, "no uncommitted changes"),
        (None, True, "no changes that are not staged"),
    ],
)
def test_a_review_of_nothing_says_so_and_is_no_session(
    project: Path, git_in: GitIn, argument: str | None, staged: bool, words: str
) -> None:
    if staged:
        (project / "a.py").write_text(CODE.replace("2", "22"))
        git_in(project, "add", ".")
    state, person = walk(project, argument)
    assert (state.items, person.notices) == ((), [words])
    assert copair(project, "log").stdout == "no sessions yet\n"


def test_resume_takes_the_latest_session_that_has_something_open(project: Path, git_in: GitIn) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    git_in(project, "commit", "-qam", "second")
    (project / "a.py").write_text(CODE.replace("2", "33"))
    left, _ = walk(project, None)
    walk(project, "HEAD", decide(Reject("no")))
    assert pick_session(project, "", choose=False) == left.session
    walk(project, None, decide(Reject("no")))
    with pytest.raises(UsageError, match="no session here has anything open"):
        pick_session(project, "", choose=False)


@pytest.mark.parametrize("committed", [True, False])
def test_an_undo_in_the_index_says_what_is_true_also_after_a_commit(
    project: Path, git_in: GitIn, committed: bool
) -> None:
    (project / "a.py").write_text(CODE.replace("2", "22"))
    walk(project, None, approve)
    if committed:
        git_in(project, "commit", "-qm", "second")
    undone = copair(project, "undo").stdout
    assert undone.startswith("taken back in the index: ")
    assert (git_in(project, "diff", "--cached") != b"") is committed


def applied_two(project: Path) -> None:
    edit = {"path": "a.py", "old": "b = 2\n", "new": "b = 22\n"}
    play(project, Script(propose(edit, title="Two")), say(Say("x")), approve)


def test_another_repository_at_the_same_place_has_no_sessions_of_the_one_before(
    project: Path, git_in: GitIn
) -> None:
    applied_two(project)
    shutil.rmtree(project)
    project.mkdir()
    git_in(project, "init", "-q")
    (project / "a.py").write_text("b = 22\n")
    git_in(project, "add", ".")
    git_in(project, "commit", "-qm", "another")
    ran = copair(project, "undo")
    assert ran.returncode == 2
    assert "another repository stood here before" in ran.stderr
    kept = Path(ran.stderr.split("kept in ")[1].split("\n")[0])
    assert len(list(journal.folder(kept).glob("*.jsonl"))) == 1
    assert (project / "a.py").read_text() == "b = 22\n"
    assert copair(project, "log").stdout == "no sessions yet\n"
    assert "another repository" not in copair(project, "log").stderr


def test_a_check_that_was_accepted_for_the_repository_before_is_not_accepted(
    project: Path, git_in: GitIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.touch(0o755)
    monkeypatch.setenv("PATH", f"{make.parent}{os.pathsep}{os.environ['PATH']}")
    (project / "Makefile").write_text("test:\n\ttrue\n")
    assert "accepted" in copair(project, "checks", "--yes").stdout
    shutil.rmtree(project)
    project.mkdir()
    git_in(project, "init", "-q")
    (project / "Makefile").write_text("test:\n\ttrue\n")
    listed = copair(project, "checks").stdout
    assert "suggested  make test" in listed
    assert "accepted   make test" not in listed


@pytest.mark.parametrize("times", ["kept", "new"])
def test_a_repository_that_went_and_came_back_has_its_sessions(
    project: Path, tmp_path: Path, times: str
) -> None:
    applied_two(project)
    copy = shutil.copy2 if times == "kept" else shutil.copy
    shutil.copytree(project, tmp_path / "copy", copy_function=copy)
    shutil.rmtree(project)
    (tmp_path / "copy").rename(project)
    assert copair(project, "undo").returncode == 0
    assert (project / "a.py").read_text() == CODE


def test_a_history_that_was_written_anew_is_of_the_same_repository(project: Path, git_in: GitIn) -> None:
    applied_two(project)
    git_in(project, "checkout", "-q", "--orphan", "anew")
    git_in(project, "commit", "-qam", "anew")
    git_in(project, "branch", "-qD", "main")
    git_in(project, "reflog", "expire", "--expire=now", "--all")
    git_in(project, "gc", "-q", "--prune=now")
    assert copair(project, "undo").returncode == 0


def test_a_repository_that_was_moved_is_gone_on_with_where_it_is(
    project: Path, tmp_path: Path, git_in: GitIn
) -> None:
    applied_two(project)
    (project / "a.py").write_text(CODE.replace("2", "22").replace("3", "33"))
    left, _ = walk(project, None)
    moved = project.rename(tmp_path / "moved")
    first = copair(moved, "log")
    assert first.stderr == f"copair: this repository was at {project}; its sessions and checks come with it\n"
    assert len(first.stdout.splitlines()) == 2
    assert " in /" not in first.stdout
    assert copair(moved, "log").stderr == ""
    assert pick_session(moved, "", choose=False) == left.session
    assert copair(moved, "undo").returncode == 0
    assert (moved / "a.py").read_text() == CODE.replace("3", "33")
    assert copair(moved, "undo", "--redo").returncode == 0
    assert copair(moved, "commit").returncode == 0
    assert git_in(moved, "show", "HEAD:a.py").decode() == CODE.replace("2", "22")


def test_a_check_that_was_accepted_is_accepted_where_the_repository_is_moved_to(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.touch(0o755)
    monkeypatch.setenv("PATH", f"{make.parent}{os.pathsep}{os.environ['PATH']}")
    (project / "Makefile").write_text("test:\n\ttrue\n")
    assert "accepted" in copair(project, "checks", "--yes").stdout
    listed = copair(project.rename(tmp_path / "moved"), "checks")
    assert "accepted   make test" in listed.stdout
    assert "its sessions and checks come with it" in listed.stderr


@pytest.mark.parametrize("onto", ["worktree", "index"])
@pytest.mark.parametrize("is_old", [True, False], ids=["old", "named"])
def test_a_write_that_a_kill_came_into_is_settled_where_the_repository_was_moved_to(
    project: Path, tmp_path: Path, git_in: GitIn, onto: str, is_old: bool
) -> None:
    class Killed(BaseException):
        pass

    def kill(name: str) -> None:
        if name == ("exchange" if onto == "worktree" else "index"):
            raise Killed

    applied_two(project)
    place = discover(project)
    target = (WorkTree if onto == "worktree" else Index)(place, calls=Calls(kill))
    old = target.read("a.py")
    with pytest.raises(Killed):
        target.write("s", [Write("a.py", old, FileState(Mode.FILE, b"other\n"))])
    records = list(place.state.glob("**/sets/pending/*.json"))
    assert len(records) == 1
    if is_old:
        records[0].write_text(records[0].read_text().replace('"main"', '""'))
    moved = project.rename(tmp_path / "moved")
    ran = copair(moved, "resume", "nothing")
    assert "a write that a crash had interrupted was" in ran.stderr.lower()
    assert not list(discover(moved).state.glob("**/sets/pending/*.json"))
    assert git_in(moved, "status", "--porcelain", "--ignored") == b" M a.py\n"
    assert (moved / "a.py").read_text() == CODE.replace("2", "22")


@pytest.mark.parametrize("which", ["main", "linked"])
def test_a_commit_that_a_kill_came_into_is_finished_where_the_work_tree_was_moved_to(
    project: Path, tmp_path: Path, git_in: GitIn, which: str
) -> None:
    root, moved = project, tmp_path / "moved"
    if which == "linked":
        root = tmp_path / "linked"
        git_in(project, "worktree", "add", "-q", str(root))
    applied_two(root)
    hook = project / ".git" / "hooks" / "post-commit"
    hook.write_text("#!/bin/sh\nkill -9 $(ps -o ppid= -p $PPID)\n")
    hook.chmod(0o755)
    assert copair(root, "commit").returncode == -signal.SIGKILL
    hook.unlink()
    assert git_in(root, "status", "--porcelain") != b""
    if which == "main":
        root.rename(moved)
    else:
        git_in(project, "worktree", "move", str(root), str(moved))
    assert "was finished: a.py" in copair(moved, "undo", "none").stderr
    assert git_in(moved, "status", "--porcelain", "--ignored") == b""


def test_another_session_of_another_work_tree_is_listed_with_its_place(
    project: Path, tmp_path: Path, git_in: GitIn
) -> None:
    linked = tmp_path / "linked"
    git_in(project, "worktree", "add", "-q", str(linked))
    applied_two(linked)
    assert f" in {linked}" in copair(project, "log").stdout
    git_in(project, "worktree", "move", str(linked), str(tmp_path / "away"))
    assert " in /" not in copair(tmp_path / "away", "log").stdout
    assert copair(tmp_path / "away", "undo").returncode == 0
    assert (tmp_path / "away" / "a.py").read_text() == CODE


def test_the_first_prompt_stands_below_where_the_repository_was(project: Path, tmp_path: Path) -> None:
    applied_two(project)
    moved = project.rename(tmp_path / "moved")
    child = pexpect.spawn(
        sys.executable, ["-m", "agent"], cwd=str(moved), dimensions=(24, 200), timeout=20, encoding="utf-8"
    )
    child.expect_exact("come with it")
    assert (
        child.before.rpartition("\r\x1b[J")[2]
        == f"copair: this repository was at {project}; its sessions and checks "
    )
    child.close(force=True)
