"""Streamed prose: what it says about code keeps every character."""

from __future__ import annotations

import pytest

from agent.ui.paint import theme
from agent.ui.stream import Prose


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("files named __init__.py stay", "files named __init__.py stay"),
        ("see `__all__` in **this** file", "see __all__ in this file"),
    ],
)
def test_names_with_underscores_keep_them(said: str, shown: str) -> None:
    prose = Prose(theme("none", {}, 1), 80)
    lines = [*prose.feed(f"{said}\n\n"), *prose.finish()]
    assert "".join(text for line in lines for _, text in line).strip() == shown
