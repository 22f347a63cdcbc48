"""No path leads outside the repository, into git's folder, through a link or into another repository."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.errors import PathRefused
from agent.core.hunk import Write
from agent.core.outcome import Applied, Refused
from agent.core.text import name_from_bytes
from agent.git.apply import WorkTree
from agent.git.discover import discover
from agent.git.paths import Fenced, is_git_name, lexical
from agent.git.repo import Repo
from tests.git.looking import contents, file

GitIn = Callable[..., bytes]

HOSTILE = [
    "",
    "/etc/passwd",
    "\\\\server\\share",
    "C:/x",
    "c:x",
    "../x",
    "a/../../x",
    "a/../x",
    "..",
    ".",
    "./x",
    "a//x",
    "a/",
    "a/./x",
    "a\0b",
    ".git",
    ".git/config",
    ".git/hooks/pre-commit",
    ".GIT/config",
    ".Git/config",
    ".gIt",
    "a/.git/config",
    "a/.GIT/hooks/x",
    "git~1/config",
    "GIT~1/config",
    "a/git~2/x",
    ".git./config",
    ".git /config",
    ".git . ./config",
    ".git::$INDEX_ALLOCATION/config",
    ".git:stream",
    ".g\u200cit/config",
    ".gi\u200dt/config",
    "\ufeff.git/config",
    ".git\u200e/config",
    ".\u202agit/config",
    ".git\u206f",
    "\uff0egit/config",
    "a\\..\\..\\x",
    "a\\.git\\config",
    "..\\x",
    ".git\\config",
    ".copair-0-0",
    "a/.copair-x/y",
    "x/" * 3000 + "y",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_spellings_are_refused(path: str) -> None:
    with pytest.raises(PathRefused):
        lexical(path)


HONEST = [
    "a",
    ".gitignore",
    ".gitattributes",
    ".github/workflows/ci.yml",
    ".gitmodules",
    "git/x",
    "a.git/x",
    "x.git",
    "git~x",
    "..a",
    "a..",
    "...",
    "new\nline",
    'quo"te',
    "back\\slash",
    "tab\tand\x01control",
    " leading",
    "trailing ",
    "-rf",
    ":(top)x",
    "*",
    "\udcff\udcfe",
    "ünï/cødé",
]


@pytest.mark.parametrize("path", HONEST)
def test_odd_but_honest_names_work(repo: Path, path: str) -> None:
    tree = WorkTree(discover(repo))
    assert isinstance(tree.write("s", [Write(path, None, file(b"one"))]), Applied)
    assert tree.read(path) == file(b"one")
    assert isinstance(tree.write("t", [Write(path, file(b"one"), file(b"two"))]), Applied)
    assert isinstance(tree.write("u", [Write(path, file(b"two"), None)]), Applied)
    assert contents(repo) == {}


@given(st.text(alphabet=".gitGIT \u200c\u200d:$/\\~1a", max_size=12))
def test_no_spelling_reaches_gits_folder(path: str) -> None:
    """Whatever passes is no `.git` after what the known systems do to names."""
    try:
        parts = lexical(path)
    except PathRefused:
        return
    for part in parts:
        seen = unicodedata.normalize("NFC", name_from_bytes(part)).casefold()
        seen = seen.replace("\u200c", "").replace("\u200d", "").partition(":")[0].rstrip(" .")
        assert seen not in (".git", "git~1")
        assert not is_git_name(name_from_bytes(part))


def test_a_fenced_path_cannot_be_made_elsewhere() -> None:
    with pytest.raises(AssertionError):
        Fenced("a", (b"a",))


@pytest.fixture
def world(repo: Path, git_in: GitIn, tmp_path: Path) -> Iterator[tuple[Path, Repo]]:
    """A repository with a submodule, a nested repository, links and odd files."""
    git_in(tmp_path, "init", "-q", "lib")
    (tmp_path / "lib" / "l").write_text("l\n")
    git_in(tmp_path / "lib", "add", "l")
    git_in(tmp_path / "lib", "commit", "-qm", "l")
    git_in(
        repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "lib"), "mod"
    )
    git_in(repo, "commit", "-qm", "mod")
    git_in(repo, "init", "-q", "nested")
    (tmp_path / "outside").mkdir()
    (repo / "link").symlink_to(tmp_path / "outside")
    (repo / "inner").symlink_to("real")
    (repo / "real").mkdir()
    os.mkfifo(repo / "fifo")
    with Repo(discover(repo)) as opened:
        yield repo, opened


@pytest.mark.parametrize(
    "path",
    ["mod", "mod/l", "mod/new", "nested/x", "nested/deep/x", "link/x", "inner/x", "fifo", "real", "nested"],
)
def test_places_that_are_not_ours_are_refused(world: tuple[Path, Repo], path: str, tmp_path: Path) -> None:
    _, repo = world
    with pytest.raises(PathRefused):
        repo.read(path)
    outcome = WorkTree(repo.place).write("s", [Write(path, None, file(b"x"))])
    assert isinstance(outcome, Refused)
    assert outcome.path == path
    assert os.listdir(tmp_path / "outside") == []


def test_a_submodule_that_was_never_checked_out_is_refused(world: tuple[Path, Repo], git_in: GitIn) -> None:
    root, _ = world
    git_in(root.parent, "-c", "protocol.file.allow=always", "clone", "-q", str(root), "clone")
    with Repo(discover(root.parent / "clone")) as repo, pytest.raises(PathRefused, match="submodule"):
        repo.fence.check("mod/new")


def test_the_link_itself_can_be_read_and_replaced(world: tuple[Path, Repo], tmp_path: Path) -> None:
    root, repo = world
    old = repo.read("inner")
    assert old is not None
    assert isinstance(WorkTree(repo.place).write("s", [Write("inner", old, file(b"x"))]), Applied)
    assert (root / "inner").read_bytes() == b"x"
    assert (root / "real").is_dir()


def test_a_git_directory_under_another_name_is_refused(tmp_path: Path, git_in: GitIn) -> None:
    (tmp_path / "w").mkdir()
    git_in(tmp_path, "init", "-q", "--separate-git-dir=w/store", "w")
    with Repo(discover(tmp_path / "w")) as repo, pytest.raises(PathRefused, match="belongs to git"):
        repo.read("store/config")


def test_names_that_collide_elsewhere_are_refused(repo: Path, git_in: GitIn) -> None:
    (repo / "src").mkdir()
    (repo / "README.md").write_text("r")
    (repo / "src" / "Café").write_text("c")
    (repo / "indexed").write_text("i")
    git_in(repo, "add", "indexed")
    (repo / "indexed").unlink()
    tree = WorkTree(discover(repo))
    for path in (
        "readme.md",
        "SRC/new",
        "src/café",
        "src/cafe\u0301",
        "Indexed",
        "INDEXED/x",
        "src/Caf\u00e9/x",
    ):
        outcome = tree.write("s", [Write(path, None, file(b"x"))])
        assert isinstance(outcome, Refused), path
    both = [Write("x/New", None, file(b"1")), Write("X/other", None, file(b"2"))]
    assert isinstance(tree.write("b", both), Refused)
    renamed = [Write("README.md", file(b"r"), None), Write("readme.md", None, file(b"r"))]
    assert isinstance(tree.write("t", renamed), Applied)


def test_a_diff_of_the_person_may_have_such_names_where_the_file_system_tells_them_apart(
    repo: Path,
) -> None:
    (repo / "README.md").write_text("r")
    tree = WorkTree(discover(repo), twins=True)
    assert isinstance(tree.write("s", [Write("readme.md", None, file(b"x"))]), Applied)
    assert ((repo / "README.md").read_text(), (repo / "readme.md").read_text()) == ("r", "x")
    (repo / ".GIT").mkdir()  # as it looks where case is ignored
    assert isinstance(tree.write("t", [Write("Readme.md", None, file(b"x"))]), Refused)


def test_a_sparse_checkout_keeps_its_files_out(repo: Path, git_in: GitIn) -> None:
    for name in ("in", "out"):
        (repo / name).mkdir()
        (repo / name / "f").write_text(name)
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "one")
    for extra in ([], ["--sparse-index"]):
        git_in(repo, "sparse-checkout", "set", "--cone", *extra, "in")
        with Repo(discover(repo)) as opened:
            assert opened.read("in/f") == file(b"in")
            with pytest.raises(PathRefused, match="sparse"):
                opened.read("out/f")
            (entry,) = opened.entries(["out/f"])
            assert opened.stored(entry.mode, entry.oid) == file(b"out")


@pytest.mark.parametrize("setting", [("index.version", "4"), ("core.splitIndex", "true")])
def test_every_kind_of_index_is_understood(
    world: tuple[Path, Repo], git_in: GitIn, setting: tuple[str, str]
) -> None:
    root, _ = world
    git_in(root, "config", *setting)
    git_in(root, "update-index", "--index-version", "4") if setting[0] == "index.version" else None
    git_in(root, "update-index", "--force-write-index", check=False)
    (root / "n").write_text("n")
    git_in(root, "add", "n")
    with Repo(discover(root)) as repo:
        with pytest.raises(PathRefused, match=r"submodule|own"):
            repo.read("mod/l")
        assert repo.read("n") == file(b"n")


@pytest.mark.parametrize(
    ("path", "reason"), [("/x", "absolute"), ("\\lead", "on Windows"), ("a:b", "on Windows")]
)
def test_why_a_name_is_refused_is_true_here(path: str, reason: str) -> None:
    with pytest.raises(PathRefused, match=reason):
        lexical(path)
