"""Lines and hunks: apply them, find them, carry them over a drift."""
