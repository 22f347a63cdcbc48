"""Random whole sessions of the real program. `COPAIR_TRIALS=500` in the environment tries as many repositories.

A seed makes the repository and the choices; threads and servers have their own time, so a failure may need a few runs.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.server import ScriptedServer
from tests.trials.model import RandomModel
from tests.trials.player import Player
from tests.trials.world import World

TRIALS = int(os.environ.get("COPAIR_TRIALS", "4"))
KEY = "sk-test-0123456789abcdef"
REQUESTS = 300


@pytest.mark.parametrize("seed", range(TRIALS))
@pytest.mark.parametrize("wire", ["chat", "messages"])
def test_sessions_with_a_random_model_write_what_was_approved_and_send_sound_requests(
    tmp_path: Path, wire: str, seed: int, hermetic_seal: Path
) -> None:
    world = World(tmp_path / "repo", seed)
    for command in ["chat", "chat", "resume"]:
        model = RandomModel(world, wire)
        with ScriptedServer(wire, [model] * REQUESTS) as server:
            Player(world, [command, *arguments(wire, server)], environ(wire, server)).play()
        assert not model.fault, model.fault
    kept = [path for path in hermetic_seal.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in path.read_bytes() for path in kept)


@pytest.mark.parametrize("seed", range(TRIALS))
def test_reviews_write_what_was_approved(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path / "repo", seed)
    for _ in range(3):
        Player(world, ["review", "feature"], {}).play()
        world.change()


def arguments(wire: str, server: ScriptedServer) -> list[str]:
    return ["--model", server.base_url if wire == "chat" else "anthropic/scripted-1"]


def environ(wire: str, server: ScriptedServer) -> dict[str, str]:
    name = "ANTHROPIC" if wire == "messages" else "OPENAI"
    return {f"{name}_BASE_URL": server.base_url, f"{name}_API_KEY": KEY}
