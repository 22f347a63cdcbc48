"""Chooses and makes the frontend of a session: terminal, plain lines, or JSON lines for a program."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from agent.cli.workbench import Workbench
from agent.core.frontend import Input, PromptOffer
from agent.io.paths import make_private
from agent.ports import Frontend

if TYPE_CHECKING:
    from agent.cli.wanted import Wanted
    from agent.loop.driver import Driver
    from agent.ui.early import Early

HELP = {
    "help": "list the commands",
    "list": "the stack: every chunk and what became of it",
    "later": "open the deferred chunks again, or the one you name",
    "go": "show the card of the chunk that you name",
    "undo": "take back the latest applied chunk, or the one you name",
    "redo": "apply an undone chunk again",
    "commit": "commit the applied chunks: all as one, `each`, or the ones you name",
    "checks": "the checks that may run on chunks; `add` sets them up",
    "retry": "send the last request again after it failed",
    "model": "show or switch the model",
    "cost": "tokens and price so far",
    "max-tokens": "raise the limit of tokens",
    "quit": "end the session; `copair resume` goes on with it",
}
"""The `/commands` with a line each; a test holds them to those that the driver knows."""


def list_commands(driver: Driver, argument: str) -> None:
    """`/help` where the frontend has no page of its own for it: a program reads it as lines."""
    for name, about in HELP.items():
        driver.tell(f"/{name}: {about}")


class Runs(Frontend, Protocol):
    """A frontend that takes the main thread."""

    def run(self) -> int | None: ...


def is_drawn(wanted: Wanted) -> bool:
    """True when the session is shown in cards on a terminal, and not in lines for a program or a reader."""
    drawn = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "")
    return drawn and not (wanted.plain or wanted.jsonl)


def make_frontend(
    bench: Workbench, inbox: Callable[[Input], None], wanted: Wanted, early: Early | None
) -> Runs:
    """`--jsonl`, `--plain`, or the terminal; plain where there is no terminal to draw on."""
    if wanted.jsonl:
        from agent.ui.jsonl import Jsonl

        return Jsonl(inbox, sys.stdin, sys.stdout, bench.repo.place.object_hash)
    if not is_drawn(wanted):
        from agent.ui.plain import Plain

        return Plain(inbox, sys.stdin, sys.stdout, commands=HELP)
    return _terminal(bench, inbox, early)


def _terminal(bench: Workbench, inbox: Callable[[Input], None], early: Early | None) -> Runs:
    from agent.ui.outside import Outside
    from agent.ui.screen import Screen
    from agent.ui.terminal import Options, Terminal

    settings = bench.settings
    state = make_private(bench.place.state)
    return Terminal(
        inbox,
        Screen(theme_name=settings.theme),
        commands=HELP,
        files=lambda: bench.known_paths,
        outside=Outside(state),
        options=Options(
            grace_seconds=settings.grace_ms / 1000,
            vi=settings.keys == "vi",
            bell=settings.bell,
            history=state / "history",
        ),
        first=PromptOffer(bench.place.root.name),
        typed=early.take() if early else b"",
    )
