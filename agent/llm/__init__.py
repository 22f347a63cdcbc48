"""Provider wires behind the one neutral model of `agent.core.dialog`."""
