"""Frontends: they format and they ask; they never decide."""
