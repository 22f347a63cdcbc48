from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from agent.core.chunk import Budget
from agent.core.dialog import Protocol, Tool
from agent.core.replies.edits import ProposeArgs
from agent.core.replies.reply import parse_propose, parse_text
from agent.tools.specs import EDIT, PROPOSE, all_tools, system_prompt

TOKENS_AT_MOST = 1200


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if schema.get("type") == "object":
        yield schema
        for inner in schema["properties"].values():
            yield from objects(inner)
    if schema.get("type") == "array":
        yield from objects(schema["items"])


def test_the_names_are_what_the_session_and_the_tool_box_answer() -> None:
    assert [tool.name for tool in all_tools()] == [
        "read",
        "search",
        "outline",
        "history",
        "docs",
        "propose",
        "ask",
        "finish",
    ]


def test_a_check_can_only_be_run_where_the_person_accepted_one() -> None:
    assert "CHECK" not in system_prompt(Protocol.TEXT)
    with_checks = all_tools(checks=("tests", "lint"))
    assert [tool.name for tool in with_checks if tool not in all_tools()] == ["check"]
    (check,) = (tool for tool in with_checks if tool.name == "check")
    assert "(tests, lint)" in check.description


def test_every_object_is_closed_and_requires_all_its_keys() -> None:
    for tool in all_tools(checks=("tests",)):
        for found in objects(tool.schema):
            assert found["additionalProperties"] is False
            assert found["required"] == list(found["properties"])


def test_schemas_use_only_the_subset_of_both_strict_modes() -> None:
    allowed = {"type", "properties", "required", "additionalProperties", "items"}

    def check(schema: dict[str, Any]) -> None:
        assert set(schema) <= allowed
        for inner in schema.get("properties", {}).values():
            check(inner)
        if "items" in schema:
            check(schema["items"])

    for tool in all_tools():
        check(tool.schema)


def test_why_comes_first_so_that_it_can_stream() -> None:
    propose = next(tool for tool in all_tools() if tool.name == "propose")
    assert next(iter(propose.schema["properties"])) == "why"


def tokens(tools: Sequence[Tool]) -> float:
    """System prompt and tools as the widest wire sends them, at 3.5 characters a token."""
    wire = [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.schema,
                "strict": True,
            },
        }
        for tool in tools
    ]
    return (len(system_prompt(Protocol.TOOLS)) + len(json.dumps(wire, separators=(",", ":")))) / 3.5


def test_system_prompt_and_tools_stay_small_on_the_widest_wire() -> None:
    assert tokens(all_tools()) <= TOKENS_AT_MOST


def test_the_text_protocol_stays_small() -> None:
    assert len(system_prompt(Protocol.TEXT)) / 3.5 <= TOKENS_AT_MOST


def test_the_budget_of_the_person_is_what_the_model_is_told() -> None:
    budget = Budget(lines=9, why_chars=77)
    assert "9 changed lines" in system_prompt(Protocol.TEXT, budget)
    assert "77 characters" in system_prompt(Protocol.TEXT, budget)
    propose = next(tool for tool in all_tools(budget) if tool.name == "propose")
    assert "77 characters" in propose.description


def test_the_text_protocol_is_what_the_reader_of_replies_understands() -> None:
    prompt = system_prompt(Protocol.TEXT)
    looking, _, rest = prompt.partition("2. Propose")
    proposing, _, asking = rest.partition("3. Ask")
    assert parse_text(looking).reads == (
        ("read", "src/lexer.py:10-40"),
        ("search", "parse_number"),
        ("outline", "src"),
        ("docs", "json.loads"),
    )
    checks = parse_text(system_prompt(Protocol.TEXT, checks=("tests", "lint")).partition("2. Propose")[0])
    assert checks.reads[-1] == ("check", "tests")
    proposed = parse_text(proposing.partition("Repeat from Because")[0])
    assert proposed.errors == ()
    assert proposed.title == "Accept hexadecimal numbers"
    assert proposed.why.startswith("`parse_number` stops at the x")
    assert proposed.quotes[0].startswith("int: ")
    (edit,) = proposed.edits
    assert (edit.path, edit.because) == ("src/lexer.py", "the reason for this edit")
    assert (edit.old, edit.new) == ("    return int(text)\n", "    return int(text, 0)\n")
    question = parse_text(asking.partition("4. If done")[0]).question
    assert question is not None
    assert question.options == ("only 0x", "0x and 0X")
    assert (question.default, question.why_it_matters) == (1, "it decides which tokens change meaning")


def test_arguments_as_the_schema_wants_them_are_understood() -> None:
    empty = {"old": "", "new": "", "content": "", "delete": False, "rename_to": ""}
    forms = [{"old": "a\n", "new": ""}, {"content": "x\n"}, {"delete": True}, {"rename_to": "b.py"}]
    for form in forms:
        edit = {"because": "b", "path": "a.py", **empty, **form}
        assert set(edit) == set(EDIT["properties"])
        arguments = {
            "why": "w",
            "title": "t",
            "assumes": [],
            "risks": [],
            "quotes": [],
            "serves": "",
            "edits": [edit],
        }
        assert set(arguments) == set(PROPOSE["properties"])
        assert isinstance(parse_propose(json.dumps(arguments)), ProposeArgs)
    everything_empty = {"why": "w", "title": "t", "edits": [{"because": "b", "path": "a.py", **empty}]}
    parsed = parse_propose(json.dumps(everything_empty))
    assert isinstance(parsed, ProposeArgs)
    assert parsed.edits[0].content is None
