"""Evidence that copair makes itself: scratch tree, sandbox, checks, API look-up."""
