"""Where a named model is: the address that a name, a flag, the environment or the settings mean.

A key belongs to an address, not to a session: which variables may be sent where is decided here too. Nothing is
read from a repository; only `local` asks the servers of this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urldefrag

import msgspec

from agent.core.dialog import Fault, Protocol
from agent.core.errors import ModelError, UsageError
from agent.io.config import Config
from agent.llm import presets
from agent.llm.choosing.listing import LOCAL_TIMING, list_models
from agent.llm.choosing.ollama import ollama_base_url
from agent.llm.presets import Preset
from agent.llm.secret import is_loopback, origin_of
from agent.llm.transport.client import Endpoint

_ALIASES = {"google": "gemini", "claude": "anthropic", "llama.cpp": "llamacpp", "lm-studio": "lmstudio"}
_PREFIXES = {
    "claude": presets.ANTHROPIC,
    "gpt-": presets.OPENAI,
    "codex-": presets.OPENAI,
    "gemini": presets.GEMINI,
    "deepseek-": presets.DEEPSEEK,
}


class Flags(msgspec.Struct, frozen=True):
    """What the command line may say about the model; None: not given."""

    model: str | None = None
    base_url: str | None = None
    protocol: Protocol | None = None


class Place(msgspec.Struct, frozen=True):
    """An address, the preset whose fields it takes, and which setting it came from."""

    preset: Preset
    base_url: str
    source: str


def find_place(
    spec: str, source: str, config: Config, env: Mapping[str, str], flags: Flags
) -> tuple[Place | None, str]:
    """The address and the model's name (empty: ask the server) that `spec` means."""
    if spec.startswith(("http://", "https://")):
        url, name = urldefrag(spec)
        return Place(preset_at(url), url, source), name
    provider, _, rest = spec.partition("/")
    provider = _ALIASES.get(provider.lower(), provider.lower())
    if provider == "local":
        return _local(source, env), rest
    own = _own_address(config, env, flags, source)
    if provider in presets.PRESETS and (rest or "/" in spec):
        return _provider_place(presets.PRESETS[provider], env, source, own), rest
    if own is not None:
        beside = env.get("OPENAI_MODEL", "").strip() if own.source == "OPENAI_BASE_URL" else ""
        return own, spec or beside
    if not spec:
        return _from_env(env), ""
    return _guess(spec, source, env), spec


def _own_address(config: Config, env: Mapping[str, str], flags: Flags, source: str) -> Place | None:
    """An address that was set on its own: by flag, by OPENAI_BASE_URL, in the settings."""
    for url, where in (
        (flags.base_url, "--base-url"),
        (env.get("OPENAI_BASE_URL"), "OPENAI_BASE_URL"),
        (config.base_url if source in ("config.toml", "") else None, "base_url in config.toml"),
    ):
        if url and url.strip():
            return Place(preset_at(url.strip()), url.strip(), where)
    return None


def _provider_place(preset: Preset, env: Mapping[str, str], source: str, own: Place | None) -> Place:
    """Where a named provider is: at the address set for it, else at its usual one."""
    if own is not None and own.source != "OPENAI_BASE_URL":
        return Place(_at(preset, own.base_url), own.base_url, own.source)
    if preset is presets.OLLAMA:
        return Place(preset, ollama_base_url(env.get("OLLAMA_HOST", "")), source)
    other = env.get(preset.base_env, "").strip() if preset.base_env else ""
    if other:
        return Place(_at(preset, other), other, f"{source} and {preset.base_env}")
    return Place(preset, preset.base_url, source)


def _at(preset: Preset, url: str) -> Preset:
    """OpenAI's own API is spoken at OpenAI only; elsewhere the compatible one is."""
    return preset_at(url) if preset is presets.OPENAI else preset


def preset_at(url: str) -> Preset:
    """The preset whose address this is, else the one for unknown servers."""
    origin = origin_of(url).replace("//localhost", "//127.0.0.1")
    # Regional addresses like eu.api.openai.com speak the same API.
    if origin.startswith("https://") and origin.endswith(".api.openai.com"):
        return presets.OPENAI
    known = presets.PRESETS.values()
    return next((preset for preset in known if origin_of(preset.base_url) == origin), presets.CUSTOM)


def _guess(name: str, source: str, env: Mapping[str, str]) -> Place:
    """The provider of a bare name like `gpt-5.6` or `qwen3:8b`. Raises UsageError."""
    for prefix, preset in _PREFIXES.items():
        if name.lower().startswith(prefix):
            return _provider_place(preset, env, source, None)
    if ":" in name or env.get("OLLAMA_HOST"):
        return _provider_place(presets.OLLAMA, env, source, None)
    known = ", ".join(f"{each}/…" for each in presets.PRESETS)
    raise UsageError(f"cannot tell whose model {name!r} is", hint=f"say one of {known}, local, or an address")


def _from_env(env: Mapping[str, str]) -> Place | None:
    """The provider whose variable is set, when the person named neither model nor address."""
    order = (presets.ANTHROPIC, presets.OPENAI, presets.OPENROUTER, presets.GEMINI, presets.DEEPSEEK)
    for preset in order:
        found = next((name for name in preset.key_env if env.get(name, "").strip()), None)
        if found:
            return _provider_place(preset, env, found, None)
    if env.get("OLLAMA_HOST", "").strip():
        return _provider_place(presets.OLLAMA, env, "OLLAMA_HOST", None)
    return None


def _local(source: str, env: Mapping[str, str]) -> Place:
    """The first server on this machine that answers. Raises ModelError when there is none."""
    ollama = ollama_base_url(env.get("OLLAMA_HOST", ""))
    for preset in presets.LOCAL:
        url = ollama if preset is presets.OLLAMA and is_loopback(ollama) else preset.base_url
        found = list_models(Endpoint(url), {}, preset.wire, timing=LOCAL_TIMING)
        if not isinstance(found, Fault) and found:
            return Place(preset, url, source)
    tried = ", ".join(f"{preset.name} ({origin_of(preset.base_url)})" for preset in presets.LOCAL)
    raise ModelError("no model server answers on this machine", hint=f"start one of: {tried}")


def key_names(place: Place, env: Mapping[str, str]) -> tuple[str, ...]:
    """Variables whose key may go to this address: the provider's own, or that of the address set beside it."""
    names: tuple[str, ...] = ()
    if same_origin(place, env.get("OPENAI_BASE_URL", "")):
        names = ("OPENAI_API_KEY",)
    own = place.preset.base_url
    if place.preset.base_env != "OLLAMA_HOST":
        own = env.get(place.preset.base_env, "").strip() or own
    return names + place.preset.key_env if same_origin(place, own) else names


def same_origin(place: Place, url: str) -> bool:
    return bool(url.strip()) and origin_of(place.base_url) == origin_of(url.strip())


def needs_key(place: Place) -> bool:
    """True for the providers that answer nobody without one."""
    return not place.preset.local and place.preset is not presets.CUSTOM
