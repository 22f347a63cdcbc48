"""Review of any diff: where it comes from, and the form of it that a program drives."""
