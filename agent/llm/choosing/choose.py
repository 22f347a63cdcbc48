"""Which model answers, and why: from flag, environment and the person's own settings, in this order.

Gives a Model and the reason in a sentence, or None when nothing is set up. Never looks into a repository. A key
goes only to the address that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agent.core.dialog import Fault, FaultKind, Protocol
from agent.core.errors import ModelError
from agent.core.price import Price
from agent.io.config import Config
from agent.llm import presets
from agent.llm.choosing import keys
from agent.llm.choosing.build import build_model, key_headers
from agent.llm.choosing.keys import FoundKey
from agent.llm.choosing.listing import ModelInfo, list_models
from agent.llm.choosing.place import Flags, Place, find_place, key_names, needs_key, same_origin
from agent.llm.presets import Preset, WireName
from agent.llm.prices import context_of, price_of
from agent.llm.secret import checked_base_url, is_loopback, origin_of
from agent.llm.transport.client import Endpoint, ProviderModel, Setup
from agent.llm.wires.messages import OLD_VERSION

MODEL_ENV = "COPAIR_MODEL"
KEY_ENV = "COPAIR_API_KEY"
VERSION_ENV = "ANTHROPIC_VERSION"
ANY_MODEL = "default"
HOW = "name one with --model PROVIDER/NAME, or run `copair connect`"

__all__ = ["Choice", "Flags", "choose"]


class Choice(msgspec.Struct, frozen=True):
    """The chosen model. `why` and `masked_key` may be shown."""

    model: ProviderModel
    why: str
    masked_key: str
    key_source: str
    preset: Preset
    base_url: str
    model_id: str
    price: Price | None = None
    """None: unknown, only tokens can be shown."""


def choose(
    config: Config, env: Mapping[str, str], flags: Flags | None = None, setup: Setup | None = None
) -> Choice | None:
    """The model to use, or None when nothing is set up. Raises ModelError or UsageError.

    Asks the server for its models only where no name is given.
    """
    flags = flags or Flags()
    spec, source = _spec(config, env, flags)
    place, name = find_place(spec, source, config, env, flags)
    if place is None:
        return None
    key = _key(place, config, env)
    address = checked_base_url(place.base_url, place.source, has_key=bool(key.secret))
    place = msgspec.structs.replace(place, base_url=_bare(address, place.preset.wire))
    if needs_key(place) and not key.secret and not is_loopback(place.base_url):
        names = " or ".join(place.preset.key_env)
        raise ModelError(f"no key for {place.preset.name}", hint=f"set {names}, or run `copair connect`")
    endpoint = Endpoint(place.base_url, key.secret, _extra_headers(place, env))
    info = ModelInfo(name) if name else _first_model(place, key, endpoint)
    # What the settings say of protocol and window is said of their own model.
    about = config if spec == config.model or config.model is None else Config()
    model = build_model(
        place.preset,
        endpoint,
        info.id,
        key_source=key.source,
        version=_version(place, env),
        protocol=flags.protocol or about.protocol or Protocol.TOOLS,
        context_tokens=about.context_tokens or info.context_tokens or context_of(place.preset.name, info.id),
        setup=setup,
    )
    return _choice(model, place, key, info.id, config)


def _bare(url: str, wire: WireName) -> str:
    """The base of an address that was given with the path of one request, or with a `/v1` that is added anyway."""
    if wire is WireName.MESSAGES:
        return url.removesuffix("/messages").removesuffix("/v1")
    return url.removesuffix("/chat/completions").removesuffix("/responses")


def _choice(model: ProviderModel, place: Place, key: FoundKey, model_id: str, config: Config) -> Choice:
    masked = key.secret.masked if key.secret else ""
    with_key = f"with the key {masked} of {key.source}" if masked else "without a key"
    why = f"{model.name} at {origin_of(place.base_url)} {with_key}, because of {place.source}"
    price = price_of(place.preset.name, model_id, config.prices)
    return Choice(model, why, masked, key.source, place.preset, place.base_url, model_id, price)


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


def _key(place: Place, config: Config, env: Mapping[str, str]) -> FoundKey:
    """The key that belongs to this address. Raises ModelError."""
    found = keys.from_env((KEY_ENV, *key_names(place, env)), env)
    if not found.secret and config.api_key_command and _command_belongs(place, config, env):
        found = keys.from_command(config.api_key_command, env)
    if not found.secret and needs_key(place):
        found = keys.from_keyring(place.preset.name)
    return found


def _command_belongs(place: Place, config: Config, env: Mapping[str, str]) -> bool:
    """The command gives the key of the address in the same settings; of any known provider if there is none."""
    if config.model is None and config.base_url is None:
        return needs_key(place)
    if (config.model or "").startswith("local"):
        return False
    others = {name: value for name, value in env.items() if name != MODEL_ENV}
    configured, _ = find_place(config.model or "", "config.toml", config, others, Flags())
    return configured is not None and same_origin(place, configured.base_url)


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
    own = same_origin(place, presets.ANTHROPIC.base_url)
    return env.get(VERSION_ENV, "").strip() or ("" if own else OLD_VERSION)


def _first_model(place: Place, key: FoundKey, endpoint: Endpoint) -> ModelInfo:
    """The provider's usual model, or the first that the server lists. Raises ModelError."""
    if place.preset.default_model:
        return ModelInfo(place.preset.default_model)
    headers = key_headers(place.preset, key.secret, key.source)
    found = list_models(endpoint, headers, place.preset.wire)
    if isinstance(found, Fault) and found.kind in (FaultKind.BAD_REQUEST, FaultKind.SERVER):
        # It is there but lists nothing: servers of one model take any name.
        return ModelInfo(ANY_MODEL)
    if isinstance(found, Fault):
        raise ModelError(f"no model was named, and {found.message}", hint=found.hint or HOW)
    if not found:
        raise ModelError(f"{origin_of(place.base_url)} lists no models", hint=HOW)
    return found[0]
