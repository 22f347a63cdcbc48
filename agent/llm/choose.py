"""Which model answers, and why: from flag, environment and the person's own settings, in this order.

Gives a Model and the reason in a sentence, or None when nothing is set up. Never looks into a repository. A key
goes only to the address that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urldefrag

import msgspec

from agent.core.dialog import Fault, Protocol
from agent.core.errors import ModelError, UsageError
from agent.io.config import Config
from agent.llm import keys, presets
from agent.llm.build import build_model, key_headers
from agent.llm.client import Endpoint, ProviderModel, Setup
from agent.llm.keys import FoundKey
from agent.llm.listing import LOCAL_TIMING, TIMING, ModelInfo, list_models
from agent.llm.messages import OLD_VERSION
from agent.llm.ollama import ollama_base_url
from agent.llm.presets import Preset
from agent.llm.secret import checked_base_url, is_loopback, origin_of

MODEL_ENV = "COPAIR_MODEL"
KEY_ENV = "COPAIR_API_KEY"
VERSION_ENV = "ANTHROPIC_VERSION"
HOW = "name one with --model PROVIDER/NAME, or run `copair connect`"

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


class Choice(msgspec.Struct, frozen=True):
    """The chosen model. `why` and `masked_key` may be shown."""

    model: ProviderModel
    why: str
    masked_key: str
    key_source: str
    preset: Preset
    base_url: str
    model_id: str


def choose(
    config: Config, env: Mapping[str, str], flags: Flags | None = None, setup: Setup | None = None
) -> Choice | None:
    """The model to use, or None when nothing is set up. Raises ModelError or UsageError.

    Asks the server for its models only where no name is given.
    """
    flags = flags or Flags()
    spec, spec_source = _spec(config, env, flags)
    place, name = _place(spec, spec_source, config, env, flags)
    if place is None:
        return None
    key = _key(place, config, env)
    base_url = checked_base_url(place.base_url, place.source, has_key=bool(key.secret))
    place = msgspec.structs.replace(place, base_url=base_url)
    if place.preset.key_env and not key.secret and not is_loopback(base_url) and _needs_key(place):
        names = " or ".join(place.preset.key_env)
        raise ModelError(f"no key for {place.preset.name}", hint=f"set {names}, or run `copair connect`")
    endpoint = Endpoint(base_url, key.secret, _extra_headers(place, env))
    info = ModelInfo(name) if name else _first_model(place, key, endpoint)
    own = spec_source == "config.toml" or (config.model is None and flags.model is None)
    return _choice(
        place, key, endpoint, info, config if own else Config(), flags, _version(place, env), setup
    )


def _choice(
    place: Place,
    key: FoundKey,
    endpoint: Endpoint,
    info: ModelInfo,
    config: Config,
    flags: Flags,
    version: str,
    setup: Setup | None,
) -> Choice:
    model = build_model(
        place.preset,
        endpoint,
        info.id,
        key_source=key.source,
        version=version,
        protocol=flags.protocol or config.protocol or place.preset.protocol,
        context_tokens=config.context_tokens or info.context_tokens,
        setup=setup,
    )
    at = origin_of(place.base_url)
    with_key = f" with the key {key.secret.masked} of {key.source}" if key.secret else " without a key"
    why = f"{model.name} at {at}{with_key}, because of {place.source}"
    return Choice(
        model, why, key.secret.masked if key.secret else "", key.source, place.preset, place.base_url, info.id
    )


def _spec(config: Config, env: Mapping[str, str], flags: Flags) -> tuple[str, str]:
    """What names the model, and where that was said."""
    for value, source in (
        (flags.model, "--model"),
        (env.get(MODEL_ENV), MODEL_ENV),
        (config.model, "config.toml"),
    ):
        if value and value.strip():
            return value.strip(), source
    return "", ""


def _place(
    spec: str, source: str, config: Config, env: Mapping[str, str], flags: Flags
) -> tuple[Place | None, str]:
    """The address and the model's name (empty: ask the server) that `spec` means."""
    if spec.startswith(("http://", "https://")):
        url, name = urldefrag(spec)
        return Place(preset_at(url), url, source), name
    provider, _, rest = spec.partition("/")
    provider = _ALIASES.get(provider.lower(), provider.lower())
    if provider == "local":
        return _local(source), rest
    own = _own_address(config, env, flags, source)
    if provider in presets.PRESETS and (rest or "/" in spec):
        return _provider_place(presets.PRESETS[provider], env, source, own), rest
    if own is not None:
        return own, spec
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
    if preset is presets.OPENAI and origin_of(url) != origin_of(preset.base_url):
        return preset_at(url)
    return preset


def preset_at(url: str) -> Preset:
    """The preset whose address this is, else the one for unknown servers."""
    for preset in presets.PRESETS.values():
        same = origin_of(preset.base_url) == origin_of(url.replace("//localhost", "//127.0.0.1"))
        if same:
            return preset
    return presets.CUSTOM


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


def _local(source: str) -> Place:
    """The first server on this machine that answers. Raises ModelError when there is none."""
    for preset in presets.LOCAL:
        found = list_models(Endpoint(preset.base_url), {}, preset.wire, timing=LOCAL_TIMING)
        if not isinstance(found, Fault) and found:
            return Place(preset, preset.base_url, source)
    tried = ", ".join(f"{preset.name} ({origin_of(preset.base_url)})" for preset in presets.LOCAL)
    raise ModelError("no model server answers on this machine", hint=f"start one of: {tried}")


def _key(place: Place, config: Config, env: Mapping[str, str]) -> FoundKey:
    """The key that belongs to this address. Raises ModelError."""
    found = keys.from_env((KEY_ENV, *_key_names(place, env)), env)
    if not found.secret and config.api_key_command and _command_belongs(place, config, env):
        found = keys.from_command(config.api_key_command, env)
    if not found.secret and _needs_key(place):
        found = keys.from_keyring(place.preset.name)
    return found


def _key_names(place: Place, env: Mapping[str, str]) -> tuple[str, ...]:
    """Variables whose key may go to this address: the provider's own, or that of the address set beside it."""
    names: tuple[str, ...] = ()
    if _same_origin(place, env.get("OPENAI_BASE_URL", "")):
        names = ("OPENAI_API_KEY",)
    own = place.preset.base_url
    if place.preset.base_env != "OLLAMA_HOST":
        own = env.get(place.preset.base_env, "").strip() or own
    return names + place.preset.key_env if _same_origin(place, own) else names


def _command_belongs(place: Place, config: Config, env: Mapping[str, str]) -> bool:
    """The command gives the key of the address in the same settings; of any known provider if there is none."""
    if config.model is None and config.base_url is None:
        return _needs_key(place)
    if (config.model or "").startswith("local"):
        return False
    others = {name: value for name, value in env.items() if name != MODEL_ENV}
    configured, _ = _place(config.model or "", "config.toml", config, others, Flags())
    return configured is not None and _same_origin(place, configured.base_url)


def _same_origin(place: Place, url: str) -> bool:
    return bool(url.strip()) and origin_of(place.base_url) == origin_of(url.strip())


def _needs_key(place: Place) -> bool:
    return not place.preset.local and place.preset is not presets.CUSTOM


def _extra_headers(place: Place, env: Mapping[str, str]) -> dict[str, str]:
    """Organisation and project of OpenAI, for OpenAI only."""
    if place.preset is not presets.OPENAI:
        return {}
    names = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
    return {
        header: env[name].strip()
        for header, name in names.items()
        if env.get(name, "").strip().isascii() and env.get(name, "").strip()
    }


def _version(place: Place, env: Mapping[str, str]) -> str:
    """Anthropic's API version: compatible servers and proxies may know only the old one."""
    own = _same_origin(place, presets.ANTHROPIC.base_url)
    return env.get(VERSION_ENV, "").strip() or ("" if own else OLD_VERSION)


def _first_model(place: Place, key: FoundKey, endpoint: Endpoint) -> ModelInfo:
    """The provider's usual model, or the first that the server lists. Raises ModelError."""
    if place.preset.default_model:
        return ModelInfo(place.preset.default_model)
    headers = key_headers(place.preset, key.secret, key.source)
    found = list_models(endpoint, headers, place.preset.wire, timing=TIMING)
    if isinstance(found, Fault):
        raise ModelError(f"no model was named, and {found.message}", hint=found.hint or HOW)
    if not found:
        raise ModelError(f"{origin_of(place.base_url)} lists no models", hint=HOW)
    return found[0]
