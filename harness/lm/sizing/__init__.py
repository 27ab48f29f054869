"""How much memory a piece of work takes, and how much of it is computed at once."""
