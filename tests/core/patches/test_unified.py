"""Reading and printing patches, against git itself and by random trial."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.hunk import FileState, Mode, Write
from agent.core.patches.begin_patch import parse_begin_patch
from agent.core.patches.patch import (
    BinaryPatch,
    BinaryPiece,
    FilePatch,
    LineKind,
    Patch,
    PatchError,
    PatchHunk,
    PatchLine,
)
from agent.core.patches.unified import parse, print_patch, print_writes
from agent.core.replies.reply import Resolved, resolve_patch
from agent.core.text import name_from_bytes, name_to_bytes

Git = Callable[..., bytes]

# --- values for parse(print(x)) == x

names = st.one_of(
    st.sampled_from(
        ["a.txt", "b/c.py", "mit leer zeichen", "tab\there", 'quo"te', "ümlaut", "new\nline", "a/b"]
    ),
    st.binary(min_size=1, max_size=8)
    .filter(lambda raw: b"\0" not in raw and b"/" not in raw)
    .map(name_from_bytes),
)
bodies = st.binary(max_size=6).map(lambda raw: raw.replace(b"\n", b"") + b"\n")


@st.composite
def hunks(draw: st.DrawFn) -> PatchHunk:
    kinds = draw(st.lists(st.sampled_from(list(LineKind)), min_size=1, max_size=6))
    lines = [PatchLine(kind, draw(bodies)) for kind in kinds]
    for kind in LineKind:
        last = max((i for i, line in enumerate(lines) if line.kind is kind), default=-1)
        if last == len(lines) - 1 and draw(st.booleans()):
            lines[last] = PatchLine(kind, lines[last].data.removesuffix(b"\n"))
    section = draw(st.sampled_from([b"", b"def f():", b"\xff @@ x"]))
    return PatchHunk(tuple(lines), draw(st.integers(0, 99)), draw(st.integers(0, 99)), section)


@st.composite
def file_patches(draw: st.DrawFn) -> FilePatch:
    name = draw(names)
    shape = draw(st.sampled_from(["modify", "create", "delete", "rename", "copy", "mode", "binary"]))
    body = tuple(draw(st.lists(hunks(), min_size=1, max_size=2)))
    blobs = draw(st.sampled_from([("", ""), ("1234567", "89abcde")]))
    match shape:
        case "modify":
            mode = draw(st.sampled_from([None, Mode.FILE])) if blobs[0] else None
            return FilePatch(name, name, body, mode, mode, old_blob=blobs[0], new_blob=blobs[1], git=True)
        case "create":
            return FilePatch(None, name, body, None, Mode.EXECUTABLE, git=True)
        case "delete":
            return FilePatch(name, None, body, Mode.FILE, None, git=True)
        case "rename" | "copy":
            moved = shape == "rename"
            return FilePatch(name, "to " + name, body, rename=moved, copy=not moved, similarity=90, git=True)
        case "mode":
            return FilePatch(name, name, (), Mode.FILE, Mode.EXECUTABLE, git=True)
        case _:
            data = draw(st.binary(max_size=300))
            binary = BinaryPatch(BinaryPiece(data), BinaryPiece(b"", delta=True))
            full = ("1" * 40, "2" * 40)
            return FilePatch(name, name, binary=binary, old_blob=full[0], new_blob=full[1], git=True)


plain_patches = st.builds(
    lambda name, body: FilePatch(name, name, tuple(body)), names, st.lists(hunks(), min_size=1, max_size=2)
)
patches = st.one_of(
    [st.lists(kind, min_size=1, max_size=3).map(tuple).map(Patch) for kind in (file_patches(), plain_patches)]
)


@given(patches)
@settings(max_examples=150)
def test_a_printed_patch_is_read_back_the_same(patch: Patch) -> None:
    assert parse(print_patch(patch)) == patch


PIECES = [
    b"diff --git a/x b/x\n", b"--- a/x\n", b"+++ b/x\n", b"@@ -1,2 +1 @@\n", b"@@ -1,999999999 +1 @@\n", b" a\n", b"-b\n",
    b"+c\n", b"\\ No newline\n", b"GIT binary patch\n", b"literal 9\n", b"zcmV\n", b"index 1234567..89abcde 100644\n",
    b"rename from q\n", b"new file mode 100644\n", b"```diff\n", b"-- \n", b"\r\n", b"\xff", b"*** Begin Patch\n",
    b"*** Update File: x\n", b'--- "a/\\', b"@@\n", b"...\n",
]  # fmt: skip


@given(st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join)))
@settings(max_examples=150)
def test_whatever_is_read_nothing_is_raised(x: bytes) -> None:
    for lenient in (True, False):
        patch = parse(x, lenient=lenient)
        if isinstance(patch, Patch):
            resolve_patch(patch, lambda path: FileState(Mode.FILE, b" a\nb\n"))
        else:
            assert patch.line >= 1
    parse_begin_patch(x.decode("utf-8", "replace"))


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_reading_takes_linear_time(piece: bytes) -> None:
    start = time.process_time()
    parse(b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n" + piece * 20_000)
    parse((b"--- a/x\n+++ b/x\n@@ -1,99999 +1,99999 @@\n" + piece) * 8_000)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "head", [b"", b"From 0000 Mon Sep 17 00:00:00 2001\nSubject: x\n\n"], ids=["plain", "mail"]
)
def test_many_files_are_read_in_linear_time(head: bytes) -> None:
    file = b"--- a/x\n+++ b/x\n@@ -1,20 +1,21 @@\n" + b" line\n" * 20 + b"+new\n"
    start = time.process_time()
    patch = parse(head + file * 20_000)
    assert time.process_time() - start < 4
    assert isinstance(patch, Patch)
    assert len(patch.files) == 20_000


# --- against git

TREES: dict[str, tuple[dict[str, tuple[int, bytes]], dict[str, tuple[int, bytes]]]] = {
    "modify": ({"f": (0o644, b"1\n2\n3\n4\n5\n")}, {"f": (0o644, b"1\n2\nx\n4\n5\n")}),
    "no newline": ({"f": (0o644, b"1\n2")}, {"f": (0o644, b"1\n3")}),
    "newline added": ({"f": (0o644, b"1\n2")}, {"f": (0o644, b"1\n2\n")}),
    "crlf": ({"f": (0o644, b"1\r\n2\r\n")}, {"f": (0o644, b"1\r\n3\r\n")}),
    "create and delete": ({"d/f": (0o644, b"1\n")}, {"g": (0o755, b"2\n")}),
    "empty files": ({"f": (0o644, b"")}, {"g": (0o644, b"")}),
    "mode": ({"f": (0o644, b"1\n")}, {"f": (0o755, b"1\n")}),
    "mode and text": ({"f": (0o644, b"1\n")}, {"f": (0o755, b"2\n")}),
    "binary": ({"f": (0o644, bytes(range(256)) * 3)}, {"f": (0o644, b"\0new" * 99)}),
    "binary new": ({"x": (0o644, b"")}, {"x": (0o644, b""), "f": (0o644, b"\0\1\2")}),
    "binary delta": (
        {"f": (0o644, bytes(range(256)) * 99)},
        {"f": (0o644, bytes(range(256)) * 99 + b"\0end")},
    ),
    "rename": ({"a b": (0o644, b"1\n2\n3\n4\n5\n6\n7\n")}, {"c/ü\n": (0o644, b"1\n2\n3\n4\n5\n6\n8\n")}),
    "copy": ({"a": (0o644, b"1\n2\n3\n4\n")}, {"a": (0o644, b"1\n2\n3\n4\n"), "b": (0o755, b"1\n2\n3\n5\n")}),
    "odd names": ({'"q"': (0o644, b"1\n")}, {'"q"': (0o644, b"2\n"), "t\tb": (0o644, b"x\n")}),
    "bytes in name": ({}, {"a\udcff b": (0o644, b"x\n"), "sp ace": (0o644, b"y\n")}),
    "not utf-8": ({"f": (0o644, b"\xff1\n\xfe2\n")}, {"f": (0o644, b"\xff1\n\xfe3\n")}),
    "many hunks": (
        {"f": (0o644, b"".join(b"%d\n" % n for n in range(90)))},
        {"f": (0o644, b"".join(b"%d\n" % (n if n % 30 else -n) for n in range(91)))},
    ),
    "link": ({"l": (0o120000, b"a")}, {"l": (0o120000, b"b/c")}),
    "link to file": ({"l": (0o120000, b"a")}, {"l": (0o644, b"text\n")}),
    "minus lines": ({"f": (0o644, b"-- x\n++ y\nz\n")}, {"f": (0o644, b"z\n-- \n")}),
}


def fill(root: Path, tree: dict[str, tuple[int, bytes]]) -> None:
    import os

    for entry in sorted(root.rglob("*"), reverse=True):
        if ".git" not in entry.parts:
            entry.rmdir() if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for name, (mode, data) in tree.items():
        path = os.path.join(os.fsencode(root), name_to_bytes(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if mode == 0o120000:
            os.symlink(data, path)
        else:
            Path(os.fsdecode(path)).write_bytes(data)
            os.chmod(path, mode)


def states(tree: dict[str, tuple[int, bytes]]) -> dict[str, FileState]:
    return {
        name: FileState(mode if mode == 0o120000 else 0o100000 | mode, data)
        for name, (mode, data) in tree.items()
    }


OPTIONS: list[tuple[str, ...]] = [
    (),
    ("-M", "--full-index"),
    ("-U0",),
    ("--no-renames",),
    ("-C", "--find-copies-harder"),
]


@pytest.mark.parametrize("case", TREES)
def test_what_git_prints_is_read_and_gives_the_same_files(repo: Path, git_in: Git, case: str) -> None:
    old, new = TREES[case]
    for tree in (old, new):
        fill(repo, tree)
        git_in(repo, "add", "-A")
        git_in(repo, "commit", "-qm", "state", "--allow-empty")
    before = states(old)
    mail = git_in(repo, "format-patch", "--stdout", "--binary", "HEAD~1")
    for text in (
        mail,
        *(git_in(repo, "diff", "--binary", *options, "HEAD~1", "HEAD") for options in OPTIONS),
    ):
        for source in (text, b"Some words.\n\n```diff\n" + text + b"```\nMore words.\n"):
            resolved = resolve_patch(parse_ok(source), before.get)
            assert isinstance(resolved, Resolved), resolved
            after = {path: state for path, state in {**before, **resolved.after}.items() if state}
            assert after == states(new)
        assert parse(print_patch(parse_ok(text))) == parse(text)


def parse_ok(text: bytes) -> Patch:
    patch = parse(text)
    assert isinstance(patch, Patch)
    return patch


@pytest.mark.parametrize("context", [0, 3])
@pytest.mark.parametrize("case", TREES)
def test_git_takes_what_is_printed(repo: Path, git_in: Git, case: str, context: int) -> None:
    old, new = TREES[case]
    fill(repo, old)
    git_in(repo, "add", "-A")
    git_in(repo, "commit", "-qm", "old", "--allow-empty")
    before, after = states(old), states(new)
    paths = sorted({*before, *after}, key=name_to_bytes)
    printed = print_writes([Write(path, before.get(path), after.get(path)) for path in paths], context)
    git_in(repo, "apply", "--index", *([] if context else ["--unidiff-zero"]), "-", stdin=printed)
    got = git_in(repo, "write-tree")
    fill(repo, new)
    git_in(repo, "add", "-A")
    assert got == git_in(repo, "write-tree")


def test_a_text_that_keeps_its_mode_says_nothing_of_it() -> None:
    write = Write("a", FileState(0o100755, b"1\n"), FileState(0o100755, b"2\n"))
    assert print_writes([write]) == b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n"


# --- what is wrong is said


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (b"", 1, "a unified diff"),
        (b"hello\nworld\n", 1, "a unified diff"),
        (b"@@ -1 +1 @@\n-a\n+b\n", 1, "before the hunk"),
        (b"--- a/x\n+++ b/x\nhello\n", 3, "a hunk"),
        (b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n", 7, "as many lines"),
        (b"diff --git a/x b/x\nGIT binary patch\nliteral 5\nzzzz\n\n", 4, "base 85"),
        (b"diff --git a/x b/x\nGIT binary patch\nliteral 5\n\n", 3, "5 bytes"),
        (b"diff --git what is this\n", 1, "two names"),
        (b"diff --cc x\n--- a/x\n+++ b/x\n@@@ -1 -1 +1 @@@\n++x\n", 4, "combined diff"),
    ],
)
def test_an_error_names_the_line_and_what_was_expected(text: bytes, line: int, expected: str) -> None:
    error = parse(text)
    assert isinstance(error, PatchError)
    assert error.line == line
    assert expected in error.message


def test_a_small_text_does_not_become_a_huge_one() -> None:
    from agent.core.patches.binary import encode_lines

    bomb = b"".join(line + b"\n" for line in encode_lines(bytes(3_000_000)))
    text = b"diff --git a/x b/x\nindex %s..%s\nGIT binary patch\nliteral 10\n%s\n" % (
        b"1" * 40,
        b"2" * 40,
        bomb,
    )
    assert isinstance(parse(text), PatchError)


def apply_to(base: str, text: str) -> str | tuple[str, ...]:
    patch = parse(text.encode())
    assert isinstance(patch, Patch), patch
    resolved = resolve_patch(patch, {"x": FileState(Mode.FILE, base.encode())}.get)
    if not isinstance(resolved, Resolved):
        return tuple(problem.message for problem in resolved)
    state = resolved.after["x"]
    assert state is not None
    return state.data.decode()


GIT = "diff --git a/x b/x\n--- a/x\n+++ b/x\n"


def test_a_git_hunk_stands_where_it_says_or_at_the_only_other_place() -> None:
    hunk = "@@ -2,3 +2,3 @@\n a\n-b\n+B\n c\n"
    assert apply_to("0\na\nb\nc\n", GIT + hunk) == "0\na\nB\nc\n"
    assert apply_to("a\nb\nc\n", GIT + hunk) == "a\nB\nc\n"
    assert apply_to("0\na\nb\nc\na\nb\nc\n", GIT + hunk) == "0\na\nB\nc\na\nb\nc\n"
    assert "several places" in apply_to("a\nb\nc\na\nb\nc\n", GIT + hunk)[0]
    assert "not in the file" in apply_to("a\nb \nc\n", GIT + hunk)[0]


def test_lines_without_any_context_are_not_put_anywhere() -> None:
    assert "not in the file" in apply_to("a\nb\n", GIT + "@@ -1,0 +2 @@\n+x\n")[0]


def test_other_first_folders_are_left_off_when_nothing_else_differs() -> None:
    file = parse_ok(
        b"--- old/src/x.c\t2026-01-01 10:00\n+++ new/src/x.c\t2026-01-02 10:00\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert (file.files[0].old_path, file.files[0].new_path) == ("src/x.c", "src/x.c")


TWO = (
    b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
    b"diff --git a/g b/g\n--- a/g\n+++ b/g\n@@ -1 +1 @@\n-x\n+y\n"
)


@pytest.mark.parametrize("line", range(4, 8))
@pytest.mark.parametrize("head", [b"diff --git a/f b/f\n", b""], ids=["git", "plain"])
def test_a_hunk_that_lost_a_line_is_refused_wherever_it_stands(line: int, head: bytes) -> None:
    lines = TWO.split(b"\n")
    damaged = b"\n".join(lines[:line] + lines[line + 1 :]).replace(b"diff --git a/f b/f\n", head)
    assert isinstance(parse(damaged), PatchError)
    assert not isinstance(parse(damaged, lenient=True), PatchError)


def test_a_patch_that_was_saved_with_windows_line_ends_is_read_as_it_was() -> None:
    assert parse(TWO.replace(b"\n", b"\r\n")) == parse(TWO)


def test_names_that_the_message_of_a_mail_quotes_are_text() -> None:
    mail = b"From 0123456789 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] x\n\n--- a/f\n+++ b/f\nwere the names\n---\n"
    assert parse(mail + TWO) == parse(TWO)
    assert isinstance(parse(mail), PatchError)


@pytest.mark.parametrize("name", ["src/f", "my folder/my file", "f", "old/x"])
@pytest.mark.parametrize("prefixes", [("old/", "new/"), ("x/", "yy/"), ("", ""), ("a/", "b/")])
def test_files_that_come_and_go_lose_the_same_first_folder_as_the_others(
    repo: Path, git_in: Git, name: str, prefixes: tuple[str, str]
) -> None:
    if " " in name and len(prefixes[0]) != len(prefixes[1]):
        return  # where the first of two such names ends cannot be told, also not by git
    for data in (None, b"one\n", b"two\n", None):
        fill(repo, {"other": (Mode.FILE, b"x\n")} | ({} if data is None else {name: (Mode.FILE, data)}))
        git_in(repo, "add", "-A")
        git_in(repo, "commit", "-qm", "state", "--allow-empty")
    first, second = prefixes
    options = [f"--src-prefix={first}", f"--dst-prefix={second}"]
    for at, wanted in ((2, (None, name)), (1, (name, name)), (0, (name, None))):
        text = git_in(repo, "diff", *options, f"HEAD~{at + 1}", f"HEAD~{at}")
        (file,) = parse_ok(text).files
        assert (file.old_path, file.new_path) == wanted


def test_subversion_marks_files_that_come_and_go() -> None:
    text = (
        b"Index: new\n===\n--- new\t(nonexistent)\n+++ new\t(working copy)\n@@ -0,0 +1 @@\n+x\n"
        b"Index: old\n===\n--- old\t(revision 3)\n+++ old\t(nonexistent)\n@@ -1 +0,0 @@\n-x\n"
    )
    new, old = parse_ok(text).files
    assert (new.old_path, new.new_path) == (None, "new")
    assert (old.old_path, old.new_path) == ("old", None)


def test_context_behind_the_end_of_a_hunk_and_lines_without_their_blank_harm_nothing() -> None:
    head, tail = b"--- a/f\n+++ b/f\n", b"--- a/g\n+++ b/g\n@@ -1 +1 @@\n-1\n+2\n"
    whole = b"@@ -1,3 +1,3 @@\n \ta\n-b\n+c\n \n"
    plain = parse_ok(head + whole + tail)
    assert parse(head + whole + b" \n" + tail) == plain
    assert parse(head + whole + b" \n more\n" + whole.replace(b"-1", b"-9") + tail) == parse(
        head + whole + whole.replace(b"-1", b"-9") + tail
    )
    assert parse(head + whole.replace(b" \ta", b"\ta").replace(b" \n", b"\n") + tail) == plain
    for more in (b" \n+d\n", b"-d\n", b" x\n-d\n"):
        assert isinstance(parse(head + whole + more + tail), PatchError)
