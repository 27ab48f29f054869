"""What a run leaves on disk: the only place where running and analysing meet."""
