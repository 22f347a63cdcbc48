"""Prompt files: finds them and fills their `{{name}}` slots.

A prompt is a file in `prompts/`, one purpose each; what describes a tool to the model has the tool's name.
Filling is strict: a slot without a value and a value without a slot are errors, so no prompt goes out half
made. Knows nothing of tools or models.
"""

from __future__ import annotations

import re
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

_SLOT = re.compile(r"\{\{([a-z_]+)\}\}")


class Prompt(StrEnum):
    """Every prompt file, by its name without `.md`; a test holds the two together."""

    SYSTEM_TOOLS = "system_tools"
    SYSTEM_TEXT = "system_text"
    PROPOSE = "propose"
    ASK = "ask"
    FINISH = "finish"
    READ = "read"
    SEARCH = "search"
    OUTLINE = "outline"
    HISTORY = "history"
    DOCS = "docs"
    CHECK = "check"


def folder() -> Traversable:
    """Where the files lie: inside an installed package, or beside the package in an editable install."""
    packaged = resources.files("agent") / "_prompts"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent / "prompts"


def fill(prompt: Prompt, **values: str | int) -> str:
    """The prompt's text with its slots filled, without a final newline.

    Raises ValueError when the slots of the file and the names of `values` differ.
    """
    template = (folder() / f"{prompt}.md").read_text(encoding="utf-8").removesuffix("\n")
    slots = set(_SLOT.findall(template))
    if slots != values.keys():
        missing, unused = sorted(slots - values.keys()), sorted(values.keys() - slots)
        raise ValueError(f"prompt {prompt}: slots without a value {missing}, values without a slot {unused}")
    return _SLOT.sub(lambda slot: str(values[slot[1]]), template)
