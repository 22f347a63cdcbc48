"""Shares the fixtures of `tests/support/lab.py`, whose values tests import by name."""

from tests.support.lab import lab

__all__ = ["lab"]
