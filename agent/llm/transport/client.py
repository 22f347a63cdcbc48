"""The one model of all three wires: sends a request, reads the stream, tries again, and always ends well-formed.

A wire says how a request looks and reads the data of its events; this module owns everything else: the exchange,
what is not a stream, silence, retries, cancelling, and that no key stands in any event. Every stream ends in
exactly one Done or Fault, and a call's end is never seen from a reply that did not end well.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, NoReturn
from typing import Protocol as Interface

import msgspec

from agent import __version__
from agent.core.dialog import Done, Fault, FaultKind, Protocol, Request, StreamEvent, Usage, Waiting
from agent.llm.secret import NO_SECRET, Secret, origin_of
from agent.llm.transport import faults, loose
from agent.llm.transport.http import Broken, Call, Head, Limits, Piece, Quiet, Timing, exchange
from agent.llm.transport.retry import Policy, attempts
from agent.llm.transport.sse import Events, Malformed
from agent.ports import Cancel

ERROR_BODY_BYTES = 256 * 1024
ERROR_BODY_SECONDS = 3.0
RELAXATIONS = 10
NO_KEY_HINT = "no key was sent: set COPAIR_API_KEY, or OPENAI_BASE_URL and OPENAI_API_KEY together"
USER_AGENT = f"copair/{__version__}"


class Reader(Interface):
    """Reads the events of one reply. Both methods raise Malformed for what cannot be used."""

    def feed(self, data: str) -> Iterator[StreamEvent]:
        """The events in one event's data; ends with Done once the terminal event is seen."""

    def end(self, framed: bool) -> Iterator[StreamEvent]:
        """The body ended without the terminal event; `framed`: by its own framing, not by the connection."""

    @property
    def usage(self) -> Usage:
        """What is known of the usage so far, for a reply that broke."""


class Wire(Interface):
    """How one API speaks."""

    @property
    def name(self) -> str:
        """`chat`, `messages` or `responses`; raw items belong to it."""

    @property
    def path(self) -> str: ...

    def headers(self, key: Secret) -> dict[str, str]: ...

    def body(self, request: Request) -> dict[str, Any]: ...

    def reader(self, request: Request) -> Reader: ...

    def relax(self, fault: Fault) -> bool:
        """Leave out, from now on, a field that the server has just refused; False when there is none."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where requests go. `base_url` passed `secret.checked_base_url`, so the key may go there."""

    base_url: str
    key: Secret = NO_SECRET
    headers: dict[str, str] = {}


class Setup(msgspec.Struct, frozen=True):
    """Patience and bounds. `notice` is the silence, in seconds, after which it is named on the screen."""

    timing: Timing = Timing()
    limits: Limits = Limits()
    policy: Policy = Policy()
    notice: float = 10.0


class ProviderModel:
    """A model behind a wire; implements `ports.Model`."""

    def __init__(
        self,
        wire: Wire,
        endpoint: Endpoint,
        name: str,
        *,
        protocol: Protocol = Protocol.TOOLS,
        context_tokens: int | None = None,
        setup: Setup | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.wire = wire
        self.endpoint = endpoint
        self._name = name
        self._protocol = protocol
        self._context_tokens = context_tokens
        self._setup = setup or Setup()
        self._now = now

    @property
    def name(self) -> str:
        return self._name

    @property
    def protocol(self) -> Protocol:
        return self._protocol

    @property
    def context_tokens(self) -> int | None:
        return self._context_tokens

    def stream(self, request: Request, cancel: Cancel) -> Generator[StreamEvent]:
        """Events of one reply, ending in Done or Fault. Never raises for what a server or network does."""
        refused: Fault | None = None
        for _ in range(RELAXATIONS):
            refused = None
            with contextlib.closing(self._tried(request, cancel)) as events:
                for event in events:
                    if isinstance(event, Fault) and self._relaxed(event):
                        refused = event
                        break
                    yield event
            if refused is None:
                return
        if refused is not None:
            yield refused

    def _relaxed(self, fault: Fault) -> bool:
        return fault.kind is FaultKind.BAD_REQUEST and self.wire.relax(fault)

    def _tried(self, request: Request, cancel: Cancel) -> Generator[StreamEvent]:
        call = self.call(request)
        return attempts(lambda: self._once(call, request, cancel), cancel, self._setup.policy)

    def call(self, request: Request) -> Call:
        """The request as it goes out. The same history gives the same bytes."""
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream",
            "user-agent": USER_AGENT,
            **self.endpoint.headers,
            **self.wire.headers(self.endpoint.key),
        }
        # Lone surrogates (undecodable file bytes) are no JSON for any server: they go out as question marks.
        body = json.dumps(self.wire.body(request), ensure_ascii=False, separators=(",", ":"))
        return Call(self.endpoint.base_url + self.wire.path, headers, body.encode("utf-8", "replace"))

    def _once(self, call: Call, request: Request, cancel: Cancel) -> Generator[StreamEvent]:
        """One attempt: ends in Done or Fault, with the usage before it as far as it is known."""
        reader = self.wire.reader(request)
        known = Usage()
        with contextlib.closing(exchange(call, cancel, self._setup.timing, self._setup.limits)) as pieces:
            watch = _Watch(pieces, self._setup.notice, origin_of(call.url))
            try:
                for event in self._read(watch, reader):
                    if isinstance(event, Usage):
                        known = event
                    yield event
                    if isinstance(event, Done):
                        return
                fault = _cut(call.url)
            except Malformed as broken:
                fault = broken.fault
        if known == Usage() and reader.usage != known:
            yield reader.usage
        yield self._clean(fault, watch.request_id)

    def _clean(self, fault: Fault, request_id: str) -> Fault:
        """The fault with its request id, and without the key, should the server have sent that back."""
        redact = self.endpoint.key.redact
        hint = fault.hint if self.endpoint.key or fault.kind is not FaultKind.AUTH else NO_KEY_HINT
        request_id = fault.request_id or request_id
        return msgspec.structs.replace(
            fault, message=redact(fault.message), hint=redact(hint), request_id=redact(request_id)
        )

    def _read(self, watch: _Watch, reader: Reader) -> Iterator[StreamEvent]:
        """Events from the pieces of an exchange. Raises Malformed."""
        head = yield from watch.head()
        kind = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        if head.status != 200 or kind not in ("text/event-stream", "", "application/octet-stream"):
            watch.refuse(head, self._now())
        decoder = Events(self._setup.limits.line)
        for piece in watch.rest():
            if isinstance(piece, Waiting):
                yield piece
                continue
            for data in decoder.feed(piece):
                for event in reader.feed(self.endpoint.key.redact(data)):
                    watch.heard()
                    yield event
        for data in decoder.end():
            yield from reader.feed(self.endpoint.key.redact(data))
        yield from reader.end(head.framed)


class _Watch:
    """Passes pieces on, turns silence into Waiting and a broken exchange into Malformed."""

    def __init__(self, pieces: Iterator[Piece], notice: float, where: str) -> None:
        self._pieces = pieces
        self._notice = notice
        self._where = where
        self.request_id = ""
        self._began = self._last = time.monotonic()

    def heard(self) -> None:
        """Something was said: the silence is over. Pings and empty chunks are no words."""
        self._began = self._last = time.monotonic()

    def _silence(self) -> Iterator[Waiting]:
        now = time.monotonic()
        if now - self._last >= self._notice:
            self._last = now
            yield Waiting(now - self._began, f"no word from {self._where}")

    def head(self) -> Generator[Waiting, None, Head]:
        for piece in self._pieces:
            match piece:
                case Head():
                    self.request_id = faults.request_id(piece.headers)
                    return piece
                case Broken(fault=fault):
                    raise Malformed(fault)
                case Quiet() | bytes():
                    yield from self._silence()
        raise Malformed(_cut(self._where))

    def rest(self) -> Iterator[bytes | Waiting]:
        for piece in self._pieces:
            yield from self._silence()
            match piece:
                case bytes():
                    yield piece
                case Broken(fault=fault):
                    raise Malformed(fault)
                case Quiet() | Head():
                    pass

    def refuse(self, head: Head, now: float) -> NoReturn:
        """Read what came instead of a stream, within bounds, and raise what it means."""
        body = bytearray()
        patience = time.monotonic() + ERROR_BODY_SECONDS
        for piece in self._pieces:
            if isinstance(piece, bytes):
                body += piece
            if isinstance(piece, Broken) or len(body) > ERROR_BODY_BYTES or time.monotonic() > patience:
                if isinstance(piece, Broken) and piece.fault.kind is FaultKind.CANCELLED:
                    raise Malformed(piece.fault)
                break
        raise Malformed(_not_a_stream(head, bytes(body), self._where, now))


def _not_a_stream(head: Head, body: bytes, where: str, now: float) -> Fault:
    if head.status != 200:
        return faults.from_status(head.status, head.headers, body, where, now)
    try:
        value = loose.parse(body)
    except ValueError:
        value = None
    if faults.has_error(value):
        return faults.from_error(value, where)
    kind = head.headers.get("content-type", "").partition(";")[0].strip() or "nothing that says what it is"
    return Fault(
        FaultKind.BAD_REQUEST,
        f"{where} answered with {kind[:60]} instead of an event stream",
        "the base URL is probably wrong (it usually ends in /v1), or that server cannot stream",
    )


def _cut(url: str) -> Fault:
    where = origin_of(url) if "://" in url else url
    return Fault(FaultKind.NETWORK, f"the reply of {where} was cut", "try again", retryable=True)
