"""What the model may call, as it sees it: names, descriptions from the prompt files, strict JSON schemas.

Schemas stay in what every strict mode and every server accepts: objects are closed, all keys required, what does
not apply is empty (some servers refuse lists of types, one provider caps them); no defaults, bounds, formats or
references. Together with the system prompt they are sent
in every request, so a test holds their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.core.chunk import Budget
from agent.core.dialog import Protocol, Tool
from agent.prompts import Prompt, fill

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
INDEX: Schema = {"type": "integer"}


def many(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def record(**fields: Schema) -> Schema:
    """A closed object whose keys are all required, in the order in which they are to be written."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


EDIT = record(
    because=TEXT,
    path=TEXT,
    old=TEXT,
    new=TEXT,
    content=TEXT,
    delete=FLAG,
    rename_to=TEXT,
)
PROPOSE = record(
    why=TEXT,
    title=TEXT,
    assumes=many(TEXT),
    risks=many(TEXT),
    quotes=many(TEXT),
    serves=TEXT,
    edits=many(EDIT),
)
ASK = record(text=TEXT, why_it_matters=TEXT, options=many(TEXT), default=INDEX, looked_at=many(TEXT))
FINISH = record(summary=TEXT)
READ = record(path=TEXT)
SEARCH = record(text=TEXT, path=TEXT)
OUTLINE = record(path=TEXT)
HISTORY = record(path=TEXT)
NAMED = record(name=TEXT)


def read_tools() -> tuple[Tool, ...]:
    """The read-only tools that a `ToolBox` runs."""
    return (
        Tool("read", fill(Prompt.READ), READ),
        Tool("search", fill(Prompt.SEARCH), SEARCH),
        Tool("outline", fill(Prompt.OUTLINE), OUTLINE),
        Tool("history", fill(Prompt.HISTORY), HISTORY),
    )


def docs_tool() -> Tool:
    """Documentation of an installed Python name; answered by the evidence that copair makes."""
    return Tool("docs", fill(Prompt.DOCS), NAMED)


def check_tool(names: Sequence[str]) -> Tool:
    """Runs one of the checks that the person accepted; only offered where there are any."""
    return Tool("check", fill(Prompt.CHECK, names=", ".join(names)), NAMED)


def session_tools(budget: Budget) -> tuple[Tool, ...]:
    """What the session itself answers: cards, questions, the end."""
    return (
        Tool("propose", fill(Prompt.PROPOSE, why_chars=budget.why_chars), PROPOSE),
        Tool("ask", fill(Prompt.ASK), ASK),
        Tool("finish", fill(Prompt.FINISH), FINISH),
    )


def all_tools(budget: Budget | None = None, checks: Sequence[str] = ()) -> tuple[Tool, ...]:
    """Every tool, in an order that never changes: they are part of the cached prefix."""
    runs = (check_tool(checks),) if checks else ()
    return (*read_tools(), docs_tool(), *runs, *session_tools(budget or Budget()))


def system_prompt(protocol: Protocol, budget: Budget | None = None, checks: Sequence[str] = ()) -> str:
    """What a model is told first, for its way of proposing; in text also that it may run `checks`."""
    limits = budget or Budget()
    match protocol:
        case Protocol.TOOLS:
            return fill(Prompt.SYSTEM_TOOLS, lines=limits.lines)
        case Protocol.TEXT:
            runs = f"\nCHECK {checks[0]}\n({check_tool(checks).description})" if checks else ""
            return fill(Prompt.SYSTEM_TEXT, lines=limits.lines, why_chars=limits.why_chars, checks=runs)
