"""What `copair review ARG` reads: commits, ranges, patches, the uncommitted work; and what is left out, by reason."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import UsageError
from agent.review.uncommitted import MAX_UNTRACKED_BYTES
from tests.review.conftest import Reviewed, put

GitIn = Callable[..., bytes]


def commit(repo: Path, git_in: GitIn, files: dict[str, bytes], message: str = "more") -> str:
    put(repo, files)
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", message)
    return git_in(repo, "rev-parse", "HEAD").decode().strip()


def test_a_first_commit_is_compared_with_nothing(repo: Path, git_in: GitIn, reviewed: Reviewed) -> None:
    commit(repo, git_in, {"a.txt": b"a\n"})
    (chunk,) = reviewed.list("HEAD")["chunks"]
    assert chunk["kind"] == "create"
    assert chunk["present"]


@pytest.mark.parametrize(
    "message", ["one\n\ntwo\n", "one\ntwo\n\nthree", "\n \n  grün  \nmore\n", " ", "a\n \nb"]
)
@pytest.mark.parametrize("codec", ["utf-8", "latin-1"])
def test_the_label_has_the_subject_as_git_log_gives_it(
    repo: Path, git_in: GitIn, reviewed: Reviewed, message: str, codec: str
) -> None:
    put(repo, {"a.txt": b"a\n"})
    git_in(repo, "add", "-A")
    (repo.parent / "message").write_bytes(message.encode(codec))
    own = ("-c", f"i18n.commitEncoding={codec}")
    how = ("--cleanup=verbatim", "--allow-empty-message", "-F", str(repo.parent / "message"))
    git_in(repo, *own, "commit", "-q", *how)
    subject = git_in(repo, "-c", "i18n.logOutputEncoding=utf-8", "log", "-1", "--format=%s").decode()
    assert reviewed.list("HEAD")["source"].partition(": ")[2] == " ".join(subject.split())


@pytest.mark.parametrize("codec", ["idna", "undefined", "unicode_escape", "a\0b", "\u00e9", ""])
def test_a_label_is_read_whatever_encoding_a_commit_names(
    repo: Path, git_in: GitIn, reviewed: Reviewed, codec: str
) -> None:
    commit(repo, git_in, {"a.txt": b"a\n"})
    head = git_in(repo, "cat-file", "commit", "HEAD").partition(b"\n\n")[0]
    (repo.parent / "made").write_bytes(head + b"\nencoding " + codec.encode() + b"\n\nOne \\u0041\n")
    made = git_in(repo, "hash-object", "-t", "commit", "-w", "--literally", str(repo.parent / "made"))
    assert reviewed.list(made.decode().strip())["source"].endswith(": One \\u0041")


def test_a_merge_is_compared_with_its_first_parent(repo: Path, git_in: GitIn, reviewed: Reviewed) -> None:
    commit(repo, git_in, {"a.txt": b"a\n"})
    git_in(repo, "checkout", "-qb", "side")
    commit(repo, git_in, {"side.txt": b"s\n"})
    git_in(repo, "checkout", "-q", "main")
    commit(repo, git_in, {"main.txt": b"m\n"})
    git_in(repo, "merge", "-q", "--no-edit", "side")
    assert [chunk["paths"] for chunk in reviewed.list("HEAD")["chunks"]] == [["side.txt"]]


def test_a_range_of_branches_that_parted_holds_only_the_work_of_the_second(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {"a.txt": b"a\n"})
    git_in(repo, "checkout", "-qb", "side")
    commit(repo, git_in, {"side.txt": b"s\n"})
    git_in(repo, "checkout", "-q", "main")
    commit(repo, git_in, {"main.txt": b"m\n"})
    for spec in ("main..side", "main...side", "..side"):
        found = reviewed.list(spec)
        assert [chunk["paths"] for chunk in found["chunks"]] == [["side.txt"]], spec
        assert "parted" in found["source"]


def test_what_is_no_source_is_a_usage_error(repo: Path, git_in: GitIn, reviewed: Reviewed) -> None:
    commit(repo, git_in, {"main.diff": b"x\n"})
    for argument in (
        "nowhere",
        "a..b",
        "--output=x",
        "main.diff",
        "@{u}",
        "@{u}..",
        "main@{99}",
        "HEAD:main.diff",
        "x" * 300,
        "a\0b",
    ):
        with pytest.raises(UsageError):
            reviewed.open(argument)


@pytest.mark.parametrize("range_", ["main..nosuch", "nosuch...HEAD"])
def test_of_a_range_the_end_that_is_not_there_is_named(
    repo: Path, git_in: GitIn, reviewed: Reviewed, range_: str
) -> None:
    commit(repo, git_in, {"a.txt": b"x\n"})
    with pytest.raises(UsageError, match="nosuch is no commit"):
        reviewed.open(range_)


def test_a_coloured_patch_is_told_how_to_be_had_without_colours(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    patch = git_in(history, "diff", "--color", "main", "work")
    with pytest.raises(UsageError) as found:
        reviewed.open("-", stdin=patch)
    assert "--no-color" in found.value.hint


def test_a_name_that_is_a_revision_and_a_file_must_be_told_apart(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {"main": b"x\n"})
    with pytest.raises(UsageError, match="both a revision and a file"):
        reviewed.open("main")


def test_a_patch_file_is_placed_on_the_files_as_they_are(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    patch = git_in(history, "diff", "--binary", "-M", "main", "work")
    put(history, {"../work.patch": patch})
    commits = reviewed.list("work")
    for found in (reviewed.list("../work.patch"), reviewed.list("-", stdin=patch)):
        assert found["left_out"] == []
        assert [c["id"] for c in found["chunks"]] == [c["id"] for c in commits["chunks"]]
        assert not any(chunk["present"] for chunk in found["chunks"])


def test_a_patch_without_blob_names_fits_when_its_lines_do(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    patch = git_in(history, "diff", "main", "work", "--", "program.py")
    plain = b"".join(
        line for line in patch.split(b"\n") for line in [line + b"\n"] if not line.startswith(b"index")
    )
    assert reviewed.list("-", stdin=plain)["chunks"] == reviewed.list("-", stdin=patch)["chunks"]


def test_a_patch_that_is_applied_already_is_present(history: Path, git_in: GitIn, reviewed: Reviewed) -> None:
    patch = git_in(history, "diff", "main", "work", "--", "program.py", "gone.txt", "new")
    git_in(history, "checkout", "-q", "work")
    git_in(history, "gc", "-q", "--prune=now")
    found = reviewed.list("-", stdin=patch.replace(b"\nindex ", b"\nindex 0"))
    assert found["left_out"] == []
    assert all(chunk["present"] for chunk in found["chunks"])


def test_several_patches_in_one_mailbox_follow_each_other(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes]
) -> None:
    start = commit(repo, git_in, {"a.txt": b"1\n2\n3\n"})
    commit(repo, git_in, {"a.txt": b"1\ntwo\n3\n", "b.txt": b"b\n"}, "one")
    end = commit(repo, git_in, {"a.txt": b"1\nTWO\n3\n4\n", "b.txt": b"bb\n"}, "two")
    mails = git_in(repo, "format-patch", "--stdout", f"{start}..{end}")
    git_in(repo, "reset", "-q", "--hard", start)
    found = reviewed.list("-", stdin=mails)
    reviewed.decide("-", [chunk["id"] for chunk in found["chunks"]], stdin=mails)
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


def test_a_file_that_a_patch_does_not_fit_is_left_out_and_the_rest_is_reviewed(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    patch = b"--- a/gone.txt\n+++ b/gone.txt\n@@ -1,2 +1,2 @@\n a\n-nothing\n+x\n"
    patch += b"--- a/noend.txt\n+++ b/noend.txt\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n"
    patch += b"--- /dev/null\n+++ b/../out.txt\n@@ -0,0 +1 @@\n+x\n--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n"
    found = reviewed.list("-", stdin=patch)
    assert [chunk["paths"] for chunk in found["chunks"]] == [["noend.txt"]]
    assert [out["path"] for out in found["left_out"]] == ["gone.txt", "../out.txt", ".git/hooks/x"]
    assert "not in the file" in found["left_out"][0]["reason"]


def test_a_cut_patch_is_a_usage_error_and_an_empty_one_has_no_chunks(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    patch = git_in(history, "diff", "main", "work", "--", "program.py")
    with pytest.raises(UsageError, match="line"):
        reviewed.open("-", stdin=patch[: patch.rindex(b"\n+") + 1])
    assert reviewed.list("-", stdin=b"")["chunks"] == []


def test_without_argument_the_uncommitted_work_is_reviewed_from_the_index_on(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    put(history, {"program.py": b"staged\n"})
    git_in(history, "add", "program.py")
    put(
        history,
        {"program.py": b"staged\nnot staged\n", "fresh.txt": b"untracked\n", "build/out.o": b"ignored\n"},
    )
    put(history, {".git/info/exclude": b"build/\n"})
    (history / "gone.txt").unlink()
    found = reviewed.list(None)
    assert found["onto"] == "index"
    assert sorted((chunk["paths"][0], chunk["kind"]) for chunk in found["chunks"]) == [
        ("fresh.txt", "create"),
        ("gone.txt", "delete"),
        ("program.py", "modify"),
    ]
    assert not any(chunk["present"] for chunk in found["chunks"])


def test_a_file_that_is_only_intended_is_a_new_one(history: Path, git_in: GitIn, reviewed: Reviewed) -> None:
    put(history, {"fresh.txt": b"fresh\n", "staged.txt": b""})
    git_in(history, "add", "-N", "fresh.txt")
    git_in(history, "add", "staged.txt")
    put(history, {"staged.txt": b"filled\n"})
    chunks = {chunk["paths"][0]: chunk for chunk in reviewed.list(None)["chunks"]}
    assert (chunks["fresh.txt"]["kind"], chunks["staged.txt"]["kind"]) == ("create", "modify")
    reviewed.decide(None, [chunks["fresh.txt"]["id"]])
    assert git_in(history, "status", "--porcelain", "fresh.txt") == b"A  fresh.txt\n"


def test_a_file_moved_by_hand_is_a_rename(history: Path, reviewed: Reviewed) -> None:
    (history / "moved.txt").rename(history / "elsewhere.txt")
    assert [chunk["title"] for chunk in reviewed.list(None)["chunks"]] == [
        "Rename moved.txt to elsewhere.txt"
    ]


@pytest.mark.parametrize("become", ["link", "file", "folder"])
def test_files_and_folders_that_take_the_place_of_one_another_are_reviewed_together(
    repo: Path, git_in: GitIn, reviewed: Reviewed, become: str
) -> None:
    commit(repo, git_in, {"d/e": b"e\n", "d/f/g": b"g\n", "x": b"x\n", "keep": b"k\n"})
    shutil.rmtree(repo / "d")
    if become == "link":
        (repo / "d").symlink_to("keep")
    elif become == "file":
        (repo / "d").write_text("now a file\n")
    else:
        put(repo, {"d/e/deep": b"deep\n", "x2": b""})
        (repo / "x").unlink()
        put(repo, {"x/y": b"y\n"})
    found = reviewed.list(None)
    assert found["left_out"] == []
    staged, _ = reviewed.decide(None, [chunk["id"] for chunk in found["chunks"]])
    assert staged["outcome"] == "applied"
    ours = git_in(repo, "ls-files", "-s")
    git_in(repo, "add", "-A")
    assert git_in(repo, "ls-files", "-s") == ours


@pytest.mark.parametrize("keeps", ["true", "false"])
def test_modes_are_told_only_where_git_heeds_them(
    repo: Path, git_in: GitIn, reviewed: Reviewed, keeps: str
) -> None:
    commit(repo, git_in, {"a": b"a\n", "b": b"b\n"})
    git_in(repo, "update-index", "--chmod=+x", "b")
    git_in(repo, "config", "core.fileMode", keeps)
    put(repo, {"a": b"more\n", "b": b"more\n", "new": b"n\n"})
    for name in ("a", "new"):
        (repo / name).chmod(0o755)
    reviewed.decide(None, reviewed.ids(None))
    modes = [line[:6] for line in git_in(repo, "ls-files", "-s").decode().split("\n") if line]
    heeded, unheeded = ["100755", "100644", "100755"], ["100644", "100755", "100644"]
    assert modes == (heeded if keeps == "true" else unheeded)
    assert git_in(repo, "diff", "--name-only") == b""


def test_a_link_stays_one_where_the_file_system_has_none(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    (repo / "link").symlink_to("old")
    commit(repo, git_in, {"a": b"a\n"})
    git_in(repo, "config", "core.symlinks", "false")
    (repo / "link").unlink()
    put(repo, {"link": b"new"})
    reviewed.decide(None, reviewed.ids(None))
    ours = git_in(repo, "ls-files", "-s")
    assert b"120000" in ours
    git_in(repo, "add", "-A")
    assert git_in(repo, "ls-files", "-s") == ours


@pytest.mark.parametrize("change", ["changed", "moved", "deleted", "new"])
@pytest.mark.parametrize("is_patch", [False, True])
def test_a_link_of_a_commit_is_left_out_where_the_file_system_has_none(
    repo: Path, git_in: GitIn, reviewed: Reviewed, change: str, is_patch: bool
) -> None:
    (repo / "link").symlink_to("old")
    commit(repo, git_in, {"a": b"a\n"})
    if change in ("changed", "deleted"):
        (repo / "link").unlink()
    if change in ("changed", "new"):
        (repo / ("link" if change == "changed" else "other")).symlink_to("new")
    if change == "moved":
        (repo / "link").rename(repo / "other")
    end = commit(repo, git_in, {"a": b"b\n"})
    git_in(repo, "config", "core.symlinks", "false")
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    patch = git_in(repo, "diff", "--full-index", f"{end}~1", end)
    argument, stdin = ("-", patch) if is_patch else (end, b"")
    listed = reviewed.list(argument, stdin=stdin)
    assert [chunk["paths"] for chunk in listed["chunks"]] == [["a"]]
    (left,) = listed["left_out"]
    assert "core.symlinks" in left["reason"]
    chosen = reviewed.ids(argument, onto="index", stdin=stdin)
    assert reviewed.decide(argument, chosen, onto="index", stdin=stdin)[0]["outcome"] == "applied"
    assert git_in(repo, "write-tree").strip() == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


def test_reading_the_uncommitted_work_writes_nothing(
    history: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    put(history, {".gitattributes": b"*.txt text eol=crlf\n", "program.py": b"x = 1\n"})
    before = sorted((path, path.stat().st_mtime_ns) for path in (history / ".git").rglob("*"))
    reviewed.list(None)
    assert sorted((path, path.stat().st_mtime_ns) for path in (history / ".git").rglob("*")) == before


def test_submodules_filters_and_conflicts_are_left_out_with_the_reason(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tmp_path: Path
) -> None:
    commit(repo, git_in, {"a.txt": b"a\n", "big.bin": b"pointer\n"})
    git_in(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    put(repo, {".gitattributes": b"*.bin filter=lfs\n", "a.txt": b"b\n", "big.bin": b"other pointer\n"})
    git_in(repo, "add", "a.txt", "big.bin", ".gitattributes")
    git_in(repo, "commit", "-qm", "second")
    found = reviewed.list("HEAD")
    assert {out["path"]: out["reason"].split()[0:2] for out in found["left_out"]} == {
        "big.bin": ["goes", "through"],
        "sub": ["a", "submodule:"],
    }
    assert sorted(chunk["paths"][0] for chunk in found["chunks"]) == [".gitattributes", "a.txt"]
    git_in(repo, "checkout", "-qb", "side", "HEAD~1")
    commit(repo, git_in, {"a.txt": b"c\n"})
    git_in(repo, "merge", "-q", "main", check=False)
    reasons = {out["path"]: out["reason"] for out in reviewed.list(None)["left_out"]}
    assert "in conflict" in reasons["a.txt"]


def test_files_with_windows_line_ends_by_attribute_are_compared_in_one_form(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {".gitattributes": b"*.txt text eol=crlf\n", "a.txt": b"1\r\n2\r\n3\r\n"})
    end = commit(repo, git_in, {"a.txt": b"1\r\ntwo\r\n3\r\n", "n.txt": b"new\r\n"})
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    result, _ = reviewed.decide(end, reviewed.ids(end))
    assert result["outcome"] == "applied"
    assert (repo / "a.txt").read_bytes() == b"1\r\ntwo\r\n3\r\n"
    assert (repo / "n.txt").read_bytes() == b"new\r\n"
    staged, _ = reviewed.decide(None, reviewed.ids(None))
    assert staged["outcome"] == "applied"
    assert git_in(repo, "write-tree").strip() == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


def test_a_file_that_has_no_returns_yet_where_attributes_want_some_is_no_conflict(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {".gitattributes": b"*.txt text eol=crlf\n", "a.txt": b"1\n2\n3\n"})
    end = commit(repo, git_in, {"a.txt": b"1\ntwo\n3\n"})
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    (repo / "a.txt").write_bytes(b"1\n2\n3\n")
    ids = reviewed.ids(end)
    result, _ = reviewed.decide(end, ids)
    assert result["outcome"] == "applied"
    assert (repo / "a.txt").read_bytes() == b"1\ntwo\n3\n"
    assert reviewed.ids(end) == ids


def test_ids_that_a_taken_gitattributes_changed_are_told_of(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    """The work tree has attributes of its own, so that files stand by these."""
    commit(repo, git_in, {"README": b"x\n"})
    end = commit(repo, git_in, {".gitattributes": b"*.bat eol=crlf\n", "d/run.bat": b"a\r\nb\r\n"})
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    put(repo, {"d/.gitattributes": b"*.bat text\n"})
    attributes, script = reviewed.ids(end)
    assert reviewed.decide(end, [attributes])[0]["outcome"] == "applied"
    result, _ = reviewed.decide(end, [script])
    assert result["unknown"] == [script]
    assert ".gitattributes was taken" in result["message"]
    assert reviewed.decide(end, [reviewed.ids(end)[1]])[0]["outcome"] == "applied"
    assert (repo / "d/run.bat").read_bytes() == b"a\r\nb\r\n"
    assert ".gitattributes" not in reviewed.decide("HEAD", ["nope"])[0]["message"]


def test_a_renamed_file_that_has_no_returns_yet_changes_in_its_own_lines(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    text = b"".join(b"%d\n" % number for number in range(9))
    commit(repo, git_in, {".gitattributes": b"*.bat text eol=crlf\n", "a.bat": text})
    git_in(repo, "mv", "a.bat", "b.bat")
    end = commit(repo, git_in, {"b.bat": text.replace(b"4", b"four")})
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    (repo / "a.bat").write_bytes(text)
    chunks = reviewed.list(end)["chunks"]
    assert sum(chunk["lines"] for chunk in chunks if chunk["kind"] == "modify") == 2
    ids = [chunk["id"] for chunk in chunks]
    result, _ = reviewed.decide(end, ids)
    assert result["outcome"] == "applied"
    assert (repo / "b.bat").read_bytes() == text.replace(b"4", b"four")
    assert reviewed.ids(end) == ids


@pytest.mark.parametrize("folder", ["a", "b", "src"])
def test_a_patch_without_prefixes_means_its_folders(
    repo: Path, git_in: GitIn, reviewed: Reviewed, folder: str
) -> None:
    commit(repo, git_in, {f"{folder}/x": b"1\n", f"{folder}/gone": b"2\n", "top": b"t\n"})
    (repo / folder / "gone").unlink()
    (repo / folder / "x").chmod(0o755)
    (repo / folder / "empty").touch()
    end = commit(repo, git_in, {f"{folder}/new": b"n\n", "top": b"u\n"})
    patch = git_in(repo, "diff", "--no-prefix", "HEAD~1", end)
    git_in(repo, "reset", "-q", "--hard", "HEAD~1")
    result, _ = reviewed.decide("-", reviewed.ids("-", stdin=patch), stdin=patch)
    assert result["outcome"] == "applied"
    git_in(repo, "add", "-A")
    assert git_in(repo, "write-tree").strip() == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


@pytest.mark.parametrize("stored", [b"1\n2\n", b"1\r\n2\r\n", b"1\r\n2\n"])
@pytest.mark.parametrize("now", [b"1\nx\n", b"1\r\nx\r\n", b"1\r\nx\n", b"1\r\n\0\n"])
@pytest.mark.parametrize(
    "rule", ["", "text", "text=auto", "text eol=crlf", "text=auto eol=crlf", "eol=lf", "-text"]
)
def test_what_is_staged_is_what_git_add_would_stage(
    repo: Path, git_in: GitIn, reviewed: Reviewed, rule: str, stored: bytes, now: bytes
) -> None:
    commit(repo, git_in, {"a.txt": stored})
    if rule:
        commit(repo, git_in, {".gitattributes": f"*.txt {rule}\n".encode()})
        git_in(repo, "update-index", "--cacheinfo", f"100644,{blob(repo, git_in, stored)},a.txt")
    put(repo, {"a.txt": now})
    reviewed.decide(None, reviewed.ids(None))
    ours = git_in(repo, "ls-files", "-s", "a.txt")
    git_in(repo, "update-index", "--cacheinfo", f"100644,{blob(repo, git_in, stored)},a.txt")
    git_in(repo, "add", "a.txt")
    assert ours == git_in(repo, "ls-files", "-s", "a.txt")


def blob(repo: Path, git_in: GitIn, data: bytes) -> str:
    return git_in(repo, "hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode().strip()


def test_a_patch_cut_anywhere_but_between_two_changes_is_refused(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {"a.txt": b"a\n", "gone.txt": b"g\n"})
    start = git_in(repo, "rev-parse", "HEAD").decode().strip()
    (repo / "gone.txt").unlink()
    commit(repo, git_in, {"a.txt": b"b\n", "new.txt": b"1\n22\n", "empty.txt": b""})
    whole = git_in(repo, "diff", "--no-renames", start, "HEAD")
    git_in(repo, "reset", "-q", "--hard", start)
    # Whole changes end where the next begins; git's word for an empty file or a deletion ends with its mode.
    ends = {match.start() for match in re.finditer(rb"(?m)^(diff --git|index)", whole)} | {len(whole)}
    taken = set()
    for end in range(1, len(whole)):
        try:
            reviewed.open("-", stdin=whole[:end])
            taken.add(end)
        except UsageError:
            continue
    assert taken <= ends


@pytest.mark.parametrize("mode", ["020666", "040000", "010644"])
def test_what_is_neither_file_nor_link_is_left_out(reviewed: Reviewed, mode: str) -> None:
    patch = f"diff --git a/x b/x\nnew file mode {mode}\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+x\n"
    found = reviewed.list("-", stdin=patch.encode())
    assert found["chunks"] == []
    assert mode in found["left_out"][0]["reason"]


ROWS = b"".join(b"v%d = %d\n" % (n, n) for n in range(60))


def all_taken(reviewed: Reviewed, patch: bytes) -> None:
    """Every chunk of a patch is approved, and nothing of it is left out."""
    found = reviewed.list("-", stdin=patch)
    assert found["left_out"] == []
    reviewed.decide("-", [chunk["id"] for chunk in found["chunks"]], stdin=patch)


@pytest.mark.parametrize("known", [True, False], ids=["blobs known", "blobs unknown"])
@pytest.mark.parametrize(
    "rows", [ROWS, ROWS.replace(b"v9 = 9", b"v9 = 99")], ids=["copied whole", "copied and changed"]
)
def test_a_copy_is_of_the_file_as_it_was_before_the_patch(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes], rows: bytes, known: bool
) -> None:
    start = commit(repo, git_in, {"a.py": ROWS})
    end = commit(repo, git_in, {"a.py": ROWS.replace(b"v3 = 3", b"v3 = 33"), "b.py": rows}, "two")
    patch = git_in(repo, "diff", "-C", "--find-copies-harder", start, end)
    assert b"copy from a.py" in patch
    git_in(repo, "reset", "-q", "--hard", start)
    all_taken(reviewed, patch if known else patch.replace(b"\nindex ", b"\nindex 0"))
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


def test_a_copy_is_the_same_after_the_change_of_its_source_was_taken(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes]
) -> None:
    start = commit(repo, git_in, {"z.py": ROWS})
    end = commit(repo, git_in, {"z.py": ROWS.replace(b"v3 = 3", b"v3 = 33"), "a.py": ROWS}, "two")
    patch = git_in(repo, "diff", "-C", "--find-copies-harder", start, end)
    assert b"copy from z.py" in patch
    git_in(repo, "reset", "-q", "--hard", start)
    chunks = reviewed.list("-", stdin=patch)["chunks"]
    change = next(chunk["id"] for chunk in chunks if chunk["paths"] == ["z.py"])
    reviewed.decide("-", [change], stdin=patch)
    assert [chunk["id"] for chunk in reviewed.list("-", stdin=patch)["chunks"]] == [c["id"] for c in chunks]
    reviewed.decide("-", [chunk["id"] for chunk in chunks], stdin=patch)
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


def test_two_files_that_change_places_do_so(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes]
) -> None:
    other = b"".join(b"other %d\n" % n for n in range(90))
    start = commit(repo, git_in, {"a": ROWS, "b": other})
    end = commit(repo, git_in, {"a": other, "b": ROWS}, "two")
    patch = git_in(repo, "diff", "-B", "-M", start, end)
    assert patch.count(b"rename from") == 2
    git_in(repo, "reset", "-q", "--hard", start)
    all_taken(reviewed, patch)
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


def test_a_mail_renames_and_copies_what_an_earlier_one_changed(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes]
) -> None:
    changed = ROWS.replace(b"v3 = 3", b"v3 = 33")
    start = commit(repo, git_in, {"a.py": ROWS})
    commit(repo, git_in, {"a.py": changed}, "one")
    git_in(repo, "mv", "a.py", "b.py")
    end = commit(repo, git_in, {"b.py": changed.replace(b"v9 = 9", b"v9 = 99")}, "two")
    mails = git_in(repo, "format-patch", "--stdout", f"{start}..{end}")
    assert b"rename from a.py" in mails
    git_in(repo, "reset", "-q", "--hard", start)
    all_taken(reviewed, mails)
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


@pytest.mark.parametrize("options", [["-p"], ["-p", "--reverse"], ["-p", "--decorate", "--stat"]])
def test_a_log_is_taken_in_the_order_in_which_its_commits_were_made(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes], options: list[str]
) -> None:
    start = commit(repo, git_in, {"a.py": ROWS})
    for number in range(1, 4):
        text = ROWS.replace(b"v3 = 3", b"v3 = 3%d" % number)
        commit(repo, git_in, {"a.py": text, f"new{number}.py": ROWS}, f"commit {'0' * 40}")
    end = commit(repo, git_in, {"new1.py": b"x = 1\n"}, "last")
    log = git_in(repo, "log", *options, f"{start}..{end}")
    git_in(repo, "reset", "-q", "--hard", start)
    all_taken(reviewed, log)
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


@pytest.mark.parametrize("how", ["* text=auto eol=crlf\n", "*.py text eol=crlf\n", "autocrlf", "core.eol"])
@pytest.mark.parametrize("context", ["-U3", "-U0"])
def test_a_patch_of_git_fits_files_that_have_windows_line_ends_in_the_work_tree(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes], how: str, context: str
) -> None:
    if how == "autocrlf":
        git_in(repo, "config", "core.autocrlf", "true")
    if how == "core.eol":
        git_in(repo, "config", "core.eol", "crlf")
    attributes = {"autocrlf": b"", "core.eol": b"* text=auto\n"}.get(how, how.encode())
    start = commit(repo, git_in, {".gitattributes": attributes, "a.py": ROWS, "b.py": ROWS})
    end = commit(repo, git_in, {"a.py": ROWS.replace(b"v3 = 3", b"v3 = 33"), "new.py": ROWS}, "two")
    patch = git_in(repo, "diff", context, start, end)
    assert b"\r" not in patch
    git_in(repo, "reset", "-q", "--hard", start)
    for name in ("a.py", "b.py"):
        (repo / name).unlink()
    git_in(repo, "checkout", "-q", "--", ".")
    assert (repo / "b.py").read_bytes() == ROWS.replace(b"\n", b"\r\n")
    all_taken(reviewed, patch)
    wanted = ROWS.replace(b"v3 = 3", b"v3 = 33").replace(b"\n", b"\r\n")
    assert (repo / "a.py").read_bytes() == wanted
    assert (repo / "new.py").read_bytes() == ROWS.replace(b"\n", b"\r\n")
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()
    assert all(chunk["present"] for chunk in reviewed.list("-", stdin=patch)["chunks"])


@pytest.mark.parametrize(
    ("attributes", "config"),
    [
        (b"", ["core.autocrlf=true"]),
        (b"* text=auto eol=crlf\n", []),
        (b"* eol=crlf\n", []),
        (b"*.txt text\n", ["core.eol=crlf", "core.autocrlf=input"]),
        (b"*.txt text=input\n", ["core.eol=crlf"]),
    ],
)
def test_a_new_file_is_filled_as_git_would_fill_it(
    repo: Path, git_in: GitIn, reviewed: Reviewed, attributes: bytes, config: list[str]
) -> None:
    new = {
        "plain.txt": b"one\ntwo\n",
        "lone.txt": b"one\rx\ntwo\n",
        "mixed.txt": b"one\r\ntwo\n",
        "control.txt": b"\1\2\3\4a\nb\n",
        "nul.txt": b"a\0b\nc\n",
        "empty.txt": b"now\nfilled\n",
    }
    start = commit(repo, git_in, {".gitattributes": attributes, "empty.txt": b""})
    (repo / ".gitattributes").write_bytes(b"* -text\n")
    for name, data in new.items():
        (repo / name).write_bytes(data)
    git_in(repo, "add", *new)
    patch = git_in(repo, "diff", "--cached", "--binary", "HEAD", "--", *new)
    git_in(repo, "reset", "-q", "--hard", start)
    for entry in config:
        git_in(repo, "config", *entry.split("="))
    git_in(repo, "apply", stdin=patch)
    wanted = {name: (repo / name).read_bytes() for name in new}
    git_in(repo, "clean", "-fdq")
    git_in(repo, "reset", "-q", "--hard", start)
    all_taken(reviewed, patch)
    assert {name: (repo / name).read_bytes() for name in new} == wanted
    assert all(chunk["present"] for chunk in reviewed.list("-", stdin=patch)["chunks"])


def test_a_patch_of_a_file_that_is_stored_with_windows_line_ends_keeps_its_own(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    start = commit(repo, git_in, {"a.txt": b"one\r\ntwo\r\nthree\r\n"})
    commit(repo, git_in, {"a.txt": b"one\r\nnew\ntwo\r\nthree\r\n"}, "two")
    patch = git_in(repo, "diff", start, "HEAD")
    git_in(repo, "reset", "-q", "--hard", start)
    (repo / ".gitattributes").write_bytes(b"* text=auto eol=crlf\n")
    all_taken(reviewed, patch)
    assert (repo / "a.txt").read_bytes() == b"one\r\nnew\ntwo\r\nthree\r\n"


@pytest.mark.parametrize("differ", [0, 1])
@pytest.mark.parametrize("git", [True, False])
def test_what_comes_behind_lines_like_its_own_is_known_again(
    repo: Path, git_in: GitIn, reviewed: Reviewed, differ: int, git: bool
) -> None:
    """The patch fits a second time behind what it brought, as `git apply` would have it."""
    block = b"def f%d():\n    one()\n    two()\n    three(%d)\n\n\n"
    old = b"".join(block % (number, number * differ) for number in range(4))
    start = commit(repo, git_in, {"f": old})
    commit(repo, git_in, {"f": old.replace(b"def f2", block % (9, 9 * differ) + b"def f2")})
    left_off = rb"(?m)^index.*\n" if git else rb"(?m)^(diff|index).*\n"
    patch = re.sub(left_off, b"", git_in(repo, "diff", start, "HEAD"))
    wanted = (repo / "f").read_bytes()
    git_in(repo, "reset", "-q", "--hard", start)
    for _ in range(2):
        all_taken(reviewed, patch)
        assert (repo / "f").read_bytes() == wanted
    assert all(chunk["present"] for chunk in reviewed.list("-", stdin=patch)["chunks"])


EDGES = {
    "a line at the beginning": (ROWS, b"new\n" + ROWS),
    "a line at the end": (ROWS, ROWS + b"new\n"),
    "lines gone from the beginning": (ROWS, ROWS.split(b"\n", 2)[2]),
    "lines gone from the end": (ROWS, ROWS[: ROWS.rindex(b"v58")]),
    "both ends": (ROWS, b"new\n" + ROWS + b"new\n"),
}


@pytest.mark.parametrize("case", EDGES)
@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("by_hand", [True, False])
def test_what_comes_or_goes_at_an_edge_of_a_file_is_taken_once(
    repo: Path, git_in: GitIn, reviewed: Reviewed, case: str, git: bool, by_hand: bool
) -> None:
    """The context is on one side only: found anywhere but at the edge, it is not the place."""
    old, new = EDGES[case]
    start = commit(repo, git_in, {"f": old})
    commit(repo, git_in, {"f": new.replace(b"v30 =", b"changed =")})
    patch = git_in(repo, "diff", start, "HEAD")
    wanted = (repo / "f").read_bytes()
    patch = re.sub(rb"(?m)^index.*\n" if git else rb"(?m)^(diff|index).*\n", b"", patch)
    git_in(repo, "reset", "-q", "--hard", start)
    if by_hand:
        (repo / "f").write_bytes(old.replace(b"v30 =", b"changed ="))
    all_taken(reviewed, patch)
    assert (repo / "f").read_bytes() == wanted
    assert all(chunk["present"] for chunk in reviewed.list("-", stdin=patch)["chunks"])
    all_taken(reviewed, patch)
    assert (repo / "f").read_bytes() == wanted


def test_a_patch_without_known_blobs_is_taken_hunk_by_hunk(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes]
) -> None:
    start = commit(repo, git_in, {"f": ROWS})
    end = commit(
        repo,
        git_in,
        {"f": ROWS.replace(b"v5 =", b"v =").replace(b"v30 =", b"x\nv =").replace(b"v50 =", b"v =")},
    )
    patch = re.sub(rb"(?m)^(diff|index).*\n", b"", git_in(repo, "diff", start, end))
    git_in(repo, "reset", "-q", "--hard", start)
    ids = reviewed.ids("-", stdin=patch)
    assert len(ids) == 3
    for number in (1, 0, 2):
        assert reviewed.ids("-", stdin=patch) == ids
        result, _ = reviewed.decide("-", [ids[number]], stdin=patch)
        assert result["applied"] == [ids[number]]
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()
    assert all(chunk["present"] for chunk in reviewed.list("-", stdin=patch)["chunks"])


@pytest.mark.parametrize("first", [0, 1])
def test_lines_and_mode_of_a_patch_are_taken_one_after_the_other(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes], first: int
) -> None:
    start = commit(repo, git_in, {"f": ROWS, "g": b"g\n"})
    (repo / "f").chmod(0o755)
    (repo / "g").chmod(0o755)
    end = commit(repo, git_in, {"f": ROWS.replace(b"v5 =", b"v =")})
    patch = re.sub(rb"(?m)^index .*\n", b"", git_in(repo, "diff", start, end))
    git_in(repo, "reset", "-q", "--hard", start)
    ids = reviewed.ids("-", stdin=patch)
    assert len(ids) == 3
    order = ids[first:] + ids[:first]
    for chunk in order:
        assert reviewed.ids("-", stdin=patch) == ids
        reviewed.decide("-", [chunk], stdin=patch)
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("f.orig", "f", "f"),
        ("f", "f.new", "f"),
        ("a/f", "b/f", "f"),
        ("old/f", "new/f", "f"),
        ("f", "g", "f"),
    ],
)
def test_a_patch_of_two_names_is_of_the_file_that_is_there(
    repo: Path, git_in: GitIn, reviewed: Reviewed, old: str, new: str, named: str
) -> None:
    commit(repo, git_in, {named: b"1\n2\n3\n"})
    patch = f"--- {old}\t2020-01-01 00:00:00\n+++ {new}\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"
    all_taken(reviewed, patch.encode())
    assert (repo / named).read_bytes() == b"1\ntwo\n3\n"
    assert git_in(repo, "status", "--porcelain") == f" M {named}\n".encode()


def hunk(path: str, new: str, old: str = "1") -> str:
    return f"--- {path}\n+++ {path}\n@@ -1 +1 @@\n-{old}\n+{new}\n"


def test_a_patch_between_two_unpacked_releases_makes_and_deletes_files_below_neither(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {"src/f": b"1\n", "gone": b"g\n"})
    patch = (
        "--- /dev/null\n+++ tool-1.0/src/made\n@@ -0,0 +1 @@\n+m\n"
        "--- tool-1.0.orig/src/f\n+++ tool-1.0/src/f\n@@ -1 +1 @@\n-1\n+2\n"
        "--- tool-1.0.orig/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-g\n"
    )
    all_taken(reviewed, patch.encode())
    assert git_in(repo, "status", "--porcelain", "-uall") == b" D gone\n M src/f\n?? src/made\n"


@pytest.mark.parametrize("top", ["tool/", "trunk/tool/", "./", "././tool/"])
def test_a_folder_that_the_repository_does_not_have_is_no_part_of_a_name(
    repo: Path, git_in: GitIn, reviewed: Reviewed, top: str
) -> None:
    commit(repo, git_in, {"src/f": b"1\n", "g": b"1\n"})
    patch = (
        hunk(f"{top}src/f", "2") + hunk(f"{top}g", "3") + f"--- /dev/null\n+++ {top}new\n@@ -0,0 +1 @@\n+n\n"
    )
    all_taken(reviewed, patch.encode())
    assert git_in(repo, "status", "--porcelain") == b" M g\n M src/f\n?? new\n"


@pytest.mark.parametrize(
    ("files", "patch", "left_out"),
    [
        ({"f": b"1\n", "docs/x": b"x\n"}, hunk("docs/f", "2"), ["docs/f"]),
        ({"f": b"1\n", "docs/x": b"1\n"}, hunk("docs/f", "2") + hunk("docs/x", "2"), ["docs/f"]),
        ({"f": b"1\n"}, hunk("docs/f", "2") + hunk("docs/g", "2"), ["docs/f", "docs/g"]),
        ({"f": b"1\n"}, hunk("../f", "2"), ["../f"]),
        ({"f": b"1\n"}, hunk("/f", "2"), ["/f"]),
        ({"f": b"1\n"}, "--- /dev/null\n+++ docs/f\n@@ -0,0 +1 @@\n+1\n" + hunk("docs/f", "2"), []),
    ],
    ids=[
        "a folder that is there",
        "a file that is there",
        "a file that is nowhere",
        "above",
        "absolute",
        "made before",
    ],
)
def test_a_name_keeps_a_folder_that_may_be_meant(
    repo: Path, git_in: GitIn, reviewed: Reviewed, files: dict[str, bytes], patch: str, left_out: list[str]
) -> None:
    commit(repo, git_in, files)
    found = reviewed.list("-", stdin=patch.encode())
    assert [item["path"] for item in found["left_out"]] == left_out
    assert "f" not in [path for chunk in found["chunks"] for path in chunk["paths"]]


def test_a_patch_of_a_file_that_is_not_there_makes_it_where_it_says_that_nothing_was(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {"empty": b"", "full": b"1\n"})
    heads = [f"--- a/{name}\n+++ b/{name}\n" for name in ("new", "empty")]
    all_taken(reviewed, "".join(head + "@@ -0,0 +1 @@\n+n\n" for head in heads).encode())
    assert [(repo / name).read_bytes() for name in ("new", "empty", "full")] == [b"n\n", b"n\n", b"1\n"]
    found = reviewed.list("-", stdin=b"--- a/full\n+++ b/full\n@@ -0,0 +1 @@\n+n\n")
    assert [item["path"] for item in found["left_out"]] == ["full"]


@pytest.mark.parametrize("options", [["--relative"], ["--relative", "--no-prefix"]])
def test_a_patch_may_be_told_from_where_one_stands(
    repo: Path, git_in: GitIn, reviewed: Reviewed, options: list[str]
) -> None:
    start = commit(repo, git_in, {"src/f": b"1\n", "src/in/g": b"1\n"})
    end = commit(repo, git_in, {"src/f": b"2\n", "src/in/g": b"2\n", "src/new": b"n\n"})
    patch = git_in(repo / "src", "diff", *options, start, end)
    git_in(repo, "reset", "-q", "--hard", start)
    reviewed.cwd = repo / "src"
    all_taken(reviewed, patch)
    assert git_in(repo, "add", "-A") + git_in(repo, "write-tree") == git_in(
        repo, "rev-parse", f"{end}^{{tree}}"
    )


@pytest.mark.parametrize("known", ["head", "foot"])
def test_a_hunk_is_as_far_off_as_the_one_before_it_or_the_next(
    repo: Path, git_in: GitIn, reviewed: Reviewed, known: str
) -> None:
    block = b"begin\nstep\nend\n"
    same = block * 4
    text = b"head\n" + same + b"foot\n"
    wanted = text.replace(same, block * 2 + block.replace(b"step", b"stop") + block)
    wanted = wanted.replace(known.encode(), known.upper().encode())
    start = commit(repo, git_in, {"f": text})
    end = commit(repo, git_in, {"f": wanted})
    patch = re.sub(rb"(?m)^(index|diff) .*\n", b"", git_in(repo, "diff", "-U1", start, end))
    git_in(repo, "reset", "-q", "--hard", start)
    more = b"new\nlines\n\n\n"
    put(repo, {"f": more + text})
    all_taken(reviewed, patch)
    assert (repo / "f").read_bytes() == more + wanted
    put(repo, {"f": more + text.replace(known.encode(), b"gone")})
    assert [item["path"] for item in reviewed.list("-", stdin=patch)["left_out"]] == ["f"]


def test_a_file_that_a_patch_dates_to_the_epoch_is_not_there(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {"gone": b"g\n"})
    epoch = "1970-01-01 00:00:00.000000000 +0000"
    patch = f"--- a/new\t{epoch}\n+++ b/new\t2020-01-01\n@@ -0,0 +1 @@\n+n\n"
    patch += f"--- a/gone\t2020-01-01\n+++ b/gone\t{epoch}\n@@ -1 +0,0 @@\n-g\n"
    all_taken(reviewed, patch.encode())
    assert not (repo / "gone").exists()
    assert (repo / "new").read_bytes() == b"n\n"


def test_an_empty_file_is_not_there_where_another_one_of_its_name_is(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    start = commit(repo, git_in, {"a": b"a\n"})
    end = commit(repo, git_in, {"empty": b""})
    git_in(repo, "reset", "-q", "--hard", start)
    put(repo, {"empty": b"mine\n"})
    (chunk,) = reviewed.list(end)["chunks"]
    assert not chunk["present"]
    assert reviewed.decide(end, [chunk["id"]])[0]["outcome"] != "applied"
    assert (repo / "empty").read_bytes() == b"mine\n"


def test_a_patch_of_one_line_without_an_end_gets_the_line_ends_of_the_work_tree(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {".gitattributes": b"* text=auto eol=crlf\n", "a": b"one"})
    start = git_in(repo, "rev-parse", "HEAD").decode().strip()
    end = commit(repo, git_in, {"a": b"one\r\ntwo\r\n"})
    patch = git_in(repo, "diff", start, end)
    git_in(repo, "reset", "-q", "--hard", start)
    all_taken(reviewed, patch)
    assert (repo / "a").read_bytes() == b"one\r\ntwo\r\n"


def test_a_patch_of_a_file_in_another_encoding_is_left_out_by_name(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    start = commit(repo, git_in, {".gitattributes": b"*.u16 working-tree-encoding=UTF-16LE\n"})
    end = commit(repo, git_in, {"new.u16": "h\u00e9llo\n".encode("utf-16-le"), "b": b"b\n"})
    patch = git_in(repo, "diff", start, end)
    git_in(repo, "reset", "-q", "--hard", start)
    found = reviewed.list("-", stdin=patch)
    assert [(out["path"], "UTF-16LE" in out["reason"]) for out in found["left_out"]] == [("new.u16", True)]
    reviewed.decide(end, reviewed.ids(end))
    assert (repo / "new.u16").read_bytes() == "h\u00e9llo\n".encode("utf-16-le")


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (b"1\n2x\n3\n4\n", "the most similar ones begin at line"),
        (b"a\n", "these lines are not in the file"),
        (b"1\n2\n3\n" * 2, "2 times"),
    ],
)
def test_why_a_patch_does_not_fit_is_half_a_line_for_a_person(
    repo: Path, git_in: GitIn, reviewed: Reviewed, now: bytes, reason: str
) -> None:
    commit(repo, git_in, {"f": now})
    patch = b"--- a/f\n+++ b/f\n@@ -9,3 +9,3 @@\n 1\n-2\n+two\n 3\n"
    (out,) = reviewed.list("-", stdin=patch)["left_out"]
    assert reason in out["reason"]
    assert "\n" not in out["reason"]
    assert "you" not in out["reason"]


def test_a_huge_file_that_git_does_not_know_is_left_out(
    repo: Path, git_in: GitIn, reviewed: Reviewed
) -> None:
    commit(repo, git_in, {"a": b"a\n"})
    with (repo / "huge").open("wb") as huge:
        huge.truncate(MAX_UNTRACKED_BYTES + 1)
    put(repo, {"b": b"b\n"})
    found = reviewed.list(None)
    assert [chunk["paths"] for chunk in found["chunks"]] == [["b"]]
    assert [(out["path"], "larger than 20 MB" in out["reason"]) for out in found["left_out"]] == [
        ("huge", True)
    ]


def test_a_patch_that_made_a_folder_of_a_file_is_known_again(
    repo: Path, git_in: GitIn, reviewed: Reviewed, tree_of: Callable[[Path], bytes]
) -> None:
    start = commit(repo, git_in, {"b": b"b\n"})
    (repo / "b").unlink()
    end = commit(repo, git_in, {"b/c": b"c\n"})
    patch = git_in(repo, "diff", start, end)
    git_in(repo, "reset", "-q", "--hard", start)
    all_taken(reviewed, patch)
    assert tree_of(repo) == git_in(repo, "rev-parse", f"{end}^{{tree}}").strip()
    again = reviewed.list("-", stdin=patch)
    assert again["left_out"] == []
    assert [chunk["present"] for chunk in again["chunks"]] == [True, True]
