"""The person's own editor and pager, and never the repository's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.hunk import FileState
from agent.ui.outside import Edited, NotEdited, Outside, visible
from tests.support.cards import NEW, card

Git = Callable[..., bytes]


@pytest.fixture
def hostile_repo(repo: Path, git_in: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that names programs of its own for everything."""
    for key in ("core.editor", "core.pager", "interactive.diffFilter", "sequence.editor"):
        git_in(repo, "config", key, "touch /tmp/ran-by-the-repository; delta")
    monkeypatch.chdir(repo)
    return repo


def environ(**more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("EDITOR", "GIT_EDITOR", "VISUAL")
    }
    return kept | more


def test_the_editor_is_the_persons_own(hostile_repo: Path, git_in: Git, tmp_path: Path) -> None:
    assert Outside(tmp_path, environ(VISUAL="code --wait", EDITOR="ed")).editor() == ["code", "--wait"]
    assert Outside(tmp_path, environ(EDITOR="vim -u 'my rc'")).editor() == ["vim", "-u", "my rc"]
    assert "touch" not in Outside(tmp_path, environ(GIT_DIR=str(hostile_repo / ".git"))).editor()
    git_in(hostile_repo, "config", "--global", "core.editor", "nano -w")
    assert Outside(tmp_path, environ(GIT_DIR=str(hostile_repo / ".git"))).editor() == ["nano", "-w"]


def test_the_pager_is_the_persons_own_and_delta_when_git_uses_it(
    hostile_repo: Path, git_in: Git, tmp_path: Path
) -> None:
    assert Outside(tmp_path, environ()).pager() == ["less", "-R"]
    assert Outside(tmp_path, environ(PAGER="most")).pager() == ["most"]
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "delta").write_text("#!/bin/sh\n")
    (programs / "delta").chmod(0o755)
    assert "delta" not in str(Outside(tmp_path, environ()).pager())
    git_in(hostile_repo, "config", "--global", "interactive.diffFilter", "delta --color-only")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    assert Outside(tmp_path, environ(PATH=path)).pager()[0] == "delta"


def test_what_a_pager_gets_only_prints() -> None:
    assert visible(b"+a\x1b[31m\r\n-\xff\n") == "+a␛[31m␍\n-\\xff\n".encode()


def test_nothing_changed_is_no_edit(tmp_path: Path) -> None:
    assert Outside(tmp_path, environ(VISUAL="true")).edit(card()) == NotEdited(
        "nothing was changed in the editor"
    )


def test_a_missing_editor_is_said(tmp_path: Path) -> None:
    found = Outside(tmp_path, environ(VISUAL="/no/such/editor")).edit(card())
    assert found == NotEdited("/no/such/editor: No such file or directory; set VISUAL or EDITOR")


def test_there_is_nothing_to_edit_in_a_deletion(tmp_path: Path) -> None:
    assert Outside(tmp_path, environ(VISUAL="true")).edit(card(new=None)) == NotEdited(
        "there is no text to edit in this card"
    )


def test_a_name_that_no_shell_would_like_is_edited_as_it_is(tmp_path: Path) -> None:
    script = tmp_path / "ed"
    script.write_text('#!/bin/sh\nprintf x >> "$1"\n')
    script.chmod(0o755)
    shown = card(path="src/-a $(touch b) \udcff.py")
    assert Outside(tmp_path / "state", environ(VISUAL=str(script))).edit(shown) == Edited(
        {"src/-a $(touch b) \udcff.py": FileState(0o100644, NEW + b"x")}
    )


@pytest.mark.parametrize(("program", "place"), [("vim.basic", "+2 "), ("ed", "")])
def test_an_editor_behind_a_link_opens_the_file_at_the_change(
    tmp_path: Path, program: str, place: str
) -> None:
    script = tmp_path / program
    script.write_text('#!/bin/sh\nfor last; do :; done\necho "$*" >> "$last"\n')
    script.chmod(0o755)
    (tmp_path / "editor").symlink_to(script)
    shown = card(old=b"a\nb\n", new=b"a\nc\n")
    found = Outside(tmp_path / "state", environ(VISUAL=str(tmp_path / "editor"))).edit(shown)
    assert isinstance(found, Edited)
    (state,) = found.states.values()
    assert state is not None and state.data.startswith(f"a\nc\n{place}{tmp_path}".encode())
