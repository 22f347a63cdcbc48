"""The scripted model ends its replies as a provider's client does."""

from __future__ import annotations

from agent.core.dialog import Done, Fault, FaultKind, Stop, TextDelta, ToolCallEnd, ToolCallStart
from agent.llm.scripted import Line, ScriptedModel
from agent.ports import Cancel
from tests.support.llm import collect, request


def test_it_says_its_lines_one_by_one_and_then_that_it_is_over() -> None:
    model = ScriptedModel([Line("first"), lambda asked: Line(asked.history[-1].text.upper())])
    said = ["".join(e.text for e in collect(model, request(t)) if isinstance(e, TextDelta)) for t in "abc"]
    assert said == ["first", "B", "The script is over."]
    assert len(model.requests) == 3
    assert "scripted" in model.name


def test_calls_end_only_with_a_good_stop() -> None:
    calls = (("ask", {"text": "which?"}), ("finish", "{}"))
    model = ScriptedModel(
        [Line(calls=calls), Line(calls=calls, stop=Stop.LENGTH), Line(calls=calls, fault=CUT)]
    )
    good, cut, broken = (collect(model, request("x")) for _ in range(3))
    assert [(e.name, e.args_json) for e in good if isinstance(e, ToolCallEnd)] == [
        ("ask", '{"text": "which?"}'),
        ("finish", "{}"),
    ]
    assert good[-1] == Done(Stop.TOOL)
    assert not [e for e in cut + broken if isinstance(e, ToolCallEnd)]
    assert (cut[-1], broken[-1]) == (Done(Stop.LENGTH), CUT)
    assert len({e.id for e in good + cut + broken if isinstance(e, ToolCallStart)}) == 6


def test_a_cancel_stops_it() -> None:
    cancel = Cancel()
    stream = ScriptedModel([Line("x" * 100)], pace_seconds=0.001).stream(request("x"), cancel)
    next(stream)
    cancel.cancel()
    assert [e.kind for e in stream if isinstance(e, Fault)] == [FaultKind.CANCELLED]


CUT = Fault(FaultKind.NETWORK, "cut")
