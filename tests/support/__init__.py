"""What several test files share: a scripted HTTP server that speaks the three wires."""
