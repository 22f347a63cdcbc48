"""Bytes to server-sent events, in pieces of any size. Lines end at LF, CR LF and CR only, never at U+2028.

Decoding lines and fields is httpx-sse's; this adds the bound on lines, bytes that are cut inside a character,
and the rule that an event without its closing blank line never counts.
"""

from __future__ import annotations

import codecs

from agent.core.dialog import Fault, FaultKind


class Malformed(Exception):
    """A reply that cannot be used; carries the fault to report. Raised and caught within `agent/llm/`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Events:
    """A push decoder: feed bytes, get the data of each event that is complete."""

    def __init__(self, line_limit_bytes: int) -> None:
        # `connect_sse` pulls from a response; here bytes are pushed, between ticks of silence. Held by `httpx-sse<0.5`.
        # Imported here: it imports httpx, which is long, and the first card need not wait for it.
        from httpx_sse import _decoders as decoders

        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._lines = decoders.SSELineDecoder()
        self._events = decoders.SSEDecoder()
        self._limit = line_limit_bytes
        self._open = 0
        """Bytes of the event that is not complete yet."""

    def feed(self, data: bytes) -> list[str]:
        """The `data` of the events that end within these bytes; raises Malformed for one without end."""
        text = self._utf8.decode(data)
        self._open += len(data)
        found: list[str] = []
        for line in self._lines.decode(text) if text else ():
            if not line:
                self._open = 0
            event = self._events.decode(line)
            if event is not None and event.data:
                found.append(event.data)
        if self._open > self._limit:
            raise Malformed(
                Fault(FaultKind.SERVER, f"a line of the reply is longer than {self._limit} bytes")
            )
        return found

    def end(self) -> list[str]:
        """What the last line brings when the stream is over.

        Only a lone CR that was waiting for its LF, or the mark `[DONE]` whose blank line a server left out: any
        other event that is not closed may be cut, and is none.
        """
        for line in self._lines.flush():
            event = self._events.decode(line)
            if event is not None and event.data:
                return [event.data]
        event = self._events.decode("")
        return [event.data] if event is not None and event.data.strip() == "[DONE]" else []
