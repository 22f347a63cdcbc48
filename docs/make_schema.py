"""Writes jsonl-schema.json from the types of the program: `python docs/make_schema.py`. The suite compares.

The lines of `--jsonl` as types; where an offer is made by hand (`agent/ui/jsonl.py`) its type stands here, and a test
reads real lines with it.
"""

from __future__ import annotations

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from agent.core.chunk import Because, Quote
from agent.core.events import VERSION, Event
from agent.core.frontend import PromptOffer, QuestionOffer, Tick, WorkOffer
from agent.core.review import Answer, Decision, Evidence
from agent.ui.jsonl import VERSION as LINES_VERSION
from agent.ui.jsonl import Free

PATH = Path(__file__).parent / "jsonl-schema.json"


class Strict(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What we write has no other keys."""


class CardChunk(Strict):
    id: str
    title: str
    why: str
    assumes: tuple[str, ...]
    risks: tuple[str, ...]
    quotes: tuple[Quote, ...]
    because: tuple[Because, ...]
    needs: tuple[str, ...]
    serves: str
    place_reason: str
    folded: str


class Special(Strict):
    level: str
    text: str


class File(Strict):
    path: str
    added: int
    removed: int


class Content(Strict):
    """Text, or base64 of bytes that are no UTF-8."""

    text: str | None = None
    base64: str | None = None


class State(Strict):
    """A file as it will be; `mode` as git stores it."""

    mode: int
    text: str | None = None
    base64: str | None = None


class CardOffer(Strict, tag="card"):
    """`digest` is what an approval names; `diff` is a git diff; `new` the files after it (null: deleted)."""

    chunk: CardChunk
    digest: str
    position: int
    total: int
    onto: str
    yes: str
    risky: bool
    special: tuple[Special, ...]
    unknown_names: tuple[str, ...]
    notes: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    base: str
    checking: bool
    files: tuple[File, ...]
    diff: Content
    new: dict[str, State | None]


class Refusal(Strict):
    """Why an input line changed nothing, and its first 200 characters."""

    message: str
    line: str


class EventLine(Strict):
    v: int
    seq: int
    event: Event


class TickLine(Strict):
    v: int
    seq: int
    tick: Tick


class OfferLine(Strict):
    v: int
    seq: int
    id: str
    offer: CardOffer | QuestionOffer | PromptOffer | WorkOffer


class ErrorLine(Strict):
    v: int
    seq: int
    error: Refusal


class DecisionLine(Struct):
    """Answers a card; `word` is `apply` for a risky one."""

    id: str
    decision: Decision
    word: str = ""


class AnswerLine(Struct):
    """Answers a question."""

    id: str
    answer: Answer


class TextLine(Struct):
    """A sentence at the prompt, or a new instruction while a card is open."""

    id: str
    text: str


class InputLine(Struct):
    """What needs no offer."""

    input: Free


OUT = {"event": EventLine, "tick": TickLine, "offer": OfferLine, "error": ErrorLine}
"""Lines that copair writes, by the key that tells them apart."""
IN = {"decision": DecisionLine, "answer": AnswerLine, "text": TextLine, "input": InputLine}


def schema() -> dict[str, Any]:
    """The document: a JSON schema (2020-12) of one line, in either direction."""
    types = (*OUT.values(), *IN.values())
    references, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    count = len(OUT)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of copair --jsonl",
        "version": LINES_VERSION,
        "journal_version": VERSION,
        "anyOf": [{"$ref": "#/$defs/Out"}, {"$ref": "#/$defs/In"}],
        "$defs": {
            "Out": {"anyOf": list(references[:count])},
            "In": {"anyOf": list(references[count:])},
            **{name: _plain(definition) for name, definition in definitions.items()},
        },
    }


def _plain(definition: dict[str, Any]) -> dict[str, Any]:
    """Without the indentation that a docstring has up to Python 3.12."""
    words = definition.get("description")
    return definition if words is None else {**definition, "description": cleandoc(words)}


def text() -> str:
    return json.dumps(schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")
