"""Finding the text that an edit quotes, exactly or by the first rule that fits."""
