"""What this machine is and has: processor, GPU, memory. Knows nothing of runs and models."""
