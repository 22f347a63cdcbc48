"""What says little alone is shown with what it is for."""

from __future__ import annotations

from agent.core.chunk import Budget
from agent.core.cutting.cut import cut
from agent.core.cutting.gathering import gathered
from agent.core.cutting.groups import Group
from agent.core.hunk import FileState, Hunk, Mode
from agent.core.lines.place import outcome
from agent.core.outcome import States

OLD = [
    *("import os", "", "", "def first():", "    return os.sep", "", *(f"A{n} = {n}" for n in range(9)), ""),
    *(
        "",
        "def second():",
        "    return 2",
        "",
        *(f"B{n} = {n}" for n in range(9)),
        "",
        "",
        "def third():",
        "    return 3",
    ),
]


def text(lines: list[str]) -> FileState:
    return FileState(Mode.FILE, "".join(f"{line}\n" for line in lines).encode())


def titles(new: list[str], budget: Budget | None = None, old: list[str] = OLD) -> list[str]:
    before: States = {"a.py": text(old)}
    chunks = cut(before, {"a.py": text(new)}, budget=budget)
    done = outcome(before, [change for chunk in chunks for change in chunk.changes])
    assert done["a.py"] == text(new)
    return [chunk.title for chunk in chunks]


def changed(**lines: str) -> list[str]:
    """The old lines, `name_N` of which becomes what is given, with an import below the first line."""
    new = [lines.get(line.strip().replace(" ", "_"), line) for line in OLD]
    return [new[0], "import json", *new[1:]]


def test_an_import_goes_with_its_one_user() -> None:
    assert titles(changed(return_2="    return json.dumps(2)")) == ["second: 3 lines"]


def test_an_import_of_several_or_of_none_stays_alone() -> None:
    both = changed(return_2="    return json.dumps(2)", return_3="    return json.dumps(3)")
    assert titles(both) == ["imports of a.py: 1 line", "second: 2 lines", "third: 2 lines"]
    assert titles(changed(return_2="    return 4")) == ["imports of a.py: 1 line", "second: 2 lines"]


def test_an_import_that_would_make_a_chunk_too_large_stays_alone() -> None:
    found = titles(changed(return_2="    return json.dumps(2)"), Budget(lines=2))
    assert found == ["imports of a.py: 1 line", "second: 2 lines"]


def test_an_import_goes_away_with_its_last_user() -> None:
    new = [line.replace("os.sep", "'/'") for line in OLD if line != "import os"]
    assert titles(new) == ["first: 3 lines"]


def test_blank_lines_of_a_file_go_together() -> None:
    new = [line for line in OLD if line != "A8 = 8"]
    spread = [piece for line in new for piece in (["", line] if line.startswith("def ") else [line])]
    assert titles(spread, old=new) == ["blank lines of a.py: 3 lines"]


def test_what_another_group_needs_stays_alone() -> None:
    """Joined to the one that needs it, it would need itself."""
    imports = Group((Hunk(0, (), (b"import json\n",)),), ("",), set())
    user = Group((Hunk(9, (), (b"json.dumps(1)\n",)),), ("f",), {0})
    assert gathered([imports, user], Budget()) == [imports, user]
