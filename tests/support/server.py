"""A scriptable HTTP server on loopback: speaks each wire, and misbehaves in every way that a script asks for.

    with ScriptedServer("chat", [Turn(text="hello"), Reply(status=429)]) as server:
        ...  # OPENAI_BASE_URL=server.base_url
        server.requests[0].json["messages"]

Threads and sockets of the standard library only. When the script is over it answers 500.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.support.wires import STREAMS, Turn


class Reply(msgspec.Struct, frozen=True):
    """How one request is answered. What is not said is as a good server does it."""

    turn: Turn = Turn()
    body: bytes | None = None
    """These bytes instead of the turn."""
    status: int = 200
    headers: dict[str, str] = {}
    content_type: str = "text/event-stream"
    framing: str = "chunked"
    """`chunked`, `length`, or `close` (the end of the connection is the end of the body)."""
    cut: int | None = None
    """Drop the connection after so many bytes of the body."""
    piece: int = 0
    """Send so many bytes at a time."""
    pause: float = 0.0
    """Seconds before each piece."""
    stall: float = 0.0
    """Seconds of silence before the answer begins."""
    never: bool = False
    """Take the request and say nothing, until the server closes."""
    hang_after: int | None = None
    """Send so many bytes of the body, then nothing more."""


class Recorded(msgspec.Struct, frozen=True):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Step = Reply | Turn | Callable[[Recorded], Reply | Turn]


class ScriptedServer:
    """Answers the requests of a wire one by one from `replies`; `models` is what `GET .../models` lists."""

    def __init__(
        self, wire: str = "chat", replies: Sequence[Step] = (), *, models: Sequence[str] = ("scripted-1",)
    ) -> None:
        self.wire = wire
        self.requests: list[Recorded] = []
        """The model requests, without the listings."""
        self.listings: list[Recorded] = []
        self.dropped = threading.Event()
        """Set when a client went away while it was being answered."""
        self._replies = list(replies)
        self._models = models
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What goes into OPENAI_BASE_URL, or ANTHROPIC_BASE_URL for the messages wire."""
        return self.origin if self.wire == "messages" else f"{self.origin}/v1"

    def add(self, *replies: Step) -> None:
        with self._lock:
            self._replies.extend(replies)

    def __enter__(self) -> ScriptedServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        # Closing does not wake a thread that waits in accept, a last connection does.
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        for connection in self._open:
            _shut(connection)
        for thread in self._threads:
            thread.join(2)
        self._socket.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            connection, _ = self._socket.accept()
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = _read_request(connection)
                if request is not None:
                    self._answer(connection, request)
            except OSError:
                self.dropped.set()
            _shut(connection)

    def _answer(self, connection: socket.socket, request: Recorded) -> None:
        if request.method == "GET":
            self.listings.append(request)
            data = {"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]}
            reply = Reply(body=json.dumps(data).encode(), content_type="application/json", framing="length")
        else:
            with self._lock:
                self.requests.append(request)
                step: Step = self._replies.pop(0) if self._replies else OVER
            made = step(request) if callable(step) else step
            reply = Reply(turn=made) if isinstance(made, Turn) else made
        self._send(connection, reply, request)

    def _send(self, connection: socket.socket, reply: Reply, request: Recorded) -> None:
        if reply.never or reply.stall:
            self._wait(connection, None if reply.never else reply.stall)
        body = reply.body
        if body is None:
            model = request.json.get("model", "") if request.body else ""
            body = STREAMS[self.wire](reply.turn, model) if reply.status == 200 else b""
        headers = {"content-type": reply.content_type, "connection": "close", **reply.headers}
        if reply.framing == "length":
            headers["content-length"] = str(len(body))
        if reply.framing == "chunked":
            headers["transfer-encoding"] = "chunked"
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{k}: {v}" for k, v in headers.items() if v)]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        stop = next((n for n in (reply.cut, reply.hang_after) if n is not None), None)
        self._send_body(connection, body if stop is None else body[:stop], reply)
        if reply.hang_after is not None:
            self._wait(connection, None)
        elif reply.cut is None and reply.framing == "chunked":
            connection.sendall(b"0\r\n\r\n")

    def _send_body(self, connection: socket.socket, body: bytes, reply: Reply) -> None:
        size = reply.piece or max(len(body), 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(body), size):
            part = body[start : start + size]
            if reply.pause and self._closing.wait(reply.pause):
                return
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part) if reply.framing == "chunked" else part)

    def _wait(self, connection: socket.socket, seconds: float | None) -> None:
        """Say nothing; raises OSError when the client goes away meanwhile."""
        until = time.monotonic() + (seconds if seconds is not None else 60)
        connection.settimeout(0.02)
        while time.monotonic() < until and not self._closing.is_set():
            try:
                if connection.recv(1) == b"":
                    raise ConnectionResetError("the client went away")
            except TimeoutError:
                pass
        connection.settimeout(None)


OVER = Reply(status=500, body=b'{"error":{"message":"the script is over"}}', content_type="application/json")


def _read_request(connection: socket.socket) -> Recorded | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, path, _ = first.split(" ", 2)
    return Recorded(method, path, headers, body)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
