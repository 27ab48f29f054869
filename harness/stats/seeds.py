"""Training seeds as a source of variance beside the items: what they add to resampled values.

Knows nothing of arms, intervals or verdicts.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from harness.metrics import Metric

SEED = 20_001
FEWEST_DF = 2.0
"""Degrees of freedom are taken as at least these: with the one that two seeds leave, chance alone
would make intervals wider than the scale. What so few show is marked unreliable instead."""
Array = NDArray[np.float64]


def seed_values(metric: Metric, of_arm: Array) -> Array:
    """Return the metric over all items under each seed, [s]; 0 where nothing counts."""
    return np.nan_to_num([metric.finish(of_seed.sum(axis=0)) for of_seed in of_arm])


def over_seeds(points: Array, by_seed: Array) -> Array:
    """Return resamples of the mean over seeds, spread for the seeds as for the items.

    Items and seeds are crossed: the variance of the mean is V + (s² − I)/S, where V is that of
    resampled items, s² that between the S seeds' values, and I the part of s² that items cause
    which some seeds get right and others do not (the two-way random model: Searle, Casella and
    McCulloch 1992, Variance Components, chapter 4). Few seeds show little of s²: what they add is
    as wide as a t distribution with S − 1 degrees of freedom is, and squares of the two sources'
    margins add up (Zou and Donner 2008, Statistics in Medicine 27, 1693–1702). One t for both, with
    Satterthwaite's degrees of freedom, is too narrow where three seeds lie close by chance.

    Args:
        points: [s] values over all items.
        by_seed: [s, resamples] values over resampled items.
    """
    mean = np.asarray(by_seed.mean(axis=0))
    seeds = len(points)
    between = float(np.var(points, ddof=1)) if seeds > 1 else 0.0
    if between == 0:
        return mean
    of_items = float(mean.var())
    crossed = max(0.0, (float(by_seed.var(axis=1).mean()) - of_items) * seeds / (seeds - 1))
    added = max(0.0, between - crossed) / seeds
    if added == 0:
        return mean
    added *= _widening(max(seeds - 1, FEWEST_DF)) ** 2
    # The same draws for every arm with as many seeds: what one seed does to both stays paired.
    drawn = np.random.default_rng([SEED, seeds]).standard_normal((len(mean), seeds))
    spread = drawn @ (points - points.mean())
    return np.asarray(mean + spread * sqrt(added / ((seeds - 1) * between)))


def _widening(df: float) -> float:
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(df, 0.975) / ndtri(0.975))
