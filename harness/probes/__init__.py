"""What arms are asked besides the test rows: general knowledge, and the same rows perturbed."""
