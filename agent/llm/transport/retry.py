"""When to try a request again, and how long to wait before. Both rules are those of the official SDKs.

Only a request of which nothing was shown yet is repeated, so nothing can be said or applied twice. The waiting is
an event that the person sees, and a cancel ends it at once. Not stamina: its sleep can be neither shown nor ended.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Generator

import msgspec

from agent.core.dialog import Fault, StreamEvent, Usage, Waiting
from agent.llm.transport.http import CANCELLED
from agent.ports import Cancel


class Policy(msgspec.Struct, frozen=True):
    """Times are in seconds; `longest` is the longest pause that a server may ask for."""

    retries: int = 2
    first: float = 0.5
    cap: float = 8.0
    longest: float = 120.0


def pause_seconds(fault: Fault, attempt: int, policy: Policy, chance: float) -> float | None:
    """How long to wait before trying again after the failed `attempt` (from 0); None: do not.

    `chance` is a random number from 0 to 1 that takes up to a quarter off the backoff.
    """
    if not fault.retryable or attempt >= policy.retries:
        return None
    asked = fault.retry_after_seconds
    if asked is not None:
        return asked if asked <= policy.longest else None
    return min(policy.first * float(2**attempt), policy.cap) * (1 - 0.25 * chance)


def attempts(
    once: Callable[[], Generator[StreamEvent]], cancel: Cancel, policy: Policy
) -> Generator[StreamEvent]:
    """The events of `once()`, called again after a passing fault while no content has been shown."""
    attempt = 0
    while True:
        shown = False
        fault: Fault | None = None
        with contextlib.closing(once()) as events:
            for event in events:
                if isinstance(event, Fault):
                    fault = event
                    break
                shown = shown or not isinstance(event, Waiting | Usage)
                yield event
        if fault is None:
            return
        pause = None if shown else pause_seconds(fault, attempt, policy, random.random())
        if pause is None:
            yield fault
            return
        yield Waiting(pause, f"{fault.message}; trying again")
        if cancel.wait(pause):
            yield CANCELLED
            return
        attempt += 1
