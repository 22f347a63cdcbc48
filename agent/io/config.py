"""The person's own settings: `config.toml` in their configuration folder. Nothing is read from a repository.

Every key is known and typed; an unknown one is an error that names the nearest. Flags and environment come
before it; that is the business of who wires. `settings.py` writes the file.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from agent.core.chunk import Budget
from agent.core.dialog import Protocol
from agent.core.errors import UsageError
from agent.core.price import Price


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings with their defaults. None: not set, the next source or the built-in default counts."""

    model: str | None = None
    """As in `--model`: `PRESET/NAME`."""
    base_url: str | None = None
    protocol: Protocol | None = None
    """How this model proposes; None: as the preset says, or as `copair check-model` found."""
    api_key_command: tuple[str, ...] | None = None
    """A program and its arguments that prints the key; run without a shell, outside any repository."""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    max_tokens: int | None = None
    """Stop and ask once a session has used this many tokens."""
    max_cost: float | None = None
    """The same in US dollars."""
    prices: dict[str, Price] = {}
    """Prices of the person's own models, before the built-in table: `[prices."PRESET/NAME"]`."""
    budget: Budget = Budget()
    questions_before_first_chunk: int = 3
    questions_per_task: int = 4
    commit: Literal["never", "each"] = "never"
    assisted_by: bool = True
    """Put the trailer `Assisted-by: copair:MODEL` into commits."""
    keys: Literal["emacs", "vi"] = "emacs"
    theme: Literal["auto", "dark", "light", "none"] = "auto"
    bell: bool = False
    grace_ms: int = 300
    """A card takes no key for this long after it was drawn."""


def load(path: Path) -> Config:
    """Settings of `path`; defaults when there is no such file. Raises UsageError that names key and file."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", hint="see docs/configuration.md") from error
    return check(values, str(path))


def check(values: dict[str, object], where: str) -> Config:
    """Plain values as a Config. Raises UsageError."""
    _refuse_unknown(values, Config, "", where)
    budget = values.get("budget")
    if isinstance(budget, dict):
        _refuse_unknown(budget, Budget, "budget.", where)
    try:
        return msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {_plain(str(error))}", hint="see docs/configuration.md") from error


def _refuse_unknown(values: dict[str, object], into: type[msgspec.Struct], prefix: str, where: str) -> None:
    known = into.__struct_fields__
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known: {', '.join(known)}"
            raise UsageError(f"{where}: unknown setting {prefix}{key}", hint=hint)


def _plain(message: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.grace_ms`" with the key in front."""
    what, _, place = message.partition(" - at `$.")
    return f"{place.rstrip('`')}: {what}" if place else what
