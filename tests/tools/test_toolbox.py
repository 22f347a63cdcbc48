from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.hunk import FileState, Mode
from agent.ports import Cancel, ToolOutput
from agent.tools import reading
from agent.tools.toolbox import Tools
from agent.tools.worktree import WorkTree

GitIn = Callable[..., bytes]


def call(tools: Tools, name: str, **arguments: object) -> ToolOutput:
    return tools.run(name, json.dumps(arguments), Cancel())


def test_a_file_is_shown_verbatim_under_a_line_that_says_what_it_is(repo: Path, tools: Tools) -> None:
    (repo / "a.py").write_bytes(b"def f():\n\treturn 1  \n")
    output = call(tools, "read", path="a.py")
    assert output.content == "a.py, all 2 lines:\ndef f():\n\treturn 1  "
    assert output.read == {"a.py": FileState(Mode.FILE, b"def f():\n\treturn 1  \n").digest}
    assert not output.is_error


def test_a_range_says_where_it_stands_in_the_file(repo: Path, tools: Tools) -> None:
    (repo / "a.txt").write_text("".join(f"line {n}\n" for n in range(1, 51)))
    output = call(tools, "read", path="a.txt:10-12")
    assert output.content == "a.txt, lines 10-12 of 50:\nline 10\nline 11\nline 12"
    assert call(tools, "read", path="a.txt:49-").content == "a.txt, lines 49-50 of 50:\nline 49\nline 50"
    assert call(tools, "read", path="a.txt:7").content == "a.txt, lines 7-7 of 50:\nline 7"
    assert call(tools, "read", path="a.txt:60-70").is_error


def test_a_long_file_is_capped_and_says_what_was_left_out(repo: Path, tools: Tools) -> None:
    (repo / "long.txt").write_text("".join(f"{n}\n" for n in range(1, 1001)))
    content = call(tools, "read", path="long.txt").content
    assert content.startswith(f"long.txt, lines 1-{reading.LINES} of 1000:")
    assert content.endswith("[left out: lines 501-1000; read long.txt:501-1000]")


def test_a_very_long_line_is_cut_and_says_so(repo: Path, tools: Tools) -> None:
    (repo / "min.js").write_text("x" * 100_000)
    content = call(tools, "read", path="min.js").content
    assert len(content) < 3000
    assert "[left out: 98000 characters of this line]" in content


@pytest.mark.parametrize(
    "spelling", ["./src/a.py", "src//a.py", "src/../src/a.py", "`src/a.py`", " src/a.py "]
)
def test_other_spellings_of_a_path_are_understood(repo: Path, tools: Tools, spelling: str) -> None:
    (repo / "src").mkdir()
    (repo / "src" / "a.py").write_text("x = 1\n")
    assert "x = 1" in call(tools, "read", path=spelling).content


def test_an_absolute_path_inside_is_understood(repo: Path, tools: Tools) -> None:
    (repo / "a.py").write_text("x = 1\n")
    assert "x = 1" in call(tools, "read", path=str(repo / "a.py")).content


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "a/../../secret.txt", "", "..", "a\0b"])
@pytest.mark.parametrize("name", ["read", "outline"])
def test_nothing_outside_is_read(repo: Path, tools: Tools, path: str, name: str) -> None:
    (repo.parent / "secret.txt").write_text("outside\n")
    assert "outside" not in call(tools, name, path=path).content


def test_a_link_is_named_and_not_followed(repo: Path, tools: Tools) -> None:
    (repo.parent / "secret.txt").write_text("outside\n")
    (repo / "link.txt").symlink_to("../secret.txt")
    output = call(tools, "read", path="link.txt")
    assert "symbolic link to ../secret.txt" in output.content
    assert "outside" not in output.content


def test_a_folder_that_became_a_link_leads_nowhere(repo: Path, tools: Tools, git_in: GitIn) -> None:
    (repo / "d").mkdir()
    (repo / "d" / "a.txt").write_text("needle\n")
    git_in(repo, "add", ".")
    outside = repo.parent / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("needle outside\n")
    (repo / "d" / "a.txt").unlink()
    (repo / "d").rmdir()
    (repo / "d").symlink_to(outside)
    assert "outside" not in call(tools, "read", path="d/a.txt").content.replace("outside the", "")
    assert "needle outside" not in call(tools, "search", text="needle", path="").content


@pytest.mark.parametrize("path", [".env", "deploy/.env.prod", "id_rsa", "certs/server.key"])
def test_files_that_hold_keys_are_withheld_and_counted(repo: Path, tools: Tools, path: str) -> None:
    (repo / path).parent.mkdir(exist_ok=True)
    (repo / path).write_text("TOPSECRET=1\n")
    output = call(tools, "read", path=path)
    assert output.withheld == 1
    assert "TOPSECRET" not in output.content
    assert call(tools, "search", text="TOPSECRET", path="").withheld == 1
    assert "TOPSECRET=1" not in call(tools, "search", text="TOPSECRET", path="").content
    assert call(tools, "outline", path="").withheld == 1


def test_ignored_files_are_withheld_and_counted(repo: Path, tools: Tools) -> None:
    (repo / ".gitignore").write_text("build/\n")
    (repo / "build").mkdir()
    (repo / "build" / "out.txt").write_text("generated\n")
    output = call(tools, "read", path="build/out.txt")
    assert (output.withheld, "generated" in output.content) == (1, False)
    assert "build" not in call(tools, "outline", path="").content
    assert "out.txt" not in call(tools, "search", text="generated", path="").content


def test_an_ignored_file_that_is_tracked_is_shown(repo: Path, tools: Tools, git_in: GitIn) -> None:
    (repo / ".gitignore").write_text("*.txt\n")
    (repo / "a.txt").write_text("kept\n")
    git_in(repo, "add", "-f", "a.txt")
    assert "kept" in call(tools, "read", path="a.txt").content


def test_the_git_folder_is_never_shown(repo: Path, tools: Tools) -> None:
    output = call(tools, "read", path=".git/config")
    assert (output.is_error, "core" in output.content) == (True, False)


def test_a_token_inside_a_file_is_withheld_and_the_rest_is_shown(repo: Path, tools: Tools) -> None:
    token = "ghp_" + "a1B2" * 9
    (repo / "conf.py").write_text(f'NAME = "x"\nTOKEN = "{token}"\n')
    output = call(tools, "read", path="conf.py")
    assert (
        output.content
        == 'conf.py, all 2 lines, 1 withheld as secret:\nNAME = "x"\nTOKEN = "[withheld: 1 secret]"'
    )
    assert output.withheld == 1
    found = call(tools, "search", text="TOKEN", path="")
    assert token not in found.content
    assert found.withheld == 1


def test_encodings_and_binaries(repo: Path, tools: Tools) -> None:
    (repo / "latin.txt").write_bytes("größe\n".encode("latin-1"))
    (repo / "wide.txt").write_bytes(b"\xff\xfe" + "größe\r\n".encode("utf-16-le"))
    (repo / "bom.txt").write_bytes(b"\xef\xbb\xbfx\r\ny\r\n")
    (repo / "image.png").write_bytes(b"\x89PNG\0\0\0")
    assert "größe" in call(tools, "read", path="latin.txt").content
    assert "größe" in call(tools, "read", path="wide.txt").content
    assert call(tools, "read", path="bom.txt").content == "bom.txt, all 2 lines, CRLF line ends:\nx\ny"
    assert "binary (7 bytes)" in call(tools, "read", path="image.png").content


def test_a_huge_file_is_not_read(repo: Path, tools: Tools) -> None:
    with (repo / "huge.bin").open("wb") as file:
        file.truncate(3 << 30)
    began = time.monotonic()
    assert "too large" in call(tools, "read", path="huge.bin").content
    assert time.monotonic() - began < 2


def test_a_name_that_is_not_utf8_is_shown_with_escapes(repo: Path, tools: Tools) -> None:
    with open(os.fsencode(repo) + b"/n\xe4me.txt", "wb") as file:
        file.write(b"needle\n")
    assert "n\\xe4me.txt:1: needle" in call(tools, "search", text="needle", path="").content
    call(tools, "outline", path="").content.encode("utf-8")


def test_a_wrong_path_names_the_files_that_may_be_meant(repo: Path, tools: Tools) -> None:
    (repo / "src").mkdir()
    (repo / "src" / "lexer.py").write_text("")
    assert "src/lexer.py" in call(tools, "read", path="lexer.py").content
    assert "use outline" in call(tools, "read", path="src").content


def test_search_shows_lines_with_their_place(repo: Path, tools: Tools) -> None:
    (repo / "a.py").write_text("x = 1\n  needle(x)\n")
    (repo / "b.py").write_text("needle\n")
    assert call(tools, "search", text="needle", path="").content == (
        '2 lines with "needle" in 2 files:\na.py:2: needle(x)\nb.py:1: needle'
    )
    assert "b.py" not in call(tools, "search", text="needle", path="a.py").content


def test_search_is_literal_unless_it_is_written_as_a_pattern(repo: Path, tools: Tools) -> None:
    (repo / "a.py").write_text("f(x)\nffx\n/usr/lib/\n")
    assert "1 lines" in call(tools, "search", text="f(x)", path="").content
    assert "2 lines" in call(tools, "search", text=r"/f.?x/", path="").content
    assert "a.py:3" in call(tools, "search", text="/usr/lib/", path="").content
    assert call(tools, "search", text="/f(/", path="").is_error


def test_search_looks_again_without_case(repo: Path, tools: Tools) -> None:
    (repo / "a.py").write_text("Needle\n")
    assert "upper or lower case" in call(tools, "search", text="needle", path="").content
    assert call(tools, "search", text="nowhere", path="").content == '0 lines with "nowhere" in 0 files.'


def test_search_caps_and_counts(repo: Path, tools: Tools) -> None:
    for number in range(100):
        (repo / f"f{number:03}.txt").write_text("needle\n" * 20)
    content = call(tools, "search", text="needle", path="").content
    assert content.startswith('2000 lines with "needle" in 100 files:')
    assert len(content.split("\n")) < 70
    assert "[left out: f000.txt (12)" in content


def test_a_pattern_that_explodes_is_stopped(repo: Path, tools: Tools) -> None:
    (repo / "a.txt").write_text("a" * 5000 + "\n")
    began = time.monotonic()
    call(tools, "search", text="/(a+)+$b/", path="")
    call(tools, "search", text=r"/^(a|a|aa)*\d$/", path="")
    assert time.monotonic() - began < 12


@pytest.mark.parametrize(
    "text", ["-e", "--open-files-in-pager=touch marker", "-Otouch marker", ":(top)x", "-f.env"]
)
def test_a_search_text_is_never_an_option(repo: Path, tools: Tools, text: str) -> None:
    (repo / "a.txt").write_text(f"{text}\n")
    assert f"a.txt:1: {text}" in call(tools, "search", text=text, path="").content
    call(tools, "search", text="x", path=text)
    call(tools, "history", path=text)
    assert not (repo / "marker").exists()


def test_the_outline_of_a_python_file_gives_ranges_to_read(repo: Path, tools: Tools) -> None:
    (repo / "a.py").write_text(
        'X = 1\n\n\n# about run\n@deco\nclass A:\n    """def no"""\n\n    async def run(self):\n        pass\n'
    )
    assert call(tools, "outline", path="a.py").content == (
        "a.py, 10 lines, 2 definitions:\n4-10: class A:\n9-10:     async def run(self):"
    )


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        (
            "a.go",
            "package a\n\nfunc (s *S) Run() error {\n\treturn nil\n}\n",
            ["3-5: func (s *S) Run() error {"],
        ),
        ("a.rs", "pub(crate) fn run() {\n  x();\n}\n", ["1-3: pub(crate) fn run() {"]),
        ("a.ts", "export class A {\n  run() {\n  }\n}\n", ["1-4: export class A {", "2-3:   run() {"]),
        ("a.c", "static int f(int a) {\n  return 1;\n}\n", ["1-3: static int f(int a) {"]),
        ("a.rb", "class A\n  def run\n    if x\n    end\n  end\nend\n", ["1-6: class A", "2-5:   def run"]),
        ("a.md", "# Title\ntext\n## Part\n", ["1-2: # Title", "3-3: ## Part"]),
        ("broken.py", "def f(:\n  pass\n\ndef g():\n    pass\n", ["1-2: def f(:", "4-5: def g():"]),
        ("empty.py", "", []),
        ("notes.txt", "just words\n", []),
    ],
)
def test_the_outline_of_other_files(repo: Path, tools: Tools, name: str, text: str, rows: list[str]) -> None:
    (repo / name).write_text(text)
    assert call(tools, "outline", path=name).content.split("\n")[1:] == rows


def test_the_outline_of_a_folder_opens_as_far_as_fits(repo: Path, tools: Tools) -> None:
    (repo / "deep" / "er").mkdir(parents=True)
    for number in range(300):
        (repo / "deep" / "er" / f"{number}.txt").write_text("")
    (repo / "a.txt").write_text("")
    assert (
        call(tools, "outline", path=".").content == "the repository, 301 files:\na.txt\ndeep/er/ (300 files)"
    )
    assert "[left out: 100 entries]" in call(tools, "outline", path="deep/er").content


def test_history_is_one_line_a_commit(repo: Path, tools: Tools, git_in: GitIn) -> None:
    assert "no commits" in call(tools, "history", path="").content
    for name in ("a", "b"):
        (repo / name).write_text(name)
        git_in(repo, "add", name)
        git_in(repo, "commit", "-qm", f"Add {name}")
    content = call(tools, "history", path="").content
    assert content.split("\n")[1].endswith(" 2023-11-14 Add b")
    assert "Add b" not in call(tools, "history", path="a").content


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("read", "{"), ("read", "[]"), ("read", '{"path": 3}'), ("nonsense", "{}"), ("search", "")],
)
def test_what_the_model_got_wrong_is_said_to_it(tools: Tools, name: str, arguments: str) -> None:
    assert tools.run(name, arguments, Cancel()).is_error


def test_the_tools_write_nothing(repo: Path, tools: Tools, git_in: GitIn) -> None:
    (repo / "a.py").write_text("x = 1\n")
    git_in(repo, "add", ".")
    before = {path: path.stat().st_mtime_ns for path in repo.rglob("*")}
    for name in ("read", "search", "outline", "history"):
        call(tools, name, path="a.py", text="x")
    assert {path: path.stat().st_mtime_ns for path in repo.rglob("*")} == before


def test_a_large_repository_is_searched_quickly(repo: Path, source: WorkTree) -> None:
    for number in range(3000):
        (repo / f"{number}.txt").write_text("hay\n" * 10)
    began = time.monotonic()
    call(Tools(source), "search", text="needle", path="")
    assert time.monotonic() - began < 3
