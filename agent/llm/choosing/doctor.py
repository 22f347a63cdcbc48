"""What would be used as the model and why, in lines for `copair doctor`. Keys are masked; only loopback is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.core.dialog import Fault
from agent.core.errors import CopairError
from agent.io.config import Config
from agent.llm import presets
from agent.llm.choosing.choose import KEY_ENV, MODEL_ENV, Choice, Flags, choose
from agent.llm.choosing.listing import LOCAL_TIMING, list_models
from agent.llm.choosing.ollama import ollama_base_url
from agent.llm.prices import PRICES_DATE
from agent.llm.secret import Secret, checked_base_url, is_loopback, origin_of
from agent.llm.transport.client import Endpoint

_ADDRESSES = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST", MODEL_ENV)
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE")


def doctor(
    config: Config, env: Mapping[str, str], flags: Flags | None = None, config_path: Path | None = None
) -> list[str]:
    """The report, line by line. Never raises for a wrong setting: it says what is wrong."""
    lines: list[str] = []
    choice: Choice | None = None
    try:
        choice = choose(config, env, flags)
        lines.append(f"model: {choice.why}" if choice else "model: none; the offline pair answers")
    except CopairError as error:
        lines.append(f"model: none: {error.message}" + (f" ({error.hint})" if error.hint else ""))
    if choice is not None:
        lines += _about(choice)
    lines += _settings(config, config_path)
    lines += _variables(env, choice)
    lines += _local(env)
    return lines


def _about(choice: Choice) -> list[str]:
    window = choice.model.context_tokens
    price = choice.price
    cost = (
        f"{price.input:g} in, {price.output:g} out per million tokens ({PRICES_DATE})" if price else "unknown"
    )
    return [
        f"address: {choice.base_url} ({choice.preset.wire.value} API)",
        f"protocol: {choice.model.protocol.value}",
        f"window: {f'{window:,} tokens' if window else 'unknown; set context_tokens'}",
        f"price: {'$' + cost if price else cost}",
    ]


def _settings(config: Config, path: Path | None) -> list[str]:
    said = {
        "model": config.model,
        "base_url": _address(config.base_url) if config.base_url else None,
        "protocol": config.protocol.value if config.protocol else None,
        "api_key_command": config.api_key_command[0] if config.api_key_command else None,
        "context_tokens": config.context_tokens,
    }
    known = ", ".join(f"{name} = {value}" for name, value in said.items() if value is not None)
    return [f"settings{f' ({path})' if path else ''}: {known or 'nothing about models'}"]


def _variables(env: Mapping[str, str], choice: Choice | None) -> list[str]:
    """What of the environment matters here: keys masked, and which of them is used."""
    lines = []
    names = [KEY_ENV, *(name for preset in presets.PRESETS.values() for name in preset.key_env)]
    for name in dict.fromkeys(names):
        if env.get(name, "").strip():
            used = " (used)" if choice is not None and choice.key_source == name else ""
            lines.append(f"environment: {name} = {Secret(env[name]).masked}{used}")
    for name in _ADDRESSES:
        if env.get(name, "").strip():
            lines.append(f"environment: {name} = {_address(env[name])}")
    for name in _PROXIES:
        if env.get(name, "").strip():
            lines.append(f"environment: {name} is set; it is not used for this machine's own servers")
    return lines


def _address(value: str) -> str:
    """An address as it may be shown: a user and password in it are a secret too."""
    return value.strip() if "@" not in value else f"{origin_of(value.strip())} (user and password left out)"


def _local(env: Mapping[str, str]) -> list[str]:
    lines = []
    for preset in presets.LOCAL:
        url = ollama_base_url(env.get("OLLAMA_HOST", "")) if preset is presets.OLLAMA else preset.base_url
        try:
            address = checked_base_url(url, preset.name, has_key=False)
        except CopairError as error:
            lines.append(f"{preset.name}: {error.message}")
            continue
        if not is_loopback(address):
            continue
        found = list_models(Endpoint(address), {}, preset.wire, timing=LOCAL_TIMING)
        if isinstance(found, Fault):
            lines.append(f"{preset.name} at {origin_of(address)}: no answer")
        else:
            names = ", ".join(model.id for model in found[:3]) or "no models"
            lines.append(f"{preset.name} at {origin_of(address)}: {names}")
    return lines
