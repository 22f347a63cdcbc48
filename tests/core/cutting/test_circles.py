"""What is in a circle of links within one file is one chunk, if it is small."""

from __future__ import annotations

from agent.core.chunk import Budget
from agent.core.cutting.cut import cut
from agent.core.hunk import FileState, Mode
from agent.core.outcome import States

FAR = [f"A{at} = {at}" for at in range(12)]


def renamed(name: str, *more: str) -> FileState:
    """A function of this name, far below the one that calls it."""
    lines = [
        "def caller():",
        f"    return {name}(1)",
        *more,
        "",
        "",
        *FAR,
        "",
        "",
        f"def {name}(one):",
        "    return one",
    ]
    return FileState(Mode.FILE, "".join(f"{line}\n" for line in lines).encode())


def test_a_function_that_gets_another_name_and_its_caller_are_one_chunk() -> None:
    chunks = cut({"a.py": renamed("choose")}, {"a.py": renamed("select_one")})
    assert [(chunk.title, len(chunk.changes[0].hunks)) for chunk in chunks] == [
        ("caller, select_one: 4 lines", 2)
    ]
    assert chunks[0].place_reason == "in the order of the files"


def test_beyond_the_budget_they_are_not() -> None:
    before: States = {"a.py": renamed("choose")}
    chunks = cut(before, {"a.py": renamed("select_one")}, budget=Budget(lines=3))
    assert [chunk.title for chunk in chunks] == ["caller: 2 lines", "select_one: 2 lines"]


def test_what_is_behind_a_circle_is_linked_to_the_whole_of_it() -> None:
    user = FileState(Mode.FILE, b"from a import select_one\n\nselect_one(2)\n")
    chunks = cut({"a.py": renamed("choose"), "b.py": None}, {"a.py": renamed("select_one"), "b.py": user})
    assert [chunk.paths for chunk in chunks] == [("a.py",), ("b.py",)]
    assert chunks[0].place_reason == "first: new file b.py uses select_one"
    assert [(use.chunk, use.name) for use in chunks[1].uses] == [(chunks[0].id, "select_one")]


def test_circles_of_more_than_one_file_stay_apart() -> None:
    def files(name: str) -> States:
        caller = f"from b import {name}\n\n\ndef caller():\n    return {name}(1)\n"
        return {
            "a.py": FileState(Mode.FILE, caller.encode()),
            "b.py": FileState(Mode.FILE, f"def {name}(one):\n    return one\n".encode()),
        }

    chunks = cut(files("choose"), files("select_one"))
    assert {chunk.paths for chunk in chunks} == {("a.py",), ("b.py",)}
