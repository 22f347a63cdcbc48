"""What the model may call without asking: read-only tools."""
