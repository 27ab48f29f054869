"""Intervals, resampling, multiple comparisons, power. Knows neither arms nor tasks."""
