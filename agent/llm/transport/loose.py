"""Reads JSON that a server may have got wrong: every getter gives a plain value of its type, or a default.

A field of a wrong type is as good as absent. Nothing here raises but `parse`, for text that is no JSON at all.
"""

from __future__ import annotations

import json
from typing import Any

Object = dict[str, Any]

TOKENS_MAX = 10**12


def parse(text: str | bytes) -> Any:
    """The JSON value of `text`. Raises ValueError, also where Python's own limits are met (depth, digits)."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def obj(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def array(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def count(value: object) -> int:
    """A number of tokens: a whole number from 0 up, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value < TOKENS_MAX else 0


def index(value: object) -> int | None:
    """A position; None when there is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def arguments_problem(args_json: str) -> str:
    """Why these tool arguments cannot be used; empty when they are a JSON object (or nothing at all)."""
    if not args_json.strip():
        return ""
    try:
        value = _forgiving(args_json)
    except ValueError:
        return "are not complete JSON"
    return "" if isinstance(value, dict) else "are not a JSON object"


def arguments(args_json: str) -> Object:
    """Tool arguments as an object; empty when there are none."""
    return {} if arguments_problem(args_json) or not args_json.strip() else obj(_forgiving(args_json))


def arguments_text(args_json: str) -> str:
    """Tool arguments as they may go back to a server: as they came, unless no strict parser would take them."""
    try:
        return args_json if isinstance(parse(args_json), dict) else "{}"
    except ValueError:
        return json.dumps(arguments(args_json))


def _forgiving(args_json: str) -> Any:
    """Weak models put bare line breaks into strings: whole all the same."""
    try:
        return json.loads(args_json, strict=False)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
