"""Runs a tool that the model called beside the driver: started, not awaited, so that keys and Ctrl-C work meanwhile.

The output comes as `ToolEnded` on the inbox, always; the driver drops it when the errand was stopped before.
"""

from __future__ import annotations

import json
import queue
import threading
from typing import Any

import msgspec

from agent.core.dialog import ToolCall
from agent.ports import Cancel, ToolBox, ToolOutput

LABEL_CHARS = 60


class ToolEnded(msgspec.Struct, frozen=True):
    errand: Errand
    output: ToolOutput


class Errand:
    """One run of one tool for one call. Two errands are never the same, whatever ids a server gives to its calls."""

    def __init__(self, call: ToolCall) -> None:
        self.call = call
        self.cancel = Cancel()


def start(tools: ToolBox, call: ToolCall, inbox: queue.SimpleQueue[Any]) -> Errand:
    """Run the tool in a thread of its own; returns at once."""
    errand = Errand(call)

    def work() -> None:
        output = ToolOutput(f"{call.name} failed.", f"{call.name}: failed", True)
        try:
            output = tools.run(call.name, call.args_json, errand.cancel)
        finally:
            inbox.put(ToolEnded(errand, output))

    threading.Thread(target=work, name=f"tool-{call.name}", daemon=True).start()
    return errand


def label(call: ToolCall) -> str:
    """What is being done, for the person who waits: `read lex.py`, `check tests`."""
    try:
        arguments = json.loads(call.args_json or "{}")
    except ValueError:
        return call.name
    values = arguments.values() if isinstance(arguments, dict) else ()
    about = next((value for value in values if isinstance(value, str) and value.strip()), "")
    return f"{call.name} {about}".strip()[:LABEL_CHARS]
