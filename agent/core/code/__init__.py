"""The structure of source text: languages, symbols, brackets."""
