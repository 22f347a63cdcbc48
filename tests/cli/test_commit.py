"""Commits in and after a session: exactly the approved chunks, the person's other work as it was."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cli.wire import make_desk
from agent.cli.workbench import Workbench
from agent.core import events as ev
from agent.core.frontend import HANG_UP, Command, Input, Interrupt, Quit, Say, Undo, WorkOffer
from tests.support.bench import Script, play, propose, text
from tests.support.cli import copair
from tests.support.people import Act, Person, approve, say

pytestmark = pytest.mark.timeout(30)
GitIn = Callable[..., bytes]
CODE = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(6))


def change(number: int) -> dict[str, str]:
    return {"path": "a.py", "old": f"    return {number}\n", "new": f"    return {number}{number}\n"}


@pytest.fixture
def project(repo: Path, git_in: GitIn) -> Path:
    """One commit, and in the same file a staged and an unstaged change of the person."""
    (repo / "a.py").write_text(CODE)
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    staged = CODE.replace("def f5():", "def f5(mine):")
    (repo / "a.py").write_text(staged)
    git_in(repo, "add", "a.py")
    (repo / "a.py").write_text(staged + "# not staged\n")
    return repo


def test_commit_takes_the_approved_chunks_and_leaves_the_persons_work(project: Path, git_in: GitIn) -> None:
    model = Script(
        propose(change(0), title="Double zero", why="because"), propose(change(2), title="Double two")
    )
    played = play(project, model, say(Say("x")), approve, approve, say(Command("commit")))
    assert any(isinstance(event, ev.Committed) for event in played.person.events), played.person.notices
    assert git_in(project, "show", "HEAD:a.py").decode() == CODE.replace("return 0", "return 00").replace(
        "return 2", "return 22"
    )
    assert b"+def f5(mine):" in git_in(project, "diff", "--cached")
    assert git_in(project, "diff").count(b"\n+") == 2
    assert b"Assisted-by: copair:scripted/test" in git_in(project, "log", "-1", "--format=%B")


def test_commit_each_makes_one_commit_a_chunk_with_its_title(project: Path, git_in: GitIn) -> None:
    model = Script(propose(change(0), title="Double zero"), propose(change(2), title="Double two"))
    play(project, model, say(Say("x")), approve, approve, say(Command("commit", "each")))
    assert git_in(project, "log", "--format=%s").decode().split("\n")[:2] == ["Double two", "Double zero"]


@pytest.mark.parametrize("where", ["in the session", "after it"])
def test_commit_each_passes_over_what_the_person_has_committed(
    project: Path, git_in: GitIn, where: str
) -> None:
    (project / "b.py").write_text(CODE)
    git_in(project, "add", "b.py")
    git_in(project, "commit", "-qm", "b", "b.py")
    second = change(2) | {"path": "b.py"}
    model = Script(propose(change(0), title="Double zero"), propose(second, title="Double two"))

    def commit(_: Person) -> Input | None:
        git_in(project, "commit", "-qm", "mine", "a.py")
        return Command("commit", "each") if where == "in the session" else Quit()

    played = play(project, model, say(Say("x")), approve, approve, commit)
    said = "\n".join(played.person.notices)
    if where == "after it":
        ran = copair(project, "commit", "--each")
        assert ran.returncode == 0, ran.stderr
        said = ran.stderr
        again = copair(project, "commit", "--each")
        assert (again.returncode, "Not committed: all of it is" in again.stderr) == (1, True)
    assert "assed over, because it is committed already: Double zero" in said
    assert git_in(project, "log", "-2", "--format=%s") == b"Double two\nmine\n"


@pytest.mark.parametrize("mine", [{"a.py"}, {"b.py"}, set()], ids=["the first", "the second", "none"])
def test_the_message_names_no_chunk_that_the_person_has_committed(
    project: Path, git_in: GitIn, mine: set[str]
) -> None:
    (project / "b.py").write_text(CODE)
    git_in(project, "add", "b.py")
    git_in(project, "commit", "-qm", "b", "b.py")
    second = change(2) | {"path": "b.py"}
    model = Script(propose(change(0), title="Double zero"), propose(second, title="Double two"))
    play(project, model, say(Say("x")), approve, approve)
    if mine:
        git_in(project, "commit", "-qm", "mine", *mine)
    assert copair(project, "commit").returncode == 0
    message = git_in(project, "log", "-1", "--format=%B").decode()
    assert ("zero" in message, "two" in message) == ("a.py" not in mine, "b.py" not in mine)


def test_the_setting_commits_after_every_yes(project: Path, git_in: GitIn, hermetic_seal: Path) -> None:
    config = hermetic_seal / ".config" / "copair" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('commit = "each"\n')
    play(project, Script(propose(change(0), title="Double zero")), say(Say("x")), approve)
    assert git_in(project, "log", "-1", "--format=%s") == b"Double zero\n"


def test_what_hinders_every_commit_is_said_before_anything_is_written(
    project: Path, git_in: GitIn, hermetic_seal: Path
) -> None:
    config = hermetic_seal / ".config" / "copair" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('commit = "each"\n')
    (hermetic_seal / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n[safe]\n\tdirectory = *\n")
    played = play(project, Script(propose(change(0))), say(Say("x")))
    assert "git does not know who you are" in played.person.notices[0]
    assert (project / "a.py").read_text().startswith(CODE[:20])


def test_what_is_committed_is_not_committed_again_and_can_still_be_undone(
    project: Path, git_in: GitIn
) -> None:
    script = [say(Say("x")), approve, say(Command("commit")), say(Command("commit")), say(Undo())]
    played = play(project, Script(propose(change(0))), *script)
    assert any("nothing to commit" in notice for notice in played.person.notices)
    assert "return 0\n" in (project / "a.py").read_text()
    assert git_in(project, "rev-list", "--count", "HEAD") == b"2\n"


def test_what_was_thrown_away_is_not_committed(project: Path, git_in: GitIn) -> None:
    model = Script(propose(change(0), title="Double zero"), propose(change(2), title="Double two"))
    play(project, model, say(Say("x")), approve, approve)
    kept = (project / "a.py").read_text().replace("return 00\n", "return 0\n")
    (project / "a.py").write_text(kept)
    ran = copair(project, "commit")
    assert ran.returncode == 0, ran.stderr
    assert "left out, because the files do not have it any more: Double zero" in ran.stderr
    assert git_in(project, "show", "HEAD:a.py").decode() == CODE.replace("return 2", "return 22")
    assert (project / "a.py").read_text() == kept
    again = copair(project, "commit")
    assert (again.returncode, "nothing to commit" in again.stderr) == (2, True)
    assert git_in(project, "rev-list", "--count", "HEAD") == b"2\n"


@pytest.mark.parametrize("how", ["one of two places is taken back", "its line stands elsewhere"])
def test_what_is_not_as_it_was_applied_is_left_out_and_called_that(
    project: Path, git_in: GitIn, how: str
) -> None:
    both = {"path": "a.py", "old": CODE[:60], "new": CODE[:60].replace("return ", "return 1 + ")}
    play(project, Script(propose(both, title="Add one"), propose(change(5))), say(Say("x")), approve, approve)
    now = (project / "a.py").read_text()
    kept = now.replace("return 1 + 0\n", "return 0\n")
    if how == "its line stands elsewhere":
        kept = kept.replace("return 1 + 1\n", "return 1\n").replace("# not", "    return 1 + 0\n# not")
    (project / "a.py").write_text(kept)
    ran = copair(project, "commit")
    assert ran.returncode == 0, ran.stderr
    assert (
        "it is not as it was applied (changed or taken back since; commit it with git): Add one" in ran.stderr
    )
    assert "do not have it any more" not in ran.stderr
    assert (project / "a.py").read_text() == kept


def test_a_removal_of_which_one_place_is_back_is_not_called_gone(project: Path) -> None:
    old = "def f0():\n    return 0\n\n\ndef f1():\n    return 1\n"
    edit = {"path": "a.py", "old": old, "new": "def f0():\n\n\ndef f1():\n"}
    play(project, Script(propose(edit, title="Empty them")), say(Say("x")), approve)
    now = (project / "a.py").read_text()
    (project / "a.py").write_text(now.replace("def f0():\n", "def f0():\n    return 0\n"))
    ran = copair(project, "commit")
    assert (
        "it is not as it was applied (changed or taken back since; commit it with git): Empty" in ran.stderr
    )


def test_blank_lines_elsewhere_are_not_taken_for_those_of_a_chunk(project: Path) -> None:
    edit = {"path": "a.py", "old": "def f0():\n", "new": "NAME = 0\n\n\ndef f0():\n"}
    play(project, Script(propose(edit, title="Name it")), say(Say("x")), approve)
    now = (project / "a.py").read_text()
    (project / "a.py").write_text(now.removeprefix("NAME = 0\n\n\n") + "\n")
    assert "the files do not have it any more: Name it" in copair(project, "commit").stderr


def test_a_refused_commit_names_the_chunk_in_the_way_and_the_others(project: Path, git_in: GitIn) -> None:
    titles = ("Double zero", "Double five", "Double two")
    model = Script(*(propose(change(n), title=title) for n, title in zip((0, 7, 2), titles, strict=True)))
    (project / "a.py").write_text(CODE.replace("return 5", "return 7"))
    play(project, model, say(Say("x")), approve, approve, approve)
    git_in(project, "reset", "-q")
    ran = copair(project, "commit")
    assert ran.returncode == 1
    assert "Not committed: chunk 2 (Double five) in a.py, line 22: it does" in ran.stderr
    assert "the others can be committed by name: 1 3\n" in ran.stderr
    assert copair(project, "commit", "1", "3").returncode == 0
    done = CODE.replace("return 0", "return 00").replace("return 2", "return 22")
    assert git_in(project, "show", "HEAD:a.py").decode() == done


def test_a_session_of_which_nothing_is_left_is_passed_over_for_an_older_one(
    project: Path, git_in: GitIn
) -> None:
    play(project, Script(propose(change(0), title="Double zero")), say(Say("x")), approve)
    kept = (project / "a.py").read_bytes()
    later = play(project, Script(propose(change(2), title="Double two")), say(Say("x")), approve)
    (project / "a.py").write_bytes(kept)
    ran = copair(project, "commit")
    assert ran.returncode == 0, ran.stderr
    assert f"session {later.state.session} is passed over: left out" in ran.stderr
    assert "Double two" in ran.stderr
    assert git_in(project, "show", "HEAD:a.py").decode() == CODE.replace("return 0", "return 00")
    again = copair(project, "commit")
    assert (again.returncode, "nothing to commit" in again.stderr) == (2, True)


def test_what_is_applied_again_is_in_no_second_commit(project: Path, git_in: GitIn) -> None:
    model = Script(propose(change(0), title="Double zero"), propose(change(2), title="Double two"))
    script = [say(Say("x")), approve, approve, say(Command("commit", "1"))]
    play(project, model, *script, say(Undo("1")), say(Command("redo", "1")))
    ran = copair(project, "commit")
    assert ran.returncode == 0, ran.stderr
    assert b"zero" not in git_in(project, "log", "-1", "--format=%B")
    assert git_in(project, "show", "HEAD", "--format=").count(b"\n+") == 2


def test_a_failing_hook_stops_the_commit_and_everything_stays(project: Path, git_in: GitIn) -> None:
    hook = project / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no way >&2\nexit 1\n")
    hook.chmod(0o755)
    play(project, Script(propose(change(0))), say(Say("x")), approve)
    index = (project / ".git" / "index").read_bytes()
    ran = copair(project, "commit")
    assert ran.returncode == 1
    assert "no way" in ran.stderr
    assert (project / ".git" / "index").read_bytes() == index
    assert git_in(project, "rev-list", "--count", "HEAD") == b"1\n"


def test_during_a_merge_nothing_is_committed(project: Path, git_in: GitIn) -> None:
    play(project, Script(propose(change(0))), say(Say("x")), approve)
    (project / ".git" / "MERGE_HEAD").write_bytes(git_in(project, "rev-parse", "HEAD"))
    ran = copair(project, "commit")
    assert ran.returncode == 1
    assert "merge is in progress" in ran.stderr


def test_a_hook_that_changes_the_commit_is_told(project: Path, git_in: GitIn) -> None:
    hook = project / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho more > extra.txt\ngit add extra.txt\n")
    hook.chmod(0o755)
    play(project, Script(propose(change(0))), say(Say("x")), approve)
    ran = copair(project, "commit")
    assert ran.returncode == 0, ran.stderr
    assert "a hook of yours put other content into it" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("together", [False, True])
def test_a_signal_after_the_commit_leaves_it_whole(
    project: Path, git_in: GitIn, number: signal.Signals, together: bool
) -> None:
    git_in(project, "reset", "-q", "--hard")
    play(project, Script(propose(change(0))), say(Say("x")), approve)
    hook = project / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch in-hook\nexec sleep 5\n")
    hook.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "commit"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        while not (project / "in-hook").exists():
            time.sleep(0.01)
        (os.killpg if together else os.kill)(process.pid, number)
        process.communicate()
    assert process.returncode in (0, 130)
    (project / "in-hook").unlink()
    assert git_in(project, "rev-list", "--count", "HEAD") == b"2\n"
    assert git_in(project, "status", "--porcelain") == b""
    assert "nothing to commit" in copair(project, "commit").stderr


@pytest.mark.parametrize(
    ("each", "code", "left"), [([], 0, 0), (["--each"], 130, 1)], ids=["the only one", "the first of two"]
)
def test_a_signal_behind_a_commit_stops_only_what_is_left(
    project: Path, git_in: GitIn, each: list[str], code: int, left: int
) -> None:
    model = Script(propose(change(0), title="Double zero"), propose(change(2), title="Double two"))
    play(project, model, say(Say("x")), approve, approve)
    hook(project, "post-commit", "touch in-hook\nexec sleep 5")
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "commit", *each],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        while not (project / "in-hook").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert (process.returncode, said.count("\n")) == (code, 1)
    (project / ".git" / "hooks" / "post-commit").unlink()
    again = copair(project, "commit")
    assert (again.returncode == 0, again.stdout.count("Double two")) == (bool(left), left)


def hook(project: Path, name: str, text: str) -> None:
    path = project / ".git" / "hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def interrupted(argument: str, began: Path, *things: Input) -> Act:
    """`/commit`, and what the person does once the hook runs."""

    def act(person: Person) -> Input:
        def wait() -> None:
            while not (began.exists() and WorkOffer("committing") in person.offers):
                time.sleep(0.01)
            for thing in things:
                person.type(thing)

        threading.Thread(target=wait, daemon=True).start()
        return Command("commit", argument)

    return act


@pytest.mark.parametrize("end", [Interrupt(), Quit(HANG_UP)])
def test_ctrl_c_or_a_closed_terminal_stops_a_slow_hook_of_a_commit_in_a_session(
    project: Path, git_in: GitIn, tmp_path: Path, end: Input
) -> None:
    began = tmp_path / "began"
    hook(project, "pre-commit", f"touch '{began}'; exec sleep 60")
    staged = git_in(project, "diff", "--cached")
    model = Script(propose(change(0)), text("So it is."))
    played = play(project, model, say(Say("x")), approve, interrupted("", began, Say("a word"), end))
    assert "Not committed: you stopped it." in played.person.notices
    assert git_in(project, "rev-list", "--count", "HEAD") == b"1\n"
    assert git_in(project, "diff", "--cached") == staged
    assert "return 00" in (project / "a.py").read_text()
    assert not (project / ".git" / "index.lock").exists()
    assert isinstance(end, Quit) or "a word" in model.said(-1)


WORKER = """
import pathlib, sys, time
for n in range(200):
    pathlib.Path(sys.argv[1]).write_text(str(n))
    time.sleep(0.05)
"""


def hook_with_a_child(project: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A hook that runs a program for ten seconds and then something else; what each of them writes."""
    (tmp_path / "worker.py").write_text(WORKER)
    work, end = tmp_path / "work", tmp_path / "end"
    hook(project, "pre-commit", f"'{sys.executable}' '{tmp_path}/worker.py' '{work}'\ntouch '{end}'")
    return work, end


def stands_still(work: Path, end: Path) -> bool:
    """Nobody writes any more, and the hook did not go on."""
    before = work.read_text()
    time.sleep(0.5)
    return work.read_text() == before and not end.exists()


def test_ctrl_c_in_a_session_stops_what_a_hook_has_started(
    project: Path, git_in: GitIn, tmp_path: Path
) -> None:
    work, end = hook_with_a_child(project, tmp_path)
    act = interrupted("", work, Interrupt())
    played = play(project, Script(propose(change(0))), say(Say("x")), approve, act)
    assert any(words.startswith("Not committed: you stopped it.") for words in played.person.notices)
    assert stands_still(work, end)
    assert git_in(project, "rev-list", "--count", "HEAD") == b"1\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_copair_alone_stops_what_a_hook_has_started_and_says_so(
    project: Path, git_in: GitIn, tmp_path: Path, number: signal.Signals
) -> None:
    play(project, Script(propose(change(0))), say(Say("x")), approve)
    work, end = hook_with_a_child(project, tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "commit"], cwd=project, stderr=subprocess.PIPE, text=True
    ) as process:
        while not work.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == 130
    assert said.startswith("Not committed: you stopped it.")
    assert "nothing was committed, and your index is as it was" in said
    assert stands_still(work, end)
    assert git_in(project, "rev-list", "--count", "HEAD") == b"1\n"


def test_ctrl_c_after_a_commit_leaves_those_behind_it(project: Path, git_in: GitIn, tmp_path: Path) -> None:
    began = tmp_path / "began"
    hook(project, "post-commit", f"touch '{began}'; exec sleep 60")
    model = Script(propose(change(0), title="Double zero"), propose(change(2), title="Double two"))
    each = interrupted("each", began, Interrupt())
    played = play(project, model, say(Say("x")), approve, approve, each)
    assert [event.subject for event in played.person.events if isinstance(event, ev.Committed)] == [
        "Double zero"
    ]
    assert git_in(project, "log", "-1", "--format=%s") == b"Double zero\n"
    assert b"+def f5(mine):" in git_in(project, "diff", "--cached")
    assert b"return 00" not in git_in(project, "diff", "--cached")


@pytest.mark.parametrize("command", [["undo"], ["undo", "--redo"]])
def test_a_signal_in_an_undo_comes_when_it_is_written_down(project: Path, command: list[str]) -> None:
    play(project, Script(propose(change(0))), say(Say("x")), approve)
    if "--redo" in command:
        assert copair(project, "undo").returncode == 0
    number = (project / "a.py").stat().st_ino
    with subprocess.Popen(
        [sys.executable, "-m", "agent", *command],
        cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while (project / "a.py").stat().st_ino == number and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
    back = [] if "--redo" in command else ["--redo"]
    assert copair(project, "undo", *back).returncode == 0


@pytest.mark.parametrize("since", ["nothing", "brought back"])
def test_an_undo_that_was_killed_before_it_was_written_down_is_written_down_by_the_next(
    project: Path, since: str
) -> None:
    model = Script(propose(change(0), title="Double zero"), propose(change(2), title="Double two"))
    state = play(project, model, say(Say("x")), approve, approve).state
    both = (project / "a.py").read_text()
    bench = Workbench.open(project)
    killed = make_desk(bench, state.onto).undo(state, state.items[1])
    bench.close()
    assert isinstance(killed, ev.Undone)
    one = both.replace("return 22\n", "return 2\n")
    assert (project / "a.py").read_text() == one
    if since == "brought back":
        (project / "a.py").write_text(both)
    ran = copair(project, "undo")
    assert (ran.returncode, ran.stderr, "Double two" in ran.stdout) == (0, "", True)
    assert (project / "a.py").read_text() == one
    assert copair(project, "undo", "--redo").returncode == 0
    assert (project / "a.py").read_text() == both
    for option, code in ([], one), (["--redo"], both), ([], one):
        assert copair(project, "undo", *option).returncode == 0
        assert (project / "a.py").read_text() == code


def test_undo_passes_over_what_is_not_in_the_files_any_more(project: Path) -> None:
    model = Script(propose(change(0), title="Double zero"), propose(change(2), title="Double two"))
    play(project, model, say(Say("x")), approve, approve)
    (project / "a.py").write_text((project / "a.py").read_text().replace("return 22\n", "return 2\n"))
    ran = copair(project, "undo")
    assert (ran.returncode, ran.stdout) == (0, "undone: 1 Double zero (a.py)\n")
    assert "any more: Double two" in ran.stderr
    again = copair(project, "undo")
    assert again.returncode == 1
    assert "nothing to take back" in again.stderr


def test_many_chunks_that_are_not_in_the_files_are_passed_over_in_one_line_and_soon(
    repo: Path, git_in: GitIn
) -> None:
    """Reading the session anew for each of 400 took 8 s."""
    names = [f"f{n:03}.txt" for n in range(200)]
    for name in names:
        (repo / name).write_text("a\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    edits = [{"path": name, "old": "a\n", "new": "b\n"} for name in names]
    model = Script(*(propose(edit, title=f"Change {edit['path']}") for edit in edits))
    play(repo, model, say(Say("x")), *(approve for _ in names))
    git_in(repo, "checkout", "-q", *names[1:])
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ran = copair(repo, "undo")
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start
    assert (ran.returncode, ran.stdout) == (0, "undone: 1 Change f000.txt (f000.txt)\n")
    passed = "copair: passed over, because the files do not have them any more: 199 chunks\n"
    assert ran.stderr == passed
    assert seconds < 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_is_closed_in_a_hook_leaves_no_lock(
    project: Path, git_in: GitIn, number: signal.Signals
) -> None:
    play(project, Script(propose(change(0))), say(Say("x")), approve)
    hook = project / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch in-hook\nexec sleep 20\n")
    hook.chmod(0o755)
    before = (project / ".git" / "index").read_bytes()
    own = signal.signal(number, signal.SIG_DFL)  # under `nohup` it would be ignored, rightly
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "commit"],
        cwd=project,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        signal.signal(number, own)
        while not (project / "in-hook").exists():
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, number)
        assert process.wait() == 130
    assert (project / ".git" / "index").read_bytes() == before
    assert not (project / ".git" / "index.lock").exists()
    assert git_in(project, "rev-list", "--count", "HEAD") == b"1\n"
    hook.unlink()
    assert copair(project, "commit").returncode == 0
