"""A third party's package with a strategy in it."""
