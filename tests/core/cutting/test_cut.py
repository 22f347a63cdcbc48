"""Cutting: the promises by random trial, and what a person expects by example."""

from __future__ import annotations

import random

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from agent.core.chunk import Budget, Chunk
from agent.core.code.grammar import PYTHON, parses
from agent.core.code.sheet import Sheet
from agent.core.code.symbols import outline
from agent.core.cutting.cut import TooBig, cut, fit, title_of
from agent.core.cutting.drafts import MANY
from agent.core.cutting.soundness import Allowance, Checker
from agent.core.cutting.split import split
from agent.core.hunk import ChangeKind, FileChange, FileState, Mode
from agent.core.lines.place import changes_between, file_lines, outcome
from agent.core.lines.splice import diff
from agent.core.lines.stack import place_step, step
from agent.core.outcome import States

TINY = Budget(lines=3, hard_lines=7)
PYTHON_LINES = [
    "import os\n", "def f():\n", "class C:\n", "    x = 1\n", "    def g(self):\n", "        return f(x)\n", "y = [\n",
    "    1,\n", "]\n", '"""\n', "\n", "    # note\n", "if y:\n", "    pass\n", "else:\n", "z = 2",
]  # fmt: skip
SCRIPT_LINES = [
    "function f() {\n",
    "  g();\n",
    "}\n",
    "class A {\n",
    "  m() {\n",
    "  }\n",
    "\n",
    "const a = 1;",
]
PLAIN_LINES = ["# One\n", "text\n", "\n", "- item\r\n", "## Two\n", "ü\n", "\xa7 no end"]
PATHS = ["a.py", "b.js", "c.md", "d", "d/e.py", "f/g", "f"]


def texts(lines: list[str]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(lines), max_size=14).map("".join).map(str.encode)


contents = st.one_of(
    texts(PYTHON_LINES),
    texts(SCRIPT_LINES),
    texts(PLAIN_LINES),
    texts(PLAIN_LINES).map(lambda data: data.decode().encode("latin-1")),
    st.sampled_from([b"", b"\0binary\n", b"\0other"]),
)
files = st.one_of(
    st.none(),
    st.builds(FileState, st.sampled_from([Mode.FILE, Mode.EXECUTABLE]), contents),
    st.builds(FileState, st.sampled_from([Mode.FILE]), contents),
    st.builds(FileState, st.just(Mode.SYMLINK), st.sampled_from([b"a.py", b"f/g"])),
)


def tree(states: States) -> dict[str, FileState]:
    return {path: state for path, state in states.items() if state is not None}


def without_conflicts(states: States) -> States:
    """A file cannot be where a folder is."""
    names = tree(states)
    return {
        path: state if state and not any(path.startswith(f"{other}/") for other in names) else None
        for path, state in states.items()
    }


trees = st.fixed_dictionaries(dict.fromkeys(PATHS, files)).map(without_conflicts)
renames = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(PATHS), max_size=3)


@given(trees, trees, renames)
@settings(max_examples=70)
def test_all_chunks_together_are_the_difference(before: States, after: States, moved: dict[str, str]) -> None:
    chunks = cut(before, after, renames=moved, budget=TINY)
    assert tree(outcome(before, [c for chunk in chunks for c in chunk.changes])) == tree(after)


@given(trees, trees, renames)
@settings(max_examples=40)
def test_what_was_compared_before_is_cut_as_if_it_was_not(
    before: States, after: States, moved: dict[str, str]
) -> None:
    known: dict[str, list[FileChange]] = {}
    for change in changes_between(before, after):
        known.setdefault(change.path, []).append(change)
    assert cut(before, after, renames=moved, known=known, budget=TINY) == cut(
        before, after, renames=moved, budget=TINY
    )


@given(trees, trees, renames, contents, contents)
@settings(max_examples=40)
def test_the_file_that_opens_a_difference_is_cut_as_if_it_were_alone(
    before: States, after: States, moved: dict[str, str], old: bytes, new: bytes
) -> None:
    before, after = before | {"o.py": FileState(Mode.FILE, old)}, after | {"o.py": FileState(Mode.FILE, new)}
    chunks = cut(before, after, renames=moved, budget=TINY, opening="o.py")
    alone = cut({"o.py": before["o.py"]}, {"o.py": after["o.py"]}, budget=TINY, opening="o.py")
    assert chunks[: len(alone)] == alone
    assert all(chunk.paths != ("o.py",) for chunk in chunks[len(alone) :])
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert tree(outcome(before, [c for chunk in chunks for c in chunk.changes])) == tree(after)


@given(trees, trees, contents, contents, contents, contents)
@settings(max_examples=60)
def test_the_upper_part_of_a_file_that_opens_a_difference_is_cut_as_if_it_were_alone(
    before: States, after: States, old: bytes, new: bytes, below: bytes, other: bytes
) -> None:
    middle = b"x = 0\ny = 0\n"
    whole = [FileState(Mode.FILE, one + b"\n" + middle + two) for one, two in ((old, below), (new, other))]
    begun = FileState(Mode.FILE, new + b"\n" + middle + below)
    end = (old + b"\n").count(b"\n") + 1
    hunks = diff(file_lines(whole[0]), file_lines(whole[1]))
    assume(not any(b"\0" in state.data for state in whole))
    assume(all(hunk.end < end or hunk.start > end for hunk in hunks))
    # `review/opening.py` opens nothing with an upper part that is matched otherwise when it is alone.
    upper = tuple(hunk for hunk in hunks if hunk.start < end)
    assume(diff(file_lines(whole[0]), file_lines(begun)) == upper)
    before, after = before | {"o.py": whole[0]}, after | {"o.py": whole[1]}
    chunks = cut(before, after, budget=TINY, opening="o.py", opening_end=end)
    alone = cut({"o.py": whole[0]}, {"o.py": begun}, budget=TINY, opening="o.py", opening_end=end)
    assert chunks[: len(alone)] == alone
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert tree(outcome(before, [c for chunk in chunks for c in chunk.changes])) == tree(after)


@given(trees, trees, renames)
@settings(max_examples=40)
def test_the_order_respects_needs_and_ids_are_stable(
    before: States, after: States, moved: dict[str, str]
) -> None:
    chunks = cut(before, after, renames=moved, budget=TINY, id_seed="x")
    seen: set[str] = set()
    for chunk in chunks:
        assert set(chunk.needs) <= seen
        assert chunk.id not in seen
        seen.add(chunk.id)
    assert chunks == cut(before, after, renames=moved, budget=TINY, id_seed="x")


@given(trees, trees, renames, st.randoms(use_true_random=False))
@settings(max_examples=70)
def test_any_set_that_is_closed_under_needs_applies_line_by_line(
    before: States, after: States, moved: dict[str, str], choice: random.Random
) -> None:
    chunks = cut(before, after, renames=moved, budget=TINY)
    taken: list[Chunk] = []
    for chunk in chunks:
        if set(chunk.needs) <= {other.id for other in taken} and choice.random() < 0.5:
            taken.append(chunk)
    choice.shuffle(taken)
    result = tree(outcome(before, [change for chunk in taken for change in chunk.changes]))
    assert (
        result.keys() == without_conflicts(dict(result)).keys() & tree(without_conflicts(dict(result))).keys()
    )
    known = {line for states in (before, after) for state in tree(states).values() for line in parts(state)}
    assert {line for state in result.values() for line in parts(state)} <= known


@given(trees, trees, renames, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_one_at_a_time_in_any_order_that_obeys_needs_is_the_same_as_at_once(
    before: States, after: States, moved: dict[str, str], choice: random.Random
) -> None:
    waiting = list(cut(before, after, renames=moved, budget=TINY))
    taken: list[Chunk] = []
    files: States = dict(before)
    while waiting:
        done = {chunk.id for chunk in taken}
        free = [chunk for chunk in waiting if set(chunk.needs) <= done]
        assert free
        chunk = choice.choice(free)
        waiting.remove(chunk)
        writes = place_step(step(chunk, before, taken), files)
        assert isinstance(writes, tuple), writes
        files |= {write.path: write.new for write in writes}
        taken.append(chunk)
        assert tree(files) == tree(outcome(before, [c for other in taken for c in other.changes]))
    assert tree(files) == tree(after)


@given(trees, trees, renames)
@settings(max_examples=60)
def test_each_line_and_each_whole_change_is_in_exactly_one_chunk(
    before: States, after: States, moved: dict[str, str]
) -> None:
    atoms: list[object] = []
    for change in (c for chunk in cut(before, after, renames=moved, budget=TINY) for c in chunk.changes):
        if change.kind not in (ChangeKind.MODIFY, ChangeKind.CREATE) or not change.hunks:
            atoms.append((change.path, change.kind))
            continue
        for hunk in change.hunks:
            atoms += [(change.path, line) for line in range(hunk.start, hunk.end)]
            where = (change.path, hunk.start, bool(hunk.old))
            atoms += [(*where, hunk.seq + at) for at in range(len(hunk.new))]
    assert len(atoms) == len(set(atoms))


def parts(state: FileState) -> list[bytes]:
    """Lines with their endings, a binary file whole."""
    return [state.data] if b"\0" in state.data else [line + b"\n" for line in state.data.split(b"\n")[:-1]]


@given(trees, trees)
@example({"f": None}, {"f": FileState(Mode.FILE, b"def f():\n    x = 1\n" + b"import os\n" * 6)})
@settings(max_examples=30)
def test_no_text_chunk_is_over_the_hard_limit(before: States, after: States) -> None:
    for chunk in cut(before, after, budget=TINY):
        by_lines = all(c.kind in (ChangeKind.MODIFY, ChangeKind.CREATE) for c in chunk.changes)
        if by_lines and not chunk.folded:
            assert chunk.changed_lines <= TINY.hard_lines


@given(trees, trees)
@settings(max_examples=30)
def test_the_parts_of_a_split_are_the_chunk(before: States, after: States) -> None:
    for chunk in cut(before, after):
        pieces = split(chunk, before)
        assert tree(outcome(before, [c for piece in pieces for c in piece.changes])) == tree(
            outcome(before, chunk.changes)
        )
        assert len({piece.id for piece in pieces}) == len(pieces)


def text(*lines: str, mode: int = Mode.FILE) -> FileState:
    return FileState(mode, "".join(f"{line}\n" for line in lines).encode())


def titles(chunks: tuple[Chunk, ...]) -> list[str]:
    return [chunk.title for chunk in chunks]


CLASS = """class Parser:
    def parse(self):
        return self.step()

    def step(self):
        return 1
"""


def test_a_chunk_is_named_by_the_function_that_it_touches() -> None:
    new = CLASS.replace("return 1", "return 2")
    chunks = cut({"p.py": text(CLASS)}, {"p.py": text(new)})
    assert titles(chunks) == ["Parser.step: 2 lines"]


def test_chunks_that_only_their_file_names_are_told_apart_by_their_line() -> None:
    old = [f"entry {at}" for at in range(60)]
    new = [f"{line} more" if at in (3, 40) else line for at, line in enumerate(old)]
    chunks = cut({"a.dat": text(*old), "b.dat": text("x")}, {"a.dat": text(*new), "b.dat": text("y")})
    assert titles(chunks) == ["a.dat:4: 2 lines", "a.dat:41: 2 lines", "b.dat: 2 lines"]


def test_parts_of_lines_that_come_in_one_place_are_told_apart_by_where_they_will_stand() -> None:
    new = ["a", *(f"entry {at}" for at in range(60)), "b"]
    chunks = cut({"a.dat": text("a", "b")}, {"a.dat": text(*new)})
    sizes = [chunk.changed_lines for chunk in chunks]
    assert len(sizes) > 2
    starts = [2 + sum(sizes[:at]) for at in range(len(sizes))]
    assert titles(chunks) == [
        f"a.dat:{start}: {size} lines" for start, size in zip(starts, sizes, strict=True)
    ]


def test_functions_that_are_assigned_in_scripts_have_names_too() -> None:
    old = "A.prototype.run = function () {\n  return 1;\n};\nconst o = {\n  m: function () {\n    return 2;\n  },\n};\n"
    new = old.replace("return 1", "return 3").replace("return 2", "return 4")
    assert titles(cut({"a.js": text(old)}, {"a.js": text(new)})) == [
        "A.prototype.run: 2 lines",
        "o.m: 2 lines",
    ]


def test_changes_of_two_functions_are_two_chunks() -> None:
    new = CLASS.replace("return 1", "return 2").replace("self.step()", "self.step() + 1")
    chunks = cut({"p.py": text(CLASS)}, {"p.py": text(new)})
    assert titles(chunks) == ["Parser.parse: 2 lines", "Parser.step: 2 lines"]


def test_a_function_that_becomes_part_of_another_is_one_chunk() -> None:
    """The lines that go were in one function, those that stay and come are in another."""
    old = text(
        *("def save(path):", "    check(path)", "    _replace(path, 1)", "", "", "def _replace(path, data):"),
        *("    if path:", "        made = open(path)", "        made.write(data)", "        made.close()"),
        *("    else:", "        log(path)", "        print(path)", "    return path"),
    )
    new = text(
        *("def save(path):", "    check(path)", "    if path:", "        replace(path, 1)"),
        *("    else:", "        log(path)", "    return path"),
    )
    assert titles(cut({"a.py": old}, {"a.py": new})) == ["save, _replace: 9 lines"]


def test_a_method_that_goes_is_no_part_of_its_neighbours() -> None:
    def methods(*names: str) -> list[str]:
        return [line for name in names for line in ("", f"    def {name}(self):", f"        return '{name}'")]

    old = text("class A:", "    size = 1", *methods("first", "second", "third"))
    new = text("class A:", "    size = 2", *methods("first", "third"))
    assert titles(cut({"a.py": old}, {"a.py": new})) == ["A: 2 lines", "A.second: 3 lines"]
    new = text("class A:", "    size = 1", *methods("first", "third"))
    longer = [
        text(*state.data.decode().replace("return 'first'", f"x = {at}\n        return x").split("\n"))
        for at, state in enumerate((old, new))
    ]
    assert titles(cut({"a.py": longer[0]}, {"a.py": longer[1]})) == ["A.first: 2 lines", "A.second: 3 lines"]


def test_what_defines_a_name_comes_before_what_uses_it() -> None:
    before: States = {"a.py": text("def main():", "    pass"), "z.py": text("x = 1")}
    after: States = {
        "a.py": text("def main():", "    tokenize()"),
        "z.py": text("x = 1", "", "", "def tokenize():", "    pass"),
    }
    chunks = cut(before, after)
    assert [chunk.paths for chunk in chunks] == [("z.py",), ("a.py",)]
    assert chunks[0].place_reason == "first: main uses tokenize"
    assert chunks[1].place_reason == "after tokenize: uses tokenize"


def test_a_new_file_comes_before_those_that_import_it_and_not_for_a_word_alone() -> None:
    before: States = {"a.py": text("x = 1"), "b.py": text("y = 1"), "config.py": None}
    after: States = {
        "a.py": text("x = 1", "# the config of all"),
        "b.py": text("from config import *", "y = 1"),
        "config.py": text('"""All of it."""'),
    }
    chunks = cut(before, after)
    assert [chunk.paths for chunk in chunks] == [("a.py",), ("config.py",), ("b.py",)]
    assert chunks[1].place_reason == "first: imports of b.py use config"
    assert [(use.chunk, use.name) for use in chunks[2].uses] == [(chunks[1].id, "config")]
    assert not chunks[0].uses


def test_what_uses_a_new_name_says_which_chunk_brings_it_in() -> None:
    before: States = {
        "a.py": text("import os", "", "", "def main():", "    pass", "", "", "def other():", "    pass"),
        "n.md": text("# Notes"),
    }
    after: States = {
        "a.py": text(
            "import os",
            "from z import tokenize",
            "",
            "",
            "def main():",
            "    tokenize()",
            "",
            "",
            "def other():",
            "    tokenize()",
        ),
        "n.md": text("# Notes", "tokenize is new"),
        "z.py": text("def tokenize():", "    return os"),
    }
    chunks = {chunk.title: chunk for chunk in cut(before, after)}
    by_id = {chunk.id: chunk.title for chunk in chunks.values()}
    uses = {title: {(by_id[use.chunk], use.name) for use in c.uses} for title, c in chunks.items()}
    assert uses == {
        "New file z.py: 2 lines": set(),
        "imports of a.py: 1 line": {("New file z.py: 2 lines", "tokenize")},
        "main: 2 lines": {("imports of a.py: 1 line", "tokenize"), ("New file z.py: 2 lines", "tokenize")},
        "other: 2 lines": {("imports of a.py: 1 line", "tokenize"), ("New file z.py: 2 lines", "tokenize")},
        "Notes: 1 line": set(),
    }


def test_words_in_strings_and_names_that_were_there_before_are_no_uses() -> None:
    before: States = {"a.py": text("def main():", "    merge()"), "b.py": text("x = 1")}
    after: States = {
        "a.py": text("def main():", "    merge(1)", '    print("tokenize")  # tokenize'),
        "b.py": text("x = 1", "", "", "def tokenize():", "    pass", "", "", "def merge():", "    pass"),
    }
    assert [use.name for chunk in cut(before, after) for use in chunk.uses] == []


def test_a_comment_behind_code_is_no_item_that_can_be_taken_out() -> None:
    lines = (b"if a:\n", b"    import x\n", b"else:  # no\n", b"    import y  # why\n", b"\n", b"    f()\n")
    (item,) = outline("c.py", lines).body.items
    assert [(i.start, i.end) for body in item.bodies for i in body.items] == [(3, 4), (5, 6)]


def test_a_name_of_another_file_is_one_that_is_imported_and_no_test_defines_for_a_library() -> None:
    before: States = {
        "app/main.py": text("from app.helpers import other", "x = 1"),
        "app/views.py": text("x = 1"),
        "app/helpers.py": text("x = 1"),
        "tests/test_helpers.py": text("from app.views import show"),
    }
    after: States = {
        "app/main.py": text("from app.helpers import other", "x = choose()"),
        "app/views.py": text("x = choose()", "y = chosen()"),
        "app/helpers.py": text("x = 1", "", "", "def choose():", "    pass"),
        "tests/test_helpers.py": text("from app.views import show", "", "", "def chosen():", "    show()"),
    }
    reasons = {chunk.paths[0]: chunk.place_reason for chunk in cut(before, after)}
    assert reasons == {
        "app/helpers.py": "first: x uses choose",
        "app/main.py": "after choose: uses choose",
        "app/views.py": "in the order of the files",
        "tests/test_helpers.py": "in the order of the files",
    }


def test_no_test_defines_for_a_library_in_languages_without_names_in_imports_either() -> None:
    before: States = {"a.go": text("package a"), "a_test.go": text("package a")}
    after: States = {
        "a.go": text("package a", "", "func show() {", "\tchoose()", "}"),
        "a_test.go": text("package a", "", "func choose() {", "\tstop()", "}"),
    }
    chunks = cut(before, after)
    assert [chunk.paths for chunk in chunks] == [("a.go",), ("a_test.go",)]
    assert [chunk.place_reason for chunk in chunks] == ["in the order of the files"] * 2


def test_a_definition_whose_header_changes_comes_before_those_that_call_it_anew() -> None:
    gap = [f"A{at} = {at}" for at in range(12)]
    old = [
        *("def both():", "    return held(1)", "", ""),
        *gap,
        *("", "", "def held(one):", "    return one"),
    ]
    new = [line.replace("held(1)", "held(1, 2)").replace("held(one)", "held(one, two)") for line in old]
    chunks = cut({"a.py": text(*old)}, {"a.py": text(*new)})
    assert titles(chunks) == ["held: 2 lines", "both: 2 lines"]
    assert chunks[0].place_reason == "first: both uses held"


def test_what_stops_using_a_name_comes_before_the_name_goes() -> None:
    before: States = {
        "a.py": text("def tokenize():", "    pass", "", "x = 1"),
        "b.py": text("tokenize()", "y = 1"),
    }
    chunks = cut(before, {"a.py": text("x = 1"), "b.py": text("y = 1")})
    assert [chunk.paths for chunk in chunks] == [("b.py",), ("a.py",)]


def test_a_method_goes_behind_the_last_call_of_it() -> None:
    old = text(
        "class A {",
        "  held(one) {",
        "    return one;",
        "  }",
        *(f"  // {n}" for n in range(12)),
        "  user() {",
        "    return this.held(1);",
        "  }",
        "}",
    )
    new = text("class A {", *(f"  // {n}" for n in range(12)), "  user() {", "    return 1;", "  }", "}")
    assert titles(cut({"a.js": old}, {"a.js": new})) == ["A.user: 2 lines", "A.held: 3 lines"]


def test_words_of_a_text_for_people_link_nothing() -> None:
    before: States = {"a.md": text("# One", "", "Old.", ""), "b.md": text("Old.")}
    after: States = {
        "a.md": text("# One", "", "A class only of its own.", ""),
        "b.md": text("This is only so."),
    }
    chunks = cut(before, after)
    assert [chunk.place_reason for chunk in chunks] == ["in the order of the files"] * 2


def test_the_riskiest_comes_first_and_folded_files_last() -> None:
    names = ["README.md", "package-lock.json", "src/a.py", ".github/workflows/ci.yml", "logo.png"]
    before: States = dict.fromkeys(names)
    after: States = {name: text("hello") for name in names}
    after["logo.png"] = FileState(Mode.FILE, b"\0png")
    chunks = cut(before, after)
    assert [chunk.paths[0] for chunk in chunks] == [
        ".github/workflows/ci.yml",
        "src/a.py",
        "README.md",
        "logo.png",
        "package-lock.json",
    ]
    assert [chunk.folded for chunk in chunks[3:]] == ["binary", "lock file"]


def test_a_new_file_is_cut_at_its_definitions_and_every_prefix_parses() -> None:
    functions = [
        f"def f{n}(x):\n" + "".join(f"    x += {i}\n" for i in range(12)) + "    return x\n" for n in range(6)
    ]
    after: States = {"new.py": FileState(Mode.FILE, ("import os\n\n\n" + "\n\n".join(functions)).encode())}
    chunks = cut({"new.py": None}, after)
    assert len(chunks) > 3
    assert all(chunk.changed_lines <= 25 for chunk in chunks)
    assert all(chunk.needs for chunk in chunks[1:])
    assert_every_prefix_parses({"new.py": None}, chunks, "new.py")


def test_a_class_that_is_too_large_is_its_frame_and_methods_that_need_it() -> None:
    methods = [f"    def f{n}(self):\n" + "        pass\n" * 9 + "\n" for n in range(6)]
    after: States = {"c.py": FileState(Mode.FILE, ("x = 1\n\n\nclass C:\n" + "".join(methods)).encode())}
    before: States = {"c.py": text("x = 1")}
    chunks = cut(before, after)
    assert chunks[0].title.startswith("C")
    assert all(chunks[0].id in chunk.needs for chunk in chunks[1:])
    assert_every_prefix_parses(before, chunks, "c.py")


def test_changes_that_only_parse_together_are_one_chunk() -> None:
    body = [f"    step({n})" for n in range(12)]
    before: States = {"p.py": text("def f():", *body, "    return 1", "", "", "def g():", "    return (1)")}
    after: States = {
        "p.py": text(
            "def f():", '    """', *body, '    """', "    return 1", "", "", "def g():", "    return (1)"
        )
    }
    chunks = cut(before, after)
    assert len(chunks) == 1
    assert_every_prefix_parses(before, chunks, "p.py")


def test_what_only_parses_together_is_one_chunk_in_the_largest_difference_too() -> None:
    plain = [line for at in range(MANY + 1) for line in (f"value_{at} = {at}", "", "", "", "", "", "")]
    functions = [f"def f{at}():\n    return {at}\n\n" for at in range(6)]
    quoted = ["x = 1", *functions[:2], '"""', *functions[2:4], '"""', *functions[4:]]
    before: States = {"p.py": text("x = 1", *functions), "plain.py": text(*plain)}
    changed = [line.replace(" = ", " = 1 + ") for line in plain]
    chunks = cut(before, {"p.py": text(*quoted), "plain.py": text(*changed)})
    assert sum(len(change.hunks) for chunk in chunks for change in chunk.changes) > MANY
    assert_every_prefix_parses(before, chunks, "p.py")


def test_an_else_that_loses_its_if_does_not_count_as_sound() -> None:
    old = text(
        "class C:",
        "    a = 1",
        "    if x:",
        "        b = 1",
        "    else:",
        "        b = 2",
        "    c = 3",
        "    d = 4",
    )
    new = text(
        "class C:", "    a = 1", "    if x:", "        b = 1", "else:", "    b = 2", "    c = 3", "    d = 4"
    )
    sheets = [Sheet("c.py", file_lines(state)) for state in (old, old)]
    hunk = diff(sheets[0].lines, file_lines(new))
    assert not Checker(sheets[0], sheets[1], Allowance(10_000)).sound(hunk)


def assert_every_prefix_parses(before: States, chunks: tuple[Chunk, ...], path: str) -> None:
    for count in range(1, len(chunks) + 1):
        state = outcome(before, [c for chunk in chunks[:count] for c in chunk.changes])[path]
        assert state is not None
        assert parses(PYTHON, state.data), chunks[count - 1].title


def test_atoms_of_their_own_say_what_they_are() -> None:
    before: States = {
        "a.txt": text("one", "two", "three"),
        "run": text("x"),
        "old": text("gone"),
        "link": FileState(Mode.SYMLINK, b"a.txt"),
    }
    after: States = {
        "a.txt": None,
        "b.txt": text("one", "two", "3"),
        "run": text("x", mode=Mode.EXECUTABLE),
        "old": None,
        "link": FileState(Mode.SYMLINK, b"b.txt"),
        "logo.png": FileState(Mode.FILE, b"\0" * 10),
    }
    assert sorted(titles(cut(before, after, renames={"a.txt": "b.txt"}))) == [
        "Add binary logo.png (10 bytes)",
        "Delete old (1 line)",
        "Link link to b.txt",
        "Make run executable",
        "Rename a.txt to b.txt",
        "a.txt: 2 lines",
    ]


def test_what_changes_nothing_is_no_chunk() -> None:
    same: States = {"a.py": text("x = 1"), "b": None}
    assert fit(same, same) == ()
    assert title_of(same, same) == ""


def test_a_proposal_within_the_budget_stays_one_chunk() -> None:
    before: States = {"a.py": text("x = 1"), "b.py": text("y = 1")}
    chunks = fit(before, {"a.py": text("x = 2"), "b.py": text("y = 2")})
    assert not isinstance(chunks, TooBig)
    assert len(chunks) == 1


def test_a_proposal_beyond_the_limit_is_sent_back_with_its_borders() -> None:
    functions = [f"def f{n}():\n" + "    pass\n" * 20 for n in range(8)]
    found = fit({"n.py": None}, {"n.py": FileState(Mode.FILE, "\n\n".join(functions).encode())})
    assert isinstance(found, TooBig)
    assert "f3: 23 lines" in found.borders


def test_a_text_in_which_one_line_becomes_many_is_cut_and_the_line_goes_with_the_first() -> None:
    before: States = {"a.md": text("first", "old", "last")}
    after: States = {"a.md": text("first", *(f"new {at} words of text" for at in range(60)), "last")}
    hunks = [chunk.changes[0].hunks for chunk in cut(before, after)]
    assert [[(len(hunk.old), len(hunk.new)) for hunk in own] for own in hunks] == [
        [(1, 20)],
        [(0, 20)],
        [(0, 20)],
    ]


def test_one_hunk_of_one_line_cannot_be_split() -> None:
    chunks = cut({"a.txt": text("a")}, {"a.txt": text("b")})
    assert split(chunks[0], {"a.txt": text("a")}) == chunks


def _many(count: int, grown: str) -> bytes:
    """So many methods, ten in a class, that differ in a line."""
    parts = []
    for at in range(count):
        head = f"class C{at // 10}:\n" if at % 10 == 0 else ""
        parts.append(f"{head}    def f{at}(self):\n        one = {at}\n        return one{grown}\n\n")
    return "".join(parts).encode()


def test_in_a_crowded_difference_small_changes_of_one_class_go_together() -> None:
    few, crowded = (
        cut({"a.py": FileState(Mode.FILE, _many(n, ""))}, {"a.py": FileState(Mode.FILE, _many(n, " + 1"))})
        for n in (20, 120)
    )
    assert [chunk.title for chunk in few] == [f"C{at // 10}.f{at}: 2 lines" for at in range(20)]
    assert [chunk.title for chunk in crowded[:3]] == [
        "C0.f0 and 5 more: 12 lines",
        "C0.f6 and 3 more: 8 lines",
        "C1.f10 and 5 more: 12 lines",
    ]


def test_a_new_definition_has_a_card_of_its_own_in_a_crowded_difference_too() -> None:
    old, new = _many(120, ""), _many(120, " + 1")
    come = new.replace(b"class C1:\n", b"class C1:\n    def come(self):\n        return 1\n\n", 1)
    chunks = cut({"a.py": FileState(Mode.FILE, old)}, {"a.py": FileState(Mode.FILE, come)})
    assert "C1.come: 3 lines" in [chunk.title for chunk in chunks]


def test_a_file_needs_all_changes_of_those_that_it_belongs_to() -> None:
    rules = b"".join(b"*.x%d text\n" % number for number in range(60))
    before: States = {"a.txt": FileState(Mode.FILE, b"a\n"), "z": None, "other": None}
    after: States = {
        "a.txt": FileState(Mode.FILE, b"b\n"),
        "z": FileState(Mode.FILE, rules),
        "other": FileState(Mode.FILE, b"o\n"),
    }
    chunks = cut(before, after, needed={"a.txt": {"z", "nothing"}})
    by_path = {path: {chunk.id for chunk in chunks if path in chunk.paths} for path in after}
    assert len(by_path["z"]) > 1
    needs = {chunk.paths[0]: set(chunk.needs) for chunk in chunks}
    assert needs["a.txt"] == by_path["z"]
    assert not needs["other"]
    at = [chunk.paths[0] for chunk in chunks]
    assert at.index("a.txt") > max(index for index, path in enumerate(at) if path == "z")


def test_what_is_needed_makes_no_circle() -> None:
    """A file that takes the place of a folder needs the folder's files gone."""
    before: States = {"f/a": FileState(Mode.FILE, b"a\n"), "f": None, "b": FileState(Mode.FILE, b"b\n")}
    after: States = {
        "f/a": None,
        "f": FileState(Mode.FILE, b"rules\n"),
        "b": FileState(Mode.FILE, b"c\n"),
    }
    chunks = cut(before, after, needed={"f/a": {"f"}, "f": {"b"}, "b": {"f/a", "b"}})
    ids = {chunk.paths[0]: chunk.id for chunk in chunks}
    needs = {chunk.paths[0]: set(chunk.needs) for chunk in chunks}
    assert [chunk.paths[0] for chunk in chunks] == ["f/a", "b", "f"]
    assert needs == {"f/a": set(), "b": {ids["f/a"]}, "f": {ids["f/a"], ids["b"]}}
