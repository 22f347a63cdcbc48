"""Commits that change `.gitattributes`: the same ids whatever was taken of them, and what git stores is the commit."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.review.opening import LARGE
from tests.review.conftest import Reviewed, put

GitIn = Callable[..., bytes]
Files = dict[str, bytes | tuple[str, bytes]]

TEXT = b"".join(b"line %d\n" % number for number in range(12))
CHANGED = TEXT.replace(b"line 4", b"line four")
CRLF = b"*.bat eol=crlf\n"
MANY = b"".join(b"*.x%d text\n" % number for number in range(80))


def crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def tree(repo: Path, git_in: GitIn, files: Files) -> str:
    """A tree of contents as they are stored."""
    git_in(repo, "read-tree", "--empty")
    for path, given in files.items():
        mode, data = given if isinstance(given, tuple) else ("100644", given)
        oid = git_in(repo, "hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode().strip()
        git_in(repo, "update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
    return git_in(repo, "write-tree").decode().strip()


class Commit:
    """A commit, reviewed in fresh clones of its parent."""

    def __init__(self, repo: Path, git_in: GitIn, old: Files, new: Files) -> None:
        self.repo, self.git_in = repo, git_in
        readme: Files = {"README": b"x\n"}
        parent = git_in(repo, "commit-tree", tree(repo, git_in, readme | old), "-m", "one").decode().strip()
        self.tree = tree(repo, git_in, readme | new)
        self.oid = git_in(repo, "commit-tree", self.tree, "-p", parent, "-m", "two").decode().strip()
        git_in(repo, "update-ref", "refs/heads/main", self.oid)
        self.parent = parent
        self.ids: set[tuple[str, ...]] = set()

    def clone(self, *config: str, at: str = "") -> Reviewed:
        """A work tree that git takes for unchanged by its times, not by its contents."""
        place = self.repo.parent / f"clone{len(list(self.repo.parent.iterdir()))}"
        settings = [word for entry in config for word in ("-c", entry)]
        self.git_in(self.repo, "clone", "-q", "--no-checkout", *settings, ".", str(place))
        self.git_in(place, "checkout", "-q", at or self.parent)
        for path in place.rglob("*"):
            if ".git" not in path.parts:
                os.utime(path, (1_600_000_000, 1_600_000_000))
        self.git_in(place, "update-index", "-q", "--refresh")
        return Reviewed(place)

    def chunks(self, reviewed: Reviewed) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = reviewed.list(self.oid)["chunks"]
        self.ids.add(tuple(chunk["id"] for chunk in found))
        return found

    def take(self, reviewed: Reviewed, *parts: list[str]) -> bytes:
        """Take one part after the other; the tree that `git add` makes of it."""
        for part in filter(None, parts):
            assert reviewed.decide(self.oid, part)[0]["message"] == ""
            self.chunks(reviewed)
        assert all(chunk["present"] for chunk in self.chunks(reviewed))
        reviewed.repo.close()
        self.git_in(reviewed.root, "add", "-A")
        return self.git_in(reviewed.root, "write-tree").strip()


def half(chunks: list[dict[str, Any]], seed: int) -> tuple[list[str], list[str]]:
    """About half of the chunks that do not need the others, and the others."""
    ids = [chunk["id"] for chunk in chunks]
    taken = set(random.Random(seed).sample(ids, len(ids) // 2))
    for chunk in chunks:
        if not taken.issuperset(chunk["needs"]):
            taken.discard(chunk["id"])
    return [one for one in ids if one in taken], [one for one in ids if one not in taken]


CASES: dict[str, tuple[Files, Files]] = {
    "new file": ({}, {".gitattributes": CRLF, "a.bat": TEXT}),
    "changed": ({"a.bat": TEXT}, {".gitattributes": CRLF, "a.bat": CHANGED}),
    "renormalised": ({"a.bat": crlf(TEXT)}, {".gitattributes": CRLF, "a.bat": TEXT}),
    "renormalised and changed": ({"a.bat": crlf(TEXT)}, {".gitattributes": CRLF, "a.bat": CHANGED}),
    "text=auto": ({"a.txt": crlf(TEXT)}, {".gitattributes": b"* text=auto\n", "a.txt": CHANGED}),
    "text=auto eol=crlf": (
        {"a": crlf(TEXT), "b": TEXT},
        {".gitattributes": b"* text=auto eol=crlf\n", "a": CHANGED, "b": CHANGED, "new": TEXT},
    ),
    "removed": ({".gitattributes": CRLF, "a.bat": TEXT, "b.bat": TEXT}, {"a.bat": CHANGED, "b.bat": TEXT}),
    "removed, with a mode": ({".gitattributes": CRLF, "a.bat": TEXT}, {"a.bat": ("100755", TEXT)}),
    "to eol=lf": (
        {".gitattributes": CRLF, "a.bat": TEXT},
        {".gitattributes": b"*.bat eol=lf\n", "a.bat": CHANGED},
    ),
    "to -text": (
        {".gitattributes": CRLF, "a.bat": TEXT, "b.bat": TEXT},
        {".gitattributes": b"*.bat -text\n", "a.bat": CHANGED, "b.bat": crlf(CHANGED)},
    ),
    "to binary": (
        {".gitattributes": CRLF, "a.bat": TEXT},
        {".gitattributes": b"*.bat binary\n", "a.bat": CHANGED},
    ),
    "in a folder that goes": ({"d/.gitattributes": CRLF, "d/a.bat": TEXT}, {}),
    "in a folder that moves": (
        {"d/.gitattributes": CRLF, "d/a.bat": TEXT},
        {"e/.gitattributes": CRLF, "e/a.bat": CHANGED},
    ),
    "out of a folder": ({"d/.gitattributes": CRLF, "d/a.bat": TEXT}, {"a.bat": CHANGED}),
    "into a folder": ({"a.bat": TEXT}, {"d/.gitattributes": CRLF, "d/a.bat": TEXT}),
    "a rule moves down": (
        {".gitattributes": CRLF + MANY, "d/a.bat": TEXT},
        {".gitattributes": MANY, "d/.gitattributes": CRLF, "d/a.bat": CHANGED},
    ),
    "a rule moves up": (
        {".gitattributes": MANY, "d/.gitattributes": CRLF, "d/a.bat": TEXT},
        {".gitattributes": CRLF + MANY, "d/a.bat": CHANGED, "d/new.bat": TEXT},
    ),
    "an encoding": (
        {"a.u": TEXT},
        {".gitattributes": b"*.u working-tree-encoding=UTF-16\n", "a.u": CHANGED, "new.u": TEXT},
    ),
    "an encoding goes": (
        {".gitattributes": b"*.u working-tree-encoding=UTF-16\n", "a.u": TEXT},
        {"a.u": CHANGED},
    ),
    "ident": ({"a.c": b"$Id$\n" + TEXT}, {".gitattributes": b"*.c ident\n", "a.c": b"$Id$\n" + CHANGED}),
    "ident goes": ({".gitattributes": b"*.c ident\n", "a.c": b"$Id$\n" + TEXT}, {"a.c": b"$Id$\n" + CHANGED}),
    "many rules": ({"a.bat": TEXT}, {".gitattributes": MANY + CRLF, "a.bat": CHANGED, "new.bat": TEXT * 5}),
    "many rules go": ({".gitattributes": MANY + CRLF, "a.bat": TEXT * 5}, {"a.bat": CHANGED * 5}),
    "many files": (
        {f"{number}.bat": TEXT for number in range(LARGE)} | {"a.py": b"a = 1\n"},
        {f"{number}.bat": TEXT + b"more\n" for number in range(LARGE)}
        | {"a.py": b"a = 2\n", "new.bat": TEXT, ".gitattributes": CRLF},
    ),
}


@pytest.mark.parametrize("config", ["core.autocrlf=false", "core.autocrlf=true"])
@pytest.mark.parametrize("name", CASES)
def test_all_at_once_one_by_one_and_in_halves_give_the_commit(
    repo: Path, git_in: GitIn, name: str, config: str
) -> None:
    made = Commit(repo, git_in, *CASES[name])
    whole, single, halves = (made.clone(config) for _ in range(3))
    chunks = made.chunks(whole)
    ids = [chunk["id"] for chunk in chunks]
    assert made.take(whole, ids).decode() == made.tree
    assert made.take(halves, *half(chunks, 1)).decode() == made.tree
    if len(ids) < LARGE:
        assert made.take(single, *[[one] for one in ids]).decode() == made.tree
    assert len(made.ids) == 1
    assert all(chunk["present"] for chunk in made.clone(config, at=made.oid).list(made.oid)["chunks"])


def test_a_form_is_only_written_with_the_attributes_that_it_belongs_to(repo: Path, git_in: GitIn) -> None:
    new: Files = {".gitattributes": CRLF, "d/.gitattributes": b"*.c text\n", "d/a.bat": TEXT, "b.txt": TEXT}
    made = Commit(repo, git_in, {}, new)
    reviewed = made.clone()
    chunks = {chunk["paths"][0]: chunk for chunk in made.chunks(reviewed)}
    first = {chunks[".gitattributes"]["id"], chunks["d/.gitattributes"]["id"]}
    assert set(chunks["d/a.bat"]["needs"]) == first
    assert not chunks["b.txt"]["needs"]
    result, _ = reviewed.decide(made.oid, [chunks["d/a.bat"]["id"]])
    assert set(result["blocked"][0]["needs"]) == first
    assert not (reviewed.root / "d").exists()


def test_what_attributes_alone_would_change_is_left_as_it_is(repo: Path, git_in: GitIn) -> None:
    made = Commit(repo, git_in, {".gitattributes": CRLF, "a.bat": TEXT}, {"a.bat": TEXT})
    reviewed = made.clone()
    assert made.take(reviewed, [chunk["id"] for chunk in made.chunks(reviewed)]).decode() == made.tree
    assert (reviewed.root / "a.bat").read_bytes() == crlf(TEXT)


def test_a_file_that_only_git_stores_otherwise_is_left_out_and_told_how(repo: Path, git_in: GitIn) -> None:
    old: Files = {".gitattributes": CRLF, "a.bat": TEXT}
    made = Commit(repo, git_in, old, {".gitattributes": b"*.bat -text\n", "a.bat": crlf(TEXT)})
    reviewed = made.clone()
    (left,) = reviewed.list(made.oid)["left_out"]
    assert (left["path"], "git add --renormalize" in left["reason"]) == ("a.bat", True)
    made.take(reviewed, [chunk["id"] for chunk in made.chunks(reviewed)])
    git_in(reviewed.root, "add", "--renormalize", "a.bat")
    assert git_in(reviewed.root, "write-tree").decode().strip() == made.tree
    assert not reviewed.list(made.oid)["left_out"]


@pytest.mark.parametrize("comes", [True, False])
def test_what_goes_through_a_filter_on_one_side_is_left_out(repo: Path, git_in: GitIn, comes: bool) -> None:
    sides: list[Files] = [{"a.bin": b"x\n"}, {".gitattributes": b"*.bin filter=lfs\n", "a.bin": b"pointer\n"}]
    made = Commit(repo, git_in, *(sides if comes else sides[::-1]))
    reviewed = made.clone()
    for part in [[chunk["id"]] for chunk in made.chunks(reviewed)]:
        assert [out["path"] for out in reviewed.list(made.oid)["left_out"]] == ["a.bin"]
        reviewed.decide(made.oid, part)
    assert [out["path"] for out in reviewed.list(made.oid)["left_out"]] == ["a.bin"]


def test_a_file_that_has_other_attributes_here_stands_by_these(repo: Path, git_in: GitIn) -> None:
    made = Commit(repo, git_in, {}, {".gitattributes": b"*.c text\n", "a.bat": TEXT, "d/a.bat": TEXT})
    reviewed = made.clone()
    put(reviewed.root, {"d/.gitattributes": CRLF})
    chunks = made.chunks(reviewed)
    assert reviewed.decide(made.oid, [chunk["id"] for chunk in chunks])[0]["outcome"] == "applied"
    assert (reviewed.root / "d/a.bat").read_bytes() == crlf(TEXT)
    assert (reviewed.root / "a.bat").read_bytes() == TEXT
    assert all(chunk["present"] for chunk in made.chunks(reviewed))


def test_a_commit_whose_attributes_were_changed_again_is_known_in_the_files(
    repo: Path, git_in: GitIn
) -> None:
    made = Commit(repo, git_in, {}, {".gitattributes": b"*.c text\n", "a.bat": TEXT, "b.bat": TEXT})
    reviewed = made.clone(at=made.oid)
    put(reviewed.root, {".gitattributes": b"*.c text\n*.bat eol=crlf\n", "a.bat": crlf(TEXT)})
    there = {chunk["paths"][0] for chunk in made.chunks(reviewed) if chunk["present"]}
    assert there == {"a.bat", "b.bat"}


def test_a_renormalised_file_is_known_in_a_later_work_tree(repo: Path, git_in: GitIn) -> None:
    new: Files = {".gitattributes": b"* text=auto\n", "a.txt": TEXT}
    made = Commit(repo, git_in, {"a.txt": crlf(TEXT)}, new)
    later = git_in(repo, "commit-tree", tree(repo, git_in, new | {"a.txt": TEXT + b"more\n"}), "-m", "later")
    git_in(repo, "update-ref", "refs/heads/later", later.decode().strip())
    reviewed = made.clone("core.autocrlf=true", at=later.decode().strip())
    assert [chunk["paths"] for chunk in made.chunks(reviewed)] == [[".gitattributes"]]


def test_without_its_gitattributes_a_file_stands_by_those_of_the_work_tree(repo: Path, git_in: GitIn) -> None:
    made = Commit(repo, git_in, {}, {".gitattributes": CRLF, "d/a.bat": TEXT})
    reviewed = made.clone()
    (chunk,) = reviewed.list(made.oid, only=["d"])["chunks"]
    assert reviewed.decide(made.oid, [chunk["id"]], only=["d"])[0]["outcome"] == "applied"
    assert (reviewed.root / "d/a.bat").read_bytes() == TEXT


def test_changes_of_the_person_in_a_file_that_gets_other_line_ends_are_a_conflict(
    repo: Path, git_in: GitIn
) -> None:
    made = Commit(repo, git_in, {".gitattributes": CRLF, "a.bat": TEXT}, {"a.bat": CHANGED})
    reviewed = made.clone()
    mine = crlf(TEXT.replace(b"line 7", b"mine"))
    put(reviewed.root, {"a.bat": mine})
    result, _ = reviewed.decide(made.oid, [chunk["id"] for chunk in made.chunks(reviewed)])
    assert result["conflicts"][0]["path"] == "a.bat"
    assert (reviewed.root / "a.bat").read_bytes() == mine
