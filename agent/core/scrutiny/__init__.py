"""What is held against a change: claims without a run, weakened tests, code that meddles."""
