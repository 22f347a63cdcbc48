"""One bounded run in a copy of the work tree: scratch tree, sandbox, process."""
