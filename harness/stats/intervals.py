"""Intervals of single scores and of paired differences on the same items.

Without `scipy.stats`: importing it takes longer than analysing a run.
"""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
"""The 97.5% point of the normal distribution: two-sided 95%."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a proportion (1927, JASA 22, 209–212)."""
    share, z2 = successes / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    low = 0.0 if successes == 0 else middle - half  # exactly: rounding would leave a trace
    return low, 1.0 if successes == n else middle + half


def tango(only_first: int, only_second: int, n: int) -> tuple[float, float]:
    """Return Tango's 95% score interval of a paired difference of two proportions.

    Args:
        only_first: items that only the first arm got right.
        only_second: items that only the second got right.
        n: all items.

    Returns:
        Bounds of p_first − p_second (Tango 1998, Statistics in Medicine 17, 891–908, eq. 6–8).
    """
    from scipy.optimize import brentq

    b, c = only_first, only_second

    def statistic(difference: float) -> float:
        # The restricted maximum-likelihood estimate of the probability "only second is right".
        linear = -b - c + (2 * n - b + c) * difference
        constant = -c * difference * (1 - difference)
        q = (sqrt(max(0.0, linear**2 - 8 * n * constant)) - linear) / (4 * n)
        variance = n * (2 * q + difference * (1 - difference))
        numerator = b - c - n * difference
        if variance <= 0:
            return 0.0 if numerator == 0 else np.copysign(np.inf, numerator)
        return numerator / sqrt(variance)

    estimate = (b - c) / n
    edge = 1 - 1e-12
    low, high = -1.0, 1.0
    if statistic(-edge) > Z95 and estimate > -1:
        low = brentq(lambda d: statistic(d) - Z95, -edge, estimate)
    if statistic(edge) < -Z95 and estimate < 1:
        high = brentq(lambda d: statistic(d) + Z95, estimate, edge)
    return float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of the exact McNemar test (1947, Psychometrika 12, 153–157)."""
    from scipy.special import bdtr

    differing = only_first + only_second
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), differing, 0.5)))


def quantile_interval(values: NDArray[np.float64], share: float) -> tuple[float, float]:
    """Return a 95% interval of a quantile from order statistics (Conover 1999, section 3.2).

    Where the sample is too small for a bound, the extreme value stands in for it.
    """
    ordered = np.sort(values)
    low = binomial_quantile(0.025, len(ordered), share)
    high = binomial_quantile(0.975, len(ordered), share)
    return float(ordered[max(low - 1, 0)]), float(ordered[min(high, len(ordered) - 1)])


def binomial_quantile(probability: float, n: int, share: float) -> int:
    """Return the least number of successes in n that is reached with at least a probability."""
    from scipy.special import bdtr, bdtrik

    least = ceil(float(bdtrik(probability, n, share)))
    return least - 1 if least > 0 and bdtr(least - 1, n, share) >= probability else least
