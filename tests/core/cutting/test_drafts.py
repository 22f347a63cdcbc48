"""What becomes a chunk: the changes of each file, with what each must come after."""

from __future__ import annotations

import pytest

from agent.core.chunk import Budget
from agent.core.cutting.cut import cut
from agent.core.hunk import FileState, Mode
from agent.core.lines.place import outcome
from agent.core.text import sniff


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
@pytest.mark.parametrize("fills", [True, False])
def test_an_empty_file_has_no_other_encoding_and_its_text_is_one_after_each_chunk(
    codec: str, fills: bool
) -> None:
    empty = FileState(Mode.FILE, b"")
    full = FileState(Mode.FILE, "".join(f"line {n} of a text\n" for n in range(120)).encode(codec))
    before, after = ({"a.txt": empty}, {"a.txt": full}) if fills else ({"a.txt": full}, {"a.txt": empty})
    chunks = cut(before, after)
    assert len(chunks) > 2
    assert not any(chunk.folded for chunk in chunks)
    for count in range(len(chunks)):
        done = outcome(before, [change for chunk in chunks[: count + 1] for change in chunk.changes])
        state = done["a.txt"]
        assert state is not None
        assert sniff(state.data) == sniff(state.data and full.data)
    with_mark = chunks[0 if fills else -1].id
    rest = [chunk for chunk in chunks if chunk.id != with_mark]
    if codec == "utf-16":
        held = [with_mark in chunk.needs if fills else chunk.id in chunks[-1].needs for chunk in rest]
        assert all(held)


def test_lines_that_come_below_a_key_need_those_that_bring_the_key() -> None:
    old = "name: tests\njobs:\n  tests:\n    steps:\n      - run: one\n"
    steps = "".join(f"      - run: step {at}\n        with:\n          value: {at}\n" for at in range(12))
    before = {"ci.yml": FileState(Mode.FILE, old.encode())}
    after = {"ci.yml": FileState(Mode.FILE, f"{old}\n  coverage:\n    steps:\n{steps}".encode())}
    first, *others = cut(before, after, budget=Budget(lines=12))
    assert b"  coverage:\n" in first.changes[0].hunks[0].new
    assert others
    assert all(chunk.needs for chunk in others)


def test_paragraphs_of_a_text_that_come_need_none_before_them() -> None:
    before = {"a.md": FileState(Mode.FILE, b"# Title\n")}
    lines = "".join(f"\nParagraph {at} says that.\n" for at in range(20))
    chunks = cut(
        before, {"a.md": FileState(Mode.FILE, f"# Title\n{lines}".encode())}, budget=Budget(lines=12)
    )
    assert len(chunks) > 2
    assert not any(chunk.needs for chunk in chunks)
