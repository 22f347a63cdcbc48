"""`--jsonl`: the whole session for a program. One JSON object a line, both ways; documented in docs/jsonl.md.

Out: `{"v":1,"seq":n}` with one of `event` (as in the journal), `tick`, `offer` (with an `id`) or `error`.
In: `{"id":…}` of the offer with `decision`, `answer` or `text`; without an id `input`. An input for an offer that is
not open any more, or that cannot be read, changes nothing and is answered by an `error`. At the end of the input
the session ends, and what is undecided stays undecided. Imports no terminal library.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

import msgspec

from agent.core.cards.view import card_view
from agent.core.events import Event
from agent.core.frontend import (
    AnswerIn,
    Card,
    CardOffer,
    Command,
    Decide,
    Input,
    Interrupt,
    Move,
    Offer,
    PromptOffer,
    QuestionOffer,
    Quit,
    RunChecks,
    Say,
    Tick,
    Undo,
    WorkOffer,
)
from agent.core.hunk import FileState
from agent.core.patches.blob_names import Hash
from agent.core.patches.unified import print_writes
from agent.core.review import Answer, Approve, Decision

VERSION = 1
APPLY_WORD = "apply"

Free = Say | Interrupt | Undo | Move | RunChecks | Command | Quit
"""What needs no offer."""


class Refused(Exception):
    """An input line that changes nothing, and why."""


class Jsonl:
    """See `ports.Frontend`. `kind` is that of the repository, for the diffs of cards."""

    def __init__(
        self, inbox: Callable[[Input], None], stdin: TextIO, stdout: TextIO, kind: Hash = Hash.SHA1
    ) -> None:
        self._kind = kind
        self._inbox = inbox
        self._stdin = stdin
        self._stdout = stdout
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._seq = 0
        self._offers = 0
        self._open: Offer | None = None

    def emit(self, event: Event) -> None:
        self._write({"event": msgspec.to_builtins(event)})

    def tick(self, tick: Tick) -> None:
        self._write({"tick": msgspec.to_builtins(tick)})

    def offer(self, offer: Offer) -> None:
        with self._lock:
            # The open card with more evidence keeps its id: an answer on its way stays good.
            self._offers += not _same_card(self._open, offer)
            self._open = offer
        self._write({"id": f"o{self._offers}", "offer": offer_json(offer, self._kind)})

    def close(self) -> None:
        self._closed.set()

    def run(self) -> int | None:
        """Pass inputs on until the session is over."""
        threading.Thread(target=self._read, name="jsonl-in", daemon=True).start()
        while not self._closed.wait(0.5):
            pass  # a timeout, so that Ctrl-C reaches the main thread on every system
        return None

    def _read(self) -> None:
        try:
            with suppress(OSError, ValueError):
                while line := self._stdin.readline():
                    if line.strip():
                        self._take(line)
        finally:
            self._inbox(Quit("end"))

    def _take(self, line: str) -> None:
        try:
            self._inbox(self._input(line))
        except Refused as refusal:
            self._write({"error": {"message": str(refusal), "line": line[:200]}})

    def _write(self, content: dict[str, Any]) -> None:
        with self._lock:
            self._seq += 1
            line = json.dumps({"v": VERSION, "seq": self._seq, **content}, separators=(",", ":"))
            with suppress(BrokenPipeError):
                self._stdout.write(line + "\n")
                self._stdout.flush()

    def _input(self, line: str) -> Input:
        try:
            message = json.loads(line)
        except ValueError as error:
            raise Refused(f"not JSON: {error}") from error
        except RecursionError as error:
            raise Refused("nested too deeply") from error
        if not isinstance(message, dict):
            raise Refused("one JSON object a line is wanted")
        try:
            if "input" in message:
                free: Input = msgspec.convert(message["input"], Free)
                return free
            return self._reply(message)
        except msgspec.ValidationError as error:
            raise Refused(str(error)) from error

    def _reply(self, message: dict[str, Any]) -> Input:
        with self._lock:
            name, offer = f"o{self._offers}", self._open
        if message.get("id") != name:
            raise Refused(f"offer {message.get('id')} is not open; {name if offer else 'none'} is")
        match offer:
            case CardOffer(card=card) if "decision" in message:
                return _decide(message, card)
            case QuestionOffer(call_id=call_id, question=question) if "answer" in message:
                answer = msgspec.convert(message["answer"], Answer)
                if answer.choice is not None and not 0 <= answer.choice < len(question.options):
                    raise Refused(f"there is no option {answer.choice}")
                return AnswerIn(call_id, answer)
            case PromptOffer() | CardOffer() if isinstance(message.get("text"), str):
                return Say(message["text"])
            case _:
                raise Refused("this offer wants a decision (card), an answer (question) or a text (prompt)")


def _same_card(old: Offer | None, new: Offer) -> bool:
    if not isinstance(old, CardOffer) or not isinstance(new, CardOffer):
        return False
    return (old.card.chunk.id, old.card.digest) == (new.card.chunk.id, new.card.digest)


def _decide(message: dict[str, Any], card: Card) -> Decide:
    decision = msgspec.convert(message["decision"], Decision)
    if isinstance(decision, Approve):
        if decision.digest != card.digest:
            raise Refused("the digest is not that of the open card")
        if card_view(card).risky and message.get("word") != APPLY_WORD:
            raise Refused(f'this card is risky: add "word": "{APPLY_WORD}" to the line')
    return Decide(card.chunk.id, card.digest, decision)


def offer_json(offer: Offer, kind: Hash = Hash.SHA1) -> dict[str, Any]:
    """An offer as JSON data. Of a card: the chunk, the exact diff, and what a person sees above it."""
    match offer:
        case CardOffer(card=card):
            return {"type": "card", **card_json(card, kind)}
        case QuestionOffer() | PromptOffer() | WorkOffer():
            found: dict[str, Any] = msgspec.to_builtins(offer)
            return found


def card_json(card: Card, kind: Hash) -> dict[str, Any]:
    """A card without repeating the files: texts are as they are, bytes that are no UTF-8 as base64."""
    view = card_view(card)
    return {
        "chunk": {
            name: msgspec.to_builtins(getattr(card.chunk, name))
            for name in (
                "id",
                "title",
                "why",
                "assumes",
                "risks",
                "quotes",
                "because",
                "needs",
                "serves",
                "place_reason",
                "folded",
            )
        },
        "digest": card.digest,
        "position": card.position,
        "total": card.total,
        "onto": card.onto,
        "yes": card.yes,
        "risky": view.risky,
        "special": [{"level": str(special.level), "text": special.text} for special in view.specials],
        "unknown_names": list(card.unknown_names),
        "notes": list(view.notes),
        "evidence": msgspec.to_builtins(card.evidence),
        "checking": card.checking,
        "base": card.base,
        "files": [{"path": file.path, "added": file.added, "removed": file.removed} for file in view.files],
        "diff": _text(print_writes(card.writes, kind=kind)),
        "new": {write.path: _state(write.new) for write in card.writes},
    }


def _state(state: FileState | None) -> dict[str, Any] | None:
    return None if state is None else {"mode": state.mode, **_text(state.data)}


def _text(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}
