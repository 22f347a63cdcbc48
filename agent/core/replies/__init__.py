"""From what a model says to edits, and from edits to files."""
