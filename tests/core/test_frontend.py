"""The values between driver and frontend survive JSON, as `--jsonl` needs."""

import json

import msgspec
import pytest

from agent.core.frontend import AnswerIn, Decide, Input, Move, Quit, Say, Undo
from agent.core.review import Answer, Approve, Reject


@pytest.mark.parametrize(
    "value",
    [
        Say("fix it"),
        Decide("c1", "d" * 64, Approve("d" * 64)),
        Decide("c1", "d", Reject("no")),
        AnswerIn("q", Answer(1)),
        Move(by=-1),
        Undo(),
        Quit("end"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_input_comes_back_from_json(value: object) -> None:
    text = json.dumps(msgspec.to_builtins(value))
    assert msgspec.convert(json.loads(text), Input) == value
