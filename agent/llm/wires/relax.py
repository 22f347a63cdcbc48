"""Finds the field that a server has just refused, so that it is left out from then on.

Compatible servers know different subsets of a wire. Asking once too much and heeding the answer needs no table of
servers and versions.
"""

from __future__ import annotations

from agent.core.dialog import Fault

_UNKNOWN = (
    "unsupported",
    "not supported",
    "unrecognized",
    "unknown",
    "not permitted",
    "unexpected",
    "not allowed",
    "invalid field",
    "extra field",
    "must be verified",
    "should be",
    "invalid value",
    "does not support",
    "cannot be used",
)


def refused_field(fault: Fault, fields: tuple[str, ...], dropped: frozenset[str]) -> str:
    """The first of `fields` that the fault names as unknown; empty when there is none."""
    words = fault.message.lower()
    if not any(word in words for word in _UNKNOWN):
        return ""
    return next((name for name in fields if name.lower() in words and name not in dropped), "")
