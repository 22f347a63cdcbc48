"""Asks a server which models it has (`GET /models`): one small bounded request. Knows nothing of choosing."""

from __future__ import annotations

import contextlib

import msgspec

from agent.core.dialog import Fault, FaultKind
from agent.llm.presets import WireName
from agent.llm.secret import origin_of
from agent.llm.transport import faults, loose
from agent.llm.transport.client import Endpoint
from agent.llm.transport.http import Broken, Call, Head, Limits, Timing, exchange
from agent.ports import Cancel

LIMITS = Limits(body=8 * 1024 * 1024)
TIMING = Timing(connect=3.0, read=10.0, loopback_read=5.0, total=15.0, tick=0.2)
LOCAL_TIMING = Timing(connect=0.4, read=1.0, loopback_read=1.0, total=1.5, tick=0.1)


class ModelInfo(msgspec.Struct, frozen=True):
    """A model that a server lists. `context_tokens`: the window, where the server tells."""

    id: str
    context_tokens: int | None = None


def list_models(
    endpoint: Endpoint,
    headers: dict[str, str],
    wire: WireName,
    cancel: Cancel | None = None,
    timing: Timing = TIMING,
) -> tuple[ModelInfo, ...] | Fault:
    """The models of the server, in its order; a Fault when it does not answer or is no such server."""
    path = "/v1/models" if wire is WireName.MESSAGES else "/models"
    call = Call(endpoint.base_url + path, {**endpoint.headers, **headers, "accept": "application/json"})
    head: Head | None = None
    body = bytearray()
    with contextlib.closing(exchange(call, cancel or Cancel(), timing, LIMITS)) as pieces:
        for piece in pieces:
            match piece:
                case Head():
                    head = piece
                case bytes():
                    body += piece
                case Broken(fault=fault):
                    return _clean(fault, endpoint)
                case _:
                    pass
    where = origin_of(endpoint.base_url)
    if head is None:
        return Fault(FaultKind.NETWORK, f"{where} gave no answer")
    if head.status != 200:
        return _clean(faults.from_status(head.status, head.headers, bytes(body), where, 0.0), endpoint)
    return _models(bytes(body), where)


def _clean(fault: Fault, endpoint: Endpoint) -> Fault:
    return msgspec.structs.replace(fault, message=endpoint.key.redact(fault.message))


def _models(body: bytes, where: str) -> tuple[ModelInfo, ...] | Fault:
    try:
        fields = loose.obj(loose.parse(body))
    except ValueError:
        return Fault(FaultKind.SERVER, f"{where} lists no models: its answer is no JSON")
    found = fields.get("data") if isinstance(fields.get("data"), list) else fields.get("models")
    models = []
    for item in loose.array(found):
        entry = loose.obj(item)
        name = (loose.text(entry.get("id")) or loose.text(entry.get("name"))).removeprefix("models/")
        if name and name.isprintable():
            models.append(ModelInfo(name, _window(entry)))
    return tuple(models)


def _window(entry: loose.Object) -> int | None:
    """The context size under the names of Anthropic, OpenRouter, vLLM and llama.cpp."""
    meta = loose.obj(entry.get("meta"))
    for value in (
        entry.get("max_input_tokens"),
        entry.get("context_length"),
        entry.get("max_model_len"),
        meta.get("n_ctx"),
    ):
        if tokens := loose.count(value):
            return tokens
    return None
