"""Two runs side by side: what changed around them, in their scores, and in single rows."""
