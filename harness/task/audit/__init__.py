"""What can be known of a task before a run."""
