"""The joint paired bootstrap: the same resampled items, clusters and seeds for all arms.

A resample of n items is a row of counts; with additive statistics, ten thousand of them are a
matrix product. Knows nothing of arms' names or of verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from harness.metrics import Metric
from harness.stats.seeds import over_seeds, seed_values

RESAMPLES = 10_000
SEED = 20_000
ROWS_AT_ONCE = 1_000
Array = NDArray[np.float64]
Clusters = Sequence[str | None]


def bootstrap(
    metric: Metric,
    statistics: Sequence[Array],
    clusters: Clusters | None = None,
    counts: Array | None = None,
) -> Array:
    """Return the metric of each arm in each resample.

    Args:
        metric: finishes sums of statistics into values.
        statistics: for each arm [s, n, k]: seeds, items, additive statistics. All arms have the
            same items; with as many seeds they share what is drawn for seeds too.
        clusters: names the cluster of each item; items without one are clusters of their own.
        counts: [resamples, n], how often each item stands in each, where they are drawn already.

    Returns:
        [arms, resamples]: RESAMPLES of them, less those in which no item counts for any arm. In
        the others, an arm of which none counts has the value 0.
    """
    n = statistics[0].shape[1]
    drawn = _drawn(n, clusters) if counts is None else [counts]
    parts = [
        [np.stack([metric.finish(part @ of_seed) for of_seed in of_arm]) for of_arm in statistics]
        for part in drawn
    ]
    by_seed = [np.concatenate(of_arm, axis=1) for of_arm in zip(*parts, strict=True)]
    something = ~np.all([np.isnan(values).all(axis=0) for values in by_seed], axis=0)
    if not something.any():
        something[:] = True
    units = effective_units(clusters, n)
    return np.stack(
        [
            over_seeds(seed_values(metric, of_arm), np.nan_to_num(values[:, something]), units)
            for values, of_arm in zip(by_seed, statistics, strict=True)
        ]
    )


def bias_corrected_interval(
    estimate: float, resampled: Array, units: float = np.inf, acceleration: float = 0.0
) -> tuple[float, float]:
    """Return Efron's bias-corrected and accelerated 95% interval, expanded for few items.

    Efron and Tibshirani 1993, section 14.3. A bootstrap's spread is too small by √((m − 1)/m),
    and knows its own error no better than m items do: the normal quantile is replaced by
    √(m/(m − 1)) times that of t with m − 1 degrees of freedom (the expanded interval
    of Hesterberg 2015, The American Statistician 69, 371–386).

    Args:
        estimate: the value of the sample.
        resampled: [resamples].
        units: m, the independent items; without it nothing is expanded.
        acceleration: how fast the standard error changes with the value (`acceleration`).
    """
    from scipy.special import ndtr, ndtri, stdtrit

    ahead = (resampled - estimate).round(12)  # equal values may differ by rounding
    below = (np.mean(ahead < 0) + np.mean(ahead <= 0)) / 2
    edge = 0.5 / len(resampled)
    bias = ndtri(np.clip(below, edge, 1 - edge))
    m = max(units, 2.0)
    reach = ndtri(0.975) if np.isinf(m) else sqrt(m / (m - 1)) * stdtrit(m - 1, 0.975)
    towards = bias + np.array([-reach, reach])
    slope = 1 - acceleration * towards
    with np.errstate(divide="ignore"):
        # Past the pole of the transformation lies the end of what was resampled.
        points = np.where(slope > 0, bias + towards / slope, np.sign(towards) * np.inf)
    low, high = np.quantile(resampled, ndtr(points))
    return float(low), float(high)


def left_out(metric: Metric, of_arm: Array, clusters: Clusters | None = None) -> Array:
    """Return the metric (mean over seeds) with each item, or cluster, left out in turn, [units]."""
    member_of = _members(clusters, of_arm.shape[1])
    sums = np.zeros((len(of_arm), member_of.max() + 1, of_arm.shape[2]))
    for of_unit, of_seed in zip(sums, of_arm, strict=True):
        np.add.at(of_unit, member_of, of_seed)
    without = of_arm.sum(axis=1, keepdims=True) - sums
    return np.asarray(np.nan_to_num(metric.finish(without)).mean(axis=0))


def acceleration(without: Array, variance: float) -> float:
    """Return the acceleration from values with each unit left out (section 14.3 there).

    Args:
        without: [units].
        variance: of the resampled value. What seeds add to that of the items is not skewed, and
            takes the skewness down.
    """
    ahead = without.mean() - without
    squares = float((ahead**2).sum())
    if squares < 1e-20:
        return 0.0
    of_items = squares * (len(without) - 1) / len(without)
    share = min(1.0, of_items / variance) if variance > 0 else 1.0
    return float(share**1.5 * (ahead**3).sum() / (6 * squares**1.5))


def effective_units(clusters: Clusters | None, n: int) -> float:
    """Return how many independent items n rows are: clusters, fewer where some are large.

    Kish's effective number, (Σ size)²/Σ size² (1965, Survey Sampling).
    """
    if clusters is None:
        return float(n)
    sizes = Counter(cluster for cluster in clusters if cluster is not None)
    alone = sum(cluster is None for cluster in clusters)
    squares = sum(size**2 for size in sizes.values()) + alone
    return n**2 / squares if squares else 0.0


def _drawn(n: int, clusters: Clusters | None) -> Iterator[Array]:
    """Yield the resamples, so many rows at once; the same ones in every call."""
    for first in range(0, RESAMPLES, ROWS_AT_ONCE):
        rows = min(ROWS_AT_ONCE, RESAMPLES - first)
        yield item_counts(np.random.default_rng([SEED, first]), rows, n, clusters)


def item_counts(draw: np.random.Generator, rows: int, n: int, clusters: Clusters | None) -> Array:
    """Return [rows, n]: how often each item stands in each resample."""
    if clusters is None or all(cluster is None for cluster in clusters):
        return draw.multinomial(n, np.full(n, 1 / n), size=rows).astype(float)
    member_of = _members(clusters, n)
    m = int(member_of.max()) + 1
    drawn = draw.multinomial(m, np.full(m, 1 / m), size=rows).astype(float)
    return np.asarray(drawn[:, member_of])


def _members(clusters: Clusters | None, n: int) -> NDArray[np.intp]:
    """Return the number of each item's cluster."""
    if clusters is None:
        return np.arange(n)
    keys = [f"item {i}" if c is None else f"cluster {c}" for i, c in enumerate(clusters)]
    return np.asarray(np.unique(keys, return_inverse=True)[1])
