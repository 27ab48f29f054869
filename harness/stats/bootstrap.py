"""The joint paired bootstrap: the same resampled items, clusters and seeds for all arms.

A resample of n items is a column of counts; with additive statistics, ten thousand of them are a
matrix product. Knows nothing of arms' names or of verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics import Metric
from harness.stats.seeds import over_seeds, seed_values

RESAMPLES = 10_000
SEED = 20_000
CELLS_AT_ONCE = 10_000_000
"""Counts that are multiplied at once: 80 MB as numbers that can be."""
DRAWN_AT_ONCE = 1_000_000
"""Counts that are drawn at once."""
MOST_AT_ONCE = 1_000
"""Resamples at once, however few items there are."""
SPARSE = 0.1
"""Share of statistics that are not 0 below which zeros are skipped: of 77 labels it is three in
231, and a product takes a tenth of the time."""
UNITS_AT_ONCE = 2_000
Array = NDArray[np.float64]
Clusters = Sequence[str | None]


class Resamples:
    """The resamples of some items: what is computed of these items is computed on the same ones.

    An arm's values under a metric are computed once and shared by its interval, the joint
    comparison and every pair that it is in, where its statistics are an array that cannot change.

    Args:
        n: items.
        clusters: names the cluster of each item; items without one are clusters of their own.
        keep: hold the counts in memory, a byte each, and not draw them anew for each arm.
    """

    def __init__(self, n: int, clusters: Clusters | None = None, keep: bool = False):
        self.n = n
        self.clusters = clusters
        self.keeps = keep
        self._kept: list[NDArray[np.integer]] = []
        self._known: dict[tuple[int, object], tuple[Array, Array]] = {}
        """By identity of an arm's statistics; those are held too, so that no others get it."""

    @classmethod
    def given(cls, counts: NDArray[Any], clusters: Clusters | None = None) -> Resamples:
        """Return resamples that are drawn already.

        Args:
            counts: [resamples, n], how often each item stands in each.
            clusters: as above.
        """
        found = cls(counts.shape[1], clusters, keep=True)
        found._kept = [counts.T]
        return found

    @property
    def units(self) -> float:
        """How many independent items they are."""
        return effective_units(self.clusters, self.n)

    def values(self, metric: Metric, of_arm: Array) -> Array:
        """Return the metric of one arm in each resample, under each seed.

        Args:
            metric: finishes sums of statistics into values.
            of_arm: [s, n, k]: seeds, items, additive statistics.

        Returns:
            [s, resamples]; NaN where no item counts.
        """
        return self._once(of_arm, metric.finish, lambda: self._values(metric, of_arm))

    def left_out(self, metric: Metric, of_arm: Array) -> Array:
        """Return the metric (mean over seeds) with each item, or cluster, left out in turn.

        Returns:
            [units].
        """
        key = ("left out", metric.finish)
        return self._once(of_arm, key, lambda: left_out(metric, of_arm, self.clusters))

    def _once(self, of_arm: Array, what: object, find: Callable[[], Array]) -> Array:
        if of_arm.flags.writeable:
            return find()
        place = (id(of_arm), what)
        if place not in self._known:
            self._known[place] = (of_arm, find())
        return self._known[place][1]

    def _values(self, metric: Metric, of_arm: Array) -> Array:
        products = [_product_with(of_seed) for of_seed in of_arm]
        parts = [
            np.stack([metric.finish(product(counts)) for product in products])
            for counts in self._drawn()
        ]
        return np.concatenate(parts, axis=1)

    def _drawn(self) -> Iterator[NDArray[np.number]]:
        """Yield [n, resamples] counts, so many resamples at once; the same ones in every call."""
        if self._kept:
            yield from self._kept
            return
        kept = []
        rows = max(1, min(MOST_AT_ONCE, CELLS_AT_ONCE // max(self.n, 1)))
        members = _members(self.clusters, self.n)
        for first in range(0, RESAMPLES, rows):
            draw = np.random.default_rng([SEED, first])
            small = self._small(draw, min(rows, RESAMPLES - first), members)
            if self.keeps:
                kept.append(small)
            yield small
        self._kept = kept

    def _small(
        self, draw: np.random.Generator, rows: int, members: NDArray[np.intp]
    ) -> NDArray[np.integer]:
        """Return [n, rows] counts in the smallest whole numbers that hold them.

        Drawn part by part, one after the other from one generator: the same ones as all at once,
        which would take 24 bytes a count for a moment.
        """
        at_once = max(1, DRAWN_AT_ONCE // max(self.n, 1))
        parts: list[NDArray[np.integer]] = []
        for first in range(0, rows, at_once):
            counts = _counts(draw, min(at_once, rows - first), members)
            kind = np.min_scalar_type(int(counts.max()))
            parts.append(np.ascontiguousarray(counts.T.astype(kind)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def bootstrap(
    metric: Metric, statistics: Sequence[Array], resamples: Resamples | None = None
) -> Array:
    """Return the metric of each arm in each resample.

    Args:
        metric: finishes sums of statistics into values.
        statistics: for each arm [s, n, k]: seeds, items, additive statistics. All arms have the
            same items; with as many seeds they share what is drawn for seeds too.
        resamples: of those items; None: of items without clusters.

    Returns:
        [arms, resamples], less those in which no item counts for any arm. In the others, an arm of
        which none counts has the value 0.
    """
    resamples = resamples or Resamples(statistics[0].shape[1])
    by_seed = [resamples.values(metric, of_arm) for of_arm in statistics]
    something = ~np.all([np.isnan(values).all(axis=0) for values in by_seed], axis=0)
    if not something.any():
        something[:] = True
    return np.stack(
        [
            over_seeds(seed_values(metric, of_arm), np.nan_to_num(values[:, something]))
            for values, of_arm in zip(by_seed, statistics, strict=True)
        ]
    )


def _product_with(of_seed: Array) -> Callable[[NDArray[np.number]], Array]:
    """Return what sums statistics [n, k] over resamples: counts [n, r] → [r, k]."""
    if np.count_nonzero(of_seed) > SPARSE * of_seed.size:
        return lambda counts: np.asarray(counts.T.astype(float) @ of_seed)
    from scipy.sparse import csr_array

    across = csr_array(of_seed.T, dtype=float)
    return lambda counts: np.asarray((across @ counts.astype(float)).T)


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
    units = int(member_of.max()) + 1
    sums = of_arm
    if units < len(member_of):
        sums = np.zeros((len(of_arm), units, of_arm.shape[2]))
        for of_unit, of_seed in zip(sums, of_arm, strict=True):
            np.add.at(of_unit, member_of, of_seed)
    whole = of_arm.sum(axis=1, keepdims=True, dtype=float)
    # Some at a time: with 500 labels the sums alone of 10,000 items are 120 MB.
    parts = [
        np.nan_to_num(metric.finish(whole - sums[:, first : first + UNITS_AT_ONCE])).mean(axis=0)
        for first in range(0, units, UNITS_AT_ONCE)
    ]
    return np.concatenate(parts)


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


def item_counts(draw: np.random.Generator, rows: int, n: int, clusters: Clusters | None) -> Array:
    """Return [rows, n]: how often each item stands in each resample."""
    return _counts(draw, rows, _members(clusters, n))


def _counts(draw: np.random.Generator, rows: int, member_of: NDArray[np.intp]) -> Array:
    """Return the same, of items in the clusters of these numbers."""
    n = len(member_of)
    m = int(member_of.max()) + 1
    # Drawing units and counting them takes a tenth of the time of multinomial counts.
    picked = draw.integers(0, m, size=(rows, m))
    picked += m * np.arange(rows)[:, None]
    drawn = np.bincount(picked.ravel(), minlength=rows * m).reshape(rows, m)
    return np.asarray(drawn if m == n else drawn[:, member_of])


def _members(clusters: Clusters | None, n: int) -> NDArray[np.intp]:
    """Return the number of each item's cluster."""
    if clusters is None or all(cluster is None for cluster in clusters):
        return np.arange(n)
    keys = [f"item {i}" if c is None else f"cluster {c}" for i, c in enumerate(clusters)]
    return np.asarray(np.unique(keys, return_inverse=True)[1])
