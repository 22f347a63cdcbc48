"""The record of what tests entered: what it keeps, what it forgets, and that nothing hostile in it does harm."""

from __future__ import annotations

import json

import pytest

from agent.evidence.proof.reach import Change, Reach, read_told

LEX = b"def lex(text):\n    return text\n\n\ndef size(text):\n    return len(text)\n"
OTHER = LEX.replace(b"len(text)", b"len(text) + 1")


class Tree:
    def __init__(self, **files: bytes) -> None:
        self.files = {f"{name}.py": data for name, data in files.items()}

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


def record(*lines: object) -> bytes:
    return b"\n".join(json.dumps(line).encode() for line in lines)


def told(name: str, *firsts: int, anything: bool = False) -> dict[str, object]:
    return {"t": "reach", "id": name, "in": {"lex.py": list(firsts)}, "import": {}, "any": anything}


def reach(tree: Tree, *lines: object) -> Reach:
    made = Reach(tree.read, tree.read)
    made.note(record(*lines), adds=False)
    return made


SIZE = Change(functions=frozenset({("lex.py", "size")}))


def test_tests_are_found_by_the_functions_that_they_entered() -> None:
    made = reach(Tree(lex=LEX), told("a", 1), told("b", 1, 5), told("c"))
    assert made.reaching(SIZE) == {"b"}
    assert made.reaching(Change(files=frozenset({"lex.py"}))) == {"a", "b"}


def test_what_changed_since_the_runs_is_known_by_function() -> None:
    tree = Tree(lex=LEX)
    made = reach(tree, told("a", 1), told("b", 5))
    assert made.since() == Change()
    tree.files["lex.py"] = OTHER
    assert made.since() == SIZE


def test_a_test_whose_way_may_have_changed_is_forgotten_unless_it_ran_again() -> None:
    tree = Tree(lex=LEX)
    made = reach(tree, told("a", 1), told("b", 5), told("c", 5))
    tree.files["lex.py"] = OTHER
    made.note(record(told("c", 5)), adds=False)
    assert set(made.tests) == {"a", "c"}
    assert made.since() == Change()


def test_a_run_of_the_new_code_adds_to_what_was_known() -> None:
    tree = Tree(lex=LEX)
    made = reach(tree, told("a", 1))
    tree.files["lex.py"] = OTHER
    made.note(record(told("a", 5)), adds=True)
    tree.files["lex.py"] = LEX
    assert made.reaching(SIZE) == {"a"}
    assert made.since() == Change()


def test_tests_that_start_processes_may_reach_anything() -> None:
    made = reach(Tree(lex=LEX), told("a", 1, anything=True), told("b", 1))
    assert made.anything == {"a"}


@pytest.mark.parametrize(
    "line",
    [
        b'{"t": "reach"',
        b'{"t": "reach", "id": 3, "in": {}}',
        b'{"t": "reach", "id": "x", "in": [1]}',
        b'{"t": "reach", "id": "x", "in": {"lex.py": 3, "\\ud800": [1], "../../etc/passwd": [1], "": [2]}}',
        b'{"t": "reach", "id": "x", "in": {"lex.py": ["one", null, 99999999999999999999, -1, 1e9]}}',
        b'{"t": "reach", "id": "x", "in": ' + b"[" * 100_000,
        b'{"t": "reach", "id": "x", "in": {"lex.py": [' + b"9" * 10_000 + b"]}}",
        b'{"t": "reach", "x": "\xff\xfe\x00"}',
        b'["reach"]',
        b"\x00" * 1000,
    ],
)
def test_a_hostile_record_does_no_harm(line: bytes) -> None:
    tree = Tree(lex=LEX)
    made = Reach(tree.read, tree.read)
    made.note(line + b"\n" + record(told("a", 1)), adds=False)
    assert made.reaching(Change(functions=frozenset({("lex.py", "lex")}))) == {"a"}
    assert "x" not in made.anything or read_told(line).tests["x"].anything
