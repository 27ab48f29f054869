"""Learning curves: where one overtakes another, and what further rows would add.

Works on resampled values; knows neither arms nor tasks. Curves and crossings are drawn straight
between sizes on a logarithmic scale, on which power laws bend little: no law is assumed within the
sizes that were measured. Beyond them one is: the inverse power law a − b·n^−c (Cortes et al. 1994,
Learning curves, NIPS 6; Figueroa et al. 2012, BMC Medical Informatics and Decision Making 12:8; on
when it fails Viering and Loog 2023, The Shape of Learning Curves, IEEE TPAMI, arXiv 2103.10948).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FEWEST_SIZES = 4
"""That a law of three parameters is fitted to."""
FARTHEST = 2.0
"""Times the largest size that it is extrapolated to."""
EXPONENTS = np.geomspace(0.05, 2.0, 40)
"""That c is chosen from: what Hestness et al. 2017 (arXiv 1712.00409) measured lies within."""


class Crossing(NamedTuple):
    """Where a curve overtakes another, as a range of sizes that holds 95% of the resamples."""

    low: float
    """−inf: perhaps below the smallest size."""
    high: float
    """inf: perhaps not up to the largest size."""


def crossings(sizes: Array, ahead: Array) -> Array:
    """Return the size from which on a curve is ahead up to the largest size, in each resample.

    Args:
        sizes: [k], ascending.
        ahead: [k, resamples], by how much it is ahead.

    Returns:
        [resamples]; −inf where it is ahead at every size, inf where it is not at the largest.
    """
    behind = ahead <= 0
    last = len(sizes) - 1 - np.argmax(behind[::-1], axis=0)  # the last size at which it is behind
    found = np.full(ahead.shape[1], -np.inf)
    found[behind[-1]] = np.inf
    within = behind.any(axis=0) & ~behind[-1]
    at = last[within]
    columns = np.flatnonzero(within)
    before, after = ahead[at, columns], ahead[at + 1, columns]
    share = -before / (after - before)
    logs = np.log(sizes)
    found[within] = np.exp(logs[at] + share * (logs[at + 1] - logs[at]))
    return found


def crossing(sizes: Array, ahead: Array) -> Crossing:
    """Return the range of sizes at which a curve overtakes another; see `crossings`."""
    found = crossings(sizes, ahead)
    # No value between two: −inf and inf have no middle.
    low = np.quantile(found, 0.025, method="lower")
    high = np.quantile(found, 0.975, method="higher")
    return Crossing(float(low), float(high))


class Law(NamedTuple):
    """a − b·n^−c, one in each resample."""

    a: Array
    b: Array
    c: Array

    def at(self, n: float) -> Array:
        """Return its values at a size, [resamples]."""
        return np.asarray(self.a - self.b * float(n) ** -self.c)


def fitted(sizes: Array, values: Array, highest: float) -> Law:
    """Fit the law to each resample by weighted least squares.

    For each exponent the best a and b are known in closed form; the exponent is the best of a grid.
    No curve falls (b is at least 0), and none ends above the metric's best value.

    Args:
        sizes: [k].
        values: [k, resamples].
        highest: of the metric.
    """
    variances = values.var(axis=1) if values.shape[1] > 1 else np.ones(len(sizes))
    floor = max(float(np.median(variances)) * 1e-2, 1e-12)
    weights = 1 / np.maximum(variances, floor)
    weights = weights / weights.sum()
    best = np.full(values.shape[1], np.inf)
    law = Law(*(np.zeros(values.shape[1]) for _ in range(3)))
    mean = weights @ values
    for c in EXPONENTS:
        x = sizes**-c
        centred = x - weights @ x
        spread = float(weights @ centred**2)
        b = -((weights * centred) @ (values - mean)) / spread
        a = mean + b * float(weights @ x)
        above = a > highest
        a = np.where(above, highest, a)
        b = np.where(above, ((weights * x) @ (highest - values)) / float(weights @ x**2), b)
        falls = b < 0
        a, b = np.where(falls, mean, a), np.where(falls, 0.0, b)
        error = weights @ (values - (a - np.outer(x, b))) ** 2
        better = error < best
        best = np.where(better, error, best)
        for of_law, found in zip(law, (a, b, np.full_like(a, c)), strict=True):
            of_law[better] = found[better]
    return law


def gain(sizes: Array, values: Array, more: float, highest: float) -> Array | None:
    """Return what so many more rows than the largest size would add, in each resample.

    Args:
        sizes: [k], ascending.
        values: [k, resamples].
        more: rows.
        highest: of the metric.

    Returns:
        None where there are too few sizes, or that many rows are too far to tell.
    """
    largest = float(sizes[-1])
    if len(sizes) < FEWEST_SIZES or largest + more > FARTHEST * largest:
        return None
    law = fitted(sizes, values, highest)
    return law.at(largest + more) - law.at(largest)
