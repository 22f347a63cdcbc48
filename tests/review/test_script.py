"""The scriptable review on real repositories: exactly what is approved, all of it or nothing, as git would."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import Exit, UsageError
from agent.review.decide import read_decisions
from tests.git.looking import contents
from tests.review.conftest import Reviewed, put

GitIn = Callable[..., bytes]
TreeOf = Callable[[Path], bytes]


def tree(git_in: GitIn, root: Path, rev: str) -> bytes:
    return git_in(root, "rev-parse", f"{rev}^{{tree}}").strip()


def test_listing_changes_nothing_and_is_the_same_each_time(history: Path, reviewed: Reviewed) -> None:
    before = contents(history, ())
    first = reviewed.list("work")
    assert contents(history, ()) == before
    assert reviewed.list("work") == first
    assert first["version"] == 1
    assert {"id", "paths", "title", "lines", "risk", "needs", "diff", "kind", "present", "why_here"} <= set(
        first["chunks"][0]
    )


def test_all_approved_at_once_is_the_commit(
    history: Path, git_in: GitIn, reviewed: Reviewed, tree_of: TreeOf
) -> None:
    result, code = reviewed.decide("work", reviewed.ids("work"))
    assert (code, result["outcome"], result["undecided"]) == (Exit.DONE, "applied", [])
    assert tree_of(history) == tree(git_in, history, "work")
    assert git_in(history, "diff", "--cached", "--stat") == b""


def test_all_approved_one_at_a_time_is_the_commit(
    history: Path, git_in: GitIn, reviewed: Reviewed, tree_of: TreeOf
) -> None:
    names = reviewed.ids("work")
    for count, name in enumerate(names):
        result, code = reviewed.decide("work", [name])
        assert code is Exit.DONE, result
        there = [chunk["id"] for chunk in reviewed.list("work")["chunks"] if chunk["present"]]
        assert there == names[: count + 1]
    assert tree_of(history) == tree(git_in, history, "work")


def test_onto_the_index_stages_and_leaves_the_files_alone(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    before = contents(history)
    result, code = reviewed.decide("work", reviewed.ids("work", onto="index"), onto="index")
    assert code is Exit.DONE, result
    assert git_in(history, "write-tree").strip() == tree(git_in, history, "work")
    assert contents(history) == before


def test_staging_all_uncommitted_work_chunk_by_chunk_is_git_add(
    history: Path, git_in: GitIn, reviewed: Reviewed, tree_of: TreeOf
) -> None:
    reviewed.decide("work", reviewed.ids("work"))
    while names := reviewed.ids(None):
        result, code = reviewed.decide(None, names[:1])
        assert code is Exit.DONE, result
    assert git_in(history, "write-tree").strip() == tree(git_in, history, "work")
    assert reviewed.list(None)["chunks"] == []


@pytest.mark.parametrize("seed", range(4))
def test_the_diffs_of_any_closed_subset_give_what_git_makes_of_them(
    history: Path, git_in: GitIn, reviewed: Reviewed, tree_of: TreeOf, seed: int
) -> None:
    choice = random.Random(seed)
    chunks = reviewed.list("work")["chunks"]
    taken: list[dict[str, object]] = []
    for chunk in chunks:
        if set(chunk["needs"]) <= {other["id"] for other in taken} and choice.random() < 0.6:
            taken.append(chunk)
    # Diffs of a renamed file name it as it was before.
    for chunk in sorted(taken, key=lambda chunk: chunk["kind"] == "rename"):
        git_in(history, "apply", "--index", "-3", stdin=reviewed_diff(chunk))
    expected = git_in(history, "write-tree").strip()
    git_in(history, "reset", "-q", "--hard", "HEAD")
    git_in(history, "clean", "-qfd")
    result, code = reviewed.decide("work", [str(chunk["id"]) for chunk in taken])
    assert code is Exit.DONE, result
    assert tree_of(history) == expected


def test_a_rename_of_a_file_that_is_not_there_is_a_conflict(
    history: Path, reviewed: Reviewed, tree_of: TreeOf
) -> None:
    (history / "moved.txt").unlink()
    before = tree_of(history)
    names = [chunk["id"] for chunk in reviewed.list("work")["chunks"] if "moved.txt" in chunk["paths"]]
    result, code = reviewed.decide("work", names)
    assert code is Exit.FAILED
    assert [(c["path"], c["reason"]) for c in result["conflicts"]] == [
        ("moved.txt", "the file is gone meanwhile")
    ]
    assert tree_of(history) == before


@pytest.mark.parametrize("onto", ["worktree", "index"])
def test_a_folder_renamed_only_in_case_can_be_taken_in_part(
    repo: Path, git_in: GitIn, reviewed: Reviewed, onto: str
) -> None:
    put(repo, {f"Source/{name}.py": name.encode() * 40 + b"\n" for name in "ab"})
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    git_in(repo, "mv", "Source", "source")
    git_in(repo, "commit", "-qm", "two")
    git_in(repo, "branch", "work")
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    first = reviewed.ids("work", onto=onto)[0]
    result, code = reviewed.decide("work", [first], onto=onto)
    assert code is Exit.DONE, result
    if onto == "worktree":
        assert sorted(path.parent.name for path in repo.glob("*/*.py")) == ["Source", "source"]
    else:
        assert git_in(repo, "ls-files").split() == [b"Source/b.py", b"source/a.py"]


def reviewed_diff(chunk: dict[str, object]) -> bytes:
    import base64

    if "diff_base64" in chunk:
        return base64.b64decode(str(chunk["diff_base64"]))
    return str(chunk["diff"]).encode("utf-8", "surrogateescape")


def test_a_chunk_whose_needs_are_not_approved_blocks_the_whole_run(history: Path, reviewed: Reviewed) -> None:
    before = contents(history)
    chunks = reviewed.list("work")["chunks"]
    needing = next(chunk for chunk in chunks if chunk["needs"])
    free = next(chunk for chunk in chunks if not chunk["needs"] and chunk["id"] not in needing["needs"])
    result, code = reviewed.decide("work", [free["id"], needing["id"]])
    assert code is Exit.FAILED
    assert [row["chunk"] for row in result["blocked"]] == [needing["id"]]
    assert result["blocked"][0]["needs"] == needing["needs"]
    assert result["applied"] == []
    assert contents(history) == before


def test_a_chunk_whose_needs_were_applied_before_is_not_blocked(history: Path, reviewed: Reviewed) -> None:
    chunks = reviewed.list("work")["chunks"]
    needing = next(chunk for chunk in chunks if chunk["needs"])
    reviewed.decide("work", needing["needs"])
    assert reviewed.decide("work", [needing["id"]])[1] is Exit.DONE


def test_an_unknown_id_writes_nothing(history: Path, reviewed: Reviewed) -> None:
    before = contents(history)
    result, code = reviewed.decide("work", [*reviewed.ids("work"), "beef"])
    assert (code, result["unknown"], result["applied"]) == (Exit.FAILED, ["beef"], [])
    assert contents(history) == before


def test_lines_that_the_person_changed_meanwhile_are_a_conflict_and_nothing_is_written(
    history: Path, reviewed: Reviewed
) -> None:
    put(history, {"windows.txt": b"one\r\nTWO\r\nthree\r\n"})
    before = contents(history)
    result, code = reviewed.decide("work", reviewed.ids("work"))
    assert code is Exit.FAILED
    assert [row["path"] for row in result["conflicts"]] == ["windows.txt"]
    assert result["conflicts"][0]["chunks"]
    assert contents(history) == before


def test_work_of_the_person_elsewhere_in_the_same_file_survives(history: Path, reviewed: Reviewed) -> None:
    mine = (history / "program.py").read_bytes().replace(b"x + 6", b"x + 66")
    put(history, {"program.py": b"# mine\n" + mine})
    result, code = reviewed.decide("work", reviewed.ids("work"))
    assert code is Exit.DONE, result
    now = (history / "program.py").read_bytes()
    assert now.startswith(b"# mine\n")
    for part in (b"x + 66", b"x - 3", b"x * 9", b"def added"):
        assert part in now


def test_what_is_present_is_said_and_approving_it_writes_nothing(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    git_in(history, "checkout", "-q", "work")
    before = contents(history)
    names = reviewed.ids("work")
    assert all(chunk["present"] for chunk in reviewed.list("work")["chunks"])
    result, code = reviewed.decide("work", names)
    assert (code, result["outcome"], result["present"]) == (Exit.DONE, "nothing to write", names)
    assert contents(history) == before


def test_rejected_and_undecided_chunks_are_named_and_not_written(history: Path, reviewed: Reviewed) -> None:
    names = reviewed.ids("work")
    before = contents(history)
    result, code = reviewed.decide("work", [], names[:2])
    assert (code, result["rejected"], result["undecided"]) == (Exit.DONE, names[:2], names[2:])
    assert contents(history) == before


@pytest.mark.parametrize(
    "text",
    [
        b"nonsense\n",
        b"[]\n",
        b'{"chunk": "a"}\n',
        b'{"chunk": "a", "verdict": "maybe"}\n',
        b'{"chunk": 1, "verdict": "approve"}\n',
        b'{"chunk": "a", "verdict": "approve"}\n{"chunk": "a", "verdict": "reject"}\n',
        b'{"chunk": "\xff", "verdict": "approve"}\n',
        b"[" * 100_000,
    ],
)
def test_decisions_that_cannot_be_read_are_a_usage_error(text: bytes) -> None:
    with pytest.raises(UsageError, match="line"):
        read_decisions(text)


@pytest.mark.parametrize("text", [b"nonsense", b"[]", b"\xff", b"[" * 100_000])
def test_a_line_that_is_no_object_is_named_in_our_words(text: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        read_decisions(b"\n" + text)
    assert caught.value.message == "line 2 of the decisions: no JSON object"
    assert '{"chunk": "ID", "verdict": "approve" or "reject"' in caught.value.hint


def test_decisions_may_say_more_than_is_asked() -> None:
    row = {"chunk": "a", "verdict": "approve", "reason": "fine", "by": "me"}
    found = read_decisions(b"\n" + json.dumps(row).encode() + b"\r\n\n")
    assert found["a"].reason == "fine"
