"""What a patch puts into the work tree has the line ends that git itself would give it, for any setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.hunk import FileState, Mode
from agent.git.conversion import Conversion
from agent.git.discover import discover
from agent.git.line_ends import checked_out
from agent.git.repo import Repo

GitIn = Callable[..., bytes]

ATTRIBUTES = st.sampled_from(
    ["", "text", "-text", "text=auto", "text=input", "text=other", "crlf", "-crlf", "crlf=input", "crlf=auto"]
)
EOL = st.sampled_from(["", "eol=crlf", "eol=lf", "eol=other"])
AUTOCRLF = ["autocrlf=true", "autocrlf=input", "autocrlf=false", "autocrlf", "autocrlf=0", "autocrlf=ON"]
CORE_EOL = ["eol=crlf", "eol=lf", "eol=native", "eol=CRLF"]
CONFIG = st.lists(st.sampled_from([*AUTOCRLF, *CORE_EOL]), max_size=3)
TEXTS = st.lists(
    st.sampled_from(
        [b"a line\n", b"windows\r\n", b"lone\rone\n", b"\x01\x02", b"\0", b"x" * 130, b"\n", b"\x1a"]
    ),
    max_size=5,
).map(b"".join)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=ATTRIBUTES, eol=EOL, config=CONFIG, data=TEXTS | st.binary(max_size=40))
def test_line_ends_are_those_of_git(
    repo: Path, git_in: GitIn, text: str, eol: str, config: list[str], data: bytes
) -> None:
    (repo / ".git" / "info" / "attributes").write_text(f"* {text} {eol}\n")
    entries = "".join(f"\t{entry}\n" for entry in config)
    (repo / ".git" / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n{entries}")
    oid = git_in(repo, "hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode().strip()
    with Repo(discover(repo)) as opened:
        ends = Conversion(opened, ["f"]).line_ends("f")
    assert checked_out(data, ends) == git_in(repo, "cat-file", "--filters", "--path=f", oid)


@pytest.mark.parametrize("data", [b"\x01" * 3 + b"x" * 382 + b"\n", b"\x01" * 3 + b"x" * 384 + b"\n"])
def test_a_few_control_characters_are_text_still(repo: Path, git_in: GitIn, data: bytes) -> None:
    git_in(repo, "config", "core.autocrlf", "true")
    oid = git_in(repo, "hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode().strip()
    with Repo(discover(repo)) as opened:
        ends = Conversion(opened, ["f"]).line_ends("f")
    assert checked_out(data, ends) == git_in(repo, "cat-file", "--filters", "--path=f", oid)


@pytest.mark.parametrize(
    ("attribute", "data"),
    [("ident", b"$Id$\nline\n"), ("working-tree-encoding=UTF-16LE", b"line\n"), ("eol=crlf", b"line\n")],
)
def test_only_line_ends_are_left_as_the_work_tree_has_them(
    repo: Path, git_in: GitIn, attribute: str, data: bytes
) -> None:
    """A file without carriage returns was written before the attributes came; that says nothing of the rest of it."""
    git_in(repo, "config", "core.autocrlf", "true")
    (repo / "f").write_bytes(data)
    oid = git_in(repo, "hash-object", "-w", "--no-filters", "--stdin", stdin=data).decode().strip()
    (repo / ".git" / "info" / "attributes").write_text(f"f {attribute}\n")
    by_git = git_in(repo, "cat-file", "--filters", "--path=f", oid)
    with Repo(discover(repo)) as opened:
        found = Conversion(opened, ["f"]).to_work_tree("f", FileState(Mode.FILE, data), oid)
    assert by_git != data
    assert found.data == (data if attribute == "eol=crlf" else by_git)
