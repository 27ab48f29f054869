"""What an arm costs over the horizon, and how that moves with volume."""
