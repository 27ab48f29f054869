"""The joint paired bootstrap: the same resampled items, clusters and seeds for all arms.

A resample of n items is a row of counts; with additive statistics, ten thousand of them are a
matrix product. Knows nothing of arms' names or of verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.metrics import Metric

RESAMPLES = 10_000
SEED = 20_000
ROWS_AT_ONCE = 1_000
Array = NDArray[np.float64]


def bootstrap(
    metric: Metric, statistics: Sequence[Array], clusters: Sequence[str | None] | None = None
) -> Array:
    """Return the metric of each arm in each resample.

    Args:
        metric: finishes sums of statistics into values.
        statistics: for each arm [s, n, k]: seeds, items, additive statistics. All arms have the
            same items; with as many seeds they share the resampled seeds too.
        clusters: names the cluster of each item; items without one are clusters of their own.

    Returns:
        [arms, resamples]: RESAMPLES of them, less those in which no item counts for any arm. In
        the others, an arm of which none counts has the value 0.
    """
    n = statistics[0].shape[1]
    values = np.empty((len(statistics), RESAMPLES))
    nothing = np.ones(RESAMPLES, dtype=bool)
    for first in range(0, RESAMPLES, ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, RESAMPLES)
        # Seeded by position, so that every call draws the same items, arm for arm.
        draw = np.random.default_rng([SEED, first])
        counts = _item_counts(draw, last - first, n, clusters)
        for arm, of_arm in enumerate(statistics):
            seeds = len(of_arm)
            by_seed = np.stack([metric.finish(counts @ of_seed) for of_seed in of_arm])
            nothing[first:last] &= np.isnan(by_seed).all(axis=0)
            weights = np.random.default_rng([SEED, first, seeds]).multinomial(
                seeds, np.full(seeds, 1 / seeds), size=last - first
            )
            values[arm, first:last] = (np.nan_to_num(by_seed) * weights.T).sum(axis=0) / seeds
    return values if nothing.all() else values[:, ~nothing]


def bias_corrected_interval(estimate: float, resampled: Array) -> tuple[float, float]:
    """Return Efron's bias-corrected 95 % interval (Efron and Tibshirani 1993, section 14.3)."""
    from scipy.stats import norm

    ahead = (resampled - estimate).round(12)  # equal values may differ by rounding
    below = (np.mean(ahead < 0) + np.mean(ahead <= 0)) / 2
    edge = 0.5 / len(resampled)
    bias = norm.ppf(np.clip(below, edge, 1 - edge))
    shares = norm.cdf(2 * bias + norm.ppf([0.025, 0.975]))
    low, high = np.quantile(resampled, shares)
    return float(low), float(high)


def _item_counts(
    draw: np.random.Generator, rows: int, n: int, clusters: Sequence[str | None] | None
) -> Array:
    if clusters is None or all(cluster is None for cluster in clusters):
        return draw.multinomial(n, np.full(n, 1 / n), size=rows).astype(float)
    keys = [f"item {i}" if c is None else f"cluster {c}" for i, c in enumerate(clusters)]
    _, member_of = np.unique(keys, return_inverse=True)
    m = int(member_of.max()) + 1
    drawn = draw.multinomial(m, np.full(m, 1 / m), size=rows).astype(float)
    return np.asarray(drawn[:, member_of])
