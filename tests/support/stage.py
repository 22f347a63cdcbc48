"""A pseudo-terminal with an emulated screen, a driver and a person: to try the terminal frontend as it is met."""

from __future__ import annotations

import fcntl
import os
import queue
import struct
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyte
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.input.vt100 import Vt100Input

from agent.core.frontend import Input
from agent.ui.card import OpenCard
from agent.ui.outside import Outside
from agent.ui.question import OpenQuestion
from agent.ui.screen import Screen
from agent.ui.terminal import Options, Terminal

PATIENCE = 20.0


class Stage:
    """`play` runs a terminal in this thread, a driver and a person in theirs."""

    def __init__(self, tmp_path: Path, *, rows: int = 24, columns: int = 80, **options: Any) -> None:
        self.master, self.slave = os.openpty()
        self.inbox: queue.SimpleQueue[Input] = queue.SimpleQueue()
        self.raw = bytearray()
        self._screen = pyte.HistoryScreen(columns, rows, history=2000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._ended = False
        self.resize(rows, columns)
        environ = {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "PATH": os.environ["PATH"],
        } | options.pop("environ", {})
        self._out = os.fdopen(os.dup(self.slave), "w", encoding="utf-8")
        self._in = os.fdopen(os.dup(self.slave), encoding="utf-8")
        keyboard = Vt100Input(self._in)
        clear_typeahead(
            keyboard
        )  # it is kept by the number of the descriptor, which another stage had before
        screen = Screen(environ=environ, stdout=self._out, input=keyboard)
        settings: dict[str, Any] = {
            "grace_seconds": 0.05,
            "reason_seconds": 0.0,
            "pause_seconds": 0.05,
            **options,
        }
        typed = settings.pop("typed", b"")
        first = settings.pop("first", None)
        self.before = termios.tcgetattr(self.slave)
        self.terminal = Terminal(
            self.inbox.put,
            screen,
            commands={"cost": "tokens so far", "quit": "end"},
            files=lambda: ["src/parse.py", "README.md"],
            outside=Outside(tmp_path / "state", environ | {"VISUAL": settings.pop("editor", "false")}),
            options=Options(**settings),
            first=first,
            typed=typed,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while not self._ended:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            with self._lock:
                self.raw += data
                self._stream.feed(data)

    @property
    def shown(self) -> str:
        """What is on the screen now."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def everything(self) -> str:
        """The scrollback and the screen."""
        with self._lock:
            past = [
                "".join(line[x].data for x in range(self._screen.columns))
                for line in self._screen.history.top
            ]
            return "\n".join(line.rstrip() for line in [*past, *self._screen.display])

    def wait(self, text: str, *, gone: bool = False) -> str:
        """Until `text` is on the screen (or gone from it)."""
        end = time.monotonic() + PATIENCE
        while (text in self.shown) is gone:
            if time.monotonic() > end:
                raise AssertionError(f"{'still' if gone else 'no'} {text!r} on the screen:\n{self.shown}")
            time.sleep(0.01)
        return self.shown

    def wait_for(self, screen: str) -> None:
        """Until the screen is `screen` again."""
        end = time.monotonic() + PATIENCE
        while self.shown != screen:
            assert time.monotonic() < end, f"the screen is another:\n{self.shown}"
            time.sleep(0.01)

    def send(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def _takes_decisions(self) -> bool:
        """True when what is open is drawn, waits for nothing, and its grace and any burst are over."""
        now = self.terminal._open
        if not isinstance(now, OpenCard | OpenQuestion):
            return True
        return now._drawn and not now._waiting and not self.terminal._haste.early

    def press(self, keys: str) -> None:
        """Keys on a card that is drawn, after its grace and after a pause in the typing."""
        time.sleep(0.12)
        end = time.monotonic() + PATIENCE
        while not self._takes_decisions() and time.monotonic() < end:
            time.sleep(0.01)
        self.send(keys)

    def after(self, change: Callable[[], None]) -> None:
        """Make `change`, and wait until another thing is open than before: on a slow machine that takes a while."""
        before = self.terminal._open
        change()
        end = time.monotonic() + PATIENCE
        while self.terminal._open in (before, None) and time.monotonic() < end:
            time.sleep(0.01)

    def heard(self) -> Input:
        """The next thing that the driver gets."""
        return self.inbox.get(timeout=PATIENCE)

    def silent(self, seconds: float = 0.25) -> bool:
        """True when the driver gets nothing for a while."""
        time.sleep(seconds)
        return self.inbox.empty()

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with self._lock:
            self._screen.resize(rows, columns)

    def play(self, story: Callable[[Stage], None]) -> None:
        """Run the terminal while `story` (driver and person) runs; its failure is this one's."""
        failure: list[BaseException] = []

        def tell() -> None:
            try:
                story(self)
            except BaseException as error:  # noqa: BLE001 - raised again below, in the test's own thread
                failure.append(error)
            finally:
                self.terminal.close()

        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        self.terminal.run()
        thread.join(PATIENCE)
        self.after = termios.tcgetattr(self.slave)
        self._ended = True
        for stream in (self._out, self._in):
            stream.close()
        os.close(self.slave)
        os.close(self.master)
        if failure:
            raise failure[0]
