"""Writes the person's `config.toml`: one key at a time, keeping comments and order, readable by them alone.

A module of its own, because tomlkit costs 30 ms that reading does not need.
"""

from __future__ import annotations

import os
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from agent.core.errors import UsageError
from agent.io import durable
from agent.io.config import check


def save(path: Path, key: str, value: str | int | float | bool | list[str]) -> None:
    """Set one key outside of any table (`model`), keeping the rest of the file as it is. Raises UsageError."""
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        document = tomlkit.parse(text.replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise UsageError(f"cannot change {path}: {error}", untouched="the file was left as it is") from error
    document[key] = value
    check(document.unwrap(), str(path))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        changed = tomlkit.dumps(document).replace("\n", "\r\n" if "\r\n" in text else "\n")
        durable.replace(Path(os.path.realpath(path)), changed.encode("utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", untouched="the file was left as it is"
        ) from error
