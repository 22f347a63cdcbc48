"""What docs/ says is what the program has: commands, settings, JSON lines, the tests of each promise."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import typer.main

from agent.cli.app import app
from agent.cli.entry import COMMANDS
from agent.cli.frontends import HELP
from agent.core.chunk import Budget
from agent.core.errors import Exit
from agent.core.frontend import CardOffer
from agent.core.price import Price
from agent.core.review import Decision
from agent.core.sessions.session import Status
from agent.io import config
from agent.ui.jsonl import Free, offer_json
from tests.support.cards import card
from tests.support.cli import copair

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
GitIn = Callable[..., bytes]


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """From a heading to the next one of its level."""
    found = re.search(rf"^{re.escape(heading)}$\n(.*?)(?=^{'#' * heading.count('#')} |\Z)", text, re.M | re.S)
    assert found, heading
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Cells of all table rows, without heads."""
    lines = re.findall(r"^\| ?(.*?) ?\|$", text, re.M)
    return [re.split(r" ?\| ?", line) for line in lines if not re.fullmatch(r"[-| ]*", line)]


# Promises


def test_every_test_that_a_promise_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page("promises.md"))
    assert len(named) > 50
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (
            f"{file}::{name}"
        )


def test_every_promise_has_a_test() -> None:
    held = {first.split()[0] for first, tests in rows(page("promises.md")) if "`tests/" in tests}
    assert held >= {f"G{number}" for number in range(1, 13)} | {str(number) for number in range(1, 6)}


# Settings


def table(text: str) -> dict[str, str]:
    return {row[0].strip("`"): row[1].strip("`") for row in rows(text) if row[0].startswith("`")}


def defaults(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Each field with its default, in the words of the page."""
    said: dict[str, str] = {}
    for field in msgspec.structs.fields(struct):
        if field.required:
            said[field.name] = "needed"
            continue
        value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        match value:
            case None:
                said[field.name] = "not set"
            case Budget():
                said[field.name] = "below"
            case _:
                said[field.name] = json.dumps(value)
    return said


@pytest.mark.parametrize(
    ("struct", "heading"),
    [(config.Config, "# Configuration"), (Budget, "## `[budget]`"), (Price, '## `[prices."PROVIDER/NAME"]`')],
)
def test_every_setting_is_told_with_its_default(struct: type[msgspec.Struct], heading: str) -> None:
    text = page("configuration.md").partition(f"{heading}\n")[2].partition("\n## ")[0]
    assert table(text) == defaults(struct)


def test_the_settings_that_are_shown_are_read() -> None:
    for name in ("configuration.md", "models.md"):
        for block in re.findall(r"^```toml\n(.*?)^```", page(name), re.M | re.S):
            config.check(tomllib.loads(block), name)


# Commands


def command_tree() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_command_is_told() -> None:
    told = set(re.findall(r"^## copair (\S+)$", page("commands.md"), re.M))
    assert told == set(command_tree()) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_of_a_command_is_told_and_no_other(name: str) -> None:
    options = [one for one in command_tree()[name].params if one.param_type_name == "option"]
    cells = " ".join(row[0] for row in rows(section(page("commands.md"), f"## copair {name}")))
    told = set(re.findall(r"`(-{1,2}[a-z][\w-]*)", cells))
    has = {option for one in options for option in one.opts}
    assert told == has


def test_every_word_at_the_prompt_is_told() -> None:
    cells = [row[0] for row in rows(section(page("commands.md"), "## copair chat"))]
    assert set(re.findall(r"`/([\w-]+)", " ".join(cells))) == set(HELP)


def test_exit_codes_and_states_of_a_chunk_are_told() -> None:
    text = page("commands.md")
    assert {int(row[0]) for row in rows(section(text, "## Exit codes")) if row[0].isdigit()} == set(Exit)
    states = next(line for line in section(text, "## copair show").split("\n") if line.startswith("`status`"))
    assert set(re.findall(r"`(\w+)`", states)) - {"status"} == set(Status)


def test_documents_for_programs_have_the_keys_that_are_told(repo: Path, git_in: GitIn) -> None:
    (repo / "a.py").write_text("A = 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    (repo / "a.py").write_text("A = 2\n")
    text = section(page("commands.md"), "## copair review")
    document, chunk_and_rest = text.split("### The lines of `--decide`")
    listed = json.loads(copair(repo, "review", "--json").stdout)
    shown = json.loads(re.findall(r"```json\n(.*?)```", document, re.S)[0])
    assert set(shown) == set(listed)
    keys = {key for row in rows(document) for key in re.findall(r"`(\w+)`", row[0])}
    assert keys >= set(listed["chunks"][0])
    line = json.dumps({"chunk": listed["chunks"][0]["id"], "verdict": "approve"})
    ran = copair(repo, "review", "--decide", "-", stdin=line)
    assert ran.returncode == 0, ran.stderr
    told = set(re.findall(r"`(\w+)`", chunk_and_rest))
    assert told >= set(json.loads(ran.stdout))


# JSON lines


@pytest.fixture(scope="module")
def lines() -> ModuleType:
    """docs/make_schema.py, which is no module of the product."""
    spec = importlib.util.spec_from_file_location("copair_make_schema", DOCS / "make_schema.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_schema_is_that_of_the_types(lines: ModuleType) -> None:
    assert lines.text() == page("jsonl-schema.json"), "run python docs/make_schema.py"


def test_real_lines_are_as_the_schema_says(lines: ModuleType, repo: Path, git_in: GitIn) -> None:
    (repo / "a.py").write_text("import os\n\nprint(1)\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    ran = copair(repo, "--jsonl", "fix F401", stdin="not JSON\n")
    found: set[str] = set()
    for text in ran.stdout.removesuffix("\n").split("\n"):
        assert text.isascii()
        content = json.loads(text)
        (kind,) = set(content) & set(lines.OUT)
        found.add(kind)
        msgspec.convert(content, lines.OUT[kind])
    assert found == set(lines.OUT)


def test_a_card_is_as_the_schema_says(lines: ModuleType) -> None:
    msgspec.convert(offer_json(CardOffer(card())), lines.CardOffer)


def tags(union: Any) -> set[str]:
    return {str(one.__struct_config__.tag) for one in union.__args__}


def test_lines_in_are_told_and_read(lines: ModuleType) -> None:
    text = section(page("jsonl.md"), "## Lines in").replace("BASE64", "")
    told = [json.loads(one) for one in re.findall(r"`(\{\"[^`]*\})`", text) if "…" not in one]
    for content in told:
        (kind,) = set(content) & set(lines.IN) or {"decision"}
        msgspec.convert(content, lines.IN[kind] if kind in content else Decision)
    assert all(f'"{tag}"' in text for tag in tags(Decision))
    assert all(f"`{tag}`" in text for tag in tags(Free))
