"""Replies of models: how they are read, and what they make of files.

PYTEST_UPDATE_GOLDEN=1 rewrites what is expected of tests/golden/replies.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.chunk import Because, Grade, Quote
from agent.core.hunk import FileState, Mode
from agent.core.replies.arguments import parse_str_replace
from agent.core.replies.reply import (
    FormatError,
    ModelEdit,
    ProposeArgs,
    Resolved,
    apply_edit,
    parse_ask,
    parse_propose,
    parse_text,
    resolve,
    text_calls,
)
from agent.core.review import Question

GOLDEN = Path(__file__).parents[2] / "golden" / "replies"


def slim(value: Any) -> Any:
    """Without what is empty, so that a golden file shows only what was said."""
    if isinstance(value, dict):
        return {key: slim(item) for key, item in value.items() if item not in (None, "", [], (), False, {})}
    return [slim(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_a_reply_is_read_as_it_is_meant(case: str) -> None:
    text = (GOLDEN / case / "reply.md").read_text(encoding="utf-8")
    expected = GOLDEN / case / "expected.json"
    got = json.dumps(slim(msgspec.to_builtins(parse_text(text))), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("PYTEST_UPDATE_GOLDEN"):
        expected.write_text(got, encoding="utf-8")
    assert got == expected.read_text(encoding="utf-8")


def text(content: str) -> FileState:
    return FileState(Mode.FILE, content.encode())


FILES = {
    "src/a.py": text("one\ntwo\nthree\n"),
    "src/b.py": text("four\n"),
    "lib/b.py": text("five\n"),
    "bin": FileState(Mode.FILE, b"\0\1"),
    "link": FileState(Mode.SYMLINK, b"src/a.py"),
}


def done(*edits: ModelEdit) -> dict[str, str | None]:
    resolved = resolve(edits, FILES.get, lambda: sorted(FILES))
    assert isinstance(resolved, Resolved), resolved
    assert set(resolved.before) == set(resolved.after)
    return {path: state.data.decode() if state else None for path, state in resolved.after.items()}


def refused(*edits: ModelEdit) -> str:
    problems = resolve(edits, FILES.get, lambda: sorted(FILES))
    assert isinstance(problems, tuple), problems
    return "\n".join(problem.message for problem in problems)


def test_edits_of_one_file_compose_in_their_order() -> None:
    first = ModelEdit("b", "src/a.py", old="one\n", new="1\nmore\n")
    second = ModelEdit("b", "src/a.py", old="more\ntwo\n", new="2\n")
    assert done(first, second) == {"src/a.py": "1\n2\nthree\n"}


def test_an_edit_may_quote_the_file_as_it_was_before_the_others() -> None:
    copy = ModelEdit("b", "src/a.py", old="one\n", new="one\n\nthree\n")
    change = ModelEdit("b", "src/a.py", old="three\n", new="3\n")
    assert done(copy, change) == {"src/a.py": "one\n\nthree\ntwo\n3\n"}


def test_a_path_of_the_wrong_folder_is_settled_when_one_file_fits() -> None:
    assert done(ModelEdit("b", "a.py", old="one", new="1")) == {"src/a.py": "1\ntwo\nthree\n"}
    assert "lib/b.py, src/b.py" in refused(ModelEdit("b", "b.py", old="four", new="4"))


def test_a_new_file_over_one_that_is_there_replaces_it_and_keeps_its_lines() -> None:
    crlf = FileState(Mode.EXECUTABLE, b"a\r\nb\r\nc")
    resolved = resolve([ModelEdit("b", "f", content="a\nB\nc\n")], {"f": crlf}.get, lambda: ["f"])
    assert isinstance(resolved, Resolved)
    assert resolved.after == {"f": FileState(Mode.EXECUTABLE, b"a\r\nB\r\nc")}


def test_create_delete_and_rename() -> None:
    assert done(ModelEdit("b", "new/x.py", content="x\n")) == {"new/x.py": "x\n"}
    assert done(ModelEdit("b", "new/x.py", old="", new="x\n")) == {"new/x.py": "x\n"}
    assert done(ModelEdit("b", "src/b.py", delete=True)) == {"src/b.py": None}
    moved = ModelEdit("b", "src/a.py", rename_to="src/c.py")
    change = ModelEdit("b", "src/c.py", old="two", new="2")
    assert done(moved, change) == {"src/a.py": None, "src/c.py": "one\n2\nthree\n"}
    assert done(moved, ModelEdit("b", "src/a.py", old="two", new="2")) == {
        "src/a.py": None,
        "src/c.py": "one\n2\nthree\n",
    }
    resolved = resolve([change, moved][::-1], FILES.get, lambda: sorted(FILES))
    assert isinstance(resolved, Resolved)
    assert resolved.renames == {"src/a.py": "src/c.py"}
    assert resolved.because[0] == Because("src/a.py", "b", Grade.EXACT)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (ModelEdit("b", "none.py", old="x", new="y"), "no such file"),
        (ModelEdit("b", "src/a.py", old="", new="y"), "old text is empty"),
        (ModelEdit("b", "bin", old="x", new="y"), "binary"),
        (ModelEdit("b", "bin", content="y"), "binary"),
        (ModelEdit("b", "link", old="src", new="y"), "symbolic link"),
        (ModelEdit("b", "", old="x", new="y"), "names no file"),
        (ModelEdit("b", "../x", content="y"), "no file in the repository"),
        (ModelEdit("b", "src/a.py", rename_to="src/b.py"), "exists already"),
        (ModelEdit("b", "src/a.py", rename_to="src/a.py"), "no other file"),
        (ModelEdit("b", "x", content="\ud800"), "surrogate"),
        (ModelEdit("b", "src/a.py", new="x", insert_after=9), "no line 9"),
        (ModelEdit("b", patch="nothing"), "line 1 of the patch"),
        (ModelEdit("b", "src/a.py", old="nope nope", new="y"), "not in the file"),
    ],
)
def test_a_problem_says_what_to_do(edit: ModelEdit, words: str) -> None:
    assert words in refused(edit)


def test_all_problems_are_told_and_nothing_is_done() -> None:
    bad = ModelEdit("b", "src/a.py", old="nope", new="y")
    good = ModelEdit("b", "src/b.py", old="four", new="4")
    assert refused(bad, good, bad).count("edit ") == 2


# --- tool calls


def call(**changes: Any) -> str:
    edit = {"because": "b", "path": "f", "old": "x", "new": "y", "content": None, "delete": None}
    arguments = {"why": "w", "title": "t", "assumes": [], "risks": [], "serves": "", "edits": [edit]}
    return json.dumps(arguments | changes)


def test_a_propose_call_becomes_values() -> None:
    parsed = parse_propose(call(assumes="one", risks=["a", " "]))
    assert parsed == ProposeArgs("w", "t", (ModelEdit("b", "f", "x", "y"),), ("one",), ("a",))
    assert isinstance(
        parse_propose(call(edits=json.dumps([{"because": "b", "path": "f", "content": "c"}]))), ProposeArgs
    )


def test_quotations_come_with_the_name_they_are_of_and_are_bounded() -> None:
    said = ["json.loads: “Deserialize s.”", "`a.b()`: first\n second: third", "no name here", ""]
    parsed = parse_propose(call(quotes=said))
    assert isinstance(parsed, ProposeArgs)
    assert parsed.quotes == (
        Quote("json.loads", "Deserialize s."),
        Quote("a.b", "first\n second: third"),
        Quote("", "no name here"),
    )
    for many in (["a: b"] * 6, ["a: " + "b" * 400]):
        refused = parse_propose(call(quotes=many))
        assert isinstance(refused, FormatError)
        assert "at most 5 `quotes`" in refused.message


def test_quotations_in_text_are_a_list() -> None:
    head = "Title: t\nWhy: w\nQuotes:\n- json.loads: Deserialize s\n  to an object.\n- os: Words.\n"
    block = "\nBecause: b\nf.py\n```\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"
    (made,) = text_calls(head + block, "t", always=True)
    parsed = parse_propose(made.args_json)
    assert isinstance(parsed, ProposeArgs)
    assert parsed.quotes == (Quote("json.loads", "Deserialize s to an object."), Quote("os", "Words."))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "again"),
        ("[]", "must be an object"),
        (call(why=""), "`why` is missing"),
        (call(why="x" * 241), "241 characters, at most 240"),
        (call(edits=[]), "at least one edit"),
        (call(edits=[{"path": "f", "old": "x", "new": "y"}]), "edit 1: `because`"),
        (call(edits=[{"because": "b", "old": "x", "new": "y"}]), "`path`"),
        (call(edits=[{"because": "b", "path": "f"}]), "none of"),
        (call(edits=[{"because": "b", "path": "f", "old": "x"}]), "`new` is missing"),
        (
            call(edits=[{"because": "b", "path": "f", "old": "x", "new": "y", "content": "z"}]),
            "several forms",
        ),
        (call(edits=[1]), "must be an object"),
        (call(errors=["a block is cut off"]), "cut off"),
    ],
)
def test_a_malformed_call_gets_one_message(arguments: str, words: str) -> None:
    parsed = parse_propose(arguments)
    assert isinstance(parsed, FormatError)
    assert words in parsed.message


def test_an_ask_call_becomes_a_question() -> None:
    asked = {"text": "Which?", "why_it_matters": "w", "options": ["a", "b"], "default": 1, "looked_at": ["f"]}
    assert parse_ask(json.dumps(asked)) == Question("Which?", "w", ("a", "b"), 1, ("f",))
    assert isinstance(parse_ask(json.dumps(asked | {"options": ["a"]})), FormatError)
    assert isinstance(parse_ask(json.dumps(asked | {"text": ""})), FormatError)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["why", "edits", "because", "path", "old", "new", "content", "text"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values)
@settings(max_examples=150)
def test_no_arguments_raise(value: object) -> None:
    parse_propose(json.dumps(value))
    parse_ask(json.dumps(value))
    parse_str_replace(value)


# --- the text protocol as calls


def calls(case: str, *, always: bool = True) -> list[tuple[str, dict[str, Any]]]:
    made = text_calls((GOLDEN / case / "reply.md").read_text(encoding="utf-8"), "t", always=always)
    return [(call.name, json.loads(call.args_json)) for call in made]


def test_replies_in_text_become_the_same_calls() -> None:
    [(name, arguments)] = calls("full-proposal")
    assert name == "propose"
    parsed = parse_propose(json.dumps(arguments))
    assert isinstance(parsed, ProposeArgs)
    assert [edit.path for edit in parsed.edits] == ["src/lexer.py", "tests/test_lexer.py"]
    assert calls("question") == [
        (
            "ask",
            {
                "text": "Which prefix counts as hexadecimal?",
                "why_it_matters": "it decides which tokens change meaning",
                "options": ["only 0x", "0x and 0X"],
                "default": 1,
                "looked_at": [],
            },
        )
    ]
    assert calls("look") == [
        ("read", {"path": "src/lexer.py:10-40"}),
        ("search", {"text": "parse_number", "path": ""}),
        ("outline", {"path": "src"}),
    ]
    assert calls("only-talk") == []


@pytest.mark.parametrize("case", ["full-proposal", "two-whole-files", "unified-diff", "begin-patch"])
def test_a_cut_reply_never_becomes_a_proposal(case: str) -> None:
    """Cut at every line, a reply is read as malformed, or as the edits that were complete until there."""
    text = (GOLDEN / case / "reply.md").read_text(encoding="utf-8")
    lines = text.split("\n")
    complete = parse_text(text).edits
    for count in range(len(lines)):
        cut = parse_text("\n".join(lines[:count]))
        assert cut.errors or all(edit in complete for edit in cut.edits)
        made = text_calls("\n".join(lines[:count]), "t", always=True)
        if cut.errors and made:
            assert isinstance(parse_propose(made[0].args_json), FormatError)


def test_a_model_that_calls_tools_proposes_in_text_only_beyond_doubt() -> None:
    assert [name for name, _ in calls("full-proposal", always=False)] == ["propose"]
    assert calls("two-whole-files", always=False) == []
    assert calls("question", always=False) == []
    assert calls("look", always=False) == []


LINES = [
    "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "```", "```python", "~~~", "src/a.py", "Why: x", "Because: y",
    "*** Begin Patch", "*** Update File: f", "*** End Patch", "--- a/f", "+++ b/f", "@@ -1 +1 @@", "+x", "-y", " z",
    "<source>", "</source>", "READ f", "DELETE f", "RENAME a -> b", "Question: q", "Options:", "1. a", "", "# f.py",
]  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(LINES), max_size=25).map("\n".join)))
@settings(max_examples=300)
def test_no_reply_raises(reply: str) -> None:
    text_calls(reply, "t", always=True)
    for fmt in ("search_replace", "whole", "str_replace", "apply_patch", "unified"):
        apply_edit(reply, fmt, "src/a.py", "one\ntwo\n")


@pytest.mark.parametrize("line", [*LINES, "x" * 50, "READ " + " " * 50], ids=repr)
def test_reading_a_reply_takes_linear_time(line: str) -> None:
    start = time.process_time()
    parse_text((line + "\n") * 20_000)
    parse_text((line + "\nq\n") * 10_000 + "<<<<<<< SEARCH\n")
    parse_text(line * 20_000)
    assert time.process_time() - start < 3


# --- one file, as it is measured

BEFORE = "def f(a):\n    if a:\n        return 1\n    return 2\n"
AFTER = BEFORE.replace("2", "3")


@pytest.mark.parametrize(
    ("fmt", "reply"),
    [
        (
            "search_replace",
            "f.py\n```\n<<<<<<< SEARCH\n    return 2\n=======\n    return 3\n>>>>>>> REPLACE\n```\n",
        ),
        ("search_replace", "<<<<<<< SEARCH\n    return 2\n=======\n    return 3\n>>>>>>> REPLACE"),
        ("whole", f"f.py\n```python\n{AFTER}```\n"),
        ("whole", f"```python\n{AFTER}```\n"),
        ("whole", AFTER),
        (
            "str_replace",
            '{"command": "str_replace", "path": "/repo/f.py", "old_str": "return 2", "new_str": "return 3"}',
        ),
        ("str_replace", '```json\n{"old_string": "return 2", "new_string": "return 3"}\n```'),
        ("str_replace", '[{"input": {"old_str": "return 2", "new_str": "return 3"}}]'),
        (
            "apply_patch",
            "*** Begin Patch\n*** Update File: f.py\n@@\n-    return 2\n+    return 3\n*** End Patch",
        ),
        (
            "apply_patch",
            "*** Update File: f.py\n@@ def f(a):\n     if a:\n         return 1\n-    return 2\n+    return 3\n",
        ),
        ("unified", "--- a/f.py\n+++ b/f.py\n@@ -4 +4 @@\n-    return 2\n+    return 3\n"),
        (
            "unified",
            "```diff\n--- f.py\n+++ f.py\n@@ ... @@\n         return 1\n-    return 2\n+    return 3\n```\n",
        ),
        (
            "unified",
            "--- a/f.py\n+++ b/f.py\n@@ -1,9 +1,9 @@\n         return 1\n-    return 2  \n+    return 3\n",
        ),
    ],
)
def test_one_edit_in_every_format(fmt: str, reply: str) -> None:
    assert apply_edit(reply, fmt, "f.py", BEFORE) == AFTER.encode()


@pytest.mark.parametrize(
    ("fmt", "reply"),
    [
        ("search_replace", "f.py\n```\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"),
        ("str_replace", '{"old_str": "x", "new_str": "y"}'),
        ("apply_patch", "*** Begin Patch\n*** Update File: f.py\n@@\n-x\n+y\n*** End Patch"),
        ("unified", "--- a/f.py\n+++ b/f.py\n@@ @@\n-x\n+y\n"),
        ("unified", "--- a/f.py\n+++ b/f.py\n@@ -9 +9 @@\n-x\n+y\n"),
    ],
)
def test_an_ambiguous_edit_is_refused_in_every_format(fmt: str, reply: str) -> None:
    assert isinstance(apply_edit(reply, fmt, "f.py", "x\na\nx\n"), tuple)


def test_an_anchor_tells_which_of_two_places() -> None:
    before = "def a():\n    x = 1\n\ndef b():\n    x = 1\n"
    reply = "*** Begin Patch\n*** Update File: f.py\n@@ def b():\n-    x = 1\n+    x = 2\n*** End Patch"
    assert apply_edit(reply, "apply_patch", "f.py", before) == b"def a():\n    x = 1\n\ndef b():\n    x = 2\n"


LISTING = "class A:\n    def a(self):\n        one()\n        two()\n        three()\n        four()\n        return 1\n"


@pytest.mark.parametrize(
    ("hunk", "expected"),
    [
        (" class A:\n     def a(self):\n         three()\n-        four()\n+        five()\n", "four"),
        (
            "     def a(self):\n-        one()\n+        five()\n         three()\n-        four()\n+        six()\n",
            "both",
        ),
        (" class A:\n         one()\n+        five()\n         two()\n", "between"),
        (" class A:\n+    x = 1\n         one()\n", None),
        (" class B:\n         three()\n-        four()\n+        five()\n", None),
        ("         four()\n         one()\n-        two()\n+        five()\n", None),
    ],
    ids=[
        "left out before",
        "left out between",
        "inserted next to both",
        "inserted apart",
        "unknown line",
        "order",
    ],
)
def test_context_that_leaves_lines_out_is_followed_only_with_certainty(
    hunk: str, expected: str | None
) -> None:
    got = apply_edit(f"--- a/f.py\n+++ b/f.py\n@@ @@\n{hunk}", "unified", "f.py", LISTING)
    wanted = {
        "four": LISTING.replace("four", "five"),
        "both": LISTING.replace("one", "five").replace("four", "six"),
        "between": LISTING.replace("        two", "        five()\n        two"),
    }
    if expected is None:
        assert isinstance(got, tuple)
    else:
        assert got == wanted[expected].encode()


@pytest.mark.parametrize(
    ("fmt", "reply"),
    [
        ("whole", "f.py\n```python\ndef f(a):\n    # ... rest of the function unchanged ...\n```\n"),
        ("whole", "f.py\n```python\ndef f(a):\n    ...\n\n# rest of the code remains the same\n```\n"),
        ("whole", "f.py\n```python\ndef f(a):\n    pass\n// ... existing code ...\n```\n"),
        (
            "search_replace",
            "f.py\n```\n<<<<<<< SEARCH\n    if a:\n=======\n    if b:\n    # ...\n>>>>>>> REPLACE\n```\n",
        ),
        (
            "search_replace",
            "f.py\n```\n<<<<<<< SEARCH\n    if a:\n=======\n    # ... existing code ...\n>>>>>>> REPLACE\n```\n",
        ),
    ],
)
def test_a_text_that_says_it_left_something_out_is_refused(fmt: str, reply: str) -> None:
    problems = apply_edit(reply, fmt, "f.py", BEFORE)
    assert isinstance(problems, tuple)
    assert "leaves something out" in problems[0].message


def test_an_ellipsis_as_code_and_a_comment_in_words_are_written() -> None:
    content = "def f(a):\n    ...\n\n\n# the rest is history\n# keep this in sync with g\n"
    assert apply_edit(f"f.py\n```python\n{content}```\n", "whole", "f.py", BEFORE) == content.encode()


@pytest.mark.parametrize(
    ("path", "reply", "content"),
    [
        ("f.md", "f.md\n```\n# A\n\n```\nrun\n```\n\nend\n```\n", "# A\n\n```\nrun\n```\n\nend\n"),
        ("f.md", "f.md\n```\n# A\n```\n\nThen run:\n\n```\nmake\n```\n", "# A\n"),
        ("f.md", "f.md\n````\n```sh\nrun\n```\n````\n", "```sh\nrun\n```\n"),
        ("f.md", "f.md\n```\n````\n```\nx\n```\n````\nend\n```\n", "````\n```\nx\n```\n````\nend\n"),
        ("f.py", 'f.py\n```python\ndef f():\n    """\n    ```\n    x\n    ```\n    """\n```\n', None),
        ("f.py", "f.py\n```python\nx = 1\n```\n\nRun it:\n```bash\npython f.py\n```\n", "x = 1\n"),
        ("f.py", "f.py\n```python\nP = '''\n```\nhi\n```\n'''\n```\n", "refused"),
    ],
)
def test_fences_inside_a_file_do_not_cut_it(path: str, reply: str, content: str | None) -> None:
    got = apply_edit(reply, "whole", path, "old\n")
    if content == "refused":
        assert isinstance(got, tuple)
    elif content is None:
        assert got == b'def f():\n    """\n    ```\n    x\n    ```\n    """\n'
    else:
        assert got == content.encode()


def test_plain_talk_is_no_command() -> None:
    for talk in ("DELETE the old function first.", "READ the docs", "RENAME it to something else"):
        assert text_calls(talk, "t", always=True) == ()


def test_a_models_line_number_does_not_choose_between_short_quotations() -> None:
    before = "a\n}\nb\n}\nc\n}\n"
    assert isinstance(apply_edit("--- a/f\n+++ b/f\n@@ -2 +2,2 @@\n }\n+x\n", "unified", "f", before), tuple)
    long = "def a(x):\n    y = x\n    return y\n"
    diff = "--- a/f\n+++ b/f\n@@ -4,3 +4,3 @@\n def a(x):\n     y = x\n-    return y\n+    return x\n"
    assert (
        apply_edit(diff, "unified", "f", long * 2) == (long + long.replace("return y", "return x")).encode()
    )


COMMAND = '{"path": "/w/f.c", "old_str": "%s", "new_str": "%s"}'
TAGS = "<parameter=path>/w/f.c</parameter><parameter=%s>\na\n</parameter><parameter=%s>\nb\n</parameter>"
SEARCH = "%s\n```\n<<<<<<< SEARCH\n%s\n=======\n%s\n>>>>>>> REPLACE\n```\n"


@pytest.mark.parametrize(
    ("fmt", "reply"),
    [
        (
            "apply_patch",
            json.dumps({"input": "*** Begin Patch\n*** Update File: f.c\n-a\n+b\n*** End Patch"}),
        ),
        (
            "apply_patch",
            "apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: f.c\n@@\n-a\n+b\n*** End Patch\nEOF",
        ),
        ("apply_patch", "*** Begin Patch\n*** Add File: f.c\n+b\n*** End Patch"),
        ("str_replace", COMMAND % ("a", "c") + "\n" + COMMAND % ("c", "b")),
        ("str_replace", '{\n "command": "create",\n "path": "/w/f.c",\n "file_text": "b\\n"\n}'),
        ("str_replace", TAGS % ("old_str", "new_str")),
        ("search_replace", SEARCH % ("g.c", "q", "r") + SEARCH % ("f.c", "a", "b")),
    ],
)
def test_wrapped_and_mixed_replies(fmt: str, reply: str) -> None:
    assert apply_edit(reply, fmt, "f.c", "a\n") == b"b\n"


def test_a_new_file_in_a_patch_over_one_that_is_there_keeps_its_endings() -> None:
    patch = "*** Begin Patch\n*** Add File: f\n+a\n+c\n*** End Patch"
    assert apply_edit(patch, "apply_patch", "f", b"a\r\nb\r\n") == b"a\r\nc\r\n"


def test_a_block_whose_text_holds_markers_is_refused_not_cut() -> None:
    text = "one\n>>>>>>> REPLACE\ntwo\n"
    reply = f"f.py\n```\n<<<<<<< SEARCH\n{text}=======\n{text}three\n>>>>>>> REPLACE\n```\n"
    assert isinstance(apply_edit(reply, "search_replace", "f.py", text), tuple)
    nine = f"f.py\n```\n<<<<<<<<< SEARCH\n{text}=========\n{text}three\n>>>>>>>>> REPLACE\n```\n"
    assert apply_edit(nine, "search_replace", "f.py", text) == f"{text}three\n".encode()


def test_changes_of_one_hunk_are_not_scattered_over_look_alikes() -> None:
    before = "    a()\n    b()\n    c()\n    d()\nx\nb()\nc()\n"
    hunk = "-a()\n+A()\n b()\n+new()\n c()\n-d()\n+D()\n y\n"
    assert isinstance(apply_edit(f"--- a/f\n+++ b/f\n@@ @@\n{hunk}", "unified", "f", before), tuple)


def test_a_file_that_nobody_listed_is_taken_before_one_of_the_same_name() -> None:
    files = {"src/a.py": text("one\n"), "new/a.py": text("one\n")}
    resolved = resolve([ModelEdit("b", "new/a.py", "one", "1")], files.get, lambda: ["src/a.py"])
    assert isinstance(resolved, Resolved)
    assert resolved.after == {"new/a.py": text("1\n")}


def test_a_file_is_not_deleted_or_moved_by_its_mere_name() -> None:
    assert "src/a.py" in refused(ModelEdit("b", "other/a.py", delete=True))
    assert "src/a.py" in refused(ModelEdit("b", "other/a.py", rename_to="z.py"))
    assert done(ModelEdit("b", "a.py", delete=True)) == {"src/a.py": None}
