"""The narrow adapter to git, and everything that writes to the repository."""
