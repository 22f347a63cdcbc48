"""One HTTP exchange as a stream of pieces that ends at once when cancelled. The only file that imports httpx.

A thread of its own does the request and fills a queue; the reader takes from the queue, so silence is noticed
and a cancel is answered within milliseconds wherever the request stands: looking up the name, connecting,
waiting for headers, reading. The socket is then shut down, which frees the connection.
No redirect is followed, no cookie or netrc is read, loopback never goes through a proxy, and what is received is
bounded after decompression too. It does not know what the bytes mean.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
import zlib
from collections.abc import Generator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from agent.core.dialog import Fault, FaultKind
from agent.llm.secret import is_loopback, origin_of
from agent.ports import Cancel

JOIN_SECONDS = 0.03


class Timing(msgspec.Struct, frozen=True):
    """Patience, in seconds. `read` is the longest gap between two pieces."""

    connect: float = 5.0
    read: float = 120.0
    loopback_read: float = 600.0
    """A local engine may load or read for minutes before its first token, and sends no pings."""
    write: float = 60.0
    pool: float = 5.0
    total: float = 3600.0
    tick: float = 0.5
    """How often a waiting reader gets a `Quiet`."""


class Limits(msgspec.Struct, frozen=True):
    """How much of a reply is taken, in bytes after decompression."""

    body: int = 64 * 1024 * 1024
    line: int = 16 * 1024 * 1024


class Call(msgspec.Struct, frozen=True):
    """A request as bytes. `headers` may hold a key: never print a Call."""

    url: str
    headers: dict[str, str]
    body: bytes | None = None
    """None: a GET."""

    def __repr__(self) -> str:
        return f"Call({origin_of(self.url)})"


class Head(msgspec.Struct, frozen=True):
    """Status and headers (names in lower case). `framed`: the end of the body is marked in the stream."""

    status: int
    headers: dict[str, str]
    framed: bool


class Quiet(msgspec.Struct, frozen=True):
    """Nothing came for a tick."""


class Broken(msgspec.Struct, frozen=True):
    """The exchange failed; always the last piece."""

    fault: Fault


Piece = Head | bytes | Quiet | Broken

CANCELLED = Fault(FaultKind.CANCELLED, "cancelled")


def exchange(call: Call, cancel: Cancel, timing: Timing, limits: Limits) -> Generator[Piece]:
    """The pieces of one exchange: a Head, then bytes; ends after the last, or with a Broken. Never raises."""
    pump = _Pump(call, timing, limits)
    cancel.on_cancel(pump.stop)
    pump.start()
    deadline = time.monotonic() + timing.total
    try:
        while True:
            piece = pump.take(timing.tick)
            if cancel.cancelled:
                yield Broken(CANCELLED)
                return
            if time.monotonic() > deadline:
                yield Broken(_too_long(call.url, timing.total))
                return
            if piece is None:
                return
            yield piece
            if isinstance(piece, Broken):
                return
    finally:
        pump.stop()
        pump.join(JOIN_SECONDS)


# ImportError: httpx finds out only here that a SOCKS proxy of the environment needs a package that is not there.
_EXPECTED = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    ValueError,
    ImportError,
    zlib.error,
)


class _TooMuch(Exception):
    """The body is larger than the limit, or is compressed in a way that we do not read."""


class _Pump(threading.Thread):
    """Does the request and queues its pieces; None marks the end."""

    def __init__(self, call: Call, timing: Timing, limits: Limits) -> None:
        super().__init__(name="copair-http", daemon=True)
        self._call = call
        self._timing = timing
        self._limits = limits
        self._queue: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._stopped = False

    def take(self, seconds: float) -> Piece | None:
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return Quiet()

    def stop(self) -> None:
        """End the request from any thread, wherever it stands."""
        with self._lock:
            self._stopped = True
            sockets = list(self._sockets)
        self._queue.put(None)
        for each in sockets:
            _shut(each)

    def run(self) -> None:
        try:
            self._exchange()
        except _TooMuch as error:
            self._fail(FaultKind.SERVER, str(error))
        except _EXPECTED as error:
            self._queue.put(Broken(_fault(error, self._call.url, self._read_seconds())))
        finally:
            self._queue.put(None)

    def _exchange(self) -> None:
        call = self._call
        here = is_loopback(call.url)
        timing = self._timing
        timeout = httpx.Timeout(
            connect=timing.connect, read=self._read_seconds(), write=timing.write, pool=timing.pool
        )
        # A TLS context costs 20 ms and is not needed for plain http; loopback must not leave by a proxy.
        secure = False if urlsplit(call.url).scheme == "http" else httpx.create_ssl_context()
        with (
            httpx.Client(
                verify=secure, trust_env=not here, timeout=timeout, follow_redirects=False
            ) as client,
            client.stream(
                "GET" if call.body is None else "POST",
                call.url,
                headers={**call.headers, "accept-encoding": "identity"},
                content=call.body,
                extensions={"trace": self._trace},
            ) as response,
        ):
            headers = {name.lower(): value for name, value in response.headers.items()}
            chunked = "chunked" in headers.get("transfer-encoding", "").lower()
            self._queue.put(Head(response.status_code, headers, framed=chunked))
            for data in _decoded(response.iter_raw(), headers.get("content-encoding", ""), self._limits.body):
                self._queue.put(data)

    def _read_seconds(self) -> float:
        return self._timing.loopback_read if is_loopback(self._call.url) else self._timing.read

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        """Remember the socket as soon as there is one; httpx shows it nowhere before the headers came."""
        if not name.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        found = info["return_value"].get_extra_info("socket")
        with self._lock:
            self._sockets.append(found)
            stopped = self._stopped
        if stopped:
            _shut(found)

    def _fail(self, kind: FaultKind, message: str) -> None:
        self._queue.put(Broken(Fault(kind, f"{origin_of(self._call.url)}: {message}")))


def _shut(each: socket.socket) -> None:
    # The plain method: that of SSLSocket drops the TLS object which the reading thread is using.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(each, socket.SHUT_RDWR)


def _decoded(raw: Iterator[bytes], encoding: str, limit: int) -> Iterator[bytes]:
    """The body's bytes, at most `limit`. We ask for none, but a server may compress all the same.

    httpx would decompress without a bound (a gzip of a gzip grows a million times), so it is done here.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        inflater = None
    elif name in ("gzip", "x-gzip", "deflate"):
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    else:
        raise _TooMuch(f"the reply is compressed ({name[:40]!r}) although none was asked for")
    total = 0
    for data in raw:
        out = data if inflater is None else inflater.decompress(data, limit - total + 1)
        total += len(out)
        if total > limit:
            raise _TooMuch(f"the reply is larger than {limit // (1024 * 1024)} MiB")
        if out:
            yield out
    if inflater is not None and not inflater.eof:
        raise httpx.RemoteProtocolError("the compressed reply is cut")


def _too_long(url: str, seconds: float) -> Fault:
    return Fault(FaultKind.NETWORK, f"{origin_of(url)} did not finish its reply in {seconds:.0f} s")


def _fault(error: Exception, url: str, read_seconds: float) -> Fault:
    """What httpx or the system reported, in words and with what to do. Headers are never part of it."""
    where = origin_of(url)
    words = str(error)[:300]
    start = "is the server running, and is the address right?"
    match error:
        case httpx.ConnectError() if "CERTIFICATE" in words.upper() or "SSL" in words.upper():
            return Fault(
                FaultKind.NETWORK, f"no secure connection to {where}: {words}",
                "a private certificate authority is named by SSL_CERT_FILE",
            )  # fmt: skip
        case httpx.ConnectError():
            return Fault(FaultKind.NETWORK, f"cannot connect to {where}: {words}", start, retryable=True)
        case httpx.ConnectTimeout():
            return Fault(FaultKind.NETWORK, f"{where} does not accept connections", start, retryable=True)
        case httpx.ProxyError() | ImportError():
            return Fault(
                FaultKind.NETWORK, f"the proxy on the way to {where} failed: {words}", "see HTTPS_PROXY"
            )
        case httpx.ReadTimeout():
            message = f"{where} sent nothing for {read_seconds:.0f} s"
            return Fault(FaultKind.NETWORK, message, "try again, or take another model", retryable=True)
        case httpx.TransportError():
            message = f"the connection to {where} was cut: {words or type(error).__name__}"
            return Fault(FaultKind.NETWORK, message, "try again", retryable=True)
        case zlib.error():
            return Fault(FaultKind.SERVER, f"{where} sent a reply whose compression is broken")
        case _:
            return Fault(FaultKind.NETWORK, f"the request to {where} failed: {words}", start)
