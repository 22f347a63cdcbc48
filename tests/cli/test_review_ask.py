"""Questions about the chunks of a review: they reach the model with the diff, and secrets stay here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import copair
from tests.support.server import ScriptedServer
from tests.support.wires import Turn

pytestmark = pytest.mark.timeout(30)
GitIn = Callable[..., bytes]


def test_a_question_in_a_review_sends_the_diff_and_keeps_secrets_back(
    repo: Path, git_in: GitIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "a.py").write_text("A = 1\n")
    git_in(repo, "add", ".")
    git_in(repo, "commit", "-qm", "first")
    (repo / "a.py").write_text("A = 2\nTOKEN = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'\n")
    (repo / ".env").write_text("PASSWORD=hunter2hunter2\n")
    with ScriptedServer("chat", [Turn(text="Because."), Turn(text="Indeed."), Turn(text="Yes.")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        words = "a what is it\na and this\nl\na what is it\nq\n"
        ran = copair(repo, "review", "--plain", stdin=words)
        bodies = [request.body.decode() for request in server.requests]
    assert len(bodies) == 3, ran.stdout + ran.stderr
    assert "+A = 2" in bodies[-1]
    assert ".env, a path where secrets lie" in bodies[-1]
    assert not [body for body in bodies if "hunter2" in body or "ghp_0123" in body]
    assert "what is it" in ran.stdout
    assert "what is it␊" not in ran.stdout
