"""One request over HTTP to its end: stream, refusals, trying again."""
