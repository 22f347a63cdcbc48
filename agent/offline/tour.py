"""The scripted peer of `copair tour`, named as scripted: a question, a card, a revision, a split, undo, the end.

It plays the beats of `tour_script` in order, by what stands in the history, and branches a little on what the
person does. The last beat is the real offline pair on the real findings of the copy. No state is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent.core.dialog import (
    AssistantMessage,
    Message,
    Protocol,
    Request,
    StreamEvent,
    TextDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolChoice,
    ToolResult,
    UserMessage,
)
from agent.core.hunk import FileState, Mode
from agent.offline import tour_script as script
from agent.offline.pair import OfflinePair
from agent.offline.replies import Call, Say, stream
from agent.offline.ruff import PYTHON
from agent.offline.talk import Answered, Asked, Instruction, Outcome, Reply, Revised, Turn, turns
from agent.offline.tour_repo import prepare_tour
from agent.ports import Cancel, Model

__all__ = ["prepare_tour", "tour_model"]

NAME = "scripted tour"
PACE_SECONDS = 0.008
ASK, FIX, AGAIN, LARGE, END = "tour-question", "tour-fix", "tour-fix-again", "tour-receipt", "tour-end"
FINDINGS = "fix F401"


def tour_model(root: Path, pace_seconds: float = PACE_SECONDS) -> Model:
    """The scripted peer over the copy at `root`."""
    return Tour(root, pace_seconds)


class Tour:
    """`ports.Model` that plays the tour."""

    def __init__(self, root: Path, pace_seconds: float) -> None:
        self._root = root
        self._pace = pace_seconds
        self._pair = OfflinePair(root, python_files(root), plain_reader(root))

    @property
    def name(self) -> str:
        return NAME

    @property
    def protocol(self) -> Protocol:
        return Protocol.TOOLS

    @property
    def context_tokens(self) -> int | None:
        return None

    def stream(self, request: Request, cancel: Cancel) -> Iterator[StreamEvent]:
        yield from stream(list(self._reply(request, cancel)), cancel, self._pace)

    def _reply(self, request: Request, cancel: Cancel) -> Iterator[Say | Call]:
        history = request.history
        found = turns(history)
        last_reply = max((i for i, turn in enumerate(found) if isinstance(turn, Reply)), default=-1)
        news = found[last_reply + 1 :]
        asked = next((turn for turn in news if isinstance(turn, Asked)), None)
        if asked is not None or request.tool_choice is ToolChoice.NONE:
            yield Say(script.ASKED.format(title=asked.title if asked else "this change"))
            return
        yield from self._beat(history, _last_call(history), news, cancel)

    def _beat(
        self, history: Sequence[Message], last: str, news: Sequence[Turn], cancel: Cancel
    ) -> Iterator[Say | Call]:
        """The next beat after the call `last`, by what came of it."""
        if last and any(isinstance(turn, Instruction) for turn in news):
            yield Say(script.NOT_FOLLOWED if last != END else "")
        match last:
            case "":
                yield Say(script.INTRO)
                yield Call(ASK, "ask", script.QUESTION)
            case "tour-question":
                yield from self._fix(_choice(history))
            case "tour-fix":
                revised = next((turn for turn in news if isinstance(turn, Revised)), None)
                again = self._again(_choice(history)) if revised else None
                if revised and again:
                    yield Say(script.REVISED.format(note=revised.note))
                    yield Call(AGAIN, "propose", again)
                else:
                    yield from self._receipt(news)
            case "tour-fix-again":
                yield from self._receipt(news)
            case "tour-receipt":
                yield from self._findings((), news, cancel)
            case "tour-end":
                yield Say(script.OVER)
            case _:
                yield from self._findings(_after(history, LARGE), news, cancel)

    def _fix(self, choice: int) -> Iterator[Say | Call]:
        yield Say(script.CARD)
        yield Call(
            FIX,
            "propose",
            {
                "why": script.WHYS[choice],
                "title": "Round the discount as you chose",
                "assumes": ["a discount is a whole number of percent"],
                "risks": ["baskets that were paid before would cost up to a few cents more or less"],
                "serves": "discount",
                "edits": [_edit(script.BECAUSES[choice], script.OLD_TOTAL, script.NEW_TOTALS[choice])],
            },
        )

    def _again(self, choice: int) -> dict[str, Any]:
        """The revised version: the discount as a method of its own."""
        use, how = script.HELPERS[choice]
        sum_row = "        full = sum(line.price for line in self.lines)\n"
        if not use:
            use, how = "", "(cents * self.discount_percent + 50) // 100"
            body = "        return sum(line.price - self._discount(line.price) for line in self.lines)\n"
        else:
            body = f"{sum_row}        {use}\n"
        helper = (
            "\n    def _discount(self, cents: int) -> int:\n"
            f'        """What is taken off, in whole cents."""\n        return {how}\n'
        )
        return {
            "why": "As before, with the discount in `_discount`: `total` then says what it does, and the rounding "
            "stands in one place.",
            "title": "Round the discount as you chose, in a method of its own",
            "assumes": ["a discount is a whole number of percent"],
            "risks": [],
            "serves": "discount",
            "edits": [_edit("the rounding gets a name", script.OLD_TOTAL, body + helper)],
        }

    def _receipt(self, news: Sequence[Turn]) -> Iterator[Say | Call]:
        yield Say(_heard(news))
        yield Say(script.LARGE)
        yield Call(LARGE, "propose", script.LARGE_PROPOSAL)

    def _findings(
        self, played: Sequence[Message], news: Sequence[Turn], cancel: Cancel
    ) -> Iterator[Say | Call]:
        """The offline pair plays on, with the part of the history that is its own."""
        if not played:
            yield Say(_heard(news) + _way_back(news))
            yield Say(script.WITHOUT_MODEL)
        own = (
            UserMessage(FINDINGS),
            *(message for message in played if not isinstance(message, UserMessage)),
        )
        words = ""
        for event in self._pair.stream(Request("", (), own), cancel):
            match event:
                case TextDelta(text=text):
                    words += text
                case ToolCallStart():
                    yield Say(words)
                case ToolCallEnd(name="finish"):
                    yield Call(END, "finish", {"summary": script.OVER})
                case ToolCallEnd(id=id, name=name, args_json=args_json):
                    yield Call(id, name, msgspec.json.decode(args_json))
                case _:
                    pass


def _edit(because: str, old: str, new: str) -> dict[str, str]:
    return {"because": because, "path": script.BASKET, "old": old, "new": new}


def _heard(news: Sequence[Turn]) -> str:
    """A word on what became of the last cards."""
    statuses = {turn.status for turn in news if isinstance(turn, Outcome)}
    said = script.APPLIED if "applied" in statuses else ""
    return said + (script.REJECTED if "rejected" in statuses else "")


def _way_back(news: Sequence[Turn]) -> str:
    """How an applied change is taken back now: what `u` means depends on what was decided last."""
    statuses = [turn.status for turn in news if isinstance(turn, Outcome)]
    return script.UNDO_NAMED if statuses[-1:] == ["rejected"] else script.UNDO


def _choice(history: Sequence[Message]) -> int:
    """Which option the person took; the first for words of their own."""
    answers = [turn for turn in turns(history) if isinstance(turn, Answered)]
    options: list[str] = script.QUESTION["options"]
    texts = [answer.text for answer in answers[:1]]
    return next((index for index, option in enumerate(options) if option in texts), 0)


def _last_call(history: Sequence[Message]) -> str:
    calls = [
        call.id for message in history if isinstance(message, AssistantMessage) for call in message.calls
    ]
    return calls[-1] if calls else ""


def _after(history: Sequence[Message], call_id: str) -> list[Message]:
    """The messages after the result of a call."""
    ends = [
        i
        for i, message in enumerate(history)
        if isinstance(message, ToolResult) and message.call_id == call_id
    ]
    return list(history[ends[-1] + 1 :]) if ends else []


def python_files(root: Path) -> Callable[[], Sequence[str]]:
    """The Python files of the copy; it has no ignored ones but caches."""

    def names() -> Sequence[str]:
        files = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix in PYTHON)
        return sorted(name for name in files if not name.startswith("."))

    return names


def plain_reader(root: Path) -> Callable[[str], FileState | None]:
    """Reads the copy, which holds neither links nor secrets."""

    def read(path: str) -> FileState | None:
        full = root / path
        return FileState(Mode.FILE, full.read_bytes()) if full.is_file() and not full.is_symlink() else None

    return read
