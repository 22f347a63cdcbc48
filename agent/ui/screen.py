"""The terminal as one thing: size, colours, printing into the scrollback, forgetting what was typed ahead.

Everything printed goes through the last filter. It owns no state of a session.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from prompt_toolkit.application.current import get_app_or_none
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.input.typeahead import get_typeahead
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style

from agent.ui.filter import FilteredStream
from agent.ui.paint import Line, Theme, theme

NO_STYLE = Style([])
MAX_READS = 64
"""Of typed keys, a kilobyte each; what is more than that was not typed."""
_BITS = {
    ColorDepth.DEPTH_1_BIT: 1,
    ColorDepth.DEPTH_4_BIT: 4,
    ColorDepth.DEPTH_8_BIT: 8,
    ColorDepth.DEPTH_24_BIT: 24,
}


def color_depth(environ: Mapping[str, str], is_tty: bool) -> ColorDepth:
    """How many colours to use: NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, COLORTERM and TERM, in this order."""
    if environ.get("NO_COLOR"):
        return ColorDepth.DEPTH_1_BIT
    force = environ.get("FORCE_COLOR", "") or environ.get("CLICOLOR_FORCE", "")
    if force in ("0", "false"):
        return ColorDepth.DEPTH_1_BIT
    if not is_tty and not force:
        return ColorDepth.DEPTH_1_BIT
    if environ.get("COLORTERM", "") in ("truecolor", "24bit") or force == "3":
        return ColorDepth.DEPTH_24_BIT
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown") and not force:
        return ColorDepth.DEPTH_1_BIT
    return ColorDepth.DEPTH_4_BIT if term in ("linux", "ansi", "vt100") else ColorDepth.DEPTH_8_BIT


def _flush(descriptor: int) -> None:
    """Throw away what the kernel holds of typed keys. Raises ImportError on Windows, OSError for no terminal."""
    import termios

    try:
        termios.tcflush(descriptor, termios.TCIFLUSH)
    except termios.error as error:
        raise OSError(*error.args) from error


class QuietOutput(Vt100_Output):
    """Erases what was drawn without a trace in the scrollback.

    Told to erase everything from the top left corner on, tmux takes the screen for cleared and moves all of it, by then
    blank lines, into its history (its option scroll-on-clear).
    """

    def erase_down(self) -> None:
        """From the first column: one to the right, what is left of there, what is behind, and back."""
        self.write_raw("\x1b[C\x1b[1K\x1b[J\x1b[D")


class Screen:
    """The person's terminal. `input` and `output` are prompt_toolkit's, over the given streams."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        theme_name: str = "auto",
        stdout: TextIO | None = None,
        input: Input | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._stream = FilteredStream(stdout or sys.stdout)
        self.depth = color_depth(environ, self._stream.isatty())
        self.colours: Theme = theme(theme_name, environ, _BITS[self.depth])
        self.input = input or create_input()
        self.output: Output = QuietOutput(
            cast(TextIO, self._stream),
            self._size,
            term=environ.get("TERM"),
            default_color_depth=self.depth,
            enable_bell=False,
            enable_cpr=False,
        )

    def _size(self) -> Size:
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except OSError:
            return Size(24, 80)
        return Size(size.lines or 24, size.columns or 80)

    @property
    def rows(self) -> int:
        return self._size().rows

    @property
    def columns(self) -> int:
        return max(20, self._size().columns)

    def print(self, lines: Sequence[Line]) -> None:
        """Lines into the scrollback, above whatever application is open; no key is lost or echoed by it.

        Not by prompt_toolkit's shortcut: that gives the terminal back to the line mode for every line.
        """
        if not lines:
            return
        app = get_app_or_none()
        if app is not None and app.is_running:  # also one that is done, but not erased yet
            app.renderer.erase()
        fragments = [fragment for line in lines for fragment in (*line, ("", "\n"))]
        print_formatted_text(self.output, FormattedText(fragments), NO_STYLE, color_depth=self.depth)
        if app is not None and app.is_running and not app.is_done:
            app._redraw()

    def bell(self) -> None:
        self._stream.ring()

    def take_typed(self) -> list[str]:
        """Take away everything that was typed until now: in the typeahead, the parser and the kernel. The keys, as typed."""
        taken = get_typeahead(self.input)
        for _ in range(MAX_READS):
            if not (keys := self.input.read_keys()):
                break
            taken += keys
        else:
            with suppress(ImportError, OSError, NotImplementedError):  # no terminal, or none of this kind
                _flush(self.input.fileno())
        taken += self.input.flush_keys()
        return [press.data for press in taken]

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """No echo, and no line is waited for, from the first application to the last."""
        with self.input.raw_mode():
            yield

    def app_options(self) -> dict[str, Any]:
        """What every prompt_toolkit application of ours is made with."""
        return {"input": self.input, "output": self.output, "style": NO_STYLE, "color_depth": self.depth}
