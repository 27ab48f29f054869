"""What was measured many times in one arm: latencies of requests, and losses of a training."""

from __future__ import annotations

from harness.analysis.schema import Conclusion


class Latencies(Conclusion):
    """Single requests' latencies as quantiles: at most so many as a plot can show."""

    warm_s: tuple[float, ...]
    """Ascending, at equal shares from the least to the most, with the constant prompt kept."""
    warm_n: int
    """Requests that were measured."""
    cold_s: tuple[float, ...] = ()
    """Likewise, with nothing kept from an earlier request."""
    cold_n: int = 0
    """Requests of which these are."""


class LossCurve(Conclusion):
    """The losses of one training by step."""

    seed: int
    """Of the training."""
    part: str | None = None
    """Which part of a composed arm was trained; None: the arm itself."""
    train: tuple[tuple[int, float], ...]
    """Step with the mean training loss of the steps up to it, at most so many as a plot shows."""
    validation: tuple[tuple[int, float], ...] = ()
    """Step with the loss on rows held back, where it was evaluated."""
    lowest: int | None = None
    """The step with the lowest validation loss, which built-in tuning keeps."""
