"""Lines and hunks: apply them, find them, turn them round, carry them over a drift."""
