"""What a request costs: tokens times price, in US dollars. Where prices come from is not known here."""

from __future__ import annotations

import msgspec

from agent.core.dialog import Usage

MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars per million tokens. None: as much as plain input.

    A request whose whole input is longer than `long_from` tokens costs `long_input` and `long_output` times as much.
    """

    input: float
    output: float
    cached_read: float | None = None
    cache_write: float | None = None
    long_from: int | None = None
    long_input: float = 2.0
    long_output: float = 1.5


def cost_dollars(usage: Usage, price: Price) -> float:
    """The cost of ONE request; a sum of requests has no length, so add up costs, not tokens."""
    read = price.input if price.cached_read is None else price.cached_read
    write = price.input if price.cache_write is None else price.cache_write
    plain = max(usage.input_total - usage.cached_read - usage.cache_write, 0)
    going_in = plain * price.input + usage.cached_read * read + usage.cache_write * write
    coming_out = usage.output * price.output
    if price.long_from is not None and usage.input_total > price.long_from:
        going_in, coming_out = going_in * price.long_input, coming_out * price.long_output
    return (going_in + coming_out) / MILLION
