"""`copair connect`, `doctor` and `check-model`: which model, why, and how good it is at proposing."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from agent.core.clean import clean
from agent.core.dialog import Protocol
from agent.core.errors import Exit, ModelError, UsageError
from agent.io import config, paths, settings
from agent.tools.specs import all_tools, system_prompt

if TYPE_CHECKING:
    from agent.llm.choosing.choose import Flags


def say(line: str) -> None:
    sys.stdout.write(f"{clean(line)}\n")
    sys.stdout.flush()


def connect_model(model: str, *, write: bool) -> int:
    """Look around, try one small request, write the person's settings. Exit code 1 when nothing answered."""
    from agent.llm.choosing.probe import connect

    path = paths.config_file()
    found = connect(config.load(path), os.environ, model=model, say=say)
    if not found.settings:
        say("No model answered. Nothing was written.")
        say(
            "Set OPENAI_API_KEY, ANTHROPIC_API_KEY or OPENAI_BASE_URL, or start Ollama or llama.cpp, and try again."
        )
        return Exit.FAILED
    if not write:
        return Exit.DONE
    for key, value in found.settings.items():
        settings.save(path, key, value)
        say(f'{path}: {key} = "{value}"')
    say("copair uses it from now on; copair check-model measures how well it proposes.")
    return Exit.DONE


def print_doctor(flags: Flags | None) -> int:
    """What would be used and why, with keys masked."""
    from agent.llm.choosing.doctor import doctor

    path = paths.config_file()
    try:
        own = config.load(path)
    except UsageError as error:
        say(f"settings   {error.message} ({error.hint})")
        own = config.Config()
    for line in doctor(own, os.environ, flags, path):
        say(line)
    return Exit.DONE


def print_check(flags: Flags | None, *, write: bool) -> int:
    """A row per task; writes the better protocol into the person's settings. Exit code 1 when it cannot propose."""
    from agent.llm.choosing.check import check_model, summarise
    from agent.llm.choosing.choose import choose

    path = paths.config_file()
    own = config.load(path)
    choice = choose(own, os.environ, flags)
    if choice is None:
        raise ModelError("no model is set up", hint="copair connect finds one")
    say(choice.why)
    systems = {protocol: system_prompt(protocol, own.budget) for protocol in Protocol}
    rows = []
    for row in check_model(choice.model, all_tools(own.budget), systems, price=choice.price):
        rows.append(row)
        result = "right" if row.ok else row.problem
        streamed = "streamed" if row.streamed else ""
        cost = f"  ${row.dollars:.4f}" if row.dollars is not None else ""
        say(f"{row.task:24} {row.protocol:6} {row.seconds:6.1f} s {row.stop:8} {streamed:9}{cost} {result}")
    summary = summarise(rows)
    say(summary.words)
    if summary.protocol is None:
        return Exit.FAILED
    if write and is_another(flags, own):
        say("Not written: the settings name another model.")
    elif write:
        settings.save(path, "protocol", summary.protocol.value)
        say(f"{path}: written")
    return Exit.DONE


def is_another(flags: Flags | None, own: config.Config) -> bool:
    """Whether the flags name another model than the settings, whose protocol would be wrong for theirs."""
    if flags is None or not own.model:
        return False
    return bool(flags.base_url) or flags.model not in (None, own.model)
