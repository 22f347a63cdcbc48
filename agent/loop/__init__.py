"""The driver: takes one event, journals it, evolves the state, starts what `next_step` says. Nothing else decides."""
