"""The built-in pair that needs no model."""
