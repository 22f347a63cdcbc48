"""One HTTP exchange as a stream of pieces that ends at once when cancelled.

A thread of its own (`pump`) does the request and fills a queue; the reader takes from the queue, so silence is
noticed and a cancel is answered within milliseconds wherever the request stands: looking up the name, connecting,
waiting for headers, reading. It does not know what the bytes mean.
"""

from __future__ import annotations

import time
from collections.abc import Generator

import msgspec

from agent.core.dialog import Fault, FaultKind
from agent.llm.secret import origin_of
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
    from agent.llm.transport.pump import (
        Pump,  # here: httpx is long to import, and the first card need not wait for it
    )

    pump = Pump(call, timing, limits)
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


def _too_long(url: str, seconds: float) -> Fault:
    return Fault(FaultKind.NETWORK, f"{origin_of(url)} did not finish its reply in {seconds:.0f} s")
