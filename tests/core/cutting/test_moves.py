"""Lines that only change their place are told on both sides, and are read first where they come."""

from __future__ import annotations

from agent.core.chunk import Budget, Chunk
from agent.core.cutting.cut import cut
from agent.core.hunk import FileState, Mode
from agent.core.outcome import States

HELD = [
    "def held(first, second):",
    "    value = first + second",
    "    for item in range(value):",
    "        second += item",
    "    return second",
]
OTHER = ["def other(text):", "    found = text.split()", "    found.sort()", "    return ' '.join(found)"]
REST = [f"LINE_{number} = {number}" for number in range(12)]


def text(*parts: list[str]) -> FileState:
    return FileState(Mode.FILE, "".join(f"{line}\n" for part in parts for line in [*part, "", ""]).encode())


def told(before: States, after: States, budget: Budget | None = None) -> list[tuple[str, str]]:
    return [(chunk.title, chunk.place_reason) for chunk in cut(before, after, budget=budget)]


def test_what_moves_to_another_file_comes_before_it_goes_and_both_say_so() -> None:
    before: States = {"a.py": text(REST, HELD), "z.py": text(REST)}
    after: States = {"a.py": text(REST), "z.py": text(REST, HELD)}
    assert told(before, after) == [
        ("held: 7 lines", "in the order of the files; all its lines come from held in a.py"),
        ("held: 7 lines", "in the order of the files; all its lines go to held in z.py"),
    ]


def test_what_moves_with_another_indentation_and_a_changed_line_is_told_as_most_of_it() -> None:
    inner = [
        "class Holder:",
        *(f"    {line}" for line in HELD[:-1]),
        "        return second * 2",
        "",
        "    X = 1",
    ]
    found = told({"a.py": text(REST, HELD), "b.py": None}, {"a.py": text(REST), "b.py": text(inner)})
    assert [reason.partition("; ")[2] for _, reason in found] == [
        "",
        "most of its lines go to Holder in b.py",
    ]


def test_what_goes_to_many_places_counts_them() -> None:
    before: States = {"a.py": text(HELD, OTHER), "b.py": text(REST), "c.py": text(REST)}
    after: States = {"a.py": None, "b.py": text(REST, HELD), "c.py": text(REST, OTHER)}
    found = dict(told(before, after))
    assert found["Delete a.py (13 lines)"].endswith("; all its lines go to 2 chunks in 2 files")


def test_what_stays_where_it_is_does_not_move() -> None:
    changed = [line.replace("second", "third") for line in HELD]
    found = told({"a.py": text(REST, HELD, OTHER)}, {"a.py": text(REST, changed, OTHER)})
    assert all("its lines" not in reason for _, reason in found)


def test_a_few_lines_or_lines_that_stand_everywhere_do_not_move() -> None:
    few = ["X_1 = 1", "X_2 = 2", "X_3 = 3"]
    assert all(
        "its lines" not in reason
        for _, reason in told(
            {"a.py": text(REST, few), "b.py": text(REST)}, {"a.py": text(REST), "b.py": text(REST, few)}
        )
    )
    names = "bcdef"
    before: States = {"a.py": text(REST, HELD)} | {f"{name}.py": text(REST) for name in names}
    after: States = {"a.py": text(REST)} | {f"{name}.py": text(REST, HELD) for name in names}
    assert "go to" not in dict(told(before, after)).get("held: 7 lines", "")


def test_the_chunks_are_those_that_are_cut_when_nothing_is_known_of_moves() -> None:
    def parts(chunks: tuple[Chunk, ...]) -> set[str]:
        return {chunk.id for chunk in chunks}

    before: States = {"a.py": text(REST, HELD), "b.py": text(REST)}
    both = cut(before, {"a.py": text(REST), "b.py": text(REST, HELD)})
    alone = cut(before, {"a.py": text(REST)}), cut(before, {"b.py": text(REST, HELD)})
    assert parts(both) == parts(alone[0]) | parts(alone[1])
