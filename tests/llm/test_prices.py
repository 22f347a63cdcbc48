"""What a request costs, and when that is not known."""

from __future__ import annotations

import pytest

from agent.core.dialog import Usage
from agent.core.price import Price, cost_dollars
from agent.io.config import check
from agent.llm.choosing.choose import Flags, choose
from agent.llm.prices import FREE, context_of, price_of

M = 1_000_000


def test_cached_and_written_tokens_have_their_own_price() -> None:
    price = Price(4, 20, cached_read=0.2, cache_write=5)
    usage = Usage(input_total=3 * M, cached_read=M, cache_write=M, output=M, reasoning=M // 2)
    assert cost_dollars(usage, price) == pytest.approx(4 + 0.2 + 5 + 20)
    assert cost_dollars(usage, Price(4, 20)) == pytest.approx(12 + 20)


def test_a_long_request_costs_more_from_its_border_on() -> None:
    price = Price(2, 10, long_from=M)
    assert cost_dollars(Usage(input_total=M, output=M), price) == pytest.approx(12)
    assert cost_dollars(Usage(input_total=M + 1, output=M), price) == pytest.approx(4 + 15)


def test_usage_that_does_not_add_up_never_costs_less_than_nothing() -> None:
    assert cost_dollars(Usage(input_total=1, cached_read=10), Price(1, 1, 0)) == 0


@pytest.mark.parametrize(
    ("provider", "model", "key"),
    [
        ("anthropic", "claude-opus-5-5", 4), ("openrouter", "anthropic/claude-opus-5.5", 4),
        ("openrouter", "anthropic/claude-opus-5.5:beta", 4), ("anthropic", "claude-haiku-4-5-20251001", 1),
        ("openai", "gpt-5.6-sol", 4), ("openai", "gpt-5-2025-08-07", 1.25), ("gemini", "gemini-3-pro-preview", 2),
        ("ollama", "qwen3:8b", 0), ("openai", "gpt-99", None), ("custom", "gpt-5.5", None),
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(provider: str, model: str, key: float | None) -> None:
    price = price_of(provider, model)
    assert (price.input if price else None) == key


def test_the_persons_own_price_comes_first() -> None:
    config = check(
        {"prices": {"openai/gpt-99": {"input": 7, "output": 8}, "m": {"input": 1, "output": 2}}}, "x"
    )
    choice = choose(config, {"OPENAI_API_KEY": "sk-0123456789abcdef"}, Flags(model="openai/gpt-99"))
    assert choice is not None
    assert choice.price == Price(7, 8)
    assert price_of("custom", "m", config.prices) == Price(1, 2)
    assert price_of("ollama", "x", config.prices) == FREE


def test_the_window_of_a_known_model_is_known() -> None:
    assert context_of("anthropic", "claude-haiku-4-5") == 200_000
    assert context_of("custom", "claude-haiku-4-5") is None
    choice = choose(check({}, "x"), {"OPENAI_API_KEY": "sk-0123456789abcdef"}, Flags(model="openai/gpt-5.5"))
    assert choice is not None
    assert choice.model.context_tokens == 1_000_000
