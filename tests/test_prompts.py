from __future__ import annotations

from pathlib import Path

import pytest

from agent import prompts
from agent.prompts import Prompt, fill


def test_names_and_files_are_the_same_set() -> None:
    files = {Path(entry.name).stem for entry in prompts.folder().iterdir() if entry.name.endswith(".md")}
    assert files == {prompt.value for prompt in Prompt}


def test_slots_are_filled() -> None:
    text = fill(Prompt.SYSTEM_TOOLS, lines=17)
    assert "at most 17 changed lines" in text
    assert "{{" not in text
    assert not text.endswith("\n")


def test_a_missing_value_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"without a value \['why_chars'\]"):
        fill(Prompt.PROPOSE)


def test_an_unused_value_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"without a slot \['lines'\]"):
        fill(Prompt.FINISH, lines=3)


def test_a_value_with_braces_is_not_filled_again() -> None:
    assert "{{lines}}" in fill(Prompt.SYSTEM_TOOLS, lines="{{lines}}")
