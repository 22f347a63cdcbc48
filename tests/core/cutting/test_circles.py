"""What is in a circle of links within one file is one chunk, if it is small."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from agent.core.chunk import Budget
from agent.core.cutting.circles import closed
from agent.core.cutting.cut import cut
from agent.core.cutting.drafts import Draft
from agent.core.hunk import ChangeKind, FileChange, FileState, Hunk, Mode
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


def test_what_a_member_uses_and_defines_is_of_the_whole() -> None:
    def files(name: str, *, made: bool) -> States:
        call = "made(1)" if made else "1"
        lines = ["class A:", "    def caller(self):", f"        return self.{name}(1)", *FAR, "", "class B:"]
        lines += [f"    def {name}(self, one):", f"        return {call}"]
        user = "from a import B\n\nB().select_one(2)\n" if made else ""
        helper = "from b import *\n\n\ndef made(one):\n    return one\n"
        return {
            "a.py": FileState(
                Mode.FILE, "".join(f"{line}\n" for line in ("from b import made", *lines)).encode()
            ),
            "b.py": FileState(Mode.FILE, helper.encode()) if made else None,
            "c.py": FileState(Mode.FILE, user.encode()) if made else None,
        }

    chunks = cut(files("choose", made=False), files("select_one", made=True))
    assert [chunk.title for chunk in chunks] == [
        "New file b.py: 5 lines",
        "A.caller, B.select_one: 6 lines",
        "New file c.py: 3 lines",
    ]
    assert chunks[0].place_reason == "first: A.caller uses made"
    assert (chunks[1].id, "select_one") in [(use.chunk, use.name) for use in chunks[2].uses]


def circle(**fields: Any) -> list[Draft]:
    """Two drafts of one file, each better after the other, and one that goes on with nothing."""
    drafts = [
        Draft([FileChange("a.py", ChangeKind.MODIFY, (Hunk(at, (b"x\n",), (b"y\n",)),))], ("f",))
        for at in (1, 5, 9)
    ]
    drafts[0].after, drafts[1].after = {1: "f"}, {0: "g"}
    for name, value in fields.items():
        at, attribute = int(name[1]), name[3:]
        setattr(drafts[at], attribute, value)
    return drafts


def test_parts_of_one_thing_are_no_members() -> None:
    assert [draft.changed for draft in closed(circle(), {}, Budget())] == [4, 2]
    assert len(closed(circle(d1_follows=2), {}, Budget())) == 3
    assert len(closed(circle(d2_follows=1), {}, Budget())) == 3
    assert len(closed(circle(d1_folded="binary"), {}, Budget())) == 3


def test_a_file_is_looked_at_again_and_left_where_there_is_no_time_for_it() -> None:
    checkers: dict[str, Any] = {"a.py": SimpleNamespace(in_order=True, settled=True)}
    assert len(closed(circle(), checkers, Budget())) == 3
    checkers["a.py"].in_order = False
    assert len(closed(circle(), checkers, Budget())) == 2
    assert not checkers["a.py"].settled
