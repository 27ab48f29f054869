"""What one score does not say: calibration, overfitting, forgetting, robustness."""
