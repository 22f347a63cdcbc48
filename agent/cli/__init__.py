"""The command line: commands, exit codes, and the only place that wires adapters together."""
