"""Streams that went wrong in random places: never an exception, never a call that is not whole, never a raw item
that cannot go back."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.dialog import (
    AssistantMessage,
    Done,
    Request,
    TextDelta,
    ToolCall,
    ToolCallEnd,
    ToolResult,
    Usage,
    UserMessage,
)
from agent.llm.choosing.build import build_wire
from agent.llm.transport.sse import Events, Malformed
from tests.support.llm import WIRE_PRESETS, request
from tests.support.wires import STREAMS, Turn

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (("propose", {"why": "ü\u2028", "n": [1]}), ("finish", {}))
TURN = Turn(text="Grüße 🐍", reasoning="so", calls=CALLS, fragment=16)
BIG = 10**400
JUNK = [None, True, -1, BIG, 1.5, "", [], {}, "x" * 50, [None], {"a": 1}, {"type": "tool_use"}, [[]]]


def mutated(value: Any, rng: random.Random) -> Any:
    if rng.random() < 0.12:
        return rng.choice(JUNK)
    if isinstance(value, dict):
        out = {key: mutated(each, rng) if rng.random() < 0.3 else each for key, each in value.items()}
        if out and rng.random() < 0.1:
            out.pop(rng.choice(list(out)))
        return out
    if isinstance(value, list):
        items = [mutated(each, rng) if rng.random() < 0.3 else each for each in value]
        return items + items if rng.random() < 0.1 else items
    return value


def broken_stream(wire: str, rng: random.Random) -> bytes:
    """A good stream with values changed, events repeated, dropped or shuffled."""
    blocks = STREAMS[wire](TURN, "m").split(b"\n\n")
    out: list[bytes] = []
    for block in blocks:
        head, mark, data = block.partition(b"data: ")
        if mark and data.startswith(b"{") and rng.random() < 0.15:
            block = head + mark + json.dumps(mutated(json.loads(data), rng)).encode()
        out += [block] * rng.choice([1] * 30 + [0, 2])
    if rng.random() < 0.1:
        rng.shuffle(out)
    return b"\n\n".join(out) + b"\n\n"


def read(wire: Any, data: bytes) -> list[Any]:
    reader, decoder = wire.reader(request("hi")), Events(1 << 20)
    events: list[Any] = []
    try:
        for each in decoder.feed(data) + decoder.end():
            events += reader.feed(each)
        events += reader.end(True)
    except Malformed as broken:
        events.append(broken.fault)
    usage = reader.usage
    assert all(isinstance(getattr(usage, name), int) for name in Usage.__struct_fields__)
    return events


@settings(max_examples=300)
@given(st.sampled_from(sorted(STREAMS)), st.sampled_from(sorted(STREAMS)), st.integers(0, 2**32))
def test_a_stream_that_went_wrong_anywhere_is_a_fault_or_whole(name: str, other: str, seed: int) -> None:
    wire = build_wire(WIRE_PRESETS[name], "m")
    events = read(wire, broken_stream(name, random.Random(seed)))
    ends = [e for e in events if isinstance(e, ToolCallEnd)]
    done = [e for e in events if isinstance(e, Done)]
    assert len(done) <= 1
    assert done or not ends
    assert len({end.id for end in ends}) == len(ends)
    for end in ends:
        assert not end.args_json.strip() or isinstance(json.loads(end.args_json, strict=False), dict)
    text = "".join(e.text for e in events if isinstance(e, TextDelta))
    if done and done[0].raw is not None:
        calls = tuple(ToolCall(e.id, e.name, e.args_json) for e in ends)
        results = tuple(ToolResult(e.id, e.name, "r") for e in ends)
        again = Request("s", (), (UserMessage("hi"), AssistantMessage(text, calls, done[0].raw), *results))
        for target in (wire, build_wire(WIRE_PRESETS[other], "other")):
            sent = json.dumps(target.body(again))
            assert sent.count('"r"') >= len(ends)
