"""copair: pair programming with a language model, in chunks that a person can keep in their head."""

__version__ = "0.1.0"
