"""Settings are the person's own, known and typed; what is wrong is named with the nearest right thing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from agent.core.errors import UsageError
from agent.io.config import Config, load
from agent.io.settings import save


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Config()


def test_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('model = "x/y"\ncommit = "each"\napi_key_command = ["pass", "k"]\n[budget]\nlines = 40\n')
    config = load(path)
    assert (config.model, config.commit, config.api_key_command) == ("x/y", "each", ("pass", "k"))
    assert (config.budget.lines, config.budget.hard_lines) == (40, 100)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("modle = 'x'", "modle", "model"),
        ("[budget]\nline = 3", "budget.line", "budget.lines"),
        ("approve_all = true", "approve_all", "known:"),
        ("grace_ms = 'soon'", "grace_ms", "docs"),
        ("commit = 'always'", "commit", "docs"),
        ("model = ", "config.toml", "docs"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str, hint: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load(path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_saving_keeps_comments_and_order_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "conf" / "config.toml"
    save(path, "model", "a/b")
    path.write_text("# mine\n" + path.read_text() + "bell = true  # loud\n\n[budget]\nlines = 30\n")
    save(path, "model", "c/d")
    save(path, "protocol", "text")
    assert path.read_text() == (
        '# mine\nmodel = "c/d"\nbell = true  # loud\nprotocol = "text"\n\n[budget]\nlines = 30\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_saving_keeps_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"# mine\r\nmodel = 'x'\r\nbell = true\r\n")
    save(path, "model", "y")
    save(path, "protocol", "text")
    wanted = b'# mine\r\nmodel = "y"\r\nbell = true\r\nprotocol = "text"\r\n'
    assert path.read_bytes() == wanted


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("a file")
    with pytest.raises(UsageError, match="cannot write"):
        save(tmp_path / "conf" / "copair" / "config.toml", "model", "a/b")
    assert (tmp_path / "conf").read_text() == "a file"


def test_a_wrong_value_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("bell = true\n")
    with pytest.raises(UsageError):
        save(path, "grace_ms", "soon")
    assert path.read_text() == "bell = true\n"
