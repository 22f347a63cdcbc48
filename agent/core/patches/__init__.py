"""Patches: read, write and apply what git and others call a diff."""
