"""What is known of each provider and server: address, key variable, and which fields its API takes.

Plain data with its date, from the wire fact sheet of 2026-11-22. An unknown address gets the CUSTOM preset: the
common fields, each of which is left out when the server refuses it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class WireName(StrEnum):
    CHAT = "chat"
    MESSAGES = "messages"
    RESPONSES = "responses"


class Preset(msgspec.Struct, frozen=True):
    """`key_env`: variables that may hold the key, the first that is set wins. `local`: a server on loopback."""

    name: str
    base_url: str
    wire: WireName = WireName.CHAT
    key_env: tuple[str, ...] = ()
    base_env: str = ""
    local: bool = False
    default_model: str = ""
    """Taken when the person named none; empty: the first that the server lists."""
    max_tokens_field: str = "max_tokens"
    usage_option: bool = True
    """`stream_options: {include_usage: true}` is understood."""
    one_call: bool = False
    """`parallel_tool_calls: false` is understood."""
    strict: bool = False
    """`strict: true` on tools is understood."""
    cache_key: bool = False
    """`prompt_cache_key` is understood."""


ANTHROPIC = Preset(
    "anthropic",
    "https://api.anthropic.com",
    wire=WireName.MESSAGES,
    key_env=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    base_env="ANTHROPIC_BASE_URL",
    default_model="claude-sonnet-5-5",
)
OPENAI = Preset(
    "openai",
    "https://api.openai.com/v1",
    # Chat Completions of OpenAI itself refuses tools with reasoning since gpt-5.4.
    wire=WireName.RESPONSES,
    key_env=("OPENAI_API_KEY",),
    base_env="OPENAI_BASE_URL",
    default_model="gpt-5.6-sol",
    max_tokens_field="max_completion_tokens",
    one_call=True,
    strict=True,
    cache_key=True,
)
OPENROUTER = Preset(
    "openrouter", "https://openrouter.ai/api/v1", key_env=("OPENROUTER_API_KEY",), one_call=True
)
GEMINI = Preset(
    "gemini",
    "https://generativelanguage.googleapis.com/v1beta/openai",
    key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
)
DEEPSEEK = Preset("deepseek", "https://api.deepseek.com/v1", key_env=("DEEPSEEK_API_KEY",))
OLLAMA = Preset("ollama", "http://127.0.0.1:11434/v1", base_env="OLLAMA_HOST", local=True)
LLAMACPP = Preset("llamacpp", "http://127.0.0.1:8080/v1", local=True)
LMSTUDIO = Preset("lmstudio", "http://127.0.0.1:1234/v1", local=True)
VLLM = Preset("vllm", "http://127.0.0.1:8000/v1", key_env=("VLLM_API_KEY",), local=True)
CUSTOM = Preset(
    "custom", "", key_env=("OPENAI_API_KEY",), base_env="OPENAI_BASE_URL", one_call=True, usage_option=True
)

PRESETS = {
    preset.name: preset
    for preset in (
        ANTHROPIC, OPENAI, OPENROUTER, GEMINI, DEEPSEEK, OLLAMA, LLAMACPP, LMSTUDIO, VLLM,
    )
}  # fmt: skip
LOCAL = tuple(preset for preset in PRESETS.values() if preset.local)
