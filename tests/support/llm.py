"""Models of copair wired to a scripted server, patient for milliseconds only."""

from __future__ import annotations

from typing import Any

from agent.core.dialog import Request, UserMessage
from agent.llm.choosing.build import build_model
from agent.llm.presets import CUSTOM, PRESETS, Preset
from agent.llm.secret import Secret
from agent.llm.transport.client import Endpoint, ProviderModel, Setup
from agent.llm.transport.http import Timing
from agent.llm.transport.retry import Policy
from agent.ports import Cancel
from tests.support.server import ScriptedServer

KEY = "sk-test-0123456789abcdef"
QUICK = Setup(policy=Policy(first=0.001, cap=0.002), timing=Timing(tick=0.02))
WIRE_PRESETS: dict[str, Preset] = {
    "chat": CUSTOM,
    "messages": PRESETS["anthropic"],
    "responses": PRESETS["openai"],
}


def model_for(server: ScriptedServer, setup: Setup = QUICK, preset: str = "") -> ProviderModel:
    """The client of the server's wire, named `scripted-1`, with the key KEY."""
    chosen = PRESETS[preset] if preset else WIRE_PRESETS[server.wire]
    return build_model(chosen, Endpoint(server.base_url, Secret(KEY)), "scripted-1", setup=setup)


chat_model = model_for


def collect(model: Any, wanted: Request, cancel: Cancel | None = None) -> list[Any]:
    return list(model.stream(wanted, cancel or Cancel()))


def request(text: str) -> Request:
    return Request("", (), (UserMessage(text),))
