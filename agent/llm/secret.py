"""A key as a type of its own: it prints masked, is taken out of every text, and goes to one origin only.

Promises that a `Secret` never shows its value by accident (repr, str, f-string, traceback). It does not know
where keys come from or which header carries them.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from agent.core.errors import ModelError

MASK = "…"
SHOWN_CHARS = 4
SECRET_CHARS = 12


class Secret:
    """An API key. `reveal()` is for the request's headers alone."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value.strip()

    def reveal(self) -> str:
        return self._value

    @property
    def masked(self) -> str:
        """Enough to recognise a key, not to use it: `…wxyz`; short ones show nothing."""
        return MASK + self._value[-SHOWN_CHARS:] if len(self._value) >= 4 * SHOWN_CHARS else MASK

    def redact(self, text: str) -> str:
        """`text` without the key in it. Placeholders for local servers ("none", "ollama") are no secret."""
        return text.replace(self._value, MASK) if len(self._value) >= SECRET_CHARS else text

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({self.masked})"

    __str__ = __repr__


NO_SECRET = Secret("")


def checked_secret(value: str, source: str) -> Secret:
    """`value` as a key. Raises ModelError for one that cannot stand in a header, without showing it."""
    secret = Secret(value)
    raw = secret.reveal()
    if not raw.isascii() or not raw.isprintable() or " " in raw:
        raise ModelError(
            f"the key from {source} holds spaces, line breaks or other characters that no key has",
            hint=f"set {source} to the bare key",
        )
    return secret


def is_loopback(url: str) -> bool:
    """True when `url` names this machine. Names other than localhost are not looked up."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """`scheme://host:port` of a URL, for messages: no path, no user, no query."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an address that cannot be read)"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def checked_base_url(url: str, source: str, *, has_key: bool) -> str:
    """`url` without a trailing slash, when requests may go there. Raises ModelError otherwise.

    A key goes over https or to this machine, never in the clear over a network.
    """
    wanted = f"set {source} to an address like https://host/v1 or http://127.0.0.1:8080/v1"
    try:
        parts = urlsplit(url.strip())
        usable = bool(parts.scheme in ("http", "https") and parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or not url.strip().isprintable():
        raise ModelError(f"{source} is no http or https address", hint=wanted)
    if parts.username is not None or parts.password is not None:
        raise ModelError(f"{source} holds a user name or password", hint="put the key into its own variable")
    if parts.query or parts.fragment:
        raise ModelError(f"{source} holds a query or fragment", hint=wanted)
    if has_key and parts.scheme == "http" and not is_loopback(url.strip()):
        raise ModelError(
            f"the key would go unencrypted to {origin_of(url)}",
            hint=f"use https in {source}, or leave the key away if that server needs none",
            untouched="nothing was sent",
        )
    return url.strip().rstrip("/")
