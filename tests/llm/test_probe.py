"""`copair connect` and `copair doctor` without a person: what they find, what they would write, what they show."""

from __future__ import annotations

import json

from agent.core.dialog import Protocol
from agent.io.config import Config, check
from agent.llm.choosing.choose import Flags, choose
from agent.llm.choosing.doctor import doctor
from agent.llm.choosing.probe import candidates, connect, describe, settings_for
from agent.ports import Cancel
from tests.support.llm import KEY
from tests.support.server import Reply, ScriptedServer
from tests.support.wires import Turn

ANSWERS = Turn(calls=(("answer", {"text": "Paris"}),))


def test_a_local_server_is_found_tried_and_becomes_settings() -> None:
    with ScriptedServer("chat", [ANSWERS], models=("nomic-embed-text", "qwen3:8b")) as server:
        said: list[str] = []
        found = connect(Config(), {"OLLAMA_HOST": f"127.0.0.1:{server.port}"}, say=said.append)
    assert found.settings == {"model": "ollama/qwen3:8b", "base_url": server.base_url, "protocol": "tools"}
    assert found.trial is not None
    assert found.trial.ok
    assert found.trial.called
    assert any("qwen3:8b" in line for line in said)
    assert said[-1].startswith("ollama/qwen3:8b answered after")
    assert [c.preset.name for c in found.candidates] == ["ollama", "llamacpp", "lmstudio", "vllm"]
    check(dict(found.settings), "config.toml")


def test_a_model_that_does_not_call_the_tool_gets_the_text_protocol() -> None:
    with ScriptedServer("chat", [Turn(text="Paris.")]) as server:
        found = connect(Config(), {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": KEY})
    assert found.settings == {"model": "scripted-1", "base_url": server.base_url, "protocol": Protocol.TEXT}
    assert found.candidates[0].masked_key == "…cdef"
    assert KEY not in repr(found)


def test_a_model_that_refuses_tools_is_tried_again_without() -> None:
    error = json.dumps({"error": {"message": "registry/qwen does not support tools"}}).encode()
    no = Reply(status=400, body=error, content_type="application/json")
    with ScriptedServer("chat", [no, Turn(text="Paris")]) as server:
        found = connect(Config(), {}, model=f"{server.base_url}#qwen")
    assert found.settings["protocol"] == Protocol.TEXT
    assert ["tools" in r.json for r in server.requests] == [True, False]


def test_a_server_that_lists_but_does_not_answer_is_said() -> None:
    refusal = Reply(status=401, body=b'{"error":{"message":"no such key"}}', content_type="application/json")
    with ScriptedServer("messages", [refusal], models=("claude-sonnet-5-5",)) as server:
        said: list[str] = []
        env = {"ANTHROPIC_BASE_URL": server.base_url, "ANTHROPIC_API_KEY": KEY}
        found = connect(Config(), env, say=said.append)
    assert found.trial is not None
    assert not found.trial.ok
    assert found.settings == {}
    assert "no such key" in found.trial.problem
    assert "did not answer" in said[-1]
    assert server.listings[0].headers["x-api-key"] == KEY
    assert server.listings[0].path == "/v1/models"


def test_with_nothing_there_nothing_is_chosen() -> None:
    found = connect(Config(), {"OLLAMA_HOST": "127.0.0.1:1"})
    assert found.chosen is None
    assert found.settings == {}
    assert all(c.problem for c in found.candidates)


def test_a_key_is_never_sent_to_an_address_in_the_clear() -> None:
    env = {"OPENAI_BASE_URL": "http://192.0.2.1/v1", "OPENAI_API_KEY": KEY, "OLLAMA_HOST": "127.0.0.1:1"}
    first = next(candidates(env, Cancel()))
    assert "unencrypted" in first.problem
    assert KEY not in describe(first)


def test_settings_of_a_provider_need_no_address() -> None:
    with ScriptedServer("chat", [ANSWERS]) as server:
        found = connect(Config(), {}, model=f"{server.base_url}#m")
        assert found.chosen is not None
        assert settings_for(found.chosen, "m") == {"model": "m", "base_url": server.base_url}


def test_the_doctor_says_what_is_used_and_why_with_masked_keys() -> None:
    env = {
        "ANTHROPIC_API_KEY": KEY,
        "OPENAI_API_KEY": "sk-other-0123456789",
        "HTTPS_PROXY": "http://u:p@proxy",
    }
    lines = doctor(Config(model="anthropic/claude-opus-5-5", api_key_command=("pass", "show")), env)
    text = "\n".join(lines)
    assert "model: anthropic/claude-opus-5-5 at https://api.anthropic.com" in text
    assert "because of config.toml" in text
    assert "ANTHROPIC_API_KEY = …cdef (used)" in text
    assert "window: 1,000,000 tokens" in text
    assert "settings: model = anthropic/claude-opus-5-5, api_key_command = pass" in text
    for secret in (KEY, "sk-other-0123456789", "u:p"):
        assert secret not in text


def test_the_doctor_names_what_is_wrong_instead_of_failing() -> None:
    lines = doctor(Config(), {"OPENAI_BASE_URL": "http://user:pw@example.org/v1"}, Flags(model="x"))
    assert lines[0].startswith("model: none: OPENAI_BASE_URL holds a user name or password")
    assert "pw" not in "\n".join(lines)
    assert doctor(Config(), {})[0] == "model: none; the offline pair answers"


def test_the_next_server_is_tried_when_one_lists_but_does_not_answer() -> None:
    refusal = Reply(status=403, body=b'{"error":{"message":"no"}}', content_type="application/json")
    with (
        ScriptedServer("messages", [refusal], models=("m",)) as first,
        ScriptedServer("chat", [ANSWERS]) as second,
    ):
        env = {"ANTHROPIC_BASE_URL": first.base_url, "ANTHROPIC_API_KEY": KEY, "OLLAMA_HOST": second.origin}
        found = connect(Config(), env)
    assert found.settings["model"] == "ollama/scripted-1"


def test_an_address_of_another_model_does_not_stay_in_the_settings() -> None:
    with ScriptedServer("messages", [ANSWERS], models=("claude-sonnet-5-5",)) as server:
        env = {"ANTHROPIC_BASE_URL": server.base_url, "ANTHROPIC_API_KEY": KEY}
        found = connect(Config(base_url="https://old.example/v1", protocol=Protocol.TEXT), env)
        assert found.settings["base_url"] == server.base_url
        choice = choose(check(dict(found.settings), "x"), {"ANTHROPIC_API_KEY": KEY, **env})
    assert choice is not None
    assert choice.model.protocol is Protocol.TOOLS
    emptied = choose(Config(model="ollama/x", base_url=""), {})
    assert emptied is not None
    assert emptied.base_url == "http://127.0.0.1:11434/v1"
