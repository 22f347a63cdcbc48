"""Finds the key for an address: environment, the person's `api_key_command`, then the keyring.

A key belongs to one origin: a provider's variable goes to that provider (or to the base URL set beside it), the
command to the address of the same configuration file. Nothing is read from a repository.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent.core.errors import ModelError
from agent.io.process import ProgramMissing, run
from agent.llm.secret import NO_SECRET, Secret, checked_secret

COMMAND_SECONDS = 30.0
KEYRING_SERVICE = "copair"

KeyringReader = Callable[[str], str | None]


class FoundKey(msgspec.Struct, frozen=True):
    """A key and where it came from, as shown: `OPENAI_API_KEY`, `api_key_command`, `keyring`."""

    secret: Secret = NO_SECRET
    source: str = ""


NO_KEY = FoundKey()


def from_env(names: tuple[str, ...], env: Mapping[str, str]) -> FoundKey:
    """The first variable of `names` that holds something. Raises ModelError for one that is no key."""
    for name in names:
        if env.get(name, "").strip():
            return FoundKey(checked_secret(env[name], name), name)
    return NO_KEY


def from_command(argv: tuple[str, ...], env: Mapping[str, str]) -> FoundKey:
    """The first line that the person's own program prints. Raises ModelError when it fails.

    It runs in their home, not in the repository, and without a shell.
    """
    name = argv[0] if argv else ""
    if not name:
        raise ModelError("api_key_command is empty", hint="give a program and its arguments")
    try:
        ran = run(argv, cwd=Path.home(), env=env, timeout_seconds=COMMAND_SECONDS, cap_bytes=64 * 1024)
    except (ProgramMissing, OSError) as error:
        raise ModelError(f"api_key_command: {error}", hint="see api_key_command in config.toml") from None
    if ran.timed_out:
        raise ModelError(f"api_key_command: {name} took more than {COMMAND_SECONDS:.0f} s")
    if ran.status != 0:
        raise ModelError(
            f"api_key_command: {name} ended with status {ran.status}", hint="run it by hand to see why"
        )
    line = ran.stdout.decode("utf-8", "replace").strip().split("\n")[0]
    if not line.strip():
        raise ModelError(f"api_key_command: {name} printed nothing")
    return FoundKey(checked_secret(line, "api_key_command"), "api_key_command")


def from_keyring(provider: str, read: KeyringReader | None = None) -> FoundKey:
    """The entry of service `copair` and the provider's name, when the `keyring` extra is installed and works."""
    value = (read or _keyring)(provider)
    return FoundKey(checked_secret(value, "the keyring"), "keyring") if value else NO_KEY


def _keyring(provider: str) -> str | None:
    if importlib.util.find_spec("keyring") is None:
        return None
    keyring: Any = importlib.import_module("keyring")
    errors: Any = importlib.import_module("keyring.errors")
    try:
        # A machine without a desktop has no keyring service: that is no error, there is just no key.
        found: str | None = keyring.get_password(KEYRING_SERVICE, provider)
    except (errors.KeyringError, OSError):
        return None
    return found
