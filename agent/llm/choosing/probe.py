"""Finds out what answers: keys of the environment, servers on this machine, one small request. For `copair connect`.

Returns plain values; asking, printing and writing the settings is the caller's. Each provider is asked with its
own key only, and on this machine only the usual ports of model servers are tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from agent.core.dialog import (
    Done,
    Fault,
    Protocol,
    ReasoningDelta,
    Request,
    TextDelta,
    Tool,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UserMessage,
)
from agent.core.errors import CopairError
from agent.io.config import Config
from agent.llm import presets
from agent.llm.choosing import keys
from agent.llm.choosing.build import key_headers
from agent.llm.choosing.choose import Choice, Flags, choose
from agent.llm.choosing.listing import LOCAL_TIMING, ModelInfo, list_models
from agent.llm.choosing.ollama import ollama_base_url
from agent.llm.choosing.place import Place, key_names, preset_at
from agent.llm.presets import Preset
from agent.llm.secret import checked_base_url, origin_of
from agent.llm.transport.client import Endpoint
from agent.ports import Cancel, Model

REMOTE = (presets.ANTHROPIC, presets.OPENAI, presets.OPENROUTER, presets.GEMINI, presets.DEEPSEEK)
TRIAL_TOKENS = 512
TRIAL_TOOL = Tool(
    "answer",
    "Give the answer.",
    {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
        "additionalProperties": False,
    },
)
_NOT_FOR_TALK = ("embed", "rerank", "whisper", "tts", "moderation", "image")


class Candidate(msgspec.Struct, frozen=True):
    """A server and what it said. `problem` is empty when it answered; `models` may be empty even then."""

    preset: Preset
    base_url: str
    models: tuple[ModelInfo, ...] = ()
    masked_key: str = ""
    key_source: str = ""
    problem: str = ""

    @property
    def works(self) -> bool:
        return not self.problem and bool(self.models)

    @property
    def suggested(self) -> str:
        """The provider's usual model if the server has it, else the first that talks."""
        names = [model.id for model in self.models]
        if self.preset.default_model in names:
            return self.preset.default_model
        return next((n for n in names if not any(word in n.lower() for word in _NOT_FOR_TALK)), "")


class Trial(msgspec.Struct, frozen=True):
    """One small request. `seconds` until its first word; `called`: it used the tool that it was given."""

    ok: bool
    seconds: float = 0.0
    called: bool = False
    usage: Usage = Usage()
    problem: str = ""
    hint: str = ""


class Findings(msgspec.Struct, frozen=True):
    """What `connect` found out. `settings` are for the person's config.toml; empty when no model answered."""

    candidates: tuple[Candidate, ...]
    chosen: Candidate | None = None
    model: str = ""
    trial: Trial | None = None
    settings: dict[str, str] = {}


def connect(
    config: Config,
    env: Mapping[str, str],
    *,
    model: str = "",
    say: Callable[[str], None] = lambda line: None,
    cancel: Cancel | None = None,
) -> Findings:
    """Look around, take what works best (or `model`, as for `--model`), try one small request.

    `say` gets a line per step. A model that was named is tried alone.
    """
    cancel = cancel or Cancel()
    if model:
        return _named(model, config, env, say, cancel)
    found: list[Candidate] = []
    for candidate in candidates(env, cancel):
        say(describe(candidate))
        found.append(candidate)
    tried = Findings(tuple(found))
    for candidate in found:
        if candidate.works and candidate.suggested:
            tried = _tried(candidate, tuple(found), config, env, say, cancel)
            if tried.settings or cancel.cancelled:
                break
    return tried


def candidates(env: Mapping[str, str], cancel: Cancel) -> Iterator[Candidate]:
    """All servers worth asking, each asked: the address of the environment, providers with a key, this machine."""
    base = env.get("OPENAI_BASE_URL", "").strip()
    if base:
        yield _ask(preset_at(base), base, "OPENAI_BASE_URL", env, cancel)
    for preset in REMOTE:
        if any(env.get(name, "").strip() for name in preset.key_env) and not (
            base and preset is presets.OPENAI
        ):
            url = env.get(preset.base_env, "").strip() if preset.base_env else ""
            yield _ask(preset, url or preset.base_url, preset.base_env or preset.name, env, cancel)
    for preset in presets.LOCAL:
        url = ollama_base_url(env.get("OLLAMA_HOST", "")) if preset is presets.OLLAMA else preset.base_url
        if origin_of(url) != origin_of(base):
            yield _ask(preset, url, "OLLAMA_HOST" if preset is presets.OLLAMA else preset.name, env, cancel)


def _ask(preset: Preset, url: str, source: str, env: Mapping[str, str], cancel: Cancel) -> Candidate:
    try:
        key = keys.from_env(key_names(Place(preset, url, source), env), env)
        address = checked_base_url(url, source, has_key=bool(key.secret))
    except CopairError as error:
        return Candidate(preset, url, problem=error.message)
    endpoint = Endpoint(address, key.secret)
    headers = key_headers(preset, key.secret, key.source)
    timing = {"timing": LOCAL_TIMING} if preset.local else {}
    models = list_models(endpoint, headers, preset.wire, cancel, **timing)
    masked = key.secret.masked if key.secret else ""
    if isinstance(models, Fault):
        return Candidate(preset, address, (), masked, key.source, models.message)
    return Candidate(preset, address, models, masked, key.source, "" if models else "lists no models")


def describe(candidate: Candidate) -> str:
    """One line: who, where, with which key, what it said."""
    who = f"{candidate.preset.name} at {origin_of(candidate.base_url)}"
    with_key = f" (key {candidate.masked_key} of {candidate.key_source})" if candidate.masked_key else ""
    if candidate.problem:
        return f"{who}{with_key}: {candidate.problem}"
    names = ", ".join(model.id for model in candidate.models[:3])
    more = f" and {len(candidate.models) - 3} more" if len(candidate.models) > 3 else ""
    return f"{who}{with_key}: {names}{more}"


def _named(
    model: str, config: Config, env: Mapping[str, str], say: Callable[[str], None], cancel: Cancel
) -> Findings:
    choice = choose(config, env, Flags(model=model))
    if choice is None:
        return Findings(())
    candidate = Candidate(
        choice.preset, choice.base_url, (ModelInfo(choice.model_id),), choice.masked_key, choice.key_source
    )
    return _try(choice, candidate, (candidate,), config, say, cancel)


def _tried(
    candidate: Candidate,
    found: tuple[Candidate, ...],
    config: Config,
    env: Mapping[str, str],
    say: Callable[[str], None],
    cancel: Cancel,
) -> Findings:
    settings = settings_for(candidate, candidate.suggested)
    wanted = Config(model=settings["model"], base_url=settings.get("base_url"), prices=config.prices)
    choice = choose(wanted, {name: value for name, value in env.items() if name != "COPAIR_MODEL"})
    return _try(choice, candidate, found, config, say, cancel) if choice else Findings(found)


def _try(
    choice: Choice,
    candidate: Candidate,
    found: tuple[Candidate, ...],
    config: Config,
    say: Callable[[str], None],
    cancel: Cancel,
) -> Findings:
    """One small request; a model that cannot call tools, or does not, is to speak the text protocol."""
    say(f"trying {choice.why}")
    trial = try_model(choice.model, cancel)
    if not trial.ok and "tools" in trial.hint:
        trial = try_model(choice.model, cancel, with_tool=False)
    say(_trial_line(choice, trial))
    settings = settings_for(candidate, choice.model_id) if trial.ok else {}
    if trial.ok:
        settings["protocol"] = (Protocol.TOOLS if trial.called else Protocol.TEXT).value
        if config.base_url:
            # What was set for another model must not stay: an empty address is none.
            settings.setdefault("base_url", "")
    return Findings(found, candidate, choice.model_id, trial, settings)


def _trial_line(choice: Choice, trial: Trial) -> str:
    if not trial.ok:
        return f"{choice.model.name} did not answer: {trial.problem}"
    calls = "calls tools" if trial.called else "answered in text without calling the tool"
    return f"{choice.model.name} answered after {trial.seconds:.1f} s and {calls}"


def settings_for(candidate: Candidate, model_id: str) -> dict[str, str]:
    """What to write into config.toml so that this model is used from then on. Never a key."""
    preset = candidate.preset
    if preset is presets.CUSTOM:
        return {"model": model_id, "base_url": candidate.base_url}
    settings = {"model": f"{preset.name}/{model_id}"}
    if candidate.base_url != preset.base_url:
        settings["base_url"] = candidate.base_url
    return settings


def try_model(model: Model, cancel: Cancel | None = None, *, with_tool: bool = True) -> Trial:
    """Ask for one word, with a tool at hand."""
    tools = (TRIAL_TOOL,) if with_tool else ()
    words = "What is the capital of France? Answer in one word, by calling the tool if you have one."
    request = Request("You are brief.", tools, (UserMessage(words),), max_output_tokens=TRIAL_TOKENS)
    began = time.monotonic()
    first: float | None = None
    called, usage = False, Usage()
    for event in model.stream(request, cancel or Cancel()):
        match event:
            case TextDelta() | ReasoningDelta() | ToolCallStart():
                first = first if first is not None else time.monotonic() - began
            case ToolCallEnd():
                called = True
            case Usage():
                usage = event
            case Fault(message=message, hint=hint):
                return Trial(False, problem=message, hint=hint)
            case Done():
                return Trial(
                    first is not None,
                    first or 0.0,
                    called,
                    usage,
                    "" if first is not None else "said nothing",
                )
            case _:
                pass
    return Trial(False, problem="the stream ended without an end")
