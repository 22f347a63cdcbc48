"""From a difference to chunks that a person can keep in their head, in an order that makes sense."""
