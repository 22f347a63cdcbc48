"""`copair --help`: a page that is read from a file and says what the commands themselves say."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import pytest

from agent.cli.app import app
from agent.cli.help import PAGE, page

COLUMNS = 80
OPTIONS = {
    "-V, --version": "Print the version.",
    "-h, --help": "Show this message and exit; `copair COMMAND --help` tells about one command.",
    "--install-completion": "Install completion for the current shell.",
    "--show-completion": "Show completion for the current shell, to copy it or change it.",
}


def rows(pairs: dict[str, str]) -> Iterator[str]:
    width = max(map(len, pairs)) + 2
    for name, text in pairs.items():
        yield textwrap.fill(
            text, COLUMNS, initial_indent=f"  {name:<{width}}", subsequent_indent=" " * (width + 2)
        )


def commands() -> dict[str, str]:
    found = {}
    for info in app.registered_commands:
        assert info.callback
        name = info.name or info.callback.__name__.replace("_", "-")
        found[name] = " ".join(cleandoc(info.callback.__doc__ or "").split())
    return found


def expected() -> str:
    about = textwrap.fill(str(app.info.help), COLUMNS, initial_indent="  ", subsequent_indent="  ")
    parts = ["Usage: copair [OPTIONS] COMMAND [ARGS]...", "", about, "", "Options:", *rows(OPTIONS)]
    return "\n".join([*parts, "", "Commands:", *rows(commands()), ""])


def test_the_page_says_what_the_commands_say() -> None:
    if os.environ.get("PYTEST_UPDATE_GOLDEN"):
        Path(PAGE).write_text(expected(), "utf-8")
    assert page() == expected()


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_page_is_printed_without_the_commands(flag: str) -> None:
    code = (
        f"import sys; sys.argv = ['copair', {flag!r}]; from agent.__main__ import main; code = main();"
        "print(code, sorted({'typer', 'msgspec', 'pathlib', 'agent.cli.app'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert ran.stdout.decode() == page() + "0 []\n"
    assert ran.stderr == b""
