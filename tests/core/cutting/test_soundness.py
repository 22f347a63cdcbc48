"""Whether a file still parses with some of its hunks, and what finding out may cost."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.core.chunk import Budget
from agent.core.code.grammar import PYTHON, parses
from agent.core.code.sheet import Sheet
from agent.core.cutting import soundness
from agent.core.cutting.cut import cut
from agent.core.cutting.soundness import MAX_PARSED, SIZE_PARSED, Allowance, Checker
from agent.core.hunk import FileState, Mode
from agent.core.lines.splice import diff, splice
from agent.core.outcome import States
from agent.core.text import split_lines


def source(random: Random, size: int) -> list[str]:
    """Functions, classes, branches and brackets, most of them with a blank line before them: lines without their ends."""
    indent = random.choice(["", "    "])
    found = ["class All:"] if indent else []
    while len(found) < size:
        gap = [""] * random.choice([0, 1, 1])
        found += [*gap, *_statement(random, indent, 3)]
    return found


def _statement(random: Random, indent: str, depth: int) -> list[str]:
    kind = (
        random.choice(["def", "class", "if", "try", "with", "call", "call", "call", "value", "value"])
        if depth
        else "value"
    )
    inner = indent + "    "

    def body() -> list[str]:
        found: list[str] = []
        for _ in range(random.choice([1, 1, 2, 4])):
            found += [*[""] * random.choice([0, 0, 1]), *_statement(random, inner, depth - 1)]
        return [*gap(), *found]

    def gap() -> list[str]:
        return [""] * random.choice([0, 0, 0, 1])

    number = random.randrange(6)
    match kind:
        case "def" | "class":
            decorated = [f"{indent}@mark"] if random.random() < 0.3 else []
            return [*decorated, f"{indent}{kind} f{number}():", *body()]
        case "if":
            return [f"{indent}if f{number}:  # why", *body(), *gap(), f"{indent}else:", *body()]
        case "try":
            return [f"{indent}try:", *body(), *gap(), f"{indent}except OSError:", *body()]
        case "with":
            return [f"{indent}with f{number}:", *body()]
        case "call":
            return [f"{indent}f{number}(", *[f"{inner}{n}," for n in range(number)], f"{indent})"]
    return [f"{indent}x = {number}"]


def changed(random: Random, lines: list[str]) -> list[str]:
    """Statements and single lines are put in, taken out, replaced or indented; it may not parse."""
    found = list(lines)
    for _ in range(random.randrange(1, 8)):
        at = random.randrange(len(found))
        indent = found[at][: len(found[at]) - len(found[at].lstrip())]
        new: list[str] = []
        for _ in range(random.choice([0, 0, 1, 1, 2, 30])):
            new += [*[""] * random.choice([0, 1]), *_statement(random, indent, 2)]
        end = at + random.choice([0, 1, 2, 6])
        match random.choice(["replace", "replace", "deeper", "out", "wrap"]):
            case "replace":
                found[at:end] = [*new, *[""] * random.randrange(2)]
            case "deeper":
                found[at:end] = [
                    f"{indent}if new:",
                    *(f"    {line}" if line else "" for line in found[at:end]),
                ]
            case "out":
                found[at:end] = [line.removeprefix("    ") for line in found[at:end]]
            case "wrap":
                found[at:end] = [f"{indent}new(", *found[at:end], f"{indent})"]
    return found


@given(st.integers(0, 2**32))
@example(11)
@settings(max_examples=60)
def test_what_counts_as_sound_parses(seed: int) -> None:
    random = Random(seed)
    lines = source(random, 240)
    old = joined(lines)
    new = next(filter(valid, (joined(changed(random, lines)) for _ in range(20))), old)
    before, after = split_lines(old), split_lines(new)
    checker = Checker(Sheet("a.py", before), Sheet("a.py", after), Allowance(10**9))
    assert checker.usable
    hunks = diff(before, after)
    for _ in range(10):
        some = [hunk for hunk in hunks if random.random() < 0.5]
        around = some[-1:] if random.random() < 0.5 else []
        if checker.sound(some[:-1]) and checker.sound(some, around):
            assert valid(b"".join(splice(before, some)))


def valid(source: bytes) -> bool:
    return parses(PYTHON, source)


def joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def test_one_file_spends_no_more_than_it_would_alone() -> None:
    whole = Allowance.for_texts(MAX_PARSED[0])
    assert whole.size == SIZE_PARSED * MAX_PARSED[0]
    part = whole.part(Allowance.for_texts(1))
    assert part.left == MAX_PARSED[0]
    part.left -= 300
    assert part.reserve is not None
    part.reserve.left -= 20
    whole.take(part)
    assert whole.reserve is not None
    assert (whole.left, whole.reserve.left) == (whole.size - 300, whole.reserve.size - 20)


def test_what_is_left_is_all_that_a_file_may_spend() -> None:
    whole = Allowance(50)
    assert whole.part(Allowance.for_texts(10**9)).left == 50
    whole.left = -5
    assert whole.part(Allowance.for_texts(10**9)).left == 0


def test_a_file_of_which_nobody_knows_whether_it_parses_is_not_left_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def file(name: str, calls: list[str]) -> FileState:
        lines: list[str] = []
        for number, call in enumerate(calls, 1):
            added = [f"    def {name}{number}_new(): return {call}"] * 3 if call else []
            lines += [f"def {name}{number}():", "    x = 1", "    y = 2", *added, "    return x + y", "", ""]
        return FileState(Mode.FILE, joined(lines))

    before: States = {"a.py": file("a", [""] * 3), "b.py": file("b", [""] * 3)}
    after: States = {
        "a.py": file("a", ["0", "b1_new()", "b2_new()"]),
        "b.py": file("b", ["a1_new()", "a2_new()", "a3_new()"]),
    }

    def order() -> str:
        chunks = cut(before, after, budget=Budget(lines=8, hard_lines=16))
        return " ".join(chunk.title.partition(".")[0] for chunk in chunks)

    assert order() == "a1 b1 a2 b2 a3 b3"
    monkeypatch.setattr(soundness, "MAX_PARSED", (900, 900))
    assert order() == "a1 a2 a3 b1 b2 b3"
