"""What the open cards, of chunks and of questions, have in common as prompt_toolkit applications: Esc, resizing, timing."""

from __future__ import annotations

from typing import Any

import msgspec
from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.key_binding.vi_state import InputMode

ESCAPE_SECONDS = 0.15
"""Esc is taken as Esc when nothing follows for so long."""


class Timing(msgspec.Struct, frozen=True):
    """How long decisions do not count after drawing, and how long a reject waits for its reason (0: not at all)."""

    grace_seconds: float = 0.25
    reason_seconds: float = 2.0
    pause_seconds: float = 0.4
    """Typing that pauses for so long goes on with something else: people type 5 to 10 keys a second."""


USUAL = Timing()


def escape_leaves(app: Application[Any], line: Buffer) -> bool:
    """Whether Esc leaves an input line; with vi keys the first Esc only ends the typing."""
    return (
        app.editing_mode == EditingMode.EMACS or not line.text or app.vi_state.input_mode != InputMode.INSERT
    )


class ClearingApplication(Application[Any]):
    """Draws itself anew, and alone, when the size of the terminal changes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Seconds after Esc in which a key still counts as Alt and that key. The usual 1.5 would swallow the next key.
        self.timeoutlen = self.ttimeoutlen = ESCAPE_SECONDS / 2

    def _on_resize(self) -> None:
        """Clear the screen: terminals that wrap lines anew leave parts of the old drawing behind otherwise."""
        self.renderer.clear()
        self._redraw()
