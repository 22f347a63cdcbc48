"""What a server's refusal means: HTTP status, headers and error body to one Fault with a hint.

Knows the error shapes of the three wires and of the common compatible servers. Retry hints are read here; whether
to retry is `retry.py`'s. Keys are taken out of the texts by the caller.
"""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping

from agent.core.dialog import Fault, FaultKind
from agent.llm.transport import loose

MESSAGE_CHARS = 600
RETRY_STATUSES = (408, 409, 429)

_KINDS = {
    "authentication_error": FaultKind.AUTH,
    "invalid_api_key": FaultKind.AUTH,
    "permission_error": FaultKind.AUTH,
    "billing_error": FaultKind.QUOTA,
    "insufficient_quota": FaultKind.QUOTA,
    "enforced_spend_limit_reached": FaultKind.QUOTA,
    "contract_spend_limit_reached": FaultKind.QUOTA,
    "rate_limit_error": FaultKind.RATE,
    "rate_limit_exceeded": FaultKind.RATE,
    "resource_exhausted": FaultKind.RATE,
    "overloaded_error": FaultKind.OVERLOADED,
    "unavailable": FaultKind.OVERLOADED,
    "context_length_exceeded": FaultKind.CONTEXT,
    "exceed_context_size_error": FaultKind.CONTEXT,
    "request_too_large": FaultKind.CONTEXT,
    "api_error": FaultKind.SERVER,
    "server_error": FaultKind.SERVER,
    "timeout_error": FaultKind.SERVER,
    "invalid_request_error": FaultKind.BAD_REQUEST,
    "not_found_error": FaultKind.BAD_REQUEST,
    "invalid_prompt": FaultKind.BAD_REQUEST,
}
_STATUSES = {
    401: FaultKind.AUTH,
    402: FaultKind.QUOTA,
    403: FaultKind.AUTH,
    408: FaultKind.NETWORK,
    409: FaultKind.SERVER,
    413: FaultKind.CONTEXT,
    429: FaultKind.RATE,
    503: FaultKind.OVERLOADED,
    529: FaultKind.OVERLOADED,
}
_CONTEXT_WORDS = (
    "maximum context length",
    "context length exceeded",
    "prompt is too long",
    "exceeds the available context",
    "context window",
    "input token count exceeds",
)
_KEY_WORDS = ("api key not valid", "api key expired", "incorrect api key", "invalid api key")
_HINTS = {
    FaultKind.AUTH: "check the key; `copair doctor` shows which one is used",
    FaultKind.QUOTA: "look at the billing page of the provider, or take another model",
    FaultKind.RATE: "wait a little, then say it again",
    FaultKind.OVERLOADED: "the provider is busy: wait a little, then say it again",
    FaultKind.CONTEXT: "start a new session, or mention fewer files",
    FaultKind.SERVER: "try again; if it stays, take another model",
    FaultKind.NETWORK: "try again",
}
_PASSING = (FaultKind.RATE, FaultKind.OVERLOADED, FaultKind.SERVER, FaultKind.NETWORK)


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """How long the server asks to wait; None when it says nothing usable (negative, not a number, past).

    `retry-after-ms` goes before `retry-after`, which is seconds or an HTTP date. `now`: seconds since the epoch.
    """
    for value, scale in ((headers.get("retry-after-ms"), 0.001), (headers.get("retry-after"), 1.0)):
        seconds = _number(value) if value else None
        if seconds is not None:
            return seconds * scale
    try:
        when = email.utils.parsedate_to_datetime(headers.get("retry-after", "")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return when - now if when > now else None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def from_status(status: int, headers: Mapping[str, str], body: bytes, where: str, now: float) -> Fault:
    """The fault of an answer that is not a stream: an error status, a redirect, or something else than SSE."""
    own_id = request_id(headers)
    if 300 <= status < 400:
        return Fault(
            FaultKind.BAD_REQUEST, f"{where} answered with a redirect ({status}), which is not followed",
            "set the base URL to the final address", request_id=own_id,
        )  # fmt: skip
    try:
        value = loose.parse(body)
    except ValueError:
        value = None
    error = _error_of(value)
    codes, words = _codes(error), _words(error) or _plain(body, headers)
    kind = _kind(status, codes, words)
    asked = headers.get("x-should-retry", "").strip().lower()
    retryable = status in RETRY_STATUSES or status >= 500
    if asked in ("true", "false"):
        retryable = asked == "true"
    return Fault(
        kind,
        f"{where} answered {status}: {words}" if words else f"{where} answered {status}",
        hint=_hint(kind, status, words),
        retryable=retryable and kind is not FaultKind.QUOTA,
        retry_after_seconds=retry_after_seconds(headers, now),
        request_id=own_id or loose.text(loose.obj(value).get("request_id")),
    )


def request_id(headers: Mapping[str, str]) -> str:
    """What the provider's support wants to know of a request."""
    return headers.get("request-id") or headers.get("x-request-id") or ""


def from_error(value: object, where: str) -> Fault:
    """The fault of an error object that came inside a stream, after a 200."""
    error = _error_of(value) or value
    codes, words = _codes(error), _words(error)
    status = next((int(code) for code in codes if re.fullmatch(r"[45][0-9]{2}", code)), 0)
    kind = _kind(status, codes, words) if status or codes else FaultKind.SERVER
    return Fault(
        kind,
        f"{where} reported an error: {words or 'no reason given'}",
        hint=_hint(kind, status, words),
        retryable=kind in _PASSING,
    )


def has_error(value: object) -> bool:
    """True for a JSON value that is an error report of any of the known shapes."""
    return _error_of(value) is not None


def _error_of(value: object) -> object | None:
    """The error inside a body: {error: {...}}, {error: "..."}, [{error: ...}] (Gemini), {detail: ...} (FastAPI)."""
    if isinstance(value, list):
        return next((found for item in value if (found := _error_of(item)) is not None), None)
    body = loose.obj(value)
    if body.get("error"):
        return body["error"]  # type: ignore[no-any-return]
    if body.get("object") == "error":
        return body
    return body.get("detail") or None


def _codes(error: object) -> list[str]:
    """Everything in the error that names its kind, in lower case."""
    fields = loose.obj(error)
    details = loose.obj(fields.get("details"))
    values = (fields.get("code"), details.get("error_code"), fields.get("type"), fields.get("status"))
    return [str(value).lower() for value in values if isinstance(value, str | int)]


def _words(error: object) -> str:
    if isinstance(error, str):
        return error[:MESSAGE_CHARS]
    if isinstance(error, list):
        return "; ".join(filter(None, map(_words, error[:5])))[:MESSAGE_CHARS]
    fields = loose.obj(error)
    said = loose.text(fields.get("message")) or loose.text(fields.get("msg"))
    where = ".".join(str(part) for part in loose.array(fields.get("loc")))
    inner = loose.text(loose.obj(fields.get("metadata")).get("raw"))
    field = loose.text(fields.get("param"))
    named = f"({field})" if field and field not in said else ""
    return " ".join(filter(None, (f"{where}:" if where else "", said, named, inner)))[:MESSAGE_CHARS]


def _plain(body: bytes, headers: Mapping[str, str]) -> str:
    """A body that is no error object, in a few words; a page is only named."""
    text = body[: MESSAGE_CHARS * 4].decode("utf-8", "replace").strip()
    if "html" in headers.get("content-type", "").lower() or text[:200].lower().startswith(
        ("<!doctype", "<html")
    ):
        return "a web page (HTML) instead of an API answer"
    return " ".join(text.split())[:200]


def _kind(status: int, codes: list[str], words: str) -> FaultKind:
    known = next((_KINDS[code] for code in codes if code in _KINDS), None)
    low = words.lower()
    if (
        known in (None, FaultKind.BAD_REQUEST)
        and status < 500
        and any(word in low for word in _CONTEXT_WORDS)
    ):
        return FaultKind.CONTEXT
    if status < 500 and any(word in low for word in _KEY_WORDS):
        return FaultKind.AUTH
    if known in (FaultKind.QUOTA, FaultKind.CONTEXT):
        return known
    if status in _STATUSES:
        return _STATUSES[status]
    if known is not None:
        return known
    return FaultKind.SERVER if status >= 500 or not status else FaultKind.BAD_REQUEST


def _hint(kind: FaultKind, status: int, words: str) -> str:
    low = words.lower()
    if "support tool" in low or "tool choice requires" in low or "tools param requires" in low:
        return 'this model cannot call tools: set protocol = "text" for it'
    if status == 404 or ("model" in low and "not found" in low):
        return "check the model's name and the base URL (most end in /v1); `copair connect` lists the models"
    if "html" in low and "web page" in low:
        return "the base URL is probably wrong; it usually ends in /v1"
    return _HINTS.get(kind, "")
