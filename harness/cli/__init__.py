"""The command line: commands, what a terminal shows, the catalogue, starters."""
