"""Learning curves: where one overtakes another, and what further rows would add.

Works on resampled values; knows neither arms nor tasks. Within the sizes that were measured no law
is assumed: between two of them a curve bends as its neighbours say, on a logarithmic scale
(piecewise cubics that keep what rises rising: Fritsch and Butland 1984, SIAM J. Sci. Stat. Comput.
5, 300–304). Straight lines put a crossing too far to the right where sizes are far apart, as curves
flatten: with sizes 8 apart their range held the truth in 84 of 100 draws.

Beyond the sizes a law is assumed: the inverse power law a − b·n^−c (Cortes et al. 1994, Learning
curves, NIPS 6; Figueroa et al. 2012, BMC Medical Informatics and Decision Making 12:8; on when it
fails Viering and Loog 2023, The Shape of Learning Curves, IEEE TPAMI, arXiv 2103.10948).
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
HALVINGS = 40
"""Of the piece between two sizes in which a crossing is looked for: a millionth of a millionth."""
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
    if within.any():
        found[within] = np.exp(_zero(np.log(sizes), ahead[:, within], last[within]))
    return found


def _zero(logs: Array, ahead: Array, at: NDArray[np.intp]) -> Array:
    """Return where each resample's curve passes 0, between the size `at` and the next.

    Args:
        logs: [k] of the sizes, two at the least.
        ahead: [k, resamples]; not above 0 at `at`, above it at the next size.
        at: [resamples].

    Returns:
        [resamples] logarithms of sizes.
    """
    from scipy.interpolate import PchipInterpolator

    pieces = PchipInterpolator(logs, ahead, axis=0).c  # [4, k − 1, resamples]
    cubic = pieces[:, at, np.arange(len(at))]
    low, high = np.zeros(len(at)), np.diff(logs)[at]
    # A piece between two values of unlike sign rises all along, and so has one zero.
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = ((cubic[0] * middle + cubic[1]) * middle + cubic[2]) * middle + cubic[3] <= 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(logs[at] + (low + high) / 2)


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
