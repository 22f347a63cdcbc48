"""Which model is used, why, and that a key goes only where it belongs."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from agent.core.dialog import Done, Protocol
from agent.core.errors import CopairError, ModelError, UsageError
from agent.io.config import Config
from agent.llm.choosing.choose import Choice, Flags, choose
from agent.llm.choosing.keys import from_keyring
from agent.llm.choosing.ollama import ollama_base_url
from tests.support.llm import KEY, QUICK, collect, request
from tests.support.server import Reply, ScriptedServer
from tests.support.wires import Turn

OTHER = "sk-other-9876543210fedcba"


def chosen(config: Config | None = None, model: str | None = None, **env: str) -> Choice:
    choice = choose(config or Config(), env, Flags(model=model), QUICK)
    assert choice is not None
    return choice


def test_with_nothing_set_up_there_is_no_model() -> None:
    assert choose(Config(), {}) is None


@pytest.mark.parametrize(
    ("model", "env", "name", "base"),
    [
        ("openai/gpt-5.5", {"OPENAI_API_KEY": KEY}, "openai/gpt-5.5", "https://api.openai.com/v1"),
        ("gpt-5.5", {"OPENAI_API_KEY": KEY}, "openai/gpt-5.5", "https://api.openai.com/v1"),
        ("anthropic/claude-opus-5-5", {"ANTHROPIC_API_KEY": KEY}, "anthropic/claude-opus-5-5", "https://api.anthropic.com"),
        ("claude-opus-5-5", {"ANTHROPIC_AUTH_TOKEN": KEY}, "anthropic/claude-opus-5-5", "https://api.anthropic.com"),
        ("openrouter/anthropic/claude-opus-5.5", {"OPENROUTER_API_KEY": KEY}, "openrouter/anthropic/claude-opus-5.5",
         "https://openrouter.ai/api/v1"),
        ("google/gemini-3-pro", {"GEMINI_API_KEY": KEY}, "gemini/gemini-3-pro",
         "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("ollama/qwen3:8b", {}, "ollama/qwen3:8b", "http://127.0.0.1:11434/v1"),
        ("qwen3:8b", {}, "ollama/qwen3:8b", "http://127.0.0.1:11434/v1"),
        ("ollama/q", {"OLLAMA_HOST": "0.0.0.0:9999"}, "ollama/q", "http://127.0.0.1:9999/v1"),
        ("http://127.0.0.1:8899/v1#my-model", {}, "my-model", "http://127.0.0.1:8899/v1"),
        ("meta/llama-x", {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1/"}, "meta/llama-x", "http://127.0.0.1:9/v1"),
        ("openai/local-x", {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, "local-x", "http://127.0.0.1:9/v1"),
        ("openai/x", {"OPENAI_BASE_URL": "https://eu.api.openai.com/v1", "OPENAI_API_KEY": KEY}, "openai/x",
         "https://eu.api.openai.com/v1"),
        (None, {"ANTHROPIC_API_KEY": KEY}, "anthropic/claude-sonnet-5-5", "https://api.anthropic.com"),
        (None, {"OPENAI_API_KEY": KEY}, "openai/gpt-5.6-sol", "https://api.openai.com/v1"),
        (None, {"COPAIR_MODEL": "ollama/x"}, "ollama/x", "http://127.0.0.1:11434/v1"),
    ],
)  # fmt: skip
def test_a_name_or_the_environment_picks_provider_and_address(
    model: str | None, env: dict[str, str], name: str, base: str
) -> None:
    choice = chosen(model=model, **env)
    assert (choice.model.name, choice.base_url) == (name, base)


def test_flag_goes_before_environment_before_settings() -> None:
    config = Config(model="ollama/from-config")
    assert chosen(config).model.name == "ollama/from-config"
    assert chosen(config, COPAIR_MODEL="ollama/from-env").model.name == "ollama/from-env"
    assert chosen(config, "ollama/from-flag", COPAIR_MODEL="ollama/x").model.name == "ollama/from-flag"


def test_settings_of_the_person_give_address_protocol_and_window() -> None:
    config = Config(model="m", base_url="https://llm.example/v1", protocol=Protocol.TEXT, context_tokens=9000)
    choice = chosen(config)
    assert choice.base_url == "https://llm.example/v1"
    assert (choice.model.protocol, choice.model.context_tokens) == (Protocol.TEXT, 9000)
    other = chosen(config, "ollama/x")
    assert (other.model.protocol, other.model.context_tokens) == (Protocol.TOOLS, None)


def test_the_first_listed_model_is_taken_when_none_is_named() -> None:
    with ScriptedServer("chat", [Turn(text="hi")], models=("first", "second")) as server:
        choice = chosen(OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY=KEY)
        assert isinstance(collect(choice.model, request("x"))[-1], Done)
    assert choice.model.name == "first"
    assert server.listings[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].json["model"] == "first"


def test_a_dead_server_is_a_model_error_that_says_what_to_do() -> None:
    with pytest.raises(ModelError, match="no model was named, and cannot connect") as caught:
        chosen(OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("url", "env"),
    [
        ("http://llm.example/v1#m", {"COPAIR_API_KEY": KEY}),
        (None, {"OPENAI_BASE_URL": "http://192.168.0.7/v1", "OPENAI_API_KEY": KEY}),
        (None, {"OPENAI_BASE_URL": "http://localhost.evil.example/v1", "OPENAI_API_KEY": KEY}),
        (None, {"OPENAI_BASE_URL": "http://127.0.0.1@evil.example/v1", "OPENAI_API_KEY": KEY}),
        (None, {"OPENAI_BASE_URL": "ftp://llm.example/v1", "OPENAI_API_KEY": KEY}),
        (None, {"OPENAI_BASE_URL": "https://host:port/v1", "OPENAI_API_KEY": KEY}),
        (None, {"OPENAI_BASE_URL": "https://[::1/v1", "OPENAI_API_KEY": KEY}),
        (None, {"ANTHROPIC_BASE_URL": "http://proxy.example", "ANTHROPIC_API_KEY": KEY}),
    ],
)
def test_a_key_never_goes_in_the_clear_or_to_an_address_that_is_none(
    url: str | None, env: dict[str, str]
) -> None:
    with pytest.raises(CopairError) as caught:
        chosen(model=url, **env)
    assert KEY not in f"{caught.value!r} {caught.value.hint} {caught.value.untouched}"


def test_keys_of_the_environment_stay_with_their_own_address() -> None:
    keys = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": OTHER}
    assert chosen(model="https://other.example/v1#m", **keys).masked_key == ""
    assert chosen(Config(model="m", base_url="https://other.example/v1"), **keys).masked_key == ""
    assert chosen(model="openai/x", **keys).key_source == "OPENAI_API_KEY"
    assert chosen(model="claude-x", **keys).key_source == "ANTHROPIC_API_KEY"
    beside = {**keys, "OPENAI_BASE_URL": "https://openrouter.ai/api/v1"}
    assert chosen(model="some/model", **beside).key_source == "OPENAI_API_KEY"


def test_the_key_command_gives_the_key_of_the_same_settings_only() -> None:
    command = (sys.executable, "-c", f"print('{KEY}')")
    config = Config(model="anthropic/claude-x", api_key_command=command)
    choice = chosen(config)
    assert (choice.key_source, choice.masked_key) == ("api_key_command", "…cdef")
    assert chosen(config, "anthropic/claude-y").key_source == "api_key_command"
    with pytest.raises(ModelError, match="no key for openai"):
        chosen(config, "openai/x")
    assert chosen(config, "https://other.example/v1#m").masked_key == ""


@pytest.mark.parametrize("script", ["import sys; sys.exit(3)", "pass", "print('two words')"])
def test_a_key_command_that_fails_is_named(script: str) -> None:
    config = Config(model="anthropic/x", api_key_command=(sys.executable, "-c", script))
    with pytest.raises(ModelError, match="api_key_command"):
        chosen(config)


def test_a_missing_key_command_is_named() -> None:
    with pytest.raises(ModelError, match="cannot run /nonexistent/prog"):
        chosen(Config(model="anthropic/x", api_key_command=("/nonexistent/prog",)))


@pytest.mark.parametrize(
    "bad", ["sk-123 456789012345", "sk-12345678901234\nX: y", "sk-\u2028123456789012345", "ключ"]
)
def test_a_key_that_cannot_stand_in_a_header_is_refused_unseen(bad: str) -> None:
    with pytest.raises(ModelError, match="OPENAI_API_KEY") as caught:
        chosen(model="openai/x", OPENAI_API_KEY=bad)
    assert bad not in str(caught.value)


def test_a_missing_key_and_an_unknown_name_say_what_to_do() -> None:
    with pytest.raises(ModelError, match="no key for anthropic") as missing:
        chosen(model="claude-x")
    assert "ANTHROPIC_API_KEY" in missing.value.hint
    with pytest.raises(UsageError, match="cannot tell whose model"):
        chosen(model="mystery")


def test_why_names_the_source_and_masks_the_key() -> None:
    choice = chosen(model="openai/gpt-x", OPENAI_API_KEY=KEY)
    expected = (
        "openai/gpt-x at https://api.openai.com with the key …cdef of OPENAI_API_KEY, because of --model"
    )
    assert choice.why == expected
    for shown in (repr(choice), str(choice.model.endpoint), repr(choice.model.call(request("x")))):
        assert KEY not in shown


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434/v1"), ("10.0.0.5", "http://10.0.0.5:11434/v1"), (":8000", "http://127.0.0.1:8000/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"), ("http://box:1/", "http://box:1/v1"), ("[::1]:5", "http://[::1]:5/v1"),
        ("https://box", "https://box:443/v1"), ("http://box", "http://box:80/v1"), ("box:7/api/", "http://box:7/api/v1"),
        ("::1", "http://[::1]:11434/v1"), ("[::]", "http://[::1]:11434/v1"), (" 'box' ", "http://box:11434/v1"),
    ],
)  # fmt: skip
def test_ollama_host_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert ollama_base_url(host) == url


def test_a_local_server_is_used_without_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with ScriptedServer("chat", [Turn(text="hi")]) as server:
        events: list[Any] = collect(chosen(model=f"{server.base_url}#m").model, request("x"))
    assert isinstance(events[-1], Done)


@pytest.mark.parametrize(
    ("model", "env", "base"),
    [
        ("http://127.0.0.1:9/v1/chat/completions#m", {}, "http://127.0.0.1:9/v1"),
        (
            "claude-x",
            {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9/v1/", "ANTHROPIC_API_KEY": KEY},
            "http://127.0.0.1:9",
        ),
        (
            "claude-x",
            {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": KEY},
            "http://127.0.0.1:9",
        ),
    ],
)
def test_an_address_may_be_given_with_the_path_that_is_added(
    model: str, env: dict[str, str], base: str
) -> None:
    assert chosen(model=model, **env).base_url == base


def test_a_server_that_lists_nothing_is_asked_for_its_default() -> None:
    class NoList(ScriptedServer):
        def _send(self, connection: Any, reply: Any, request: Any) -> None:
            missing = Reply(status=404, body=b"not found", content_type="text/plain")
            super()._send(connection, missing if request.method == "GET" else reply, request)

    with NoList("chat", [Turn(text="hi")]) as server:
        choice = chosen(OPENAI_BASE_URL=server.base_url)
        assert choice.model_id == "default"
        assert isinstance(collect(choice.model, request("x"))[-1], Done)
    assert chosen(OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_MODEL="named").model_id == "named"


def test_local_finds_ollama_where_its_variable_says_but_only_on_this_machine() -> None:
    with ScriptedServer("chat", models=("tiny",)) as server:
        choice = chosen(model="local", OLLAMA_HOST=f"127.0.0.1:{server.port}")
        assert (choice.model.name, choice.base_url) == ("ollama/tiny", server.base_url)
        named = chosen(model="local/other", OLLAMA_HOST=f"127.0.0.1:{server.port}")
        assert named.model.name == "ollama/other"


def test_the_api_version_of_a_compatible_server_is_the_old_one_unless_said() -> None:
    with ScriptedServer("messages", [Turn(text="a"), Turn(text="b")]) as server:
        env = {"ANTHROPIC_BASE_URL": server.base_url, "ANTHROPIC_API_KEY": KEY}
        collect(chosen(model="claude-x", **env).model, request("x"))
        collect(chosen(model="claude-x", **env, ANTHROPIC_VERSION="2027-01-01").model, request("x"))
    assert [r.headers["anthropic-version"] for r in server.requests] == ["2023-06-01", "2027-01-01"]


def test_an_auth_fault_without_a_key_says_where_keys_come_from() -> None:
    refusal = Reply(status=401, body=b'{"error":{"message":"who are you?"}}', content_type="application/json")
    with ScriptedServer("chat", [refusal]) as server:
        last = collect(chosen(model=f"{server.base_url}#m").model, request("x"))[-1]
    assert "COPAIR_API_KEY" in last.hint


def test_the_keyring_is_asked_for_the_provider_and_may_be_missing() -> None:
    assert from_keyring("openai", {"openai": KEY}.get).secret.reveal() == KEY
    assert not from_keyring("anthropic", {"openai": KEY}.get).secret
    assert not from_keyring("openai").secret
