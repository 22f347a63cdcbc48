"""What the command line asked for. Imports next to nothing, so that `--json` need not wait for a session's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agent.core.errors import UsageError

if TYPE_CHECKING:
    from agent.llm.choosing.place import Flags


class Wanted(msgspec.Struct, frozen=True):
    """What the command line asked for. `flags` is None when nothing was said about the model."""

    first: str = ""
    resume: str = ""
    flags: Flags | None = None
    plain: bool = False
    jsonl: bool = False
    max_tokens: int | None = None
    max_cost: float | None = None


def model_flags(model: str | None, base_url: str | None, protocol: str | None) -> Flags | None:
    """What the options say of the model, None when nothing. Raises UsageError for a protocol that there is not."""
    if model is base_url is protocol is None:
        return None
    from agent.core.dialog import Protocol
    from agent.llm.choosing.place import Flags

    if protocol not in (None, *Protocol):
        raise UsageError(f"--protocol is tools or text, not {protocol}")
    return Flags(model, base_url, Protocol(protocol) if protocol else None)
