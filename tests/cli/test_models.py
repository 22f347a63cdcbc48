"""What `copair check-model` may write into the person's settings."""

from __future__ import annotations

import pytest

from agent.cli.models import is_another
from agent.io.config import Config
from agent.llm.choosing.place import Flags


@pytest.mark.parametrize(
    ("flags", "model", "another"),
    [
        (None, "ollama/a", False),
        (Flags(model="ollama/a"), "ollama/a", False),
        (Flags(model="ollama/b"), "ollama/a", True),
        (Flags(base_url="http://localhost:1/v1"), "ollama/a", True),
        (Flags(model="ollama/b"), None, False),
    ],
)
def test_a_protocol_is_written_only_for_the_model_of_the_settings(
    flags: Flags | None, model: str | None, another: bool
) -> None:
    assert is_another(flags, Config(model=model)) is another
