"""Where and how a worker is started."""
