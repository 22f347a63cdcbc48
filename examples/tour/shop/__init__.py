"""A till in a few lines."""
