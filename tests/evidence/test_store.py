"""Checks are the person's: suggested, accepted, bound to what was seen, kept where the repository cannot write."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import StateError
from agent.evidence.proof.discover import Check, discover, pytest_at
from agent.evidence.proof.store import CheckStore, withheld

FILES = {
    "pyproject.toml": "[project]\nversion='1'\n[tool.pytest.ini_options]\naddopts='-q'\n"
    "[tool.ruff]\n[tool.mypy]\nfiles=['a']\n",
    "tox.ini": "[tox]\n",
    "package.json": '{"version": "1", "scripts": {"test": "jest"}}',
    "tsconfig.json": "{}",
    "Cargo.toml": "[package]\n",
    "go.mod": "module x\n",
    "Makefile": "all:\n\ntest:\n\tpytest\n",
    "tests/test_a.py": "",
}


def reader(files: dict[str, str]) -> Callable[[str], bytes | None]:
    return lambda path: files[path].encode() if path in files else None


def found(root: Path, files: dict[str, str], missing: str = "") -> dict[str, Check]:
    checks = discover(
        root, reader(files), files, lambda name: None if name == missing else f"/usr/bin/{name}"
    )
    return {check.name: check for check in checks}


def test_each_kind_of_repository_suggests_its_checks(tmp_path: Path) -> None:
    checks = found(tmp_path, FILES)
    assert {name: check.argv for name, check in checks.items()} == {
        "pytest": ("pytest",),
        "tox": ("tox",),
        "ruff": ("ruff", "check", "--no-cache", "."),
        "mypy": ("mypy",),
        "npm test": ("npm", "test", "--silent"),
        "tsc": ("tsc", "--noEmit"),
        "cargo test": ("cargo", "test", "--offline", "--quiet"),
        "go test": ("go", "test", "./..."),
        "make test": ("make", "test"),
    }


def test_what_is_not_installed_is_not_suggested_and_the_project_s_own_comes_first(tmp_path: Path) -> None:
    assert "go test" not in found(tmp_path, FILES, missing="go")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("")
    (tmp_path / ".venv" / "bin" / "pytest").write_text("")
    assert found(tmp_path, FILES)["pytest"].argv == (".venv/bin/pytest",)


@pytest.mark.parametrize(
    "files", [{}, {"package.json": "[1"}, {"pyproject.toml": "[["}, {"package.json": '{"scripts": 3}'}]
)
def test_nothing_is_made_of_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    assert found(tmp_path, files) == {}


def test_no_text_of_the_repository_becomes_an_argument(tmp_path: Path) -> None:
    evil = {
        "package.json": '{"scripts": {"test": "rm -rf ~", "$(x)": "y"}}',
        "Makefile": "test: ; rm -rf ~\n$(x):\n",
    }
    words = [word for check in found(tmp_path, evil).values() for word in check.argv]
    assert words == ["npm", "test", "--silent", "make", "test"]


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "is_withheld"),
    [
        ("pytest", "pyproject.toml", "addopts='-q'", "addopts='-p evil'", True),
        ("pytest", "pyproject.toml", "version='1'", "version='2'", False),
        ("npm test", "package.json", "jest", "curl evil", True),
        ("npm test", "package.json", '"version": "1"', '"version": "2"', False),
        ("make test", "Makefile", "\tpytest", "\tevil", True),
        ("ruff", "pyproject.toml", "[tool.ruff]", "[tool.ruff]\nignore=['E']", True),
        ("ruff", "pyproject.toml", "addopts='-q'", "addopts='-x'", False),
        ("tox", "tox.ini", "[tox]", "[tox]\n[testenv]\ncommands=evil", True),
    ],
)
def test_a_check_is_bound_to_what_suggested_it(
    tmp_path: Path, name: str, path: str, old: str, new: str, is_withheld: bool
) -> None:
    check = found(tmp_path, FILES)[name]
    assert withheld(check, reader(FILES)) == ""
    reason = withheld(check, reader({**FILES, path: FILES[path].replace(old, new)}))
    assert bool(reason) is is_withheld
    if is_withheld:
        assert reason == f"{name} is not run: {reason.split(': ')[1]}"
        assert path in reason


def test_a_new_settings_file_that_would_win_withholds_the_check(tmp_path: Path) -> None:
    assert withheld(
        found(tmp_path, FILES)["pytest"], reader({**FILES, "pytest.ini": "[pytest]\naddopts=-p evil\n"})
    )


def test_accepted_checks_are_kept_privately_and_read_back(tmp_path: Path) -> None:
    store = CheckStore(tmp_path / "state")
    assert store.load() == ()
    checks = found(tmp_path, FILES)
    store.accept([checks["pytest"], checks["ruff"]])
    store.accept([checks["pytest"]])
    assert [check.name for check in store.load()] == ["pytest", "ruff"]
    assert store.named("ruff") == checks["ruff"]
    assert store.named("model's own") is None
    file = tmp_path / "state" / "checks.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["checks.json"]
    assert store.remove("ruff") and not store.remove("ruff")
    assert [check.name for check in store.load()] == ["pytest"]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b'{"version": 9, "checks": []}', b'{"version": 1}',
        b'{"version":1,"checks":[{"name":"a","argv":[],"sources":[],"part":"whole","digest":""}]}',
        b'{"version":1,"checks":[{"name":"a","argv":["x"],"sources":[],"part":"none","digest":""}]}',
    ],
)  # fmt: skip
def test_a_damaged_list_is_refused_and_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "checks.json").write_bytes(data)
    (tmp_path / "checks.json").chmod(0o600)
    with pytest.raises(StateError, match="cannot use the list of checks"):
        CheckStore(tmp_path).load()


def test_a_list_that_others_can_write_is_refused(tmp_path: Path) -> None:
    store = CheckStore(tmp_path)
    store.accept(found(tmp_path, FILES).values())
    (tmp_path / "checks.json").chmod(0o622)
    with pytest.raises(StateError, match="others can write it"):
        store.load()


def test_a_list_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    store = CheckStore(tmp_path)
    checks = found(tmp_path, FILES)
    store.accept([checks["ruff"]])
    before = (tmp_path / "checks.json").read_bytes()
    (tmp_path / "checks.json").unlink()
    (tmp_path / "checks.json").mkdir()
    with pytest.raises(StateError):
        store.accept([checks["tox"]])
    (tmp_path / "checks.json").rmdir()
    (tmp_path / "checks.json").write_bytes(before)
    os.chmod(tmp_path / "checks.json", 0o600)
    assert [check.name for check in store.load()] == ["ruff"]
    assert json.loads(before)["version"] == 1


@pytest.mark.parametrize(
    ("argv", "at"),
    [(("pytest", "-q"), 0), (("python", "-m", "pytest"), 2), ((".venv/bin/pytest",), 0), (("uv", "run", "pytest"), 2),
     (("ruff",), None)],
)  # fmt: skip
def test_pytest_is_known_behind_its_runners(argv: tuple[str, ...], at: int | None) -> None:
    assert pytest_at(argv) == at
