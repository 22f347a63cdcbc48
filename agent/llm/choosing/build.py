"""Puts wire, endpoint and preset together to a model."""

from __future__ import annotations

from agent.core.dialog import Protocol
from agent.llm.presets import CUSTOM, Preset, WireName
from agent.llm.secret import Secret
from agent.llm.transport.client import Endpoint, ProviderModel, Setup, Wire
from agent.llm.wires.chat import ChatWire
from agent.llm.wires.messages import VERSION, MessagesWire
from agent.llm.wires.responses import ResponsesWire


def build_wire(preset: Preset, model_id: str, key_source: str = "", version: str = "") -> Wire:
    """The wire that this preset speaks.

    `key_source` tells a bearer token from a key where that differs; `version` is that of Anthropic's API.
    """
    match preset.wire:
        case WireName.CHAT:
            return ChatWire(model_id, preset)
        case WireName.MESSAGES:
            return MessagesWire(
                model_id, bearer=key_source == "ANTHROPIC_AUTH_TOKEN", version=version or VERSION
            )
        case WireName.RESPONSES:
            return ResponsesWire(model_id)


def key_headers(preset: Preset, key: Secret, key_source: str = "") -> dict[str, str]:
    """The headers that carry the key to this provider."""
    return build_wire(preset, "", key_source).headers(key)


def build_model(
    preset: Preset,
    endpoint: Endpoint,
    model_id: str,
    *,
    key_source: str = "",
    version: str = "",
    protocol: Protocol = Protocol.TOOLS,
    context_tokens: int | None = None,
    setup: Setup | None = None,
) -> ProviderModel:
    """The model `model_id` of the server at `endpoint`, ready to stream."""
    return ProviderModel(
        build_wire(preset, model_id, key_source, version),
        endpoint,
        shown_name(preset, model_id),
        protocol=protocol,
        context_tokens=context_tokens,
        setup=setup,
    )


def shown_name(preset: Preset, model_id: str) -> str:
    """The model's name for screen and commits. llama.cpp's ids are paths of this machine: the file's name is enough."""
    name = model_id.replace("\\", "/").rsplit("/", 1)[-1] if model_id.endswith(".gguf") else model_id
    return name if preset is CUSTOM else f"{preset.name}/{name}"
