"""How the project speaks: the one place where numbers become text."""
