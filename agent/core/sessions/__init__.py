"""The state of a session as a fold of its events, and what to do next."""
