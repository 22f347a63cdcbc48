"""The thread that does one HTTP request and queues its pieces. The only file that imports httpx.

No redirect is followed, no cookie or netrc is read, loopback never goes through a proxy, and what is received is
bounded after decompression too. Stopped from any thread, it shuts its socket down, which frees the connection.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from agent.core.dialog import Fault, FaultKind
from agent.llm.secret import is_loopback, origin_of
from agent.llm.transport.http import Broken, Call, Head, Limits, Piece, Quiet, Timing

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


class Pump(threading.Thread):
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
