"""`copair check-model`: rows for right and wrong answers, the better protocol, and an honest "too weak"."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.core.dialog import Fault, FaultKind, Protocol, Request, ToolResult, UserMessage
from agent.core.price import Price
from agent.llm.choosing.check import CheckRow, check_model, summarise
from agent.llm.choosing.check_tasks import REPORT, STACK, TASKS
from agent.llm.scripted import Line, ScriptedModel
from agent.tools.specs import all_tools, system_prompt

TOOLS = all_tools()
SYSTEMS = {protocol: system_prompt(protocol) for protocol in Protocol}


def propose(path: str, **edit: Any) -> Line:
    args = {"why": "because", "title": "t", "edits": [{"because": "b", "path": path, **edit}]}
    return Line(calls=(("propose", args),))


SORTED = propose("report.py", old="in orders]", new="in sorted(orders, key=lambda o: o.date)]")
ASKS = Line(
    calls=(("ask", {"text": "By what?", "options": ["date", "total"], "default": 0, "why_it_matters": "x"}),)
)
RIGHT = {
    "edit a file": propose(
        "stack.py", old="        return self.items[0]\n", new="        return self.items[-1]\n"
    ),
    "insert lines": propose(
        "stack.py",
        old="    def top(self):\n",
        new="    def size(self):\n        return len(self.items)\n\n    def top(self):\n",
    ),
    "create a file": propose("VERSION", content="1.0.0\n"),
    "look before changing": Line(calls=(("read", {"path": "stack.py"}),)),
    "ask when it is unclear": ASKS,
    "do not ask when it is clear": SORTED,
    "answer a question": Line(text="It appends an item."),
}


def name_of(request: Request) -> str:
    first = request.history[0]
    assert isinstance(first, UserMessage)
    return next(task.name for task in TASKS if first.text == task.question())


def good(request: Request) -> Line:
    """A model that gets everything right with tools, and only talks in text."""
    return RIGHT[name_of(request)] if request.tools else Line(text="I would love to help!")


def rows_of(step: Any, **more: Any) -> list[CheckRow]:
    return list(check_model(ScriptedModel([step] * 60), TOOLS, SYSTEMS, **more))


def test_a_model_that_calls_tools_well_gets_the_tools_protocol() -> None:
    rows = rows_of(good, price=Price(1, 1))
    tools = [row for row in rows if row.protocol is Protocol.TOOLS]
    assert [row.problem for row in tools if row.task != "look before changing"] == [""] * (len(TASKS) - 1)
    assert next(row for row in tools if row.task == "look before changing").ok
    assert all(row.streamed and row.usage.output and row.dollars for row in tools)
    summary = summarise(rows)
    assert summary.protocol is Protocol.TOOLS
    assert f"{len(TASKS)} of {len(TASKS)}" in summary.words


def test_a_model_that_only_writes_text_well_gets_the_text_protocol() -> None:
    block = "Why: top\n\nBecause: b\nstack.py\n```\n<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\n```\n"
    fix = block.format("        return self.items[0]", "        return self.items[-1]")

    def text_only(request: Request) -> Line:
        return Line(text=fix if not request.tools else "no")

    summary = summarise(rows_of(text_only))
    assert summary.protocol is Protocol.TEXT


def test_a_model_that_only_talks_is_too_weak_to_propose() -> None:
    rows = rows_of(Line(text="Sure! Here is what I think about your code."))
    summary = summarise(rows)
    assert summary.protocol is None
    assert "too weak to propose" in summary.words
    assert {row.problem for row in rows if row.edits} == {"proposed nothing"}


def test_a_look_is_answered_with_the_files_and_the_task_goes_on() -> None:
    def looks_first(request: Request) -> Line:
        if isinstance(request.history[-1], ToolResult):
            assert STACK in request.history[-1].content or REPORT in request.history[-1].content
            return good(request)
        return Line(calls=(("read", {"path": "x"}),))

    rows = [row for row in rows_of(looks_first) if row.protocol is Protocol.TOOLS]
    assert [row.task for row in rows if not row.ok] == []


@pytest.mark.parametrize(
    ("task", "answer", "problem"),
    [
        ("edit a file", propose("stack.py", old="nowhere at all\n", new="x\n"), "stack.py"),
        (
            "edit a file",
            propose("stack.py", old="        return self.items[0]\n", new="        return 1\n"),
            "does not fix",
        ),
        ("edit a file", Line(calls=(("propose", json.dumps({"why": "x"})),)), "edit"),
        ("ask when it is unclear", SORTED, "without asking"),
        ("do not ask when it is clear", ASKS, "asked instead"),
        ("look before changing", RIGHT["edit a file"], "did not look"),
        ("answer a question", RIGHT["edit a file"], "plain answer"),
    ],
)
def test_a_wrong_answer_is_named(task: str, answer: Line, problem: str) -> None:
    row = next(row for row in rows_of(answer, tasks=[t for t in TASKS if t.name == task]))
    assert problem in row.problem


def test_a_server_that_refuses_is_not_asked_every_task() -> None:
    model = ScriptedModel([Line(fault=Fault(FaultKind.AUTH, "wrong key"))] * 60)
    rows = list(check_model(model, TOOLS, SYSTEMS))
    assert [row.problem for row in rows] == ["wrong key"] * 2
    assert summarise(rows).words == "the model did not answer: wrong key"
