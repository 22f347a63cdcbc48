"""Prices and context sizes of known models, as of PRICES_DATE, and the person's own prices before them.

A small table, not a service: what is not in it is shown in tokens. Names are compared without provider, date and
separators, so that `openrouter/anthropic/claude-opus-5.5` is found as `claude-opus-5-5`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.core.price import Price

PRICES_DATE = "2026-11-22"

_DATED = re.compile(r"[-@](20\d{6}|20\d\d-\d\d-\d\d|latest|preview)$")
_K = 1000
_CLAUDE_M = 1_000_000
_GPT_LONG = 272 * _K

_TABLE: dict[str, tuple[Price, int | None]] = {
    "claude-fable-5-2": (Price(8, 40, 0.2, 10), _CLAUDE_M),
    "claude-fable-5-1": (Price(10, 50, 0.25, 12.5), _CLAUDE_M),
    "claude-fable-5": (Price(10, 50, 1, 12.5), _CLAUDE_M),
    "claude-opus-5-5": (Price(4, 20, 0.2, 5), _CLAUDE_M),
    "claude-opus-5": (Price(5, 25, 0.5, 6.25), _CLAUDE_M),
    "claude-opus-4-8": (Price(5, 25, 0.5, 6.25), _CLAUDE_M),
    "claude-opus-4-7": (Price(5, 25, 0.5, 6.25), _CLAUDE_M),
    "claude-opus-4-6": (Price(5, 25, 0.5, 6.25), _CLAUDE_M),
    "claude-opus-4-5": (Price(5, 25, 0.5, 6.25), 200 * _K),
    "claude-sonnet-5-5": (Price(2, 10, 0.1, 2.5), _CLAUDE_M),
    "claude-sonnet-5": (Price(2, 10, 0.2, 2.5), _CLAUDE_M),
    "claude-sonnet-4-6": (Price(3, 15, 0.3, 3.75), _CLAUDE_M),
    "claude-sonnet-4-5": (Price(3, 15, 0.3, 3.75, long_from=200 * _K), 200 * _K),
    "claude-haiku-5-5": (Price(0.1, 0.5, 0.01, 0.125, 100 * _K, 5, 5), _CLAUDE_M),
    "claude-haiku-4-5": (Price(1, 5, 0.1, 1.25), 200 * _K),
    "gpt-6-1-sol": (Price(2, 10, 0.1, 2.5, _GPT_LONG), 1050 * _K),
    "gpt-6-1-terra": (Price(1, 5, 0.05, 1.25, _GPT_LONG), 1050 * _K),
    "gpt-6-astra": (Price(10, 50, 1, 12.5, _GPT_LONG), 1050 * _K),
    "gpt-6-sol": (Price(2, 10, 0.2, 2.5, _GPT_LONG), 1050 * _K),
    "gpt-6-luna": (Price(0.1, 0.5, 0.01, 0.125, _GPT_LONG), 1050 * _K),
    "gpt-5-6-sol": (Price(4, 20, 0.4, 5, _GPT_LONG), 1050 * _K),
    "gpt-5-6-terra": (Price(2, 12, 0.2, 2.5, _GPT_LONG), 1050 * _K),
    "gpt-5-6-luna": (Price(0.2, 1.2, 0.02, 0.25, _GPT_LONG), 1050 * _K),
    "gpt-5-5": (Price(5, 30, 0.5, long_from=_GPT_LONG), _CLAUDE_M),
    "gpt-5-4": (Price(2.5, 15, 0.25, long_from=_GPT_LONG), 1050 * _K),
    "gpt-5-4-mini": (Price(0.75, 4.5, 0.075), 400 * _K),
    "gpt-5-4-nano": (Price(0.2, 1.25, 0.02), 400 * _K),
    "gpt-5-3-codex": (Price(1.75, 14, 0.175), 400 * _K),
    "gpt-5-2": (Price(1.75, 14, 0.175), 400 * _K),
    "gpt-5-1": (Price(1.25, 10, 0.125), 400 * _K),
    "gpt-5": (Price(1.25, 10, 0.125), 400 * _K),
    "gpt-5-mini": (Price(0.25, 2, 0.025), 400 * _K),
    "gpt-5-nano": (Price(0.05, 0.4, 0.005), 400 * _K),
    "gemini-3-8-flash": (Price(0.75, 3.75, 0.075), _CLAUDE_M),
    "gemini-3-7-flash": (Price(0.75, 3.75, 0.075), _CLAUDE_M),
    "gemini-3-6-flash": (Price(0.75, 3.75, 0.075), _CLAUDE_M),
    "gemini-3-5-flash": (Price(1.5, 9, 0.15), _CLAUDE_M),
    "gemini-3-5-flash-lite": (Price(0.3, 2.5, 0.03), _CLAUDE_M),
    "gemini-3-1-pro": (Price(2, 12, 0.2, long_from=200 * _K), None),
    "gemini-3-1-flash-lite": (Price(0.25, 1.5, 0.025), _CLAUDE_M),
    "gemini-3-pro": (Price(2, 12, 0.2, long_from=200 * _K), None),
    "gemini-3-flash": (Price(0.5, 3, 0.05), _CLAUDE_M),
    "gemini-2-5-pro": (Price(1.25, 10, 0.125, long_from=200 * _K), None),
    "gemini-2-5-flash": (Price(0.3, 2.5, 0.03), _CLAUDE_M),
    "deepseek-v4-pro": (Price(0.66, 1.98, 0.022), _CLAUDE_M),
    "deepseek-v4-flash": (Price(0.15, 0.6, 0.003), _CLAUDE_M),
    "deepseek-flash": (Price(0.15, 0.6, 0.003), _CLAUDE_M),
}
_PRICED = ("anthropic", "openai", "openrouter", "gemini", "deepseek")
FREE = Price(0, 0, 0, 0)


def price_of(provider: str, model_id: str, own: Mapping[str, Price] | None = None) -> Price | None:
    """The price of a model, None when unknown. `own` are the person's, by `PROVIDER/NAME` or `NAME`.

    The same weights cost differently elsewhere, so an unknown address has no price, and a local one has none to pay.
    """
    for name in (f"{provider}/{model_id}", model_id):
        if own and name in own:
            return own[name]
    if provider in ("ollama", "llamacpp", "lmstudio", "vllm"):
        return FREE
    found = _TABLE.get(_key(model_id)) if provider in _PRICED else None
    return found[0] if found else None


def context_of(provider: str, model_id: str) -> int | None:
    """The size of the model's window in tokens, None when unknown; a server may be set up with less."""
    found = _TABLE.get(_key(model_id)) if provider in _PRICED else None
    return found[1] if found else None


def _key(model_id: str) -> str:
    name = model_id.rsplit("/", 1)[-1].partition(":")[0].lower()
    return _DATED.sub("", name).replace(".", "-")
