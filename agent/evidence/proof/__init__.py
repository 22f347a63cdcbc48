"""Checks before and after a change, which tests are run for it, and what two runs prove."""
