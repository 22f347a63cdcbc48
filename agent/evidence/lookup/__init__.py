"""Names and quotations held against what is installed: files are read, nothing is imported."""
