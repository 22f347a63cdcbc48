"""Every fault of a wire, on real sockets: each ends in one Fault, without a call, a traceback or a key."""

from __future__ import annotations

import gzip
import json
import threading
import time
from typing import Any

import msgspec
import pytest

from agent.core.dialog import (
    Done,
    Fault,
    FaultKind,
    TextDelta,
    ToolArgsDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    Waiting,
)
from agent.llm.transport.client import Setup
from agent.llm.transport.http import Limits, Timing
from agent.llm.transport.retry import Policy
from agent.ports import Cancel
from tests.support.llm import KEY, QUICK, collect, model_for, request
from tests.support.server import Recorded, Reply, ScriptedServer
from tests.support.wires import STREAMS, Turn, sse

WIRES = ("chat", "messages", "responses")
TURN = Turn(
    text="Grüße \u2028 🐍", reasoning="so", calls=(("propose", {"why": "ü\u2028", "n": [1]}),), fragment=16
)
SHORT = Turn(text="ü\u2028 🐍", calls=(("propose", {"why": "ü"}),), fragment=64)
ONCE = msgspec.structs.replace(QUICK, policy=Policy(retries=0))
CALL_EVENTS = (ToolCallEnd, Done)

wires = pytest.mark.parametrize("wire", WIRES)


def ask(wire: str, *replies: Any, setup: Setup = ONCE, cancel: Cancel | None = None) -> list[Any]:
    with ScriptedServer(wire, replies) as server:
        return collect(model_for(server, setup), request("hi"), cancel)


def merged(events: list[Any]) -> list[Any]:
    """Events with neighbouring deltas joined: what was said, however it was cut."""
    out: list[Any] = []
    for event in events:
        last = out[-1] if out else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            out[-1] = TextDelta(last.text + event.text)
        elif isinstance(event, ToolArgsDelta) and isinstance(last, ToolArgsDelta):
            out[-1] = ToolArgsDelta(event.id, last.fragment + event.fragment)
        else:
            out.append(event)
    return out


def assert_clean_fault(events: list[Any], *kinds: FaultKind) -> Fault:
    last = events[-1]
    assert isinstance(last, Fault), last
    assert not kinds or last.kind in kinds, last
    assert not [event for event in events if isinstance(event, CALL_EVENTS)]
    assert KEY not in repr(events)
    assert last.message
    return last


@wires
@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_stream_cut_at_any_byte_is_a_network_fault_without_a_call(wire: str, framing: str) -> None:
    body = STREAMS[wire](SHORT, "m")
    terminal = {"chat": b"data: [DONE]", "messages": b"message_stop", "responses": b"response.completed"}[
        wire
    ]
    end = body.rindex(terminal) + len(terminal)
    # Chunked is what servers send: every byte. The other framings differ at the connection only.
    cuts = range(end) if framing == "chunked" else sorted({*range(0, end, 37), *range(end - 9, end)})
    with ScriptedServer(wire, [Reply(body=body, cut=at, framing=framing) for at in cuts]) as server:
        model = model_for(server, ONCE)
        for at in cuts:
            fault = assert_clean_fault(collect(model, request("hi")), FaultKind.NETWORK)
            assert "cut" in fault.message, (at, fault)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\r"])
def test_the_last_mark_counts_without_its_blank_line(ending: bytes) -> None:
    body = STREAMS["chat"](SHORT, "m").rstrip(b"\n") + ending
    assert isinstance(ask("chat", Reply(body=body, framing="close"))[-1], Done)


@wires
@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_one_byte_at_a_time_says_the_same_as_all_at_once(wire: str, framing: str) -> None:
    whole = ask(wire, Reply(turn=TURN, framing=framing))
    drops = ask(wire, Reply(turn=TURN, framing=framing, piece=1))
    assert isinstance(whole[-1], Done)
    assert merged(drops) == merged(whole)
    assert "".join(e.text for e in whole if isinstance(e, TextDelta)) == TURN.text
    (end,) = [e for e in whole if isinstance(e, ToolCallEnd)]
    assert json.loads(end.args_json) == TURN.calls[0][1]


@wires
@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_line_endings_of_the_stream_do_not_matter(wire: str, ending: bytes) -> None:
    body = STREAMS[wire](TURN, "scripted-1")
    other = body.replace(b"\n", ending)
    assert merged(ask(wire, Reply(body=other, piece=7))) == merged(ask(wire, Reply(body=body)))


@wires
def test_comments_unknown_events_and_a_byte_order_mark_are_passed_over(wire: str) -> None:
    body = STREAMS[wire](TURN, "scripted-1").replace(
        b"\n\n", b"\n\n: keep-alive\n\nevent: new.thing\ndata: {}\n\nid: 7\n\n"
    )
    assert merged(ask(wire, Reply(body=b"\xef\xbb\xbf" + body))) == merged(ask(wire, TURN))


@wires
@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, FaultKind.BAD_REQUEST, 1), (401, FaultKind.AUTH, 1), (402, FaultKind.QUOTA, 1), (403, FaultKind.AUTH, 1),
        (404, FaultKind.BAD_REQUEST, 1), (408, FaultKind.NETWORK, 3), (409, FaultKind.SERVER, 3),
        (413, FaultKind.CONTEXT, 1), (422, FaultKind.BAD_REQUEST, 1), (429, FaultKind.RATE, 3),
        (500, FaultKind.SERVER, 3), (502, FaultKind.SERVER, 3), (503, FaultKind.OVERLOADED, 3),
        (504, FaultKind.SERVER, 3), (529, FaultKind.OVERLOADED, 3), (204, FaultKind.BAD_REQUEST, 1),
    ],
)  # fmt: skip
def test_each_status_has_its_kind_and_its_number_of_tries(
    wire: str, status: int, kind: FaultKind, tries: int
) -> None:
    body = b"" if status == 204 else b'{"type":"error","error":{"message":"because"},"request_id":"req_b"}'
    framing = "close" if status == 204 else "length"
    reply = Reply(status=status, body=body, content_type="application/json", framing=framing)
    with ScriptedServer(wire, [reply] * 4) as server:
        events = collect(model_for(server, QUICK), request("hi"))
    fault = assert_clean_fault(events, kind)
    assert len(server.requests) == tries
    assert len([e for e in events if isinstance(e, Waiting)]) == tries - 1
    assert len({r.body for r in server.requests}) == 1
    assert str(status) in fault.message
    if status not in (204,):
        assert fault.request_id == "req_b"


@wires
def test_a_request_that_fails_twice_and_then_answers_is_said_once(wire: str) -> None:
    replies = [Reply(status=529), Reply(cut=0), TURN]
    events = ask(wire, *replies, setup=QUICK)
    assert isinstance(events[-1], Done)
    assert len([e for e in events if isinstance(e, ToolCallEnd)]) == 1
    assert [type(e) for e in events[:2]] == [Waiting, Waiting]


@wires
def test_nothing_is_tried_again_once_something_was_said(wire: str) -> None:
    body = STREAMS[wire](TURN, "scripted-1")
    with ScriptedServer(wire, [Reply(body=body, cut=len(body) - 100), TURN]) as server:
        assert_clean_fault(collect(model_for(server, QUICK), request("hi")), FaultKind.NETWORK)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait", "tries"),
    [
        ({"retry-after-ms": "3"}, (0.003, 0.003), 2), ({"retry-after": "0.004"}, (0.004, 0.004), 2),
        ({"retry-after": "0"}, (0, 0), 2), ({"retry-after-ms": "2", "retry-after": "9999"}, (0.002, 0.002), 2),
        ({"retry-after": "-5"}, (0.0007, 0.001), 2), ({"retry-after": "soon"}, (0.0007, 0.001), 2),
        ({"retry-after": "nan"}, (0.0007, 0.001), 2), ({"retry-after": "inf"}, (0.0007, 0.001), 2),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, (0.0007, 0.001), 2),
        ({"retry-after": "Wed, 21 Oct 99999 07:28:00 GMT"}, (0.0007, 0.001), 2),
        ({"retry-after": "99999999999999999999"}, None, 1), ({"retry-after": "121"}, None, 1),
        ({"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, None, 1), ({"x-should-retry": "false"}, None, 1),
    ],
)  # fmt: skip
@wires
def test_the_wait_is_what_the_server_asks_for(
    wire: str, headers: dict[str, str], wait: Any, tries: int
) -> None:
    with ScriptedServer(wire, [Reply(status=429, body=b"{}", headers=headers), TURN]) as server:
        events = collect(model_for(server, QUICK), request("hi"))
    assert len(server.requests) == tries
    waits = [e.seconds for e in events if isinstance(e, Waiting)]
    if wait is None:
        assert waits == []
        assert_clean_fault(events, FaultKind.RATE)
    else:
        assert wait[0] <= waits[0] <= wait[1]


def test_a_server_may_ask_to_be_asked_again_or_not() -> None:
    for headers, status, tries in (
        ({"x-should-retry": "true"}, 400, 3),
        ({"x-should-retry": "false"}, 503, 1),
    ):
        with ScriptedServer("chat", [Reply(status=status, body=b"{}", headers=headers)] * 4) as server:
            assert_clean_fault(collect(model_for(server, QUICK), request("hi")))
        assert len(server.requests) == tries


@pytest.mark.parametrize(
    "error",
    [
        {
            "type": "insufficient_quota",
            "code": "insufficient_quota",
            "message": "You exceeded your current quota",
        },
        {
            "type": "rate_limit_error",
            "details": {"error_code": "enforced_spend_limit_reached"},
            "message": "x",
        },
    ],
)
def test_an_empty_account_is_not_asked_again(error: dict[str, Any]) -> None:
    reply = Reply(status=429, body=json.dumps({"error": error}).encode())
    with ScriptedServer("messages", [reply] * 4) as server:
        assert_clean_fault(collect(model_for(server, QUICK), request("hi")), FaultKind.QUOTA)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ('[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]', FaultKind.AUTH, "not valid"),
        ('{"error":{"message":"This model\'s maximum context length is 8192 tokens"}}', FaultKind.CONTEXT, "maximum"),
        ('{"error":{"code":"context_length_exceeded","message":"too long"}}', FaultKind.CONTEXT, "too long"),
        ('{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}',
         FaultKind.CONTEXT, "too long"),
        ('{"object":"error","message":"vllm says no","code":400}', FaultKind.BAD_REQUEST, "vllm says no"),
        ('{"detail":[{"loc":["body","model"],"msg":"field required"}]}', FaultKind.BAD_REQUEST, "model: field required"),
        ('{"error":"just words"}', FaultKind.BAD_REQUEST, "just words"),
        ("plain words", FaultKind.BAD_REQUEST, "plain words"),
        ("", FaultKind.BAD_REQUEST, "400"), ("null", FaultKind.BAD_REQUEST, "400"),
        ("[" * 50_000, FaultKind.BAD_REQUEST, "[[["),
        ('{"error":{"message":{"a":1},"code":[1],"type":null}}', FaultKind.BAD_REQUEST, "400"),
    ],
)  # fmt: skip
def test_error_bodies_of_every_shape_are_read(body: str, kind: FaultKind, words: str) -> None:
    reply = Reply(status=400, body=body.encode(), content_type="application/json", framing="length")
    assert words in assert_clean_fault(ask("chat", reply), kind).message


@wires
@pytest.mark.parametrize(
    "error",
    [
        {"error": {"type": "overloaded_error", "message": "busy"}},
        {"type": "error", "error": {"type": "api_error", "message": "broke"}},
        {"error": "words only"},
    ],
)
def test_an_error_inside_a_200_is_a_fault_after_what_was_said(wire: str, error: dict[str, Any]) -> None:
    body = STREAMS[wire](TURN, "scripted-1")
    middle = body.index(b"\n\n", len(body) * 2 // 3) + 2
    events = ask(wire, Reply(body=body[:middle] + sse(error, "error") + body[middle:]))
    assert_clean_fault(events, FaultKind.OVERLOADED, FaultKind.SERVER)
    assert [e for e in events if isinstance(e, TextDelta)]


@wires
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<!doctype html><html><body>login</body></html>"), ("text/html; charset=utf-8", b""),
        ("application/json", b'{"id":"x","choices":[{"message":{"content":"not a stream"}}]}'),
        ("application/json", b'{"error":{"message":"nope"}}'), ("text/plain", b"hello"), ("image/png", b"\x89PNG"),
        ("", b"<html>"), ("text/event-stream", b""), ("text/event-stream", b"garbage\n\nmore: garbage\n\n"),
        ("text/event-stream", b"\xff\xfe\x00\x00"), ("text/event-stream", b"data: \xff\xff\n\n"),
    ],
)  # fmt: skip
def test_what_is_no_event_stream_is_named(wire: str, kind: str, body: bytes) -> None:
    assert_clean_fault(ask(wire, Reply(body=body, content_type=kind, framing="length")))


@wires
def test_a_redirect_is_not_followed_and_the_key_stays(wire: str) -> None:
    with ScriptedServer(wire, [TURN]) as other:
        for status in (301, 302, 303, 307, 308):
            reply = Reply(status=status, body=b"", headers={"location": f"{other.origin}/elsewhere?k={KEY}"})
            assert "redirect" in assert_clean_fault(ask(wire, reply)).message
    assert other.requests == []


@wires
def test_endless_lines_bodies_and_headers_are_bounded(wire: str) -> None:
    small = msgspec.structs.replace(ONCE, limits=Limits(body=200_000, line=50_000))
    line = Reply(body=b"data: " + b"x" * 150_000)
    assert "longer than" in assert_clean_fault(ask(wire, line, setup=small), FaultKind.SERVER).message
    lines = Reply(body=b"data: x\n" * 10_000)
    assert "longer than" in assert_clean_fault(ask(wire, lines, setup=small), FaultKind.SERVER).message
    comments = Reply(body=b": x\n\n" * 100_000)
    assert "larger than" in assert_clean_fault(ask(wire, comments, setup=small), FaultKind.SERVER).message
    assert_clean_fault(ask(wire, Reply(headers={"x": "y" * 500_000})))


@wires
def test_a_compressed_reply_is_read_and_a_bomb_is_not(wire: str) -> None:
    good = gzip.compress(STREAMS[wire](TURN, "scripted-1"))
    assert isinstance(ask(wire, Reply(body=good, headers={"content-encoding": "gzip"}))[-1], Done)
    assert_clean_fault(ask(wire, Reply(body=good[: len(good) // 2], headers={"content-encoding": "gzip"})))
    bomb = gzip.compress(b"data: " + b"\0" * 100_000_000)
    began = time.monotonic()
    fault = assert_clean_fault(
        ask(wire, Reply(body=bomb, headers={"content-encoding": "gzip"})), FaultKind.SERVER
    )
    assert "larger than" in fault.message or "longer than" in fault.message
    assert time.monotonic() - began < 3
    for encoding in ("gzip, gzip", "br", "nonsense"):
        assert_clean_fault(
            ask(wire, Reply(body=good, headers={"content-encoding": encoding})), FaultKind.SERVER
        )
    assert_clean_fault(
        ask(wire, Reply(body=b"not gzip", headers={"content-encoding": "gzip"})), FaultKind.SERVER
    )


@pytest.mark.parametrize(
    "raw",
    [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n",  b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nx",
     b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"\x00\xff" * 99],
)  # fmt: skip
def test_what_is_not_even_http_is_a_network_fault(raw: bytes) -> None:
    class Raw(ScriptedServer):
        def _answer(self, connection: Any, request: Recorded) -> None:
            connection.sendall(raw)

    with Raw("chat") as server:
        assert_clean_fault(collect(model_for(server, ONCE), request("hi")), FaultKind.NETWORK)


def test_a_key_that_the_server_sends_back_is_taken_out() -> None:
    echo = json.dumps({"error": {"message": f"bad key Bearer {KEY}", "code": KEY}}).encode()
    for status in (200, 400, 401, 500):
        reply = Reply(
            status=status, body=echo, content_type="application/json", headers={"x-request-id": KEY}
        )
        assert_clean_fault(ask("chat", reply))
    assert_clean_fault(ask("chat", Reply(body=sse({"error": {"message": KEY}}))))
    said = ask("chat", Reply(body=sse({"choices": [{"delta": {"content": f"your key: {KEY}"}}]})))
    assert KEY not in repr(said)


@wires
def test_silence_is_noticed_and_named_and_pings_are_silence(wire: str) -> None:
    setup = msgspec.structs.replace(ONCE, notice=0.05)
    before = ask(wire, Reply(turn=TURN, stall=0.2), setup=setup)
    assert isinstance(before[0], Waiting)
    assert "no word from http://127.0.0.1" in before[0].reason
    assert isinstance(before[-1], Done)
    pings = Reply(body=b": ping\n\n" * 300 + STREAMS[wire](SHORT, "m"), piece=400, pause=0.02)
    assert [e for e in ask(wire, pings, setup=setup) if isinstance(e, Waiting)]


@wires
def test_a_server_that_never_answers_is_given_up_after_the_read_timeout(wire: str) -> None:
    setup = msgspec.structs.replace(ONCE, timing=Timing(loopback_read=0.1, tick=0.02))
    for reply in (Reply(never=True), Reply(turn=TURN, hang_after=150)):
        fault = assert_clean_fault(ask(wire, reply, setup=setup), FaultKind.NETWORK)
        assert "sent nothing for" in fault.message


def test_a_reply_that_never_ends_is_given_up_in_the_end() -> None:
    setup = msgspec.structs.replace(ONCE, timing=Timing(total=0.2, tick=0.02))
    drip = Reply(body=b": ping\n\n" * 1000, piece=9, pause=0.01)
    assert "did not finish" in assert_clean_fault(ask("chat", drip, setup=setup), FaultKind.NETWORK).message


def cancelled_after(seconds: float, cancel: Cancel) -> list[float]:
    times: list[float] = []

    def run() -> None:
        time.sleep(seconds)
        times.append(time.monotonic())
        cancel.cancel()

    threading.Thread(target=run, daemon=True).start()
    return times


@wires
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(never=True), id="before the headers"),
        pytest.param(Reply(hang_after=0), id="after the headers"),
        pytest.param(Reply(turn=TURN, hang_after=700), id="in the middle"),
        pytest.param(Reply(turn=TURN, piece=1, pause=0.01), id="while it drips"),
        pytest.param(
            Reply(status=429, body=b"{}", headers={"retry-after": "60"}), id="while waiting to retry"
        ),
        pytest.param(Reply(status=500, hang_after=0), id="in an error body"),
    ],
)
def test_a_cancel_ends_it_within_100_ms_and_frees_the_connection(wire: str, reply: Reply) -> None:
    with ScriptedServer(wire, [reply]) as server:
        model, cancel = model_for(server, QUICK), Cancel()
        times = cancelled_after(0.15, cancel)
        events = collect(model, request("hi"), cancel)
        assert time.monotonic() - times[0] < 0.1
        fault = assert_clean_fault(events, FaultKind.CANCELLED)
        assert fault.kind is FaultKind.CANCELLED
        if reply.never or reply.hang_after is not None:
            assert server.dropped.wait(1)
        assert not [e for e in events if isinstance(e, Usage) and e == Usage()]


def test_a_cancel_before_the_start_sends_nothing_more() -> None:
    cancel = Cancel()
    cancel.cancel()
    assert_clean_fault(ask("chat", TURN, cancel=cancel), FaultKind.CANCELLED)


@wires
def test_leaving_the_stream_frees_the_connection(wire: str) -> None:
    with ScriptedServer(
        wire, [Reply(turn=TURN, hang_after=len(STREAMS[wire](TURN, "scripted-1")) * 2 // 3)]
    ) as server:
        stream = model_for(server, ONCE).stream(request("hi"), Cancel())
        assert not isinstance(next(iter(stream)), Fault)
        stream.close()
        assert server.dropped.wait(1)


def test_a_dead_port_is_named_with_what_to_do() -> None:
    with ScriptedServer("chat") as server:
        model = model_for(server, QUICK)
    events = collect(model, request("hi"))
    fault = assert_clean_fault(events, FaultKind.NETWORK)
    assert "cannot connect to http://127.0.0.1" in fault.message
    assert "running" in fault.hint
    assert len([e for e in events if isinstance(e, Waiting)]) == 2


def test_calls_start_before_they_end() -> None:
    events = ask("chat", TURN)
    kinds = [type(e) for e in events]
    assert kinds.index(ToolCallStart) < kinds.index(ToolArgsDelta) < kinds.index(ToolCallEnd)


@wires
def test_a_fault_inside_a_stream_carries_the_request_id_of_its_headers(wire: str) -> None:
    reply = Reply(body=sse({"error": {"message": "broke"}}, "error"), headers={"x-request-id": "req_77"})
    assert assert_clean_fault(ask(wire, reply)).request_id == "req_77"
