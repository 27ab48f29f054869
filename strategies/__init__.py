"""The built-in strategies: one file, one method. Found by entry point, as a stranger's are."""
