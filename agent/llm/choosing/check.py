"""`copair check-model`: puts small known tasks to a model, in both protocols, and says which one it gets right.

Yields a row per task as soon as it is known; printing and writing the settings is the caller's. Nothing is written
and nothing of a repository is sent: the files of the tasks are made up.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from agent.core.dialog import (
    AssistantMessage,
    Done,
    Fault,
    Message,
    Protocol,
    ReasoningDelta,
    Request,
    Stop,
    TextDelta,
    Tool,
    ToolArgsDelta,
    ToolCall,
    ToolCallEnd,
    ToolCallStart,
    ToolResult,
    Usage,
    UserMessage,
)
from agent.core.price import Price, cost_dollars
from agent.core.replies.reply import text_calls
from agent.llm.choosing.check_tasks import LOOKS, TASKS, Answer, Task
from agent.ports import Cancel, Model

ROUNDS = 3
"""Requests per task: it may look before it answers."""
OUTPUT_TOKENS = 2048
BUDGET_SECONDS = 120.0
FIRST_PROTOCOL = Protocol.TOOLS


class CheckRow(msgspec.Struct, frozen=True):
    """One task in one protocol. `problem` is empty when the answer was right."""

    task: str
    protocol: Protocol
    problem: str = ""
    seconds: float = 0.0
    usage: Usage = Usage()
    dollars: float | None = None
    streamed: bool = False
    """It came in more than one piece."""
    stop: str = ""
    fault: bool = False
    edits: bool = False

    @property
    def ok(self) -> bool:
        return not self.problem


class Summary(msgspec.Struct, frozen=True):
    """The outcome. `protocol` is the better one, None when the model makes no usable edit in either."""

    protocol: Protocol | None
    words: str


class _Said(msgspec.Struct):
    """One reply while it comes in."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    pieces: int = 0
    usage: Usage = Usage()
    end: Done | Fault | None = None


def check_model(
    model: Model,
    tools: Sequence[Tool],
    systems: Mapping[Protocol, str],
    *,
    price: Price | None = None,
    cancel: Cancel | None = None,
    tasks: Sequence[Task] = TASKS,
    budget_seconds: float = BUDGET_SECONDS,
    output_tokens: int = OUTPUT_TOKENS,
) -> Iterator[CheckRow]:
    """A row per task and protocol, in turns. `systems` are the system prompts.

    Stops after `budget_seconds` or on a cancel; a protocol that the server refuses is not tried again.
    """
    cancel = cancel or Cancel()
    until = time.monotonic() + budget_seconds
    refused: set[Protocol] = set()
    for task, protocol in itertools.product(tasks, (Protocol.TOOLS, Protocol.TEXT)):
        if protocol in refused or time.monotonic() > until:
            continue
        row = _run(model, tools, systems[protocol], protocol, task, price, cancel, output_tokens)
        if cancel.cancelled:
            return
        yield row
        if row.fault:
            refused.add(protocol)


def summarise(rows: Sequence[CheckRow]) -> Summary:
    """Which protocol to use; tool calls win a tie."""
    right = {protocol: sum(row.ok for row in rows if row.protocol is protocol) for protocol in Protocol}
    edits = {
        protocol: sum(row.ok and row.edits for row in rows if row.protocol is protocol)
        for protocol in Protocol
    }
    if not any(edits.values()):
        faults = [row.problem for row in rows if row.fault]
        if faults and len(faults) == len(rows):
            return Summary(None, f"the model did not answer: {faults[0]}")
        return Summary(None, "this model is too weak to propose: it made no usable edit in either protocol")
    best = max((FIRST_PROTOCOL, Protocol.TEXT), key=lambda each: (edits[each] > 0, right[each]))
    asked = len([row for row in rows if row.protocol is best])
    return Summary(best, f'protocol = "{best.value}": {right[best]} of {asked} tasks right')


def _run(
    model: Model,
    tools: Sequence[Tool],
    system: str,
    protocol: Protocol,
    task: Task,
    price: Price | None,
    cancel: Cancel,
    output_tokens: int,
) -> CheckRow:
    began = time.monotonic()
    history: tuple[Message, ...] = (UserMessage(task.question()),)
    looked: tuple[ToolCall, ...] = ()
    usage, dollars, said = Usage(), 0.0, _Said()
    offered = tuple(tools) if protocol is Protocol.TOOLS else ()
    for _ in range(ROUNDS):
        request = Request(system, offered, history, max_output_tokens=output_tokens, cache_key="copair-check")
        said = _ask(model, request, protocol, cancel)
        usage = usage + said.usage
        dollars += cost_dollars(said.usage, price) if price else 0.0
        looks = tuple(call for call in said.calls if call.name in LOOKS)
        if not looks or len(looks) < len(said.calls):
            break
        looked += looks
        history = (*history, *_answered(said, looks, task, protocol))
    answer = Answer(said.text, said.calls, looked)
    return CheckRow(
        task=task.name,
        protocol=protocol,
        problem=_problem(said) or task.judge(answer, task.files),
        seconds=time.monotonic() - began,
        usage=usage,
        dollars=dollars if price else None,
        streamed=said.pieces > 1,
        stop=said.end.stop.value if isinstance(said.end, Done) else "",
        fault=isinstance(said.end, Fault),
        edits=task.edits,
    )


def _problem(said: _Said) -> str:
    match said.end:
        case Fault(message=message):
            return message
        case Done(stop=Stop.END | Stop.TOOL):
            return ""
        case Done(stop=stop):
            return f"stopped early ({stop.value})"
        case None:
            return "the reply was cut"


def _ask(model: Model, request: Request, protocol: Protocol, cancel: Cancel) -> _Said:
    said = _Said()
    for event in model.stream(request, cancel):
        match event:
            case TextDelta(text=text):
                said.text += text
                said.pieces += 1
            case ReasoningDelta() | ToolCallStart() | ToolArgsDelta():
                said.pieces += 1
            case ToolCallEnd(id=call_id, name=name, args_json=args):
                said.calls += (ToolCall(call_id, name, args),)
            case Usage():
                said.usage = event
            case Done() | Fault():
                said.end = event
            case _:
                pass
    if protocol is Protocol.TEXT:
        said.calls = text_calls(said.text, "text-check", always=True)
    return said


def _answered(
    said: _Said, looks: tuple[ToolCall, ...], task: Task, protocol: Protocol
) -> tuple[Message, ...]:
    """The reply and what it looked up: every look shows the files of the task, which are few and small."""
    shown = "\n".join(f"{path}:\n{content}" for path, content in task.files.items())
    raw = said.end.raw if isinstance(said.end, Done) else None
    if protocol is Protocol.TEXT:
        return (AssistantMessage(said.text, (), raw), UserMessage(f"[{looks[0].name}] {shown}"))
    results = tuple(ToolResult(call.id, call.name, shown) for call in looks)
    return (AssistantMessage(said.text, said.calls, raw), *results)
