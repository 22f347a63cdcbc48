"""The first prompt, drawn before anything is imported: standard library only.

`begin` writes the prompt at once and collects what is typed, byte for byte, in a thread, showing it as it comes.
`take` hands the bytes to the line editor, which replays them as keys: an early Enter, Ctrl-C, Ctrl-D, arrow or
paste means what it always means. The terminal is left as it was found.
"""

from __future__ import annotations

import os
import sys
import threading

PROMPT = "› "
_BOLD, _PLAIN, _ERASE = "\x1b[1m", "\x1b[0m", "\r\x1b[J"


class Early:
    """A prompt before the real one. `restore` must be called in the end, `take` may be before."""

    def __init__(self, stdin: int, stdout: int) -> None:
        self._stdin, self._stdout = stdin, stdout
        self._typed = bytearray()
        self._wake_read, self._wake_write = os.pipe()
        self._before = self._raw()
        self._show()
        self._thread = threading.Thread(target=self._collect, name="early-keys", daemon=True)
        self._thread.start()

    def take(self) -> bytes:
        """What was typed until now. The prompt is erased, the terminal is as it was before."""
        self.restore()
        return bytes(self._typed)

    def tell(self, line: str) -> None:
        """A line on standard error, above the prompt and what is typed."""
        self._write(_ERASE)
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
        self._show()

    def restore(self) -> None:
        """Give the terminal back; the second time nothing happens."""
        if self._wake_write < 0:
            return
        os.write(self._wake_write, b".")
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)
        self._wake_write = -1
        self._write(_ERASE)
        if self._before is not None:
            import termios

            termios.tcsetattr(self._stdin, termios.TCSANOW, self._before)  # type: ignore[arg-type]

    def _raw(self) -> list[object] | None:
        """No echo, no waiting for Enter, keys as bytes; like the line editor's own mode, so nothing changes later."""
        try:
            import termios
        except ImportError:  # Windows
            return None
        try:
            before = termios.tcgetattr(self._stdin)
            raw = termios.tcgetattr(self._stdin)
        except termios.error:
            return None
        raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
        raw[6][termios.VMIN] = 1
        termios.tcsetattr(self._stdin, termios.TCSANOW, raw)
        return before

    def _collect(self) -> None:
        import select

        while True:
            ready, _, _ = select.select([self._stdin, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            data = os.read(self._stdin, 4096)
            if not data:
                return
            self._typed += data
            self._show()

    def _show(self) -> None:
        self._write(f"\r{_BOLD}{PROMPT}{_PLAIN}{shown(bytes(self._typed), self._columns())}\x1b[K")

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stdout).columns or 80
        except OSError:
            return 80

    def _write(self, text: str) -> None:
        data = text.encode("utf-8")
        while data:
            data = data[os.write(self._stdout, data) :]


def shown(typed: bytes, columns: int) -> str:
    """What to show of early keys: printable text up to the first key that is not, at most one line of it."""
    text: list[str] = []
    for char in typed.decode("utf-8", "ignore"):
        if char in "\x7f\x08":
            del text[-1:]
        elif (char.isascii() and char.isprintable()) or char.isalnum():
            text.append(char)
        else:
            break
    room = max(1, (columns - len(PROMPT) - 1) // (1 if all(char.isascii() for char in text) else 2))
    return "".join(text[-room:])


def begin() -> Early:
    """Draw the prompt on the terminal now."""
    return Early(sys.stdin.fileno(), sys.stdout.fileno())
