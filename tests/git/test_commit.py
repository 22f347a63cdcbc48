"""A commit has exactly the approved changes; the person's other work, also in the same files, stays as it was."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.errors import StateError
from agent.core.events import StoredState, StoredWrite
from agent.core.hunk import FileState, Mode, Write
from agent.core.outcome import Applied
from agent.git.apply import WorkTree
from agent.git.commit import CommitRefused, Committed, Committer
from agent.git.discover import discover
from agent.git.objects import FEW
from agent.git.person import PENDING, Person
from agent.io.blobs import Blobs
from agent.io.calls import Calls
from tests.git.looking import contents, file

GitIn = Callable[..., bytes]
BASE = b"".join(b"line %d\n" % number for number in range(1, 13))


def lines(*changes: tuple[int, bytes], base: bytes = BASE) -> bytes:
    """BASE with whole lines (1-based) replaced."""
    split = base.split(b"\n")
    for number, text in changes:
        split[number - 1] = text
    return b"\n".join(split)


class Desk:
    """Applies writes as a session does, and remembers them for the commit."""

    def __init__(self, root: Path) -> None:
        self.place = discover(root)
        self.blobs = Blobs(self.place.state / "blobs")
        self.tree = WorkTree(self.place, self.blobs)
        self.count = 0

    def apply(self, *writes: Write) -> list[StoredWrite]:
        self.count += 1
        assert isinstance(self.tree.write(f"s{self.count}", writes), Applied)
        return [StoredWrite(w.path, self.keep(w.old), self.keep(w.new)) for w in writes]

    def keep(self, state: FileState | None) -> StoredState | None:
        return StoredState(state.mode, self.blobs.put(state.data)) if state else None

    def commit(
        self, writes: Sequence[StoredWrite], message: str = "Change it\n", *, trailer: str = "", editor: str = "",
        calls: Calls | None = None,
    ) -> Committed | CommitRefused:  # fmt: skip
        return Committer(self.place, self.blobs, calls=calls).commit(
            writes, message, trailer=trailer, editor=editor
        )


@pytest.fixture
def desk(repo: Path, git_in: GitIn) -> Desk:
    (repo / "f").write_bytes(BASE)
    (repo / "g").write_bytes(BASE)
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    return Desk(repo)


def refused(outcome: Committed | CommitRefused) -> CommitRefused:
    assert isinstance(outcome, CommitRefused)
    return outcome


def committed(outcome: Committed | CommitRefused) -> Committed:
    assert isinstance(outcome, Committed), outcome
    assert not outcome.index_later
    return outcome


def test_staged_unstaged_and_untracked_work_in_the_same_file_stays(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    (root / "f").write_bytes(lines((1, b"staged")))
    (root / "g").write_bytes(lines((3, b"staged g")))
    git_in(root, "add", "-A")
    mine = lines((1, b"staged"), (6, b"unstaged"))
    (root / "f").write_bytes(mine)
    (root / "new").write_bytes(b"untracked\n")
    after = lines((1, b"staged"), (6, b"unstaged"), (11, b"approved"))
    sets = desk.apply(Write("f", file(mine), file(after)))
    files = contents(root)
    done = committed(desk.commit(sets))
    assert git_in(root, "show", "HEAD:f") == lines((11, b"approved"))
    assert git_in(root, "show", "HEAD:g") == BASE
    assert git_in(root, "show", ":f") == lines((1, b"staged"), (11, b"approved"))
    assert git_in(root, "show", ":g") == lines((3, b"staged g"))
    assert contents(root) == files
    assert git_in(root, "status", "--porcelain") == b"MM f\nM  g\n?? new\n"
    assert git_in(root, "rev-parse", "HEAD").decode().strip() == done.commit
    assert git_in(root, "log", "-1", "--format=%an %s") == b"Ada Change it\n"
    assert not list((root / ".git").glob("index?*"))
    assert not list((desk.place.state / "scratch").glob("*"))
    assert not list((desk.place.state / "commits").glob("*"))


def test_a_commit_of_many_files_starts_no_process_for_each(
    desk: Desk, git_in: GitIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, counts, started = desk.place.root, [], 0

    class Counted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *words: Any, **more: Any) -> None:
            nonlocal started
            started += 1
            super().__init__(*words, **more)

    for count in (FEW, 3 * FEW):
        names = [f"{count}-{number}" for number in range(count)]
        for name in names:
            (root / name).write_bytes(BASE)
        git_in(root, "add", "-A")
        git_in(root, "commit", "-qm", "more")
        changed = lines((2, b"approved"))
        sets = desk.apply(*(Write(name, file(BASE), file(changed)) for name in names))
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", Counted)
            committed(desk.commit(sets))
        counts.append(started)
        started = 0
        assert all(git_in(root, "show", f"HEAD:{name}") == changed for name in names)
        assert git_in(root, "status", "--porcelain") == b""
    assert counts[0] == counts[1]


def test_every_kind_of_change_is_committed(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(
        Write("f", file(BASE), None),
        Write("moved", None, file(BASE, Mode.EXECUTABLE)),
        Write("g", file(BASE), file(BASE, Mode.EXECUTABLE)),
        Write("sub/link", None, FileState(Mode.SYMLINK, b"../g")),
        Write("bin", None, file(bytes(range(256)))),
        Write("odd\n\"name\udcff", None, file(b"x")),
    )  # fmt: skip
    committed(desk.commit(sets))
    assert git_in(root, "status", "--porcelain") == b""
    assert len(git_in(root, "ls-tree", "-r", "-z", "HEAD").split(b"\0")) == 6


def test_only_the_given_sets_are_committed(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    one = lines((2, b"one"))
    two = lines((2, b"one"), (9, b"two"))
    first = desk.apply(Write("f", file(BASE), file(one)))
    second = desk.apply(Write("f", file(one), file(two)))
    committed(desk.commit(second))
    assert git_in(root, "show", "HEAD:f") == lines((9, b"two"))
    assert git_in(root, "show", ":f") == lines((9, b"two"))
    committed(desk.commit(first))
    assert git_in(root, "show", "HEAD:f") == two
    assert git_in(root, "status", "--porcelain") == b""
    assert "already" in refused(desk.commit(first)).reason


def test_what_the_person_staged_of_it_already_is_no_clash(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("f", file(BASE), file(lines((2, b"x")))), Write("n", None, file(b"n\n")))
    git_in(root, "add", "-A")
    committed(desk.commit(sets))
    assert git_in(root, "status", "--porcelain") == b""


def test_an_intended_file_is_committed(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("n", None, file(b"n\n")))
    git_in(root, "add", "-N", "n")
    committed(desk.commit(sets))
    assert git_in(root, "status", "--porcelain") == b""


def test_what_the_person_staged_on_top_of_a_new_file_stays_staged(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("n", None, file(b"one\ntwo\nthree\n")))
    sets += desk.apply(Write("n", file(b"one\ntwo\nthree\n"), file(b"ONE\ntwo\nthree\n")))
    (root / "n").write_bytes(b"ONE\ntwo\nthree\nmine\n")
    git_in(root, "add", "n")
    (root / "n").write_bytes(b"ONE\ntwo\nthree\nmine\nunstaged\n")
    committed(desk.commit(sets))
    assert git_in(root, "show", "HEAD:n") == b"ONE\ntwo\nthree\n"
    assert git_in(root, "show", ":n") == b"ONE\ntwo\nthree\nmine\n"
    assert (root / "n").read_bytes() == b"ONE\ntwo\nthree\nmine\nunstaged\n"


def side_by_side(desk: Desk, path: str, old: bytes | None) -> tuple[list[StoredWrite], bytes]:
    """Twelve new lines in three chunks, each right behind the one before; instead of `old`, which goes first."""
    sets: list[StoredWrite] = []
    before, after, rest = old, b"", (old or b"").split(b"\n")[12:]
    for part in range(3):
        after += b"".join(b"new %d\n" % number for number in range(4 * part, 4 * part + 4))
        whole = after + b"\n".join(rest)
        sets += desk.apply(Write(path, file(before) if before is not None else None, file(whole)))
        before = whole
    assert before is not None
    return sets, before


@pytest.mark.parametrize(("path", "old"), [("n", None), ("f", BASE)], ids=["new", "old"])
def test_chunks_side_by_side_that_are_staged_are_committed(
    desk: Desk, git_in: GitIn, path: str, old: bytes | None
) -> None:
    root = desk.place.root
    sets, whole = side_by_side(desk, path, old)
    git_in(root, "add", "-A")
    committed(desk.commit(sets))
    assert git_in(root, "show", f"HEAD:{path}") == whole
    assert git_in(root, "status", "--porcelain") == b""


@pytest.mark.parametrize("mine", [(11, b"new 10 of mine"), (13, b"mine\n")])
def test_what_is_staged_on_top_of_chunks_of_a_new_file_stays_staged(
    desk: Desk, git_in: GitIn, mine: tuple[int, bytes]
) -> None:
    root = desk.place.root
    sets, whole = side_by_side(desk, "n", None)
    staged = lines(mine, base=whole)
    (root / "n").write_bytes(staged)
    git_in(root, "add", "-A")
    committed(desk.commit(sets))
    assert git_in(root, "show", "HEAD:n") == whole
    assert git_in(root, "show", ":n") == staged


def test_a_new_file_that_was_staged_between_its_chunks_is_not_taken_for_the_whole(
    desk: Desk, git_in: GitIn
) -> None:
    root = desk.place.root
    sets, _ = side_by_side(desk, "n", None)
    first = desk.blobs.get(sets[0].new.blob) if sets[0].new else b""
    (root / "n").write_bytes(first + b"mine\n")
    git_in(root, "add", "n")
    outcome = refused(desk.commit(sets))
    assert "does not fit what is staged" in outcome.reason
    assert outcome.write is sets[1]
    assert git_in(root, "show", ":n") == first + b"mine\n"


@pytest.mark.parametrize(("path", "old"), [("n", None), ("f", BASE)], ids=["new", "old"])
def test_what_the_person_committed_of_chunks_side_by_side_is_committed_already(
    desk: Desk, git_in: GitIn, path: str, old: bytes | None
) -> None:
    root = desk.place.root
    sets, whole = side_by_side(desk, path, old)
    sets += desk.apply(Write(path, file(whole), None), Write("moved", None, file(whole)))
    git_in(root, "add", "-A")
    git_in(root, "commit", "-qm", "by hand")
    assert "already" in refused(desk.commit(sets)).reason


def test_what_the_person_committed_beside_one_of_two_chunks_does_not_stand_for_the_other(
    desk: Desk, git_in: GitIn
) -> None:
    root = desk.place.root
    first = lines((2, b"new"))
    sets = desk.apply(Write("f", file(BASE), file(first)))
    sets += desk.apply(Write("f", file(first), file(first + b"last\n")))
    (root / "f").write_bytes(lines((2, b"new\nmine")))
    git_in(root, "commit", "-qam", "by hand")
    assert "does not fit the last commit" in refused(desk.commit(sets)).reason


@pytest.mark.parametrize(
    ("head", "there"),
    [
        (BASE, [False, False, False]),
        (lines((2, b"two")), [True, False, False]),
        (lines((9, b"mine")), [False, False, False]),
        (lines((9, b"nine")), [False, True, False]),
        (lines((2, b"two"), (9, b"nine")), [True, True, False]),
        (lines((2, b"other")), [False, False, False]),
    ],
)
def test_what_the_last_commit_has_is_told_chunk_by_chunk(
    desk: Desk, git_in: GitIn, head: bytes, there: list[bool]
) -> None:
    """The third takes the first back: the last commit has it only together with the first."""
    root = desk.place.root
    versions = [BASE, lines((2, b"two")), lines((2, b"two"), (9, b"nine")), lines((9, b"nine"))]
    sets = [desk.apply(Write("f", file(old), file(new))) for old, new in itertools.pairwise(versions)]
    (root / "f").write_bytes(head)
    git_in(root, "commit", "--allow-empty", "-qam", "by hand")
    assert Committer(desk.place, desk.blobs).has_each(sets) == there


def test_a_file_that_the_person_committed_under_the_name_of_a_new_one_gets_no_chunk_of_it(
    desk: Desk, git_in: GitIn
) -> None:
    root = desk.place.root
    sets = desk.apply(Write("n", None, file(b"one\ntwo\n")))
    sets += desk.apply(Write("n", file(b"one\ntwo\n"), file(b"one\ntwo\nthree\n")))
    (root / "n").write_bytes(b"mine\none\ntwo\n")
    git_in(root, "add", "n")
    git_in(root, "commit", "-qm", "by hand")
    assert "does not fit the last commit" in refused(desk.commit(sets)).reason


def test_a_file_that_is_in_no_commit_is_not_committed_under_its_new_name(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    (root / "mine").write_bytes(BASE)
    sets = desk.apply(Write("mine", file(BASE), None), Write("moved", None, file(lines((2, b"new")))))
    assert "the last commit has no mine" in refused(desk.commit(sets)).reason
    assert git_in(root, "status", "--porcelain") == b"?? moved\n"


def test_a_new_file_that_went_and_came_again_is_staged_as_committed(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    one, two = file(b"one\n"), file(b"two\n")
    sets = desk.apply(Write("n", None, one))
    git_in(root, "add", "n")
    for write in (Write("n", one, None), Write("n", None, two)):
        sets += desk.apply(write)
    committed(desk.commit(sets))
    assert git_in(root, "status", "--porcelain") == b""


def test_later_edits_of_the_person_stay_uncommitted(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("f", file(BASE), file(lines((2, b"x")))))
    (root / "f").write_bytes(b"mine first\n" + lines((2, b"x edited")))
    committed(desk.commit(sets))
    assert git_in(root, "show", "HEAD:f") == lines((2, b"x"))
    assert (root / "f").read_bytes() == b"mine first\n" + lines((2, b"x edited"))


def test_crlf_files_stay_clean(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    (root / ".gitattributes").write_text("c text eol=crlf\n")
    (root / "c").write_bytes(BASE.replace(b"\n", b"\r\n"))
    git_in(root, "add", "-A")
    git_in(root, "commit", "-qm", "crlf")
    before, after = ((data.replace(b"\n", b"\r\n")) for data in (BASE, lines((4, b"x"))))
    committed(desk.commit(desk.apply(Write("c", file(before), file(after)))))
    assert git_in(root, "show", "HEAD:c") == lines((4, b"x"))
    assert git_in(root, "status", "--porcelain") == b""


def test_a_file_without_returns_where_the_attributes_want_some_is_committed(
    desk: Desk, git_in: GitIn
) -> None:
    root = desk.place.root
    (root / "c").write_bytes(BASE)
    git_in(root, "add", "-A")
    git_in(root, "commit", "-qm", "lf")
    after = lines((4, b"x"))
    writes = desk.apply(
        Write("c", file(BASE), file(after)), Write(".gitattributes", None, file(b"c eol=crlf\n"))
    )
    committed(desk.commit(writes))
    assert git_in(root, "show", "HEAD:c") == after == (root / "c").read_bytes()
    assert git_in(root, "status", "--porcelain") == b""


def test_a_file_that_is_stored_unlike_its_attributes_changes_only_where_approved(
    desk: Desk, git_in: GitIn
) -> None:
    root = desk.place.root
    crlf = BASE.replace(b"\n", b"\r\n")
    (root / "c").write_bytes(crlf)
    git_in(root, "add", "-A")
    git_in(root, "commit", "-qm", "stored with crlf")
    (root / ".gitattributes").write_text("c text\n")
    after = lines((4, b"x")).replace(b"\n", b"\r\n")
    committed(desk.commit(desk.apply(Write("c", file(crlf), file(after)))))
    assert git_in(root, "show", "HEAD:c") == after


def test_an_unborn_branch_gets_its_first_commit(repo: Path, git_in: GitIn) -> None:
    desk = Desk(repo)
    (repo / "staged").write_text("s\n")
    git_in(repo, "add", "staged")
    committed(desk.commit(desk.apply(Write("n", None, file(b"n\n")))))
    assert git_in(repo, "ls-tree", "--name-only", "HEAD") == b"n\n"
    assert git_in(repo, "status", "--porcelain") == b"A  staged\n"


def test_a_linked_work_tree_commits_on_its_own_branch(desk: Desk, git_in: GitIn) -> None:
    git_in(desk.place.root, "worktree", "add", "-q", "-b", "side", "../linked")
    other = Desk(desk.place.root.parent / "linked")
    committed(other.commit(other.apply(Write("f", file(BASE), file(lines((1, b"x")))))))
    assert git_in(desk.place.root, "show", "side:f") == lines((1, b"x"))
    assert git_in(desk.place.root, "show", "main:f") == BASE
    assert git_in(other.place.root, "status", "--porcelain") == b""


@pytest.mark.parametrize(
    ("operation", "arrange"),
    [
        ("merge", ["merge", "side"]),
        ("rebase", ["rebase", "side"]),
        ("cherry-pick", ["cherry-pick", "side"]),
        ("revert", ["revert", "--no-edit", "HEAD~1"]),
        ("bisect", ["bisect", "start"]),
    ],
)
def test_in_the_middle_of_something_it_is_refused(
    desk: Desk, git_in: GitIn, operation: str, arrange: list[str]
) -> None:
    root = desk.place.root
    git_in(root, "checkout", "-qb", "side")
    (root / "g").write_bytes(lines((1, b"side")))
    git_in(root, "commit", "-qam", "side")
    git_in(root, "checkout", "-q", "main")
    (root / "g").write_bytes(lines((1, b"main")))
    git_in(root, "commit", "-qam", "main")
    (root / "g").write_bytes(lines((1, b"again")))
    git_in(root, "commit", "-qam", "again")
    sets = desk.apply(Write("h", None, file(b"h")))
    git_in(root, *arrange, check=False)
    before = (root / ".git/index").read_bytes(), git_in(root, "rev-parse", "HEAD")
    assert operation in refused(desk.commit(sets)).reason
    assert before == ((root / ".git/index").read_bytes(), git_in(root, "rev-parse", "HEAD"))


def test_a_change_inside_uncommitted_lines_is_refused(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    mine = lines((5, b"mine"))
    (root / "f").write_bytes(mine)
    sets = desk.apply(Write("f", file(mine), file(lines((5, b"mine, improved")))))
    outcome = refused(desk.commit(sets))
    assert "does not fit the last commit" in outcome.reason
    assert outcome.path == "f"
    (root / "new").write_bytes(b"mine\n")
    sets = desk.apply(Write("new", file(b"mine\n"), file(b"better\n")))
    assert "the last commit has no" in refused(desk.commit(sets)).reason
    assert git_in(root, "rev-list", "--count", "HEAD") == b"1\n"


def test_a_change_inside_staged_lines_names_what_is_in_the_way(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("f", file(BASE), file(lines((5, b"approved")))))
    (root / "f").write_bytes(lines((5, b"other")))
    git_in(root, "add", "f")
    assert "does not fit what is staged" in refused(desk.commit(sets)).reason
    assert git_in(root, "show", ":f") == lines((5, b"other"))
    assert git_in(root, "rev-list", "--count", "HEAD") == b"1\n"


def test_a_filtered_file_is_refused(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("f", file(BASE), file(b"x\n")))
    (root / ".gitattributes").write_text("f filter=lfs\n")
    outcome = refused(desk.commit(sets))
    assert "lfs" in outcome.reason
    assert outcome.path == "f"


def test_a_missing_identity_is_said_before_anything_happens(desk: Desk, hermetic_seal: Path) -> None:
    sets = desk.apply(Write("f", file(BASE), file(b"x\n")))
    (hermetic_seal / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n[safe]\n\tdirectory = *\n")
    outcome = refused(desk.commit(sets))
    assert "who you are" in outcome.reason
    assert "user.name" in outcome.hint


def hook(root: Path, name: str, body: str) -> None:
    path = root / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)


def test_the_persons_hooks_run_and_see_what_is_committed(
    desk: Desk, git_in: GitIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = desk.place.root
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    (root / "g").write_bytes(b"unstaged\n")
    hook(root, "pre-commit", 'git diff --cached --name-only > seen; echo "key=$OPENAI_API_KEY" >> seen')
    hook(root, "commit-msg", 'echo "Ticket: 7" >> "$1"')
    committed(desk.commit(desk.apply(Write("f", file(BASE), file(b"x\n")))))
    assert (root / "seen").read_text() == "f\nkey=\n"
    assert b"Ticket: 7" in git_in(root, "log", "-1", "--format=%B")
    assert (root / "g").read_bytes() == b"unstaged\n"


def test_a_hook_that_says_no_leaves_everything_as_it_was(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("f", file(BASE), file(b"x\n")))
    hook(root, "pre-commit", "echo too long >&2; exit 1")
    before = (root / ".git/index").read_bytes()
    outcome = refused(desk.commit(sets))
    assert b"too long" in outcome.output
    assert (root / ".git/index").read_bytes() == before
    assert not (root / ".git/index.lock").exists()
    assert git_in(root, "rev-list", "--count", "HEAD") == b"1\n"


def test_a_hook_that_formats_is_followed_and_said(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    hook(root, "pre-commit", "echo formatted >> f; git add f")
    outcome = committed(desk.commit(desk.apply(Write("f", file(BASE), file(b"x\n")))))
    assert outcome.hooks_changed
    assert git_in(root, "show", "HEAD:f") == b"x\nformatted\n"
    assert git_in(root, "status", "--porcelain") == b""


def test_the_editor_gets_the_message_and_the_template(desk: Desk, git_in: GitIn, tmp_path: Path) -> None:
    root = desk.place.root
    (tmp_path / "template").write_text("# ticket?\n")
    git_in(root, "config", "commit.template", str(tmp_path / "template"))
    git_in(root, "config", "core.editor", "false")
    script = tmp_path / "editor"
    script.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/seen\necho "Edited" > "$1"\n')
    script.chmod(0o755)
    done = committed(desk.commit(desk.apply(Write("f", file(BASE), file(b"x\n"))), editor=str(script)))
    assert done.subject == "Edited"
    seen = (tmp_path / "seen").read_text()
    assert seen.startswith("Change it\n")
    assert "# ticket?" in seen


def test_the_trailer_is_set_by_git_and_no_program_of_the_repository(
    desk: Desk, git_in: GitIn, tmp_path: Path
) -> None:
    root = desk.place.root
    git_in(root, "config", "trailer.evil.command", f"touch {tmp_path}/ran")
    sets = desk.apply(Write("f", file(BASE), file(b"x\n")))
    committed(desk.commit(sets, "Subject\n\nBody.\n", trailer="Assisted-by: copair:openai/x"))
    message = git_in(root, "log", "-1", "--format=%B")
    assert message == b"Subject\n\nBody.\n\nAssisted-by: copair:openai/x\n\n"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "how", [["merge", "--squash", "side"], ["cherry-pick", "-n", "side"]], ids=["squash", "cherry-pick"]
)
@pytest.mark.parametrize("says_no", [True, False])
def test_the_message_of_a_merge_that_waits_is_kept(
    desk: Desk, git_in: GitIn, how: list[str], says_no: bool
) -> None:
    root = desk.place.root
    git_in(root, "checkout", "-qb", "side")
    (root / "g").write_bytes(b"side\n")
    git_in(root, "commit", "-qam", "long words about the side")
    git_in(root, "checkout", "-q", "main")
    git_in(root, *how)
    (waits,) = [path for name in PENDING if (path := root / ".git" / name).exists()]
    before = waits.read_bytes()
    if says_no:
        hook(root, "pre-commit", "exit 1")
    outcome = desk.commit(desk.apply(Write("f", file(BASE), file(b"x\n"))))
    assert isinstance(outcome, CommitRefused if says_no else Committed)
    assert waits.read_bytes() == before


def test_a_hook_that_leaves_a_process_behind_is_not_waited_for(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    hook(root, "post-commit", 'echo hello; (while [ -e "$GIT_DIR/../wait" ]; do sleep 0.1; done) &')
    (root / "wait").write_bytes(b"")
    committed(desk.commit(desk.apply(Write("f", file(BASE), file(b"x\n")))))
    (root / "wait").unlink()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("i18n.commitEncoding=ISO-8859-1", "Grüße an alle ✓"),
        ("i18n.logOutputEncoding=ISO-8859-1", "Grüße an alle ✓"),
        ("commit.cleanup=strip", "#include what it needs\n\n# not a comment"),
        ("core.commentChar=;", "; starts so"),
        ("commit.verbose=true", "Subject\n\nWhy it is.\n---\nA rule stood here."),
    ],
)
def test_a_message_is_committed_as_it_is_whatever_is_set(
    desk: Desk, git_in: GitIn, setting: str, message: str
) -> None:
    root = desk.place.root
    git_in(root, "config", *setting.split("="))
    sets = desk.apply(Write("f", file(BASE), file(b"x\n")))
    outcome = committed(desk.commit(sets, f"{message}\n", trailer="Assisted-by: copair:x"))
    assert outcome.subject == message.split("\n")[0]
    said = git_in(root, "log", "-1", "--encoding=UTF-8", "--format=%B").decode()
    assert said.strip() == f"{message}\n\nAssisted-by: copair:x"
    trailers = git_in(root, "log", "-1", "--format=%(trailers)").strip()
    assert trailers == b"Assisted-by: copair:x"


def test_a_branch_that_is_moved_meanwhile_is_noticed(
    desk: Desk, git_in: GitIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`reset --soft` does not ask who holds the index."""
    root = desk.place.root
    (root / "g").write_bytes(b"taken back\n")
    git_in(root, "commit", "-qam", "to be taken back")
    sets = desk.apply(Write("f", file(BASE), file(b"x\n")))

    seen: list[str] = []

    def moves(call: str) -> None:
        seen.append(call)
        if call == "create" and "lock" in seen[:-1]:
            git_in(root, "update-ref", "HEAD", "HEAD~1")

    assert "branch was moved" in refused(desk.commit(sets, calls=Calls(moves))).reason
    run = Person._run

    def late(person: Person, *arguments: Any, **options: Any) -> Any:
        git_in(root, "update-ref", "HEAD", "HEAD@{1}")
        return run(person, *arguments, **options)

    monkeypatch.setattr(Person, "_run", late)
    assert committed(desk.commit(sets)).moved


def test_a_record_that_cannot_be_read_is_an_error_with_a_way_on(desk: Desk) -> None:
    folder = desk.place.state / "commits"
    folder.mkdir(parents=True)
    (folder / "0.json").write_text('{"token": "0"}')
    with pytest.raises(StateError, match="record of a commit cannot be read"):
        desk.commit(desk.apply(Write("f", file(BASE), file(b"x\n"))))


def test_another_git_that_holds_the_index_is_respected(desk: Desk) -> None:
    sets = desk.apply(Write("f", file(BASE), file(b"x\n")))
    (desk.place.root / ".git/index.lock").write_text("")
    assert "another git process" in refused(desk.commit(sets)).reason
    assert (desk.place.root / ".git/index.lock").exists()


class Mixed(Desk):
    """An approved change beside a staged and an unstaged one in the same file, and what it is before and after."""

    def __init__(self, root: Path, git_in: GitIn, saved: Path) -> None:
        super().__init__(root)
        self.root, self.git_in, self.saved = root, git_in, saved
        (root / "f").write_bytes(lines((1, b"staged")))
        git_in(root, "add", "f")
        mine = lines((1, b"staged"), (6, b"unstaged"))
        (root / "f").write_bytes(mine)
        self.after = lines((1, b"staged"), (6, b"unstaged"), (11, b"approved"))
        self.sets = self.apply(Write("f", file(mine), file(self.after)))
        shutil.copytree(root / ".git", saved, symlinks=True)

    def is_made(self) -> bool:
        """Whether the commit is there; raises where anything is between before and after."""
        made = self.git_in(self.root, "rev-list", "--count", "HEAD") == b"2\n"
        assert self.git_in(self.root, "show", "HEAD:f") == (lines((11, b"approved")) if made else BASE)
        staged = lines((1, b"staged"), (11, b"approved")) if made else lines((1, b"staged"))
        assert self.git_in(self.root, "show", ":f") == staged
        assert (self.root / "f").read_bytes() == self.after
        assert not list((self.root / ".git").glob("index?*"))
        return made

    def reset(self) -> None:
        shutil.rmtree(self.root / ".git")
        shutil.copytree(self.saved, self.root / ".git", symlinks=True)


@pytest.fixture
def mixed(desk: Desk, git_in: GitIn, tmp_path: Path) -> Mixed:
    return Mixed(desk.place.root, git_in, tmp_path / "saved")


def at(number: int, do: Callable[[], None]) -> tuple[Calls, list[int]]:
    """Calls that do something at the n-th, and how many are left until then."""
    left = [number]

    def hook(name: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            do()

    return Calls(hook), left


def test_killed_at_any_call_the_next_start_finishes_or_forgets(mixed: Mixed) -> None:
    seen = set()
    for number in range(1, 80):
        child = os.fork()
        if child == 0:
            mixed.commit(mixed.sets, calls=at(number, lambda: os._exit(9))[0])
            os._exit(0)
        died = os.waitpid(child, 0)[1] != 0
        finished = Committer(mixed.place, mixed.blobs).recover()
        made = mixed.is_made()
        assert made or not finished, number
        seen.add((made, bool(finished)))
        mixed.reset()
        if not died:
            assert {(True, True), (False, False)} <= seen
            return
    raise AssertionError("the child always died")


FORMATS = """#!/bin/sh
git show :f | sed 's/line 9/LINE 9/' > .git/formatted
git update-index --cacheinfo 100644,$(git hash-object -w .git/formatted),f
"""


def die_before_the_index(desk: Desk, sets: Sequence[StoredWrite]) -> None:
    """Commit in a process that ends after the commit was made."""
    child = os.fork()
    if child == 0:
        desk.commit(sets, calls=Calls(lambda name: os._exit(9) if name == "index" else None))
        os._exit(0)
    assert os.waitpid(child, 0)[1] != 0


def test_after_a_crash_the_index_gets_what_a_hook_made_of_the_commit(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(FORMATS)
    hook.chmod(0o755)
    die_before_the_index(desk, desk.apply(Write("f", file(BASE), file(lines((4, b"ok"))))))
    assert git_in(root, "rev-list", "--count", "HEAD") == b"2\n"
    assert Committer(desk.place, desk.blobs).recover()
    assert git_in(root, "diff", "--cached", "--name-only") == b""
    assert git_in(root, "show", "HEAD:f") == lines((4, b"ok"), (9, b"LINE 9"))


def test_after_a_crash_a_commit_of_the_person_is_not_taken_for_ours(desk: Desk, git_in: GitIn) -> None:
    root = desk.place.root
    sets = desk.apply(Write("f", file(BASE), file(lines((4, b"ok")))))
    die_before_the_index(desk, sets)
    (root / ".git/index.lock").unlink()
    git_in(root, "reset", "-q", "--soft", "HEAD~1")
    (root / "g").write_bytes(lines((2, b"mine")))
    git_in(root, "commit", "-qm", "mine", "g")
    assert Committer(desk.place, desk.blobs).recover() == []
    assert git_in(root, "diff", "--cached", "--name-only") == b""
    assert git_in(root, "diff", "--name-only") == b"f\n"


@pytest.mark.parametrize("committed_before", [True, False])
@pytest.mark.parametrize(("there", "path"), [("x", "x/new"), ("x/a", "x")])
def test_a_commit_takes_nothing_away_that_is_in_the_way_of_a_new_file(
    desk: Desk, git_in: GitIn, there: str, path: str, committed_before: bool
) -> None:
    root = desk.place.root
    (root / there).parent.mkdir(exist_ok=True)
    (root / there).write_bytes(b"theirs\n")
    git_in(root, "add", "-A")
    if committed_before:
        git_in(root, "commit", "-qm", "two")
    shutil.rmtree(root / "x", ignore_errors=True)
    (root / "x").unlink(missing_ok=True)
    sets = desk.apply(Write(path, None, file(b"new\n")))
    before = git_in(root, "ls-files", "-s"), git_in(root, "rev-parse", "HEAD")
    outcome = refused(desk.commit(sets))
    assert there in outcome.reason
    assert path in outcome.reason
    assert (git_in(root, "ls-files", "-s"), git_in(root, "rev-parse", "HEAD")) == before
    git_in(root, "add", "-u")
    git_in(root, "commit", "-qm", "gone", check=False)
    committed(desk.commit(sets))
    assert git_in(root, "show", f"HEAD:{path}") == b"new\n"


def test_a_disk_that_is_full_at_any_call_refuses_or_finishes_later_and_says_which(mixed: Mixed) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    later = set()
    for number in range(1, 80):
        calls, left = at(number, full)
        outcome = mixed.commit(mixed.sets, calls=calls)
        if isinstance(outcome, Committed):
            later.add(outcome.index_later)
        finished = Committer(mixed.place, mixed.blobs).recover()
        assert mixed.is_made() == isinstance(outcome, Committed), number
        assert bool(finished) == (isinstance(outcome, Committed) and outcome.index_later), number
        mixed.reset()
        if left[0] > 0:
            assert later == {True, False}
            return
    raise AssertionError("the hook never ran out")


EDITS = st.dictionaries(
    st.integers(0, 19), st.sampled_from(["staged", "unstaged", "approved", "left"]), min_size=1, max_size=12
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS, eol=st.sampled_from([b"\n", b"\r\n"]))
def test_any_mixture_of_work_is_told_apart(
    tmp_path_factory: pytest.TempPathFactory, git_in: GitIn, edits: dict[int, str], eol: bytes
) -> None:
    """Every third line may be staged, unstaged, approved and committed, or approved and left."""
    root = tmp_path_factory.mktemp("mixed")
    base = b"".join(b"line %d" % number + eol for number in range(60))

    def version(*kinds: str) -> bytes:
        split = base.split(eol)
        for place, kind in edits.items():
            if kind in kinds:
                split[place * 3 + 1] = kind.encode() + b" %d" % place
        return eol.join(split)

    git_in(root, "init", "-q")
    for content in (base, version("staged")):
        (root / "f").write_bytes(content)
        git_in(root, "add", "f")
        git_in(root, "commit", "-qm", "base") if content is base else None
    mine, approved, left = version("staged", "unstaged"), ("staged", "unstaged", "approved"), "left"
    (root / "f").write_bytes(mine)
    desk = Desk(root)
    wanted = desk.apply(Write("f", file(mine), file(version(*approved))))
    desk.apply(Write("f", file(version(*approved)), file(version(*approved, left))))
    outcome = desk.commit(wanted)
    assert isinstance(outcome, Committed if "approved" in edits.values() else CommitRefused)
    assert git_in(root, "show", "HEAD:f") == version("approved")
    assert git_in(root, "show", ":f") == version("staged", "approved")
    assert (root / "f").read_bytes() == version(*approved, left)


def test_a_git_that_ctrl_c_ended_after_the_commit_is_asked_again(
    desk: Desk, git_in: GitIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a terminal the signal also hits the git that reads for us; the commit is made and must be told."""
    real, struck = shutil.which("git"), tmp_path / "struck"
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f"#!/bin/sh\nif [ \"$1\" = log ] && [ -e '{struck}' ]; then rm '{struck}'; kill -INT $$; fi\nexec '{real}' \"$@\"\n"
    )
    hook = desk.place.git_dir / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{struck}'\n")
    for path in (wrapper, hook):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    sets = desk.apply(Write("f", file(BASE), file(lines((5, b"approved")))))
    done = committed(desk.commit(sets))
    assert not struck.exists()
    assert git_in(desk.place.root, "rev-parse", "HEAD").decode().strip() == done.commit
    assert git_in(desk.place.root, "status", "--porcelain") == b""
