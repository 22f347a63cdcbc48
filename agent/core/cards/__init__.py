"""What a card says, as rows of clean text."""
