"""Reads OLLAMA_HOST as Ollama's own clients do: scheme and port may be missing, 0.0.0.0 means this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

PORT = 11434


def ollama_base_url(host: str) -> str:
    """The address of Ollama's compatible API for a value of OLLAMA_HOST; the usual one when it is empty."""
    value = host.strip().strip("\"'")
    if not value:
        return f"http://127.0.0.1:{PORT}/v1"
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    default = {"http": 80, "https": 443}.get(scheme, PORT) if separator else PORT
    if rest.count(":") > 1 and not rest.startswith("["):
        rest = f"[{rest}]"
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        name, port = parts.hostname or "127.0.0.1", parts.port or default
    except ValueError:
        # Not an address; `checked_base_url` says so in words.
        return value
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)
    shown = f"[{name}]" if ":" in name else name
    path = parts.path.rstrip("/").removesuffix("/v1")
    return f"{scheme}://{shown}:{port}{path}/v1"
