"""The nouns of comparison.json and of the report."""
