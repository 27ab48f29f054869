"""What an arm takes: memory and time, beside what was forecast."""
