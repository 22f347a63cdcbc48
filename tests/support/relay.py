"""Stands on loopback between copair and a server, passes everything on, and keeps what went each way."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading

DELTA = re.compile(rb'"content":("(?:[^"\\]|\\.)*")')


class Relay:
    """`url` is for OPENAI_BASE_URL; what goes there reaches `server` (`http://127.0.0.1:PORT`)."""

    def __init__(self, server: str) -> None:
        self._host, _, port = server.removeprefix("http://").partition(":")
        self._to = int(port)
        self.asked, self.told = bytearray(), bytearray()
        self._ends: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}/v1"
        self._closing = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def requests(self) -> int:
        return self.asked.count(b"POST /v1/chat/completions")

    @property
    def deltas(self) -> list[str]:
        """The pieces of text that were streamed so far."""
        return [json.loads(found) for found in DELTA.findall(self.told)]

    def close(self) -> None:
        self._closing = True
        # Closing does not wake a thread that waits in accept, a last connection does.
        with socket.create_connection(("127.0.0.1", self._port)):
            pass
        for end in self._ends:
            _shut(end)
        for thread in self._threads:
            thread.join(5)
        for end in (*self._ends, self._socket):
            end.close()

    def _accept(self) -> None:
        while True:
            near, _ = self._socket.accept()
            self._ends.append(near)
            if self._closing:
                return
            far = socket.create_connection((self._host, self._to))
            self._ends.append(far)
            for source, target, kept in ((near, far, self.asked), (far, near, self.told)):
                thread = threading.Thread(target=_pump, args=(source, target, kept))
                self._threads.append(thread)
                thread.start()


def _pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            kept += data
            target.sendall(data)
    _shut(source)
    _shut(target)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
