"""What a metric is: additive statistics for each item, and a function that finishes their sum.

Every metric here is `finish(sum of statistics over items)`. A resample of the test items is then
a row of counts, ten thousand resamples one matrix product, and any metric (a mean, macro-F1,
corpus BLEU) is bootstrapped exactly by the same three lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Targets = Sequence[tuple[str, ...]]
Statistics = Callable[[Sequence[str | None], Targets, Sequence[str]], Array]


@dataclass(frozen=True)
class Metric:
    """A way of scoring answers against targets; higher is better."""

    name: str
    summary: str
    answers: frozenset[str]
    """The answer kinds it scores."""
    statistics: Statistics
    """(answer texts, accepted targets, labels) → [n, k], one row of additive statistics an item.

    A text of None is an item that failed: it is worth nothing under every metric.
    """
    finish: Callable[[Array], Array]
    """[…, k] sums over items → […] values."""
    binary: bool = False
    """True where each item is worth 0 or 1 and the value is their mean."""
    lowest: float = 0.0
    highest: float = 1.0

    def value(self, texts: Sequence[str | None], targets: Targets, labels: Sequence[str]) -> float:
        """Return the metric over all items; NaN where it is undefined (no items)."""
        return float(self.finish(self.statistics(texts, targets, labels).sum(axis=0)))


def mean_of(sums: Array) -> Array:
    """Finish [sum of values, number of items] into a mean."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]
