"""Which model answers: addresses, keys, servers that are there, and what `doctor` and `check-model` say."""
