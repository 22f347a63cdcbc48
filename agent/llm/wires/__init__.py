"""The three provider APIs: a request as a body, a stream as neutral events."""
